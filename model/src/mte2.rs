// SPDX-License-Identifier: Apache-2.0
//! MTE2: GM into L1, and fills.
//!
//! Rows in ascending order; each is read from GM as a whole, then written to L1. A fault leaves the rows before it done.
//! Destination UB never gets here: no core has one, so the sequencer refuses it.

use crate::gm::Gm;
use crate::l1::{L1, pieces};
use crate::{Counts, Trap};
use isa::{Layout, Mte2Fill, Mte2Load};

/// `mte2.load`.
pub(crate) fn load(op: &Mte2Load, gm: &mut Gm, l1: &mut L1, counts: &mut Counts) -> Result<(), Trap> {
    let start = gm.address(op.gm);
    let mut data = vec![0; op.len_bytes as usize];
    for row in 0..u64::from(op.rows) {
        gm.read_row(start + row * u64::from(op.gm_stride), &mut data, counts)?;
        for (address, range) in pieces(op.layout, op.dst_address.into(), op.dst_stride, row, 0..u64::from(op.len_bytes))
        {
            l1.write(address, &data[range])?;
        }
    }
    Ok(())
}

/// `mte2.fill`.
pub(crate) fn fill(op: &Mte2Fill, l1: &mut L1) -> Result<(), Trap> {
    let data = vec![op.byte; op.len_bytes as usize];
    for row in 0..u64::from(op.rows) {
        for (address, range) in
            pieces(Layout::Rows, op.dst_address.into(), op.dst_stride, row, 0..u64::from(op.len_bytes))
        {
            l1.write(address, &data[range])?;
        }
    }
    Ok(())
}
