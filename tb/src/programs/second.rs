// SPDX-License-Identifier: Apache-2.0
//! Second tensors of `fix.store`: where they lie, and legal factors of sums.

use super::arena::UB_BYTES;
use super::generate::Generator;
use isa::second::{Sum, is_offset};
use isa::state::fix;
use isa::*;
use rand::{Rng, RngExt};

impl<R: Rng> Generator<'_, R> {
    /// Gives some stores of 8-bit results a second tensor: anywhere in UB, for results in UB beside them or in their place.
    pub(super) fn with_second(&mut self, mut store: FixStore) -> FixStore {
        if store.dtype_out.bytes(1) != 1 || self.rng.random::<bool>() {
            return store;
        }
        let (rows, row_bytes) = (u32::from(store.m), u32::from(store.n));
        let stride = row_bytes.next_multiple_of(32) + 32 * self.below(2);
        let bytes = (rows - 1) * stride + row_bytes;
        if bytes > UB_BYTES {
            return store;
        }
        let mut address = self.place(UB_BYTES, bytes, 32);
        if let FixTarget::Ub(at) = store.dst {
            let results = match store.layout {
                Layout::Rows => (rows - 1) * store.dst_stride + row_bytes,
                Layout::Nz => (row_bytes.div_ceil(32) - 1) * store.dst_stride + 32 * rows,
            };
            if self.rng.random() && store.layout == Layout::Rows {
                address = at.min(UB_BYTES - bytes) / 32 * 32;
                (store.dst, store.dst_stride) = (FixTarget::Ub(address), stride);
            } else if at < address + bytes && address < at + results {
                return store;
            }
        }
        store.second = if self.chance(3) { Second::Max } else { Second::Add };
        self.builder.set(Pipe::Fix, fix::SECOND_ADDRESS, address);
        self.builder.set(Pipe::Fix, fix::SECOND_STRIDE, stride);
        if store.second == Second::Add {
            self.factors(store.dtype_out);
        }
        store
    }

    fn factors(&mut self, dtype: Dtype) {
        let zeros: [i32; 3] = std::array::from_fn(|_| self.number(dtype));
        let scales: [f32; 3] = std::array::from_fn(|_| match self.below(3) {
            0 => 2f32.powi(self.rng.random_range(-3..3)),
            _ => self.rng.random_range(0.05..1.0),
        });
        let sum = Sum::of_scales((scales[0], zeros[0]), (scales[1], zeros[1]), (scales[2], zeros[2]));
        let mut offset = sum.offset.to_bits();
        if self.chance(4) {
            let any = self.rng.random();
            offset = if is_offset(any) { any } else { offset };
        }
        let registers = [
            (fix::RATIO, sum.ratio.to_bits()),
            (fix::SECOND_RATIO, sum.second_ratio.to_bits()),
            (fix::OFFSET, offset),
            (fix::SUM_ZERO_POINT, sum.zero_point as u32),
        ];
        for (register, value) in registers {
            self.builder.set(Pipe::Fix, register, value);
        }
    }
}
