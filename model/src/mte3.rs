// SPDX-License-Identifier: Apache-2.0
//! MTE3: L1 out to GM.
//!
//! Rows in ascending order; each is read from L1 as a whole, then written to GM. A fault leaves the rows before it done.
//! Source UB never gets here: no core has one, so the sequencer refuses it.

use crate::gm::Gm;
use crate::l1::{L1, pieces};
use crate::{Counts, Trap};
use isa::Mte3Store;

/// `mte3.store`.
pub(crate) fn store(op: &Mte3Store, gm: &mut Gm, l1: &L1, counts: &mut Counts) -> Result<(), Trap> {
    let start = gm.address(op.gm);
    let mut data = vec![0; op.len_bytes as usize];
    for row in 0..u64::from(op.rows) {
        for (address, range) in pieces(op.layout, op.src_address.into(), op.src_stride, row, 0..u64::from(op.len_bytes))
        {
            let source = l1.read(address, range.len())?;
            data[range].copy_from_slice(source);
        }
        gm.write_row(start + row * u64::from(op.gm_stride), &data, counts)?;
    }
    Ok(())
}
