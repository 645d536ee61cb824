// SPDX-License-Identifier: Apache-2.0
//! Walks a Rust-HDL design with a probe of our own and keeps what the printer needs: scopes, signals, kernels.

use rust_hdl::prelude::{Atom, AtomKind, Block, NamedPath, Probe, TypeKind, Verilog, ast::VerilogStatement};

/// A name with `$` between its parts as the Verilog text has it.
pub(crate) fn flat(name: &str) -> String {
    name.replace('$', "_")
}

/// First line of a leaf whose text is printed inside its parent.
pub(crate) const INLINE: &str = "// inline";

/// One signal or constant of a block.
pub(crate) struct Signal {
    /// Name with `$` between its parts, for example `lane$3` or `axi$rvalid`.
    pub name: String,
    pub kind: AtomKind,
    pub width: usize,
    pub signed: bool,
    /// Value of a constant, as `{:x}` prints it.
    pub literal: String,
    /// Variants `Type::Variant` of an enum signal.
    pub variants: Vec<String>,
}

/// One block with its signals, kernel and children.
pub(crate) struct Scope {
    pub name: String,
    pub path: String,
    pub signals: Vec<Signal>,
    pub children: Vec<Scope>,
    pub hdl: Verilog,
}

struct Scan {
    open: Vec<Scope>,
    namespace: NamedPath,
    top: Option<Scope>,
}

/// Collects the whole design under `top`.
pub(crate) fn scan(top: &dyn Block, name: &str) -> Scope {
    let mut scan = Scan { open: vec![], namespace: NamedPath::default(), top: None };
    top.accept(name, &mut scan);
    scan.top.expect("a block opens and closes exactly one scope of its own")
}

impl Probe for Scan {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        let path = match self.open.last() {
            Some(parent) => format!("{}.{}", parent.path, name.replace('$', ".")),
            None => name.to_owned(),
        };
        self.open.push(Scope { name: name.to_owned(), path, signals: vec![], children: vec![], hdl: node.hdl() });
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.namespace.push(name);
    }

    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        let prefix = self.namespace.flat("$");
        let descriptor = atom.descriptor();
        let scope = self.open.last_mut().expect("signals live inside a block");
        scope.signals.push(Signal {
            name: if prefix.is_empty() { name.to_owned() } else { format!("{prefix}${name}") },
            kind: atom.kind(),
            width: atom.bits(),
            signed: matches!(descriptor.kind, TypeKind::Signed(_)),
            literal: format!("{:x}", atom.verilog()),
            variants: match descriptor.kind {
                TypeKind::Enum(variants) => variants,
                _ => vec![],
            },
        });
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.namespace.pop();
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        let scope = self.open.pop().expect("every end has its start");
        match self.open.last_mut() {
            Some(parent) => parent.children.push(scope),
            None => self.top = Some(scope),
        }
    }
}

/// The text of a leaf that is printed inside its parent, without the marker line.
pub(crate) fn inline_text(hdl: &Verilog) -> Option<&str> {
    match hdl {
        Verilog::Custom(text) => text.strip_prefix(INLINE).map(|rest| rest.trim_start_matches('\n')),
        _ => None,
    }
}

/// Name and purpose of a module, as its kernel's first `comment!("name: purpose")` states them.
pub(crate) struct Title {
    pub name: String,
    pub purpose: String,
}

impl Title {
    pub(crate) fn of(scope: &Scope) -> Title {
        let text = match &scope.hdl {
            Verilog::Combinatorial(block) => match block.first() {
                Some(VerilogStatement::Comment(text)) => unquote(text),
                _ => String::new(),
            },
            Verilog::Custom(text) => {
                text.lines().next().and_then(|line| line.strip_prefix("// ")).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        };
        let (name, purpose) = match text.split_once(": ") {
            Some((name, purpose)) => (fill(name, scope), purpose.to_owned()),
            None => (scope.name.replace('$', "_"), text),
        };
        Title { name, purpose }
    }
}

/// Takes the words out of a `comment!("...")` as the macro hands it over.
fn unquote(text: &str) -> String {
    let inner = match (text.find('"'), text.rfind('"')) {
        (Some(a), Some(b)) if b > a => &text[a + 1..b],
        (Some(a), _) => &text[a + 1..],
        _ => text,
    };
    inner.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Replaces `{x}` by the width of signal `x` and `{x[]}` by its number of elements.
fn fill(name: &str, scope: &Scope) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('{') {
        let (what, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        let (signal, count) = match what.strip_suffix("[]") {
            Some(signal) => (signal, true),
            None => (what, false),
        };
        let element = format!("{signal}$");
        let of_signal = |name: &str| name == signal || name.starts_with(&element);
        let number = if count {
            let signals = scope.signals.iter().filter(|s| of_signal(&s.name)).count();
            let blocks = scope.children.iter().filter(|c| of_signal(&c.name)).count();
            signals + blocks
        } else {
            scope.signals.iter().find(|s| of_signal(&s.name)).map_or(0, |s| s.width)
        };
        out.push_str(&number.to_string());
        rest = tail;
    }
    out.push_str(rest);
    out
}
