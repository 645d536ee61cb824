// SPDX-License-Identifier: Apache-2.0
//! MTE3: L1 or UB out to GM, and UB to L1.
//!
//! Matrix by matrix of the outer dimensions, rows in ascending order; each row is read from its buffer as a whole, then written. A fault
//! leaves the rows before it done.

use crate::gm::Gm;
use crate::l1::Local;
use crate::{Counts, Trap};
use isa::geometry::Outer;
use isa::{Layout, Mte3Move, Mte3Store};

/// `mte3.store`.
pub(crate) fn store(
    op: &Mte3Store,
    outer: &Outer,
    gm: &mut Gm,
    local: &Local,
    counts: &mut Counts,
) -> Result<(), Trap> {
    let start = gm.address(op.gm);
    let mut data = vec![0; op.len_bytes as usize];
    for (src, dst) in outer.offsets() {
        for row in 0..u64::from(op.rows) {
            local.read_row(op.layout, u64::from(op.src_address) + src, op.src_stride, row, &mut data)?;
            gm.write_row(start + dst + row * u64::from(op.gm_stride), &data, counts)?;
        }
    }
    Ok(())
}

/// `mte3.move`.
pub(crate) fn copy(op: &Mte3Move, outer: &Outer, ub: &Local, l1: &mut Local) -> Result<(), Trap> {
    let mut data = vec![0; op.len_bytes as usize];
    for (src, dst) in outer.offsets() {
        for row in 0..u64::from(op.rows) {
            ub.read_row(Layout::Rows, u64::from(op.src_address) + src, op.src_stride, row, &mut data)?;
            l1.write_row(op.layout, u64::from(op.dst_address) + dst, op.dst_stride, row, &data)?;
        }
    }
    Ok(())
}
