// SPDX-License-Identifier: Apache-2.0
//! Programs with one fault: the core in Verilator records what the model records, and works again after the soft reset.
//!
//! Every case is a program of a fixed preparation, one faulty piece with random operands, and END. Each runs on a fresh core with a
//! random behaviour of the memory. Afterwards a random legal program has to run right on both machines.

#![allow(clippy::unwrap_used)]

mod machine;

use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE, context, context_address};
use isa::{Cause, Config, FaultRecord, Inst, Pipe, asm};
use machine::broken::Broken;
use machine::{Machine, PROGRAM};
use model::{Outcome, Window};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use sim::core::Ended;
use sim::memory::{Access, Hit};
use sim::{Injection, Resp};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tb::programs::prepare;
use verilated::Model;

/// Where base 14 points in these programs: memory beside the arena, with its own window of [`APART_BYTES`] bytes.
const APART: u64 = 0x12_3500_0000;
const APART_BYTES: u64 = 0x1_0000;

/// A program with a fault, and what is done to the machines for it.
struct Case {
    cause: Cause,
    text: String,
    /// These bytes of GM answer with an error.
    broken: Range<u64>,
    /// Rights and last byte of the window of base 14.
    window: (u32, u64),
    /// Rights and last byte of the window of the program, counted from its begin.
    code: (u32, u64),
    /// Replaces the instruction with this index.
    words: Option<(usize, [u32; 8])>,
    /// Bytes that the program has less than its text.
    cut: u32,
}

/// A piece of a program that faults with this cause.
fn case(cause: Cause, text: impl Into<String>) -> Case {
    Case {
        cause,
        text: text.into(),
        broken: 0..0,
        window: (RIGHT_READ | RIGHT_WRITE, APART_BYTES - 1),
        code: (RIGHT_EXECUTE, 0xFFFF),
        words: None,
        cut: 0,
    }
}

/// Tiles in the first and the last fractals of L0A, L0B and L0C, 64 good channels in FB, bad ones behind them.
fn preparation(config: &Config) -> String {
    let (a, b, c) = (config.l0a_fractals() - 1, config.l0b_fractals() - 1, config.l0c_fractals() - 1);
    let last = config.fb_channels - 8;
    format!(
        "mte1.loada dst=l0a[0] src=l1[0] panel_stride=1024 rows=32 k=64 dtype=s8
         mte1.loada dst=l0a[{a}] src=l1[512] panel_stride=512 rows=16 k=32 dtype=u8
         mte1.loadb dst=l0b[0] src=l1[4096] panel_stride=1024 rows=32 k=64 dtype=u8
         mte1.loadb dst=l0b[{b}] src=l1[4608] panel_stride=512 rows=16 k=32 dtype=s8
         mte1.loadfb field=bias src=l1[0x3080] channel=0 count=64
         mte1.loadfb field=scale src=l1[0x3480] channel=0 count=64
         mte1.loadfb field=bias src=l1[0x3080] channel={last} count=8
         mte1.loadfb field=scale src=l1[0x3480] channel={last} count=8
         mte1.loadfb field=zero_point src=l1[0x3980] channel={last} count=8
         barrier
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=32 n=32 k=64 dtype_a=s8 dtype_b=u8
         m.mmad c=l0c[{c}] a=l0a[{a}] b=l0b[{b}] m=16 n=16 k=32 dtype_a=u8 dtype_b=s8
         barrier\n"
    )
}

fn instructions(text: &str) -> Vec<Inst> {
    asm::assemble(text, "case").unwrap_or_else(|errors| panic!("{}\n{text}", errors[0])).program
}

/// What decode refuses: a random opcode, a random bit of a random legal instruction.
fn refused(rng: &mut ChaCha8Rng, config: &Config, cause: Cause) -> Case {
    loop {
        let legal = isa::random::inst(&mut || rng.next_u64());
        let mut words = legal.encode_words().unwrap();
        match cause {
            Cause::IllegalOpcode => words[0] = words[0] & !0xFF | rng.random_range(0..256),
            _ => words[rng.random_range(0..8)] ^= 1 << rng.random_range(0..32),
        }
        let decoded = Inst::decode_words(&words).and_then(|inst| inst.check_supported(config));
        if decoded.err().map(|error| error.cause()) == Some(cause) {
            let nops = rng.random_range(0..40);
            return Case { words: Some((nops, words)), ..case(cause, "nop\n".repeat(nops + 1)) };
        }
    }
}

