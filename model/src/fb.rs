// SPDX-License-Identifier: Apache-2.0
//! FB, the parameter buffer: bias, scale, shift and zero point of each channel.

use crate::{Trap, mix};
use isa::FbField;

/// The parameters of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Channel {
    /// Added to the accumulator.
    pub bias: i32,
    /// The bits of an fp32, or the multiplier of the modes tflite and gemmlowp.
    pub scale: u32,
    /// Shift of the modes tflite and gemmlowp, two's complement.
    pub shift: u8,
    /// 9 bits, -256 to 255.
    pub zero_point: i16,
}

/// The buffer.
#[derive(Clone, Debug)]
pub(crate) struct Fb {
    channels: Vec<Channel>,
}

impl Fb {
    pub(crate) fn new(channels: usize) -> Fb {
        Fb { channels: vec![Channel::default(); channels] }
    }

    /// Fills it with a pattern.
    pub(crate) fn poison(&mut self, seed: u64) {
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let pattern = mix(seed ^ index as u64);
            *channel = Channel {
                bias: pattern as i32,
                scale: (pattern >> 32) as u32,
                shift: (pattern >> 8) as u8,
                zero_point: nine_bits((pattern >> 16) as u16),
            };
        }
    }

    /// One channel.
    ///
    /// *Errors*: `out_of_buffer` with the channel.
    pub(crate) fn channel(&self, index: u64) -> Result<&Channel, Trap> {
        self.channels.get(index as usize).ok_or(Trap::outside(index))
    }

    /// Checks that `count` channels from `first` on are there.
    ///
    /// *Errors*: `out_of_buffer` with the first channel outside.
    pub(crate) fn check(&self, first: u64, count: u64) -> Result<(), Trap> {
        let channels = self.channels.len() as u64;
        if first + count > channels { Err(Trap::outside(first.max(channels))) } else { Ok(()) }
    }

    /// Writes a parameter of a channel from its bytes in L1, as many as [`FbField::bytes`] says.
    ///
    /// *Errors*: `out_of_buffer` with the channel.
    pub(crate) fn write(&mut self, index: u64, field: FbField, bytes: &[u8]) -> Result<(), Trap> {
        let channel = self.channels.get_mut(index as usize).ok_or(Trap::outside(index))?;
        let mut word = [0; 4];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u32::from_le_bytes(word);
        match field {
            FbField::Bias => channel.bias = word as i32,
            FbField::Scale => channel.scale = word,
            FbField::Shift => channel.shift = word as u8,
            FbField::ZeroPoint => channel.zero_point = nine_bits(word as u16),
        }
        Ok(())
    }
}

/// Bits 8:0, sign-extended.
fn nine_bits(bits: u16) -> i16 {
    (bits << 7) as i16 >> 7
}
