// SPDX-License-Identifier: Apache-2.0
//! `Int<N>`: a signed number of exactly N bits with exact arithmetic.
//!
//! The crate's own `Signed` multiplies 16 x 16 bits only and its sign extension of the most negative number does not end.
//! Here `+ - *` give the exact integer ([`Wide`]); `.into()` cuts it to the signal that takes it. In Verilog every operand is
//! first brought to the width of that signal, which gives the same bits.

use rust_hdl::prelude::{Bits, Synth, TypeDescriptor, TypeKind, VCDValue, VerilogLiteral};
use std::ops::{Add, Mul, Neg, Sub};

/// A signed number of N bits, 1 <= N <= 64, two's complement.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int<const N: usize>(i64);

/// Exact result of arithmetic on [`Int`]; no signal has this type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Wide(i128);

impl<const N: usize> Int<N> {
    /// The N low bits of `value`, read as a signed number.
    pub fn new(value: i64) -> Self {
        let unused = 64 - N as u32;
        Int((value << unused) >> unused)
    }

    /// The value.
    pub fn value(self) -> i64 {
        self.0
    }
}

impl<const N: usize> Synth for Int<N> {
    const BITS: usize = N;

    fn descriptor() -> TypeDescriptor {
        TypeDescriptor { name: format!("Int::<{N}>"), kind: TypeKind::Signed(N) }
    }

    fn vcd(self) -> VCDValue {
        unsigned_cast_int(self).vcd()
    }

    fn verilog(self) -> VerilogLiteral {
        // As bits: the crate's own signed literals cannot hold the most negative number.
        unsigned_cast_int(self).into()
    }
}

impl<const N: usize> From<Wide> for Int<N> {
    fn from(wide: Wide) -> Self {
        Int::new(wide.0 as i64)
    }
}

impl<const N: usize> From<i32> for Int<N> {
    fn from(value: i32) -> Self {
        let cut = Int::new(i64::from(value));
        assert_eq!(cut.0, i64::from(value), "{value} does not fit {N} signed bits");
        cut
    }
}

impl<const N: usize> From<Int<N>> for Wide {
    fn from(value: Int<N>) -> Self {
        Wide(i128::from(value.0))
    }
}

macro_rules! exact {
    ($trait:ident, $method:ident) => {
        impl<const A: usize, const B: usize> $trait<Int<B>> for Int<A> {
            type Output = Wide;
            fn $method(self, other: Int<B>) -> Wide {
                Wide(i128::from(self.0).$method(i128::from(other.0)))
            }
        }
        impl<const A: usize> $trait<Int<A>> for Wide {
            type Output = Wide;
            fn $method(self, other: Int<A>) -> Wide {
                Wide(self.0.$method(i128::from(other.0)))
            }
        }
        impl<const A: usize> $trait<Wide> for Int<A> {
            type Output = Wide;
            fn $method(self, other: Wide) -> Wide {
                Wide(i128::from(self.0).$method(other.0))
            }
        }
        impl $trait<Wide> for Wide {
            type Output = Wide;
            fn $method(self, other: Wide) -> Wide {
                Wide(self.0.$method(other.0))
            }
        }
    };
}
exact!(Add, add);
exact!(Sub, sub);
exact!(Mul, mul);

impl<const N: usize> Neg for Int<N> {
    type Output = Wide;
    fn neg(self) -> Wide {
        Wide(-i128::from(self.0))
    }
}

/// The same bits, read as signed.
pub fn signed_cast_int<const N: usize>(bits: Bits<N>) -> Int<N> {
    let mut value = 0i64;
    for at in 0..N {
        value |= i64::from(bits.get_bit(at)) << at;
    }
    Int::new(value)
}

/// The same bits, read as unsigned.
pub fn unsigned_cast_int<const N: usize>(int: Int<N>) -> Bits<N> {
    let mut bits = Bits::<N>::default();
    for at in 0..N {
        bits = bits.replace_bit(at, (int.0 >> at) & 1 == 1);
    }
    bits
}

/// The same number in M bits: sign extension, or the low bits if M < N. It must be assigned to its signal directly.
pub fn signed_cast_ext<const M: usize, const N: usize>(int: Int<N>) -> Int<M> {
    Int::new(int.0)
}