/// Rows of a transfer of which exactly one touches something: `(rows, length, stride, the row)`. No row crosses a multiple of 256.
fn rows(rng: &mut ChaCha8Rng) -> (u64, u64, u64, u64) {
    let count = rng.random_range(1..6);
    (count, rng.random_range(1..60), 256 * rng.random_range(1..4), rng.random_range(0..count))
}

/// Windows, bus errors and the end of the address space, by the pipe that meets them.
fn transfer(rng: &mut ChaCha8Rng, cause: Cause, pipe: Pipe) -> Case {
    let (count, length, stride, row) = match rng.random_range(0..if pipe == Pipe::Fix { 1 } else { 4 }) {
        // A row of many bursts; rows that touch and are one run.
        1 => (1, rng.random_range(2000..9000), rng.random_range(1..99), 0),
        2 => (rng.random_range(2..100), 64, 64, rng.random_range(0..2)),
        _ => rows(rng),
    };
    let at = 4096 + rng.random_range(0..192);
    // nz needs an offset that is a multiple of 32, and lays out rows every 32 bytes.
    let text = match pipe {
        Pipe::Mte2 => format!(
            "mte2.load dst=l1[{}] gm=b14[{at}] rows={count} len_bytes={length} gm_stride={stride} dst_stride=64\n",
            rng.random_range(0..1000)
        ),
        Pipe::Fix => {
            let (n, dtype) = if length < 32 { (length, "s8") } else { (1 + length / 4, "int32") };
            format!(
                "set fix.scale 0.01\n fix.store dst=b14[{at}] src=l0c[0] m={count} n={n} dst_stride={stride} dtype_out={dtype}\n"
            )
        }
        _ => format!(
            "mte3.store gm=b14[{at}] src=l1[{}] rows={count} len_bytes={length} gm_stride={stride} src_stride=64\n",
            rng.random_range(0..1000)
        ),
    };
    // More of the same pipe before and after, so that the record has to tell them apart.
    let fine = |n: u64| match pipe {
        Pipe::Mte2 => format!("mte2.load dst=l1[2048] gm=b14[{}] rows=1 len_bytes=9 gm_stride=0 dst_stride=0\n", 8 * n),
        Pipe::Fix => format!("fix.store dst=b14[{}] src=l0c[0] m=1 n=2 dst_stride=0 dtype_out=int32\n", 8 * n),
        _ => format!("mte3.store gm=b14[{}] src=l1[2048] rows=1 len_bytes=9 gm_stride=0 src_stride=0\n", 8 * n),
    };
    let before: String = (0..rng.random_range(0..4)).map(fine).collect();
    let mut case = case(cause, before + &text + &fine(9));
    let first = at + row * stride;
    match cause {
        Cause::WindowRead | Cause::WindowWrite => {
            let other = if cause == Cause::WindowRead { RIGHT_WRITE } else { RIGHT_READ };
            // Too short by some bytes of that row.
            case.window = (RIGHT_READ | RIGHT_WRITE, first + rng.random_range(0..length) - 1);
            if rng.random_ratio(1, 4) {
                (case.text, case.window) = (text, (other | RIGHT_EXECUTE, APART_BYTES - 1));
            }
        }
        _ => {
            let bad = APART + (first + rng.random_range(0..length)) / 64 * 64;
            case.broken = bad..bad + 64;
        }
    }
    case
}

/// GM addresses beyond 40 bits; base 13 is 2^40 - 4096.
fn overflow(rng: &mut ChaCha8Rng, pipe: Pipe) -> Case {
    let (count, length, stride, row) = rows(rng);
    let at = 4096 - row * stride - rng.random_range(0..length);
    let text = match pipe {
        Pipe::Mte2 => format!(
            "mte2.load dst=l1[64] gm=b13[{at}] rows={count} len_bytes={length} gm_stride={stride} dst_stride=64\n"
        ),
        Pipe::Fix => format!("fix.store dst=b13[{at}] src=l0c[0] m={count} n=32 dst_stride={stride} dtype_out=int32\n"),
        _ => format!(
            "mte3.store gm=b13[{at}] src=l1[5] rows={count} len_bytes={length} gm_stride={stride} src_stride=64\n"
        ),
    };
    case(Cause::AddressOverflow, text)
}

