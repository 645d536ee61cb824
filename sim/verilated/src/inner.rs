// SPDX-License-Identifier: Apache-2.0
//! Signals inside a design that are read in place: registers and memories that are no ports.
//!
//! ```text
//!  Build::inner("ram_*", "words") ─► inner.vlt ─► Verilator keeps them, with a table of names ─► Dut::inner("top.l1.bank_0.words")
//! ```
//! Only what the build names can be found: whatever stays findable cannot be optimised away. Values are those after the last `eval`.

use std::ffi::{CString, c_char, c_void};
use std::fmt::Write as _;

use crate::dut::Dut;
use crate::error::{Error, Result};

/// The function of inner.cpp.
pub(crate) type Find = extern "C" fn(*mut c_void, *const c_char, *const c_char, *mut *mut u8, *mut u64) -> i32;

/// The exported name of that function.
pub(crate) const SYMBOL: &[u8] = b"verilated_rs_inner\0";

/// The C++ that a build with inner signals has in addition.
pub(crate) const INNER_CPP: &str = include_str!("inner.cpp");

/// Name of the file that tells Verilator of them.
pub(crate) const INNER_VLT: &str = "verilated_rs_inner.vlt";

/// The text of that file for (module, signal) patterns.
pub(crate) fn control_file(patterns: &[(String, String)]) -> String {
    let mut text = "`verilator_config\n".to_owned();
    for (module, signal) in patterns {
        let _ = writeln!(text, "public_flat_rd -module \"{module}\" -var \"{signal}\"");
    }
    text
}

/// A signal inside a design, found by [`Dut::inner`]; valid for that instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    pub(crate) index: u32,
    /// Bits of an element.
    bits: u32,
    /// Elements: the words of a memory, 1 for a register.
    elements: usize,
}

impl Inner {
    /// Bits of an element.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// Elements: the words of a memory, 1 for anything else.
    #[must_use]
    pub fn elements(self) -> usize {
        self.elements
    }
}

/// Where such a signal lives in its instance.
pub(crate) struct InnerSlot {
    address: *const u8,
    /// From one element to the next.
    bytes: usize,
    bits: u32,
    elements: usize,
}

impl InnerSlot {
    /// Bytes of element `index`, least significant first, one per started 8 bits.
    fn element(&self, index: usize) -> &[u8] {
        const { assert!(cfg!(target_endian = "little"), "signals are read in place, least significant byte first") };
        assert!(index < self.elements, "element {index} of a signal that has {}", self.elements);
        // SAFETY: `elements` elements of `bytes` bytes each lie from `address` on, for as long as the instance lives, which owns this slot;
        // `ceil(bits / 8) <= bytes`.
        unsafe { std::slice::from_raw_parts(self.address.add(index * self.bytes), self.bits.div_ceil(8) as usize) }
    }
}

impl Dut {
    /// The signal at `path`: names of instances and of the signal, joined by dots, the top module first (`top.l1.bank_0.words`).
    ///
    /// # Errors
    /// [`Error::UnknownInner`] if there is none, or if the build did not name it.
    pub fn inner(&mut self, path: &str) -> Result<Inner> {
        let top = self.model().top().to_owned();
        let unknown = |reason: &'static str| Error::UnknownInner { top: top.clone(), signal: path.to_owned(), reason };
        let find =
            self.model().inner.ok_or_else(|| unknown("the model was built without any, name it with `inner`"))?;
        let Some((scope, name)) = path.rsplit_once('.') else {
            return Err(unknown("give the path from the top module on"));
        };
        let text = |part: &str| CString::new(part).map_err(|_| unknown("its name contains a zero byte"));
        let (scope, name) = (text(scope)?, text(name)?);
        let (mut address, mut shape) = (std::ptr::null_mut(), [0; 3]);
        match find(self.raw(), scope.as_ptr(), name.as_ptr(), &raw mut address, shape.as_mut_ptr()) {
            0 => {}
            1 => return Err(unknown("there is no such instance, or nothing in it was named with `inner`")),
            2 => return Err(unknown("there is no such signal, or it was not named with `inner`")),
            _ => return Err(unknown("it is an array of arrays, or does not count from 0")),
        }
        let [bytes, bits, elements] = shape;
        let slot = InnerSlot { address, bytes: bytes as usize, bits: bits as u32, elements: elements as usize };
        let inner = Inner { index: self.inner_slots.len() as u32, bits: slot.bits, elements: slot.elements };
        self.inner_slots.push(slot);
        Ok(inner)
    }

    /// Element `index` of a signal in place: bytes, least significant first, one per started 8 bits.
    ///
    /// # Panics
    /// If there is no such element, or the signal was found in another instance that had more of them.
    #[must_use]
    pub fn peek_bytes(&self, inner: Inner, index: usize) -> &[u8] {
        self.inner_slots[inner.index as usize].element(index)
    }

    /// Element `index` of a signal of at most 64 bits.
    ///
    /// # Panics
    /// As [`Dut::peek_bytes`]; if it is wider.
    #[must_use]
    pub fn peek(&self, inner: Inner, index: usize) -> u64 {
        let bytes = self.peek_bytes(inner, index);
        assert!(bytes.len() <= 8, "a signal of {} bits is wider than 64: use peek_bytes", inner.bits);
        bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
    }
}
