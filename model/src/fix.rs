// SPDX-License-Identifier: Apache-2.0
//! FIX: tiles of L0C through bias, requantisation, a second tensor, ReLU and clamp, out to GM, L1 or UB.
//!
//! Row blocks outside; in each, chunks of 16 bus words of a row; of each chunk first all blocks are read, then its rows are
//! written, in nz panel by panel. The work stops before the first chunk of which a block is not full, and goes on there later.
//! A chunk's numbers of the second tensor are read before its rows are written.
//! Results other than s8, u8, int32 and fp32 never get here: the sequencer refuses them.

use crate::fb::Fb;
use crate::gm::Gm;
use crate::l0c::{L0c, Tile};
use crate::l1::{Local, pieces};
use crate::numerics::{Activation, Multiplier, add_second, as_number, range, scaled};
use crate::{Counts, Trap};
use isa::second::SecondTensor;
use isa::state::fix as register;
use isa::{Cause, Config, Dtype, FixStore, FixTarget, Pipe, State};

/// Bus words per row of a chunk.
const CHUNK_WORDS: usize = 16;

/// What the state registers contribute, taken when the instruction starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters {
    multiplier: Option<Multiplier>,
    zero_point: i32,
    second: Option<SecondTensor>,
    activation: Activation,
}

/// The checks at the start of the instruction, in this order.
///
/// *Errors*: `unset_register`, `bad_scale`, `bad_zero_point` with address 0; `out_of_buffer` with the first channel outside FB; for the
/// second tensor what its registers say, with address 0, then `out_of_buffer` with the first byte of its last row outside UB.
pub(crate) fn check(op: &FixStore, state: &State, fb: &Fb, ub: &Local) -> Result<Parameters, Trap> {
    let get = |index| state.get(Pipe::Fix, index).ok_or(Trap::new(Cause::UnsetRegister, 0));
    let from_state = op.scales() && !op.per_channel;
    let scale = if from_state { get(register::SCALE)? } else { 0 };
    let shift = if from_state && op.shifts() { get(register::SHIFT)? } else { 0 };
    let clamp =
        if op.clamp { Some((get(register::CLAMP_LOW)? as i32, get(register::CLAMP_HIGH)? as i32)) } else { None };
    let zero_point = if op.has_zero_point() { get(register::ZERO_POINT)? as i32 } else { 0 };
    let multiplier = if from_state { Some(checked(op, scale, shift as u8, 0)?) } else { None };
    let (lowest, highest) = range(op.dtype_out);
    if op.has_zero_point() && !(lowest..=highest).contains(&zero_point) {
        return Err(Trap::new(Cause::BadZeroPoint, 0));
    }
    if op.reads_fb() {
        fb.check(op.channel.into(), op.n.into())?;
    }
    let second = SecondTensor::of(op, state).map_err(|misuse| Trap::new(misuse.cause(), 0))?;
    if let Some(second) = second {
        ub.read(second_row(&second, usize::from(op.m) - 1), op.n.into())?;
    }
    let floor = second.and_then(|second| second.sum).map_or(zero_point, |sum| sum.zero_point);
    let activation = Activation { floor: op.relu.then_some(floor), clamp };
    Ok(Parameters { multiplier, zero_point, second, activation })
}

/// First byte of a row of the second tensor.
fn second_row(second: &SecondTensor, row: usize) -> u64 {
    u64::from(second.address) + row as u64 * u64::from(second.stride)
}

fn checked(op: &FixStore, scale: u32, shift: u8, address: u64) -> Result<Multiplier, Trap> {
    Multiplier::new(op.rounding, scale, shift).ok_or(Trap::new(Cause::BadScale, address))
}

/// `fix.store` over its buffers.
pub(crate) struct Work<'a, 'gm> {
    pub(crate) op: &'a FixStore,
    pub(crate) parameters: Parameters,
    pub(crate) config: &'a Config,
    pub(crate) l0c: &'a L0c,
    pub(crate) fb: &'a Fb,
    pub(crate) l1: &'a mut Local,
    pub(crate) ub: &'a mut Local,
    pub(crate) gm: &'a mut Gm<'gm>,
}