/// The registers of a map of 8 lines of 24 bytes, 8 pixels each, and a kernel of 3 x 3 pixels.
const MAP: &str = "set mte1.map_height 8\n set mte1.map_width 24\n set mte1.line_stride 24\n set mte1.out_width 8
    set mte1.step_y 1\n set mte1.step_x 3\n set mte1.taps_x 1\n set mte1.tap_bytes 9\n set mte1.tap_step_y 1
    set mte1.tap_step_x 0\n set mte1.origin_y -1\n set mte1.origin_x -3\n";

/// Accesses that leave a buffer, one kind per number.
fn outside(rng: &mut ChaCha8Rng, config: &Config, kind: usize) -> Option<Case> {
    let l1 = config.l1_bytes as u64;
    let (a, b, c) = (config.l0a_fractals() as u64, config.l0b_fractals() as u64, config.l0c_fractals() as u64);
    let (channels, ub) = (config.fb_channels as u64, config.ub_bytes as u64);
    let (rows, len) = (rng.random_range(1..9u64), rng.random_range(1..90u64));
    let mut below = |limit: u64| rng.random_range(0..limit);
    // The last byte of some row lies outside.
    let gap = below(40);
    let last_row = below(rows);
    let start = l1 - last_row * (len + gap) - below(len);
    let nz = (l1 - 32 * rows + 32 * below(rows) + 32, 32 * (rows + below(3)));
    let text = match kind {
        0 => format!(
            "mte2.load dst=l1[{start}] gm=b14[{}] rows={rows} len_bytes={len} gm_stride={len} dst_stride={}",
            below(64),
            len + gap
        ),
        1 => format!(
            "mte2.load dst=l1[{}] gm=b14[3] rows={rows} len_bytes={len} gm_stride=100 dst_stride={} layout=nz",
            nz.0, nz.1
        ),
        2 => format!("mte2.fill dst=l1[{start}] byte=7 rows={rows} len_bytes={len} dst_stride={}", len + gap),
        3 => format!(
            "mte3.store gm=b14[{}] src=l1[{start}] rows={rows} len_bytes={len} gm_stride=128 src_stride={}",
            below(64),
            len + gap
        ),
        4 => format!(
            "mte3.store gm=b14[0] src=l1[{}] rows={rows} len_bytes={len} gm_stride=128 src_stride={} layout=nz",
            nz.0, nz.1
        ),
        5 => format!(
            "mte1.loada dst=l0a[0] src=l1[{}] panel_stride=512 rows={} k={} dtype=u8",
            l1 - 512,
            17 + below(20),
            1 + below(32)
        ),
        6 => format!(
            "mte1.loadb dst=l0b[0] src=l1[{}] panel_stride=1024 rows={} k={} dtype=u8",
            l1 - 1024,
            1 + below(20),
            33 + below(31)
        ),
        7 => format!(
            "mte1.loadb dst=l0b[0] src=l1[{}] panel_stride=512 rows={} k={} dtype=s8 transpose",
            l1 - 512,
            1 + below(16),
            17 + below(16)
        ),
        8 => format!(
            "mte1.loada dst=l0a[{}] src=l1[0] panel_stride=512 rows={} k={} dtype=s8",
            a - 1 + below(9),
            17 + below(20),
            1 + below(40)
        ),
        9 => format!(
            "mte1.loadb dst=l0b[{}] src=l1[0] panel_stride=512 rows={} k={} dtype=s8 transpose",
            b + below(9),
            1 + below(20),
            1 + below(40)
        ),
        10 => format!(
            "mte1.loadfb field={} src=l1[0] channel={} count={}",
            ["bias", "scale", "shift", "zero_point"][below(4) as usize],
            channels - below(3),
            4 + below(9)
        ),
        11 => format!("mte1.loadfb field=bias src=l1[{}] channel=0 count={}", l1 - 64, 17 + below(20)),
        12 => {
            let (m, n) = (17 + below(16), 1 + below(16));
            format!("m.mmad c=l0c[0] a=l0a[{}] b=l0b[{}] m={m} n={n} k=32 dtype_a=u8 dtype_b=s8", a - 1, b - 1)
        }
        13 => {
            let (m, n) = (1 + below(16), 17 + below(16));
            format!("m.mmad c=l0c[0] a=l0a[{}] b=l0b[{}] m={m} n={n} k=32 dtype_a=u8 dtype_b=s8", a - 1, b - 1)
        }
        14 => format!(
            "m.mmad c=l0c[{}] a=l0a[0] b=l0b[0] m={} n={} k=64 dtype_a=s8 dtype_b=u8",
            c - 1 + below(9),
            17 + below(16),
            1 + below(32)
        ),
        15 => format!(
            "fix.store dst=b14[0] src=l0c[{}] m={} n={} dst_stride=256 dtype_out=int32",
            c - 1,
            17 + below(16),
            1 + below(16)
        ),
        16 => format!(
            "fix.store dst=b14[0] src=l0c[{}] m={} n={} dst_stride=256 dtype_out=int32",
            c + below(9),
            1 + below(40),
            1 + below(40)
        ),
        17 => format!(
            "fix.store dst=b14[0] src=l0c[0] m=3 n=32 dst_stride=256 dtype_out=int32 bias channel={}",
            channels - 31 + below(50)
        ),
        18 => {
            let (m, n) = (1 + below(9), 1 + below(20));
            let start = l1 - below(m) * 97 - below(4 * n);
            format!("fix.store dst=l1[{start}] src=l0c[0] m={m} n={n} dst_stride=97 dtype_out=int32")
        }
        19 => format!(
            "fix.store dst=l1[{}] src=l0c[0] m=16 n={} dst_stride=512 dtype_out=int32 layout=nz",
            l1 - 512,
            9 + below(20)
        ),
        20 => format!(
            "set mte1.zero_point_source 1\n set mte1.zero_point_channel_a {}
             mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=20 k=8 dtype=s8",
            channels - 8
        ),
        21 => format!(
            "set mte2.count2 3\n set mte2.dst_stride2 {}\n set mte2.count3 2\n set mte2.dst_stride3 {}\n set mte2.src_stride3 7
             mte2.load dst=l1[{}] gm=b14[3] rows={rows} len_bytes={len} gm_stride=100 dst_stride={}",
            len + gap,
            [64, l1 / 2, 0xFF_FFFF][below(3) as usize],
            l1 - 2 * (len + gap) - (rows - 1) * len - below(len),
            len
        ),
        22 => format!(
            "set mte3.count3 4\n set mte3.src_stride3 {}\n set mte3.dst_stride3 256
             mte3.store gm=b14[5] src=l1[0] rows=2 len_bytes={len} gm_stride=100 src_stride=5",
            l1 / 3 + below(99)
        ),
        23 => format!(
            "mte2.fill dst=ub[{}] byte=1 rows={rows} len_bytes={len} dst_stride={}",
            ub - last_row * (len + gap) - below(len),
            len + gap
        ),
        24 => format!("mte3.store gm=b14[5] src=ub[{}] rows=2 len_bytes={len} gm_stride=100 src_stride=0", ub - below(len)),
        25 => format!("mte3.move dst=l1[{}] src=ub[0] rows=2 len_bytes={len} dst_stride={len} src_stride=3", l1 - len - below(len)),
        26 => format!("mte3.move dst=l1[64] src=ub[{}] rows=1 len_bytes={len} dst_stride=0 src_stride=0", ub - below(len)),
        27 => format!("fix.store dst=ub[{}] src=l0c[0] m=9 n=20 dst_stride=80 dtype_out=int32", ub - 80 - below(600)),
        28 => {
            // Some row of some block of a map of 8 lines of 24 bytes leaves L1.
            let (rows, k) = (40 + below(8), 9 + below(10));
            format!("{MAP}mte1.im2col dst=l0a[0] src=l1[{}] out_y=0 out_x={} rows={rows} k={k} dtype=u8", l1 - 20 - below(70), below(8))
        }
        30 => format!(
            "set fix.scale 0.01\n set fix.second_address {}\n set fix.second_stride {}
             fix.store dst=b14[0] src=l0c[0] m=9 n=20 dst_stride=20 dtype_out=u8 second=max",
            (ub - 20 - below(8 * 32)) / 32 * 32 + 32,
            32 * (1 + below(1000))
        ),
        29 => format!("{MAP}mte1.im2col dst=l0a[{}] src=l1[0] out_y=0 out_x=0 rows={} k=9 dtype=s8", a - 1, 17 + below(30)),
        _ => return None,
    };
    Some(case(Cause::OutOfBuffer, text))
}

