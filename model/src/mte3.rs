// SPDX-License-Identifier: Apache-2.0
//! MTE3: L1 or UB out to GM, and UB to L1.
//!
//! Matrix by matrix of the outer dimensions, rows in ascending order; each row (or all, if they are one run) is read from its buffer as a whole,
//! then written. A fault leaves the rows before it done.

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
    let (rows, len) = (u64::from(op.rows), u64::from(op.len_bytes));
    let together = gm.rows_per_run(op.rows, op.len_bytes, op.gm_stride);
    let mut data = vec![0; (together * len) as usize];
    for (src, dst) in outer.offsets() {
        for first in (0..rows).step_by(together as usize) {
            let run = start + dst + first * u64::from(op.gm_stride);
            gm.may_write(run, data.len() as u64)?;
            for (row, data) in (first..).zip(data.chunks_mut(len as usize)) {
                local.read_row(op.layout, u64::from(op.src_address) + src, op.src_stride, row, data)?;
            }
            gm.write(run, &data, counts)?;
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
