// SPDX-License-Identifier: Apache-2.0
//! Paths as the kernel macro writes them (`bank[(i*2)+1]$addr`): resolves loop variables and index arithmetic.

/// Loop variables in scope, innermost last.
#[derive(Default)]
pub(crate) struct Loops(Vec<(String, i128)>);

impl Loops {
    pub(crate) fn push(&mut self, name: &str, value: i128) {
        self.0.push((name.to_owned(), value));
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    pub(crate) fn get(&self, name: &str) -> Option<i128> {
        self.0.iter().rev().find(|(variable, _)| variable == name).map(|(_, value)| *value)
    }
}

/// A resolved path.
#[derive(Debug, PartialEq)]
pub(crate) enum Path {
    /// One signal, `$` between its parts.
    Signal(String),
    /// An element chosen at run time: text before the element number, text after it, path of the index signal.
    Pick { before: String, after: String, index: String },
}

/// Resolves `path`; `Err` is the sentence for the user.
pub(crate) fn resolve(path: &str, loops: &Loops) -> Result<Path, String> {
    // The compiler wraps long token text, so blanks and newlines may stand anywhere.
    let text: String = path.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.replace('.', "$").replace("::", "$");
    let text = text.strip_suffix("$next").unwrap_or(&text);
    let mut out = String::new();
    let mut pick: Option<(String, String)> = None;
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let close = matching(rest, open).ok_or("the brackets do not match")?;
        out.push_str(&rest[..open]);
        let inner = &rest[open + 1..close];
        if let Some(signal) = dynamic(inner) {
            if pick.is_some() {
                return Err("two run-time indices in one path; use one signal per choice".into());
            }
            let index = match resolve(signal, loops)? {
                Path::Signal(signal) => signal,
                Path::Pick { .. } => return Err("a run-time index inside a run-time index".into()),
            };
            out.push('$');
            pick = Some((std::mem::take(&mut out), index));
        } else {
            let value = evaluate(inner, loops)?;
            if value < 0 {
                return Err(format!("index `{inner}` is {value}"));
            }
            out.push('$');
            out.push_str(&value.to_string());
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    Ok(match pick {
        None => Path::Signal(out.trim_start_matches('$').to_owned()),
        Some((before, index)) => Path::Pick { before: before.trim_start_matches('$').to_owned(), after: out, index },
    })
}

fn matching(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices().skip(open) {
        match c {
            '[' => depth += 1,
            ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// `sel$val()$index()` names a signal used as index.
fn dynamic(inner: &str) -> Option<&str> {
    inner.strip_suffix("$val()$index()")
}

/// Integer arithmetic over loop variables: `+ - * / % << >>` and parentheses.
pub(crate) fn evaluate(text: &str, loops: &Loops) -> Result<i128, String> {
    let mut parser = Parser { text: text.as_bytes(), at: 0, loops, whole: text };
    let value = parser.shift()?;
    if parser.at != text.len() {
        return Err(parser.unclear());
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    loops: &'a Loops,
    whole: &'a str,
}

impl Parser<'_> {
    fn unclear(&self) -> String {
        format!(
            "index `{}` is not arithmetic over loop variables and numbers; bring a constant in by a loop of one turn (`for n in self._n..(self._n + 1)`)",
            self.whole
        )
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token.as_bytes());
        if found {
            self.at += token.len();
        }
        found
    }

    fn shift(&mut self) -> Result<i128, String> {
        let mut value = self.sum()?;
        loop {
            if self.take("<<") {
                value <<= self.sum()?;
            } else if self.take(">>") {
                value >>= self.sum()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn sum(&mut self) -> Result<i128, String> {
        let mut value = self.product()?;
        loop {
            if self.take("+") {
                value += self.product()?;
            } else if self.take("-") {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<i128, String> {
        let mut value = self.atom()?;
        loop {
            if self.take("*") {
                value *= self.atom()?;
            } else if self.take("/") {
                let by = self.atom()?;
                value = value.checked_div(by).ok_or_else(|| self.unclear())?;
            } else if self.take("%") {
                let by = self.atom()?;
                value = value.checked_rem(by).ok_or_else(|| self.unclear())?;
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Result<i128, String> {
        if self.take("(") {
            let value = self.shift()?;
            if !self.take(")") {
                return Err(self.unclear());
            }
            return Ok(value);
        }
        let start = self.at;
        while self.at < self.text.len() && (self.text[self.at].is_ascii_alphanumeric() || self.text[self.at] == b'_') {
            self.at += 1;
        }
        let word = &self.whole[start..self.at];
        let number = word.trim_end_matches("usize").trim_end_matches('_');
        match number.parse::<i128>() {
            Ok(value) => Ok(value),
            Err(_) => self.loops.get(word).ok_or_else(|| self.unclear()),
        }
    }
}