impl Work<'_, '_> {
    /// Stores chunks from number `done` on, as far as their blocks are full; `done` follows. True when all are done.
    ///
    /// *Errors*: `out_of_buffer` with the fractal of L0C; `bad_scale` with the channel; what the destination refuses.
    pub(crate) fn advance(&mut self, done: &mut usize, counts: &mut Counts) -> Result<bool, Trap> {
        let (m, n) = (usize::from(self.op.m), usize::from(self.op.n));
        let chunk_columns = CHUNK_WORDS * self.config.bus_bytes / self.element_bytes();
        let chunks = n.div_ceil(chunk_columns);
        while *done < m.div_ceil(self.config.m0) * chunks {
            let row = *done / chunks * self.config.m0;
            let first = *done % chunks * chunk_columns;
            let columns = first..n.min(first + chunk_columns);
            if !self.blocks_full(row, columns.clone())? {
                return Ok(false);
            }
            let multipliers = self.multipliers(columns.clone())?;
            let rows = row..m.min(row + self.config.m0);
            let second = rows.clone().map(|row| self.second(row, columns.clone())).collect::<Result<Vec<_>, _>>()?;
            for (row, second) in rows.zip(second) {
                self.store_row(row, columns.clone(), &multipliers, &second, counts)?;
            }
            *done += 1;
        }
        Ok(true)
    }

    fn element_bytes(&self) -> usize {
        self.op.dtype_out.bytes(1) as usize
    }

    fn tile(&self) -> Tile {
        Tile::new(self.op.l0c, self.op.n)
    }

    fn blocks_full(&self, row: usize, columns: std::ops::Range<usize>) -> Result<bool, Trap> {
        // A chunk begins at a block: it has at least 16 columns, a power of two of them.
        for column in columns.step_by(self.config.n0) {
            if !self.l0c.is_full(self.tile(), row, column)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The multiplier of each column; empty for int32 results.
    fn multipliers(&self, columns: std::ops::Range<usize>) -> Result<Vec<Multiplier>, Trap> {
        if !self.op.scales() {
            return Ok(Vec::new());
        }
        columns
            .map(|column| match self.parameters.multiplier {
                Some(multiplier) => Ok(multiplier),
                None => {
                    let channel = u64::from(self.op.channel) + column as u64;
                    let parameters = self.fb.channel(channel)?;
                    checked(self.op, parameters.scale, parameters.shift, channel)
                }
            })
            .collect()
    }

    /// The numbers of the second tensor in these columns of a row; empty without one.
    fn second(&self, row: usize, columns: std::ops::Range<usize>) -> Result<Vec<i32>, Trap> {
        let Some(second) = &self.parameters.second else { return Ok(Vec::new()) };
        let bytes = self.ub.read(second_row(second, row) + columns.start as u64, columns.len())?;
        Ok(bytes.iter().map(|&byte| as_number(byte, self.op.dtype_out)).collect())
    }

    fn store_row(
        &mut self,
        row: usize,
        columns: std::ops::Range<usize>,
        multipliers: &[Multiplier],
        second: &[i32],
        counts: &mut Counts,
    ) -> Result<(), Trap> {
        let size = self.element_bytes();
        let mut data = Vec::with_capacity(columns.len() * size);
        for (index, column) in columns.clone().enumerate() {
            let bias = match self.op.bias {
                true => self.fb.channel(u64::from(self.op.channel) + column as u64)?.bias,
                false => 0,
            };
            let acc = self.l0c.get(self.tile(), row, column).wrapping_add(bias);
            let Parameters { zero_point, second: second_tensor, activation, .. } = self.parameters;
            let q = match (self.op.dtype_out, multipliers.get(index)) {
                (Dtype::Fp32, Some(&Multiplier::Onnx(scale))) => scaled(acc, scale, self.op.relu).to_bits() as i32,
                (dtype, Some(multiplier)) => {
                    let q = multiplier.requantise(acc, zero_point, dtype);
                    activation.apply(match second_tensor {
                        None => q,
                        Some(SecondTensor { sum: None, .. }) => q.max(second[index]),
                        Some(SecondTensor { sum: Some(sum), .. }) => add_second(q, second[index], &sum, dtype),
                    })
                }
                (_, None) => activation.apply(acc),
            };
            data.extend_from_slice(&q.to_le_bytes()[..size]);
        }
        let start = match self.op.dst {
            FixTarget::Gm(gm) => self.gm.address(gm),
            FixTarget::L1(address) | FixTarget::Ub(address) => address.into(),
        };
        let bytes = (columns.start * size) as u64..(columns.end * size) as u64;
        for (address, range) in pieces(self.op.layout, start, self.op.dst_stride, row as u64, bytes) {
            match self.op.dst {
                FixTarget::Gm(_) => self.gm.write(address, &data[range], counts)?,
                FixTarget::L1(_) => self.l1.write(address, &data[range])?,
                FixTarget::Ub(_) => self.ub.write(address, &data[range])?,
            }
        }
        Ok(())
    }
}