/// Multipliers and shifts of the modes tflite and gemmlowp: not set, illegal in the registers, illegal among good ones in FB.
fn multiplier(rng: &mut ChaCha8Rng, store: &str, kind: usize) -> Case {
    let mut one = |list: &[i64]| list[rng.random_range(0..list.len())];
    let mode = ["tflite", "gemmlowp"][one(&[0, 1]) as usize];
    let store = format!("{store} dtype_out={} rounding={mode}", ["s8", "u8"][one(&[0, 1]) as usize]);
    let bad_scale = one(&[1, 0x3FFF_FFFF, 0x8000_0000, 0xBFFF_FFFF, 0xFFFF_FFFF]);
    let bad_shift = one(&[-128, -32, 31, 32, 127]);
    match kind {
        0 => {
            let set = ["scale 0x40000000", "shift -3"][one(&[0, 1]) as usize];
            case(Cause::UnsetRegister, format!("set fix.{set}\n{store}"))
        }
        1 => {
            let (m, shift) =
                if one(&[0, 1]) == 0 { (bad_scale, one(&[-31, 0, 30])) } else { (one(&[0, 1 << 30]), bad_shift) };
            case(Cause::BadScale, format!("set fix.scale {m:#x}\nset fix.shift {shift}\n{store}"))
        }
        _ => {
            let (field, byte) = if one(&[0, 1]) == 0 {
                ("scale", one(&[0x3F, 0x80, 0xFF]))
            } else {
                ("shift", one(&[0x1F, 0x20, 0x7F, 0x80, 0xE0]))
            };
            let first = one(&[8, 17, 100]);
            let bad = first + one(&[0, 1, 7, 12, 19]);
            case(
                Cause::BadScale,
                format!(
                    "mte2.fill dst=l1[0] byte=0x5A rows=1 len_bytes=128 dst_stride=0
                     mte2.fill dst=l1[128] byte=0xF6 rows=1 len_bytes=32 dst_stride=0
                     mte2.fill dst=l1[160] byte={byte} rows=1 len_bytes=32 dst_stride=0\n barrier
                     mte1.loadfb field=scale src=l1[0] channel={first} count=32
                     mte1.loadfb field=shift src=l1[128] channel={first} count=32
                     mte1.loadfb field={field} src=l1[160] channel={bad} count=8\n barrier\n {store} per_channel channel={first}"
                ),
            )
        }
    }
}

