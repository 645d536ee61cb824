// SPDX-License-Identifier: Apache-2.0
//! A file that takes value changes, and what is declared in it.

use std::io;
use vcd::{Scope, ScopeItem, ScopeType, Var, VarType};

/// A file that is being written. Codes are those of the declarations; a change of one that is not declared is dropped.
pub(crate) trait Sink {
    /// Time in nanoseconds of the changes that follow; it never falls.
    fn time(&mut self, time: u64) -> io::Result<()>;
    /// The bits of a signal, most significant first: `0`, `1`, `x`, `z`. Fewer than it has are extended as VCD says.
    fn bits(&mut self, code: u64, bits: &[u8]) -> io::Result<()>;
    /// The text of a signal that is declared as `string`.
    fn text(&mut self, code: u64, text: &str) -> io::Result<()>;
    /// Completes the file; the last values hold until `end`.
    fn finish(self: Box<Self>, end: u64) -> io::Result<()>;
}

/// A code as VCD writes it, to a number: digits of base 94, the lowest first. `None` if it is none.
pub(crate) fn code_number(code: &[u8]) -> Option<u64> {
    let digit = |&byte: &u8| byte.is_ascii_graphic().then(|| u64::from(byte - b'!') + 1);
    let number = code.iter().rev().try_fold(0u64, |number, byte| number.checked_mul(94)?.checked_add(digit(byte)?))?;
    number.checked_sub(1)
}

/// The number of a declared signal.
pub(crate) fn number_of(var: &Var) -> u64 {
    code_number(var.code.to_string().as_bytes()).expect("the parser admits codes only")
}

/// A scope with these items.
pub(crate) fn scope(name: &str, items: Vec<ScopeItem>) -> ScopeItem {
    let mut scope = Scope::new(ScopeType::Module, name.to_owned());
    scope.items = items;
    ScopeItem::Scope(scope)
}

/// A text.
pub(crate) fn is_text(var: &Var) -> bool {
    var.var_type == VarType::String
}

/// Calls `visit` with every signal below.
pub(crate) fn each_var(items: &[ScopeItem], visit: &mut dyn FnMut(&Var)) {
    for item in items {
        match item {
            ScopeItem::Scope(scope) => each_var(&scope.items, visit),
            ScopeItem::Var(var) => visit(var),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vcd::IdCode;

    #[test]
    fn codes_are_numbered_as_they_are_written() {
        for number in [0u64, 1, 93, 94, 95, 94 * 94, 94 * 95, 1_000_000] {
            assert_eq!(code_number(IdCode::from(number).to_string().as_bytes()), Some(number));
        }
        assert_eq!((code_number(b""), code_number(b"a b"), code_number(&[b'~'; 40])), (None, None, None));
    }
}
