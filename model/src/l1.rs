// SPDX-License-Identifier: Apache-2.0
//! L1 and UB: bytes, and the two layouts in which a matrix lies in them.

use crate::{Trap, mix};
use isa::Layout;
use isa::limits::FRACTAL_ROW_BYTES;
use std::ops::Range;

/// One of the two buffers.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    bytes: Vec<u8>,
}

impl Local {
    pub(crate) fn new(len: usize) -> Local {
        Local { bytes: vec![0; len] }
    }

    /// Fills it with a pattern.
    pub(crate) fn poison(&mut self, seed: u64) {
        for (index, word) in self.bytes.chunks_mut(8).enumerate() {
            let pattern = mix(seed ^ index as u64).to_le_bytes();
            word.copy_from_slice(&pattern[..word.len()]);
        }
    }

    /// Everything.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `len` bytes from `address` on.
    ///
    /// *Errors*: `out_of_buffer` with the first byte outside.
    pub(crate) fn read(&self, address: u64, len: usize) -> Result<&[u8], Trap> {
        self.bytes
            .get(address as usize..address as usize + len)
            .ok_or_else(|| Trap::outside(address.max(self.bytes.len() as u64)))
    }

    /// Writes bytes from `address` on.
    ///
    /// *Errors*: `out_of_buffer` with the first byte outside; those before it are written.
    pub(crate) fn write(&mut self, address: u64, data: &[u8]) -> Result<(), Trap> {
        let first = (address as usize).min(self.bytes.len());
        let room = data.len().min(self.bytes.len() - first);
        self.bytes[first..first + room].copy_from_slice(&data[..room]);
        if room < data.len() { Err(Trap::outside(address.max(self.bytes.len() as u64))) } else { Ok(()) }
    }

    /// Reads row `row` of a matrix.
    ///
    /// *Errors*: as [`Local::read`].
    pub(crate) fn read_row(
        &self,
        layout: Layout,
        address: u64,
        stride: u32,
        row: u64,
        data: &mut [u8],
    ) -> Result<(), Trap> {
        for (address, range) in pieces(layout, address, stride, row, 0..data.len() as u64) {
            let source = self.read(address, range.len())?;
            data[range].copy_from_slice(source);
        }
        Ok(())
    }

    /// Writes row `row` of a matrix.
    ///
    /// *Errors*: as [`Local::write`].
    pub(crate) fn write_row(
        &mut self,
        layout: Layout,
        address: u64,
        stride: u32,
        row: u64,
        data: &[u8],
    ) -> Result<(), Trap> {
        pieces(layout, address, stride, row, 0..data.len() as u64)
            .try_for_each(|(address, range)| self.write(address, &data[range]))
    }
}

/// Where the bytes `columns` of row `row` of a matrix lie: the address of each contiguous piece, and its bytes counted from
/// `columns.start`, in ascending order.
///
/// `rows`: one piece. `nz`: one per panel of 32 bytes.
pub(crate) fn pieces(
    layout: Layout,
    address: u64,
    stride: u32,
    row: u64,
    columns: Range<u64>,
) -> impl Iterator<Item = (u64, Range<usize>)> {
    let panel_bytes = FRACTAL_ROW_BYTES as u64;
    let stride = u64::from(stride);
    let mut at = columns.start;
    std::iter::from_fn(move || {
        if at >= columns.end {
            return None;
        }
        let (end, place) = match layout {
            Layout::Rows => (columns.end, address + row * stride + at),
            Layout::Nz => {
                let panel = at / panel_bytes;
                let place = address + panel * stride + row * panel_bytes + at % panel_bytes;
                (columns.end.min((panel + 1) * panel_bytes), place)
            }
        };
        let piece = (place, (at - columns.start) as usize..(end - columns.start) as usize);
        at = end;
        Some(piece)
    })
}