/// Everything else, one kind per number.
fn other(rng: &mut ChaCha8Rng, kind: usize) -> Option<Case> {
    let store = "fix.store dst=b14[0] src=l0c[0] m=9 n=20 dst_stride=256";
    let fill = "mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=1 dst_stride=0";
    let load = "mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=9 k=8";
    let bad_scale = [0, 0x8000_0001u32, 0x7F80_0000, 0x7FC0_0000, 0xBF80_0000, 0x007F_FFFF][rng.random_range(0..6)];
    let (cause, text) = match kind {
        0 => (Cause::UnsetRegister, format!("{store} dtype_out=s8")),
        1 => (Cause::UnsetRegister, format!("set fix.clamp_high 3\n{store} dtype_out=int32 clamp")),
        2 => (Cause::UnsetRegister, format!("set fix.clamp_low 3\n{store} dtype_out=u8 clamp per_channel")),
        3 => (Cause::BadScale, format!("set fix.scale {bad_scale:#x}\n{store} dtype_out=u8")),
        4 => {
            // Eight zero scales among good ones.
            let first = 8 * rng.random_range(0..4);
            (
                Cause::BadScale,
                format!(
                    "mte2.fill dst=l1[0] byte={} rows=1 len_bytes=32 dst_stride=0\n barrier
                     mte1.loadfb field=scale src=l1[0] channel={} count=8\n barrier
                     fix.store dst=b14[0] src=l0c[0] m=9 n=30 dst_stride=256 dtype_out=u8 per_channel channel={first}",
                    [0, 255][rng.random_range(0..2)],
                    first + rng.random_range(0..29),
                ),
            )
        }
        5 => {
            let (dtype, zero) = [("s8", 128), ("s8", -129), ("u8", -1), ("u8", 256)][rng.random_range(0..4)];
            let side = ["a", "b"][rng.random_range(0..2)];
            let load = load.replace("loada", &format!("load{side}")).replace("l0a", &format!("l0{side}"));
            (Cause::BadZeroPoint, format!("set mte1.zero_point_{side} {zero}\n{load} dtype={dtype}"))
        }
        6 => {
            let (dtype, zero) = [("s8", 128), ("s8", i32::MIN), ("u8", -1), ("u8", 256)][rng.random_range(0..4)];
            (Cause::BadZeroPoint, format!("set fix.zero_point {zero}\n{store} dtype_out={dtype} per_channel"))
        }
        7 => {
            let (dtype, byte) = [("s8", 0x80), ("u8", 0xFF)][rng.random_range(0..2)];
            (
                Cause::BadZeroPoint,
                format!(
                    "mte2.fill dst=l1[0] byte={byte} rows=1 len_bytes=32 dst_stride=0\n barrier
                     mte1.loadfb field=zero_point src=l1[0] channel=100 count=9
                     set mte1.zero_point_source 1\n set mte1.zero_point_channel_a 100\n{load} dtype={dtype}"
                ),
            )
        }
        8 => {
            let (to, id) = (["mte1", "m", "fix", "mte3"][rng.random_range(0..4)], rng.random_range(0..8));
            (Cause::FlagOverflow, format!("{fill} set {to}.{id}\n").repeat(16))
        }
        9 => (Cause::FlagLeft, format!("{fill} set mte1.{}", rng.random_range(0..8))),
        10 => (Cause::NoProgress, format!("{fill}\n{fill} wait fix.{}", rng.random_range(0..8))),
        11 => {
            // Nobody fills the tile that is read.
            let text = "m.mmad c=l0c[0] a=l0a[9] b=l0b[0] m=4 n=4 k=64 dtype_a=s8 dtype_b=s8 set fix.0
                 fix.store dst=b14[0] src=l0c[0] m=9 n=20 dst_stride=256 dtype_out=int32 wait m.0";
            (Cause::NoProgress, text.to_owned())
        }
        12 => (Cause::NoProgress, "fix.store dst=b14[0] src=l0c[9] m=9 n=20 dst_stride=256 dtype_out=int32".to_owned()),
        13 => (Cause::WindowExecute, "nop".to_owned()),
        14 => (Cause::WindowExecute, "nop\n".repeat(rng.random_range(1..40))),
        15 => (Cause::BusReadError, "nop\n".repeat(30)),
        16 => (Cause::WindowExecute, "nop\n".repeat(30)),
        17 => {
            let set = ["mte2.count2 0", "mte2.count3 0", "mte2.dst_stride2 33", "mte2.dst_stride3 16"]
                [rng.random_range(0..4)];
            let load = "mte2.load dst=l1[64] gm=b14[3] rows=2 len_bytes=40 gm_stride=50 dst_stride=64 layout=nz";
            (Cause::BadRegister, format!("{load}\n set {set}\n {load}"))
        }
        18 => {
            let set = ["mte3.count2 0", "mte3.count3 0", "mte3.src_stride2 33", "mte3.src_stride3 16"]
                [rng.random_range(0..4)];
            let store = "mte3.store gm=b14[3] src=l1[64] rows=2 len_bytes=40 gm_stride=50 src_stride=64 layout=nz";
            (Cause::BadRegister, format!("{store}\n set {set}\n {store}"))
        }
        19 => {
            let set = ["dst_stride2 0x1000000", "dst_stride3 0x80000000", "count2 0", "dst_stride3 8"]
                [rng.random_range(0..4)];
            let copy = "mte3.move dst=l1[64] src=ub[3] rows=2 len_bytes=40 dst_stride=64 src_stride=40 layout=nz";
            (Cause::BadRegister, format!("{copy}\n set mte3.{set}\n {copy}"))
        }
        20 => {
            let set = [
                "out_width 0",
                "out_width 2",
                "taps_x 0",
                "tap_bytes 0",
                "tap_bytes 4",
                "origin_y 32768",
                "origin_x -8388609",
                "zero_point_source 1",
            ][rng.random_range(0..8)];
            let im2col = "mte1.im2col dst=l0a[0] src=l1[5] out_y=1 out_x=2 tap_byte=4 rows=9 k=20 dtype=s8";
            (Cause::BadRegister, format!("{MAP}{im2col}\n set mte1.{set}\n {im2col}"))
        }
        21 => {
            // One register of the map is missing, and what is there may be illegal.
            let lines: Vec<&str> = MAP.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let missing = rng.random_range(0..lines.len());
            let sets: String = lines
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != missing)
                .map(|(_, line)| format!("{line}\n"))
                .collect();
            let im2col = "mte1.im2col dst=l0a[0] src=l1[5] out_y=1 out_x=2 rows=9 k=20 dtype=s8";
            let illegal = ["nop", "set mte1.zero_point_source 1", "set mte1.zero_point_a 128"][rng.random_range(0..3)];
            (Cause::UnsetRegister, format!("{sets}{illegal}\n {im2col}"))
        }
        22 => {
            let (dtype, zero) = [("s8", 128), ("s8", -129), ("u8", -1), ("u8", 256)][rng.random_range(0..4)];
            let im2col = "mte1.im2col dst=l0a[0] src=l1[5] out_y=1 out_x=2 rows=9 k=20";
            (Cause::BadZeroPoint, format!("{MAP}set mte1.zero_point_a {zero}\n{im2col} dtype={dtype}"))
        }
        23..=25 => return Some(multiplier(rng, store, kind - 23)),
        26 => (Cause::BadScale, format!("set fix.scale {bad_scale:#x}\n{store} dtype_out=fp32 relu")),
        27 => {
            // A sum with one register that is not set, or illegal.
            let mut registers = vec![
                ("second_address", "64"),
                ("second_stride", "32"),
                ("ratio", "0.75"),
                ("second_ratio", "1.5"),
                ("offset", "-7.0"),
                ("sum_zero_point", "5"),
            ];
            let (cause, at, bad) = [
                (Cause::UnsetRegister, 5, None),
                (Cause::BadRegister, 2, Some("40")),
                (Cause::BadScale, 2, Some("0.0001")),
                (Cause::BadScale, 2, Some("256.0")),
                (Cause::BadScale, 1, Some("3.0e-11")),
                (Cause::BadZeroPoint, 1, Some("256")),
            ][rng.random_range(0..6)];
            let which = match (cause, bad) {
                (Cause::BadScale, Some("3.0e-11")) => 4,
                (Cause::BadScale, _) => 2 + rng.random_range(0..at),
                (Cause::BadZeroPoint, _) => 5,
                _ => rng.random_range(0..at),
            };
            match bad {
                Some(value) => registers[which].1 = value,
                None => drop(registers.remove(which)),
            }
            let sets: String = registers.iter().map(|(name, value)| format!("set fix.{name} {value}\n")).collect();
            (cause, format!("set fix.scale 0.01\n{sets}{store} dtype_out=u8 relu second=add"))
        }
        _ => return None,
    };
    let mut case = case(cause, text);
    match kind {
        13 => case.code = (RIGHT_READ | RIGHT_WRITE, 0xFFFF),
        14 => case.cut = 32,
        15 => {
            let bad = PROGRAM + 64 * rng.random_range(0..20);
            case.broken = bad..bad + 64;
        }
        16 => case.code = (RIGHT_EXECUTE, 32 * rng.random_range(1..40) - 1),
        _ => {}
    }
    Some(case)
}

