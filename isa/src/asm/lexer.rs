// SPDX-License-Identifier: Apache-2.0
//! Lines to tokens.

use super::AsmProblem;
use std::fmt;

/// A token of one line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Letters, digits, `_` and `.`; begins with a letter, `_` or `.`.
    Word(String),
    /// An integer.
    Integer(i64),
    /// A number with a decimal point.
    Float(f32),
    /// One of `= [ ] ( ) + - *`.
    Mark(char),
    /// The end of the line.
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => write!(f, "`{word}`"),
            Token::Integer(value) => write!(f, "number {value}"),
            Token::Float(value) => write!(f, "number {value:?}"),
            Token::Mark(mark) => write!(f, "`{mark}`"),
            Token::End => f.write_str("the end of the line"),
        }
    }
}

/// A token and its column, from 1.
pub(super) type Located = (Token, usize);

/// The tokens of a line, the last one [`Token::End`].
///
/// *Errors*: column and problem.
pub(super) fn tokens(line: &str) -> Result<Vec<Located>, (usize, AsmProblem)> {
    let characters: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let column = at + 1;
        match character {
            ';' | '#' => break,
            '/' if characters.get(at + 1) == Some(&'/') => break,
            ',' => at += 1,
            _ if character.is_whitespace() => at += 1,
            '=' | '[' | ']' | '(' | ')' | '+' | '-' | '*' => {
                found.push((Token::Mark(character), column));
                at += 1;
            }
            _ if character.is_ascii_digit() => {
                let text = number_text(&characters[at..]);
                at += text.chars().count();
                let token = number(&text).ok_or((column, AsmProblem::BadNumber(text)))?;
                found.push((token, column));
            }
            _ if character.is_alphabetic() || character == '_' || character == '.' => {
                let in_word = |c: &&char| c.is_alphanumeric() || **c == '_' || **c == '.';
                let word: String = characters[at..].iter().take_while(in_word).collect();
                at += word.chars().count();
                found.push((Token::Word(word), column));
            }
            _ => return Err((column, AsmProblem::BadCharacter(character))),
        }
    }
    found.push((Token::End, characters.len().min(at) + 1));
    Ok(found)
}

/// The characters of a number: letters, digits, `_`, `.`, and a sign behind the exponent of a decimal fraction.
fn number_text(characters: &[char]) -> String {
    let mut text = String::new();
    for &character in characters {
        let exponent_sign = matches!(character, '+' | '-') && text.contains('.') && text.ends_with(['e', 'E']);
        if !(character.is_alphanumeric() || character == '_' || character == '.' || exponent_sign) {
            break;
        }
        text.push(character);
    }
    text
}

fn number(text: &str) -> Option<Token> {
    let digits = text.replace('_', "");
    if digits.contains('.') {
        return digits.parse().ok().map(Token::Float);
    }
    let suffixes = [("Ki", 1 << 10), ("Mi", 1 << 20), ("K", 1000)];
    let (digits, factor) = suffixes
        .into_iter()
        .find_map(|(suffix, factor)| Some((digits.strip_suffix(suffix)?, factor)))
        .unwrap_or((&digits, 1));
    let value = match (digits.strip_prefix("0x"), digits.strip_prefix("0b")) {
        (Some(hex), _) => i64::from_str_radix(hex, 16),
        (_, Some(binary)) => i64::from_str_radix(binary, 2),
        _ => digits.parse(),
    };
    value.ok()?.checked_mul(factor).map(Token::Integer)
}
