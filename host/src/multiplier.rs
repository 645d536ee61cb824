// SPDX-License-Identifier: Apache-2.0
//! A real scale as an integer and a shift: what the modes `tflite` and `gemmlowp` multiply by.

use fixed::types::I1F31;
use isa::Rounding;

/// `m * 2^shift`, with m in Q0.31: 0, or at least 1/2 and below 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier {
    /// The significand.
    pub m: I1F31,
    /// Exponent of two, -31..=30; less than 0 is a shift to the right.
    pub shift: i8,
}

impl Multiplier {
    /// The multiplier of a positive scale, as TFLite's `QuantizeMultiplier` makes it: 31 significant bits, half away from zero.
    ///
    /// *Guarantee*: scales below 2^-32 become 0, as they do there; from 2^30 on, and for NaN, 0, and below 0, there is none.
    pub fn of(scale: f64) -> Option<Multiplier> {
        if !(scale > 0.0 && scale.is_finite()) {
            return None;
        }
        // A subnormal scale is far below 2^-32, whatever its exponent is taken for.
        let exponent = (scale.to_bits() >> 52) as i32 - 1022;
        let fraction = f64::from_bits(scale.to_bits() & ((1 << 52) - 1) | 1022 << 52);
        let bits = (fraction * 2f64.powi(31)).round() as i64;
        let (bits, exponent) = if bits == 1 << 31 { (1 << 30, exponent + 1) } else { (bits, exponent) };
        if exponent < -31 {
            return Some(Multiplier { m: I1F31::ZERO, shift: 0 });
        }
        let shift = i8::try_from(exponent).ok().filter(|&shift| Rounding::admits_shift(shift))?;
        Some(Multiplier { m: I1F31::from_bits(bits as i32), shift })
    }

    /// True if a core takes it.
    pub fn is_legal(&self) -> bool {
        Rounding::Tflite.admits_scale(self.m.to_bits() as u32) && Rounding::admits_shift(self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_become_what_tflite_makes_of_them() {
        let of = |scale| Multiplier::of(scale).map(|made| (made.m.to_bits(), made.shift));
        assert_eq!(of(1.0), Some((1 << 30, 1)));
        assert_eq!(of(0.5), Some((1 << 30, 0)));
        assert_eq!(of(0.75), Some((3 << 29, 0)));
        assert_eq!(of(0.1), Some((1_717_986_918, -3)));
        // The float64 below 1 rounds up to 2^31, which is one more shift.
        assert_eq!(of(1.0 - f64::EPSILON / 2.0), Some((1 << 30, 1)));
        assert_eq!(of(2f64.powi(-32)), Some((1 << 30, -31)));
        assert_eq!(of(2f64.powi(-33)), Some((0, 0)));
        assert_eq!(of(f64::MIN_POSITIVE / 8.0), Some((0, 0)));
        assert_eq!(of(2f64.powi(29)), Some((1 << 30, 30)));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 2f64.powi(30)] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_multiplier_is_within_half_a_unit_of_its_scale() {
        for step in 1..2_000 {
            let scale = f64::from(step).powi(3) * 1.3e-9;
            let made = Multiplier::of(scale).expect("a scale in range");
            let value = made.m.to_num::<f64>() * 2f64.powi(made.shift.into());
            assert!(made.is_legal() && (value / scale - 1.0).abs() <= 2f64.powi(-31), "{scale:e} as {made:?}");
        }
    }
}