/// Runs a case on both machines and compares the records, then a legal program.
fn run(model: &Arc<Model>, config: &Config, case: &Case, number: usize, rng: &mut ChaCha8Rng) -> FaultRecord {
    let memory = machine::memory(config, number, rng);
    let what = format!("case {number} on {}, {:?}, {memory:?}\n{}", config.name, case.cause, case.text);
    let mut machine = Machine::new(model, config, memory, rng);
    machine.refill(rng);
    let preparation = prepare(&machine.arena);
    machine.compare(&preparation, &|| "preparation".to_owned());

    let mut program = instructions(&(self::preparation(config) + &case.text + "\nend\n"));
    program.truncate(program.len() - case.cut as usize / 32);
    machine.place(&program);
    if let Some((at, words)) = case.words {
        let at = program.len() - case.text.lines().count() - 1 + at;
        machine.write(PROGRAM + 32 * at as u64, &isa::decode::bytes_of(&words));
    }
    let mut apart = vec![0; APART_BYTES as usize];
    rng.fill_bytes(&mut apart);
    machine.write(APART, &apart);
    let end = 1u64 << isa::limits::GM_ADDRESS_BITS;
    (machine.run.bases[13], machine.run.bases[14]) = (end - 4096, APART);
    let code = machine.run.windows[0];
    let window = |first, last, rights| Window { first, last, rights };
    machine.run.windows[0] = window(PROGRAM, PROGRAM + case.code.1, case.code.0);
    machine.run.windows[2] = window(APART, APART + case.window.1, case.window.0);
    machine.run.windows[3] = window(end - 4096, end - 1, RIGHT_READ | RIGHT_WRITE);
    machine.replace();
    let bench = machine.core.bench_mut();
    bench.write32(context_address(0, context::NO_PROGRESS_LIMIT), 3000).unwrap();
    let access = if case.cause == Cause::BusReadError { Access::Read } else { Access::Write };
    if !case.broken.is_empty() {
        let resp = if rng.random() { Resp::SlvErr } else { Resp::DecErr };
        bench.memory_mut().inject(Injection { access, hit: Hit::Range(case.broken.start, case.broken.end), resp });
    }

    let mut broken = Broken { memory: &mut machine.gm, access, bytes: case.broken.clone(), passes: 0 };
    let Outcome::Fault(expected) = machine.model.run(&mut broken, &machine.run) else {
        panic!("the model ends without a fault\n{what}")
    };
    assert_eq!(expected.cause, case.cause, "the model\n{what}");
    let core_run = machine.core_run();
    let ended = machine.core.run(&core_run).unwrap_or_else(|error| panic!("{error}\n{what}"));
    assert_eq!(ended, Ended::Fault(expected), "{what}");
    machine.compare_memory(&|| what.clone());

    machine.run.bases = machine.arena.bases;
    machine.run.windows[0] = Window { first: code.first + 0x1_0000, last: code.last + 0x1_0000, ..code };
    machine.run.program = PROGRAM + 0x1_0000;
    machine.replace();
    machine.compare(&preparation, &|| format!("preparation after {what}"));
    let program = tb::programs::program(rng, &machine.arena);
    machine.refill(rng);
    machine.compare(&program, &|| format!("{}\nafter {what}", asm::disassemble(&program).unwrap()));
    expected
}

