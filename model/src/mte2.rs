// SPDX-License-Identifier: Apache-2.0
//! MTE2: GM into L1 or UB, and fills.
//!
//! Matrix by matrix of the outer dimensions, rows in ascending order; each row (or all, if they are one run) is read from GM as a whole,
//! then written to its buffer. A fault leaves the rows before it done.

use crate::gm::Gm;
use crate::l1::Local;
use crate::{Counts, Trap};
use isa::geometry::Outer;
use isa::{Layout, Mte2Fill, Mte2Load};

/// `mte2.load`.
pub(crate) fn load(
    op: &Mte2Load,
    outer: &Outer,
    gm: &mut Gm,
    local: &mut Local,
    counts: &mut Counts,
) -> Result<(), Trap> {
    let start = gm.address(op.gm);
    let (rows, len) = (u64::from(op.rows), u64::from(op.len_bytes));
    let together = gm.rows_per_run(op.rows, op.len_bytes, op.gm_stride);
    let mut data = vec![0; (together * len) as usize];
    for (src, dst) in outer.offsets() {
        for first in (0..rows).step_by(together as usize) {
            gm.read(start + src + first * u64::from(op.gm_stride), &mut data, counts)?;
            for (row, data) in (first..).zip(data.chunks(len as usize)) {
                local.write_row(op.layout, u64::from(op.dst_address) + dst, op.dst_stride, row, data)?;
            }
        }
    }
    Ok(())
}

/// `mte2.fill`.
pub(crate) fn fill(op: &Mte2Fill, outer: &Outer, local: &mut Local) -> Result<(), Trap> {
    let data = vec![op.byte; op.len_bytes as usize];
    for (_, dst) in outer.offsets() {
        for row in 0..u64::from(op.rows) {
            local.write_row(Layout::Rows, u64::from(op.dst_address) + dst, op.dst_stride, row, &data)?;
        }
    }
    Ok(())
}