/// Every kind of fault, this many times.
fn faults(config: &Config, seed: u64) {
    sim::waves::on_failure(&format!("faults-{}", config.name), || run_faults(config, seed));
}

fn run_faults(config: &Config, seed: u64) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = tb::seed(seed).rng;
    let mut met: BTreeMap<(Cause, Pipe), usize> = BTreeMap::new();
    let mut number = 0;
    for _ in 0..tb::rounds(2) {
        let mut cases = Vec::new();
        for cause in [Cause::IllegalOpcode, Cause::IllegalField, Cause::Unsupported] {
            cases.push(refused(&mut rng, config, cause));
        }
        for (cause, pipe) in [
            (Cause::WindowRead, Pipe::Mte2),
            (Cause::WindowWrite, Pipe::Fix),
            (Cause::WindowWrite, Pipe::Mte3),
            (Cause::BusReadError, Pipe::Mte2),
            (Cause::BusWriteError, Pipe::Fix),
            (Cause::BusWriteError, Pipe::Mte3),
        ] {
            (0..3).for_each(|_| cases.push(transfer(&mut rng, cause, pipe)));
        }
        cases.extend([Pipe::Mte2, Pipe::Fix, Pipe::Mte3].map(|pipe| overflow(&mut rng, pipe)));
        cases.extend((0..).map_while(|kind| outside(&mut rng, config, kind)));
        cases.extend((0..).map_while(|kind| other(&mut rng, kind)));
        for case in cases {
            let record = run(&model, config, &case, number, &mut rng);
            *met.entry((record.cause, record.pipe)).or_default() += 1;
            number += 1;
        }
    }
    println!("{}: {number} faults", config.name);
    met.iter().for_each(|((cause, pipe), count)| println!("{:16} {pipe:4} {count:4}", cause.name()));
    for cause in Cause::ALL.into_iter().filter(|cause| *cause != Cause::None) {
        assert!(met.keys().any(|(other, _)| *other == cause), "{} was not met", cause.name());
    }
    for pipe in Pipe::WORKERS {
        assert!(met.contains_key(&(Cause::OutOfBuffer, pipe)), "{pipe} never left a buffer");
    }
}

#[test]
fn faults_of_tiny_are_recorded_as_the_model_says() {
    faults(&Config::tiny(), 31);
}

#[test]
fn faults_of_lite_are_recorded_as_the_model_says() {
    faults(&Config::lite(), 32);
}
