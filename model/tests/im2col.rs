// SPDX-License-Identifier: Apache-2.0
//! Claims: `mte1.im2col` gives the operand of a convolution: tiles from any output pixel and any k, kernel, stride, dilation, padding
//! on each side, groups and pixel pitch, less the zero point; what its registers forbid is a fault.

#![allow(clippy::unwrap_used)]

mod common;

use common::{assemble, expect_fault, place, rng};
use isa::*;
use model::*;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// A convolution of one group of channels: x is \[h, w, channels\], w is \[n, kh, kw, cin\].
#[derive(Debug)]
struct Conv {
    h: i64,
    w: i64,
    channels: i64,
    /// First channel of the group.
    from: i64,
    cin: i64,
    n: i64,
    kernel: [i64; 2],
    stride: [i64; 2],
    dilation: [i64; 2],
    /// Padding above and left; below and right it is what the output size leaves.
    pad: [i64; 2],
    out: [i64; 2],
    /// Bytes between pixels and lines in L1.
    pitch: i64,
    line: i64,
}

impl Conv {
    fn random(rng: &mut ChaCha8Rng) -> Conv {
        let mut pick = |low: i64, high: i64| rng.random_range(low..=high);
        let (h, w, cin) = (pick(1, 9), pick(1, 9), [1, 2, 3, 5, 16, 21][pick(0, 5) as usize]);
        let channels = cin + [0, 0, 4][pick(0, 2) as usize];
        let pitch = channels + [0, 0, 7][pick(0, 2) as usize];
        Conv {
            h,
            w,
            channels,
            from: pick(0, channels - cin),
            cin,
            n: pick(1, 20),
            kernel: [pick(1, 4), pick(1, 4)],
            stride: [pick(1, 3), pick(1, 3)],
            dilation: [pick(1, 3), pick(1, 3)],
            pad: [pick(0, 4), pick(0, 4)],
            out: [pick(1, 7), pick(1, 7)],
            pitch,
            line: w * pitch + pick(0, 30),
        }
    }

    fn k(&self) -> i64 {
        self.kernel[0] * self.kernel[1] * self.cin
    }

    /// Element (i, j) of the whole operand: pixel i, k j; padding is `None`.
    fn x(&self, i: i64, j: i64) -> Option<[i64; 3]> {
        let (oy, ox) = (i / self.out[1], i % self.out[1]);
        let (ky, kx, c) = (j / self.cin / self.kernel[1], j / self.cin % self.kernel[1], j % self.cin);
        let y = oy * self.stride[0] + ky * self.dilation[0] - self.pad[0];
        let x = ox * self.stride[1] + kx * self.dilation[1] - self.pad[1];
        ((0..self.h).contains(&y) && (0..self.w).contains(&x)).then_some([y, x, self.from + c])
    }

    /// The SETs of the geometry. A kernel line is one run of bytes where the map allows it.
    fn registers(&self) -> String {
        let merged = self.dilation[1] == 1 && self.cin == self.pitch;
        let (taps_x, tap_bytes) = if merged { (1, self.kernel[1] * self.cin) } else { (self.kernel[1], self.cin) };
        format!(
            "set mte1.map_height {}\nset mte1.map_width {}\nset mte1.line_stride {}\nset mte1.out_width {}\n\
             set mte1.step_y {}\nset mte1.step_x {}\nset mte1.taps_x {taps_x}\nset mte1.tap_bytes {tap_bytes}\n\
             set mte1.tap_step_y {}\nset mte1.tap_step_x {}\nset mte1.origin_y {}\nset mte1.origin_x {}\n",
            self.h,
            self.w * self.pitch,
            self.line,
            self.out[1],
            self.stride[0],
            self.stride[1] * self.pitch,
            self.dilation[0],
            self.dilation[1] * self.pitch,
            -self.pad[0],
            -self.pad[1] * self.pitch
        )
    }

    /// The operands of the instruction for pixel `i` and k `j` on.
    fn at(&self, i: i64, j: i64) -> String {
        let merged = self.dilation[1] == 1 && self.cin == self.pitch;
        let (taps_x, tap_bytes) = if merged { (1, self.kernel[1] * self.cin) } else { (self.kernel[1], self.cin) };
        format!(
            "out_y={} out_x={} tap_y={} tap_x={} tap_byte={}",
            i / self.out[1],
            i % self.out[1],
            j / tap_bytes / taps_x,
            j / tap_bytes % taps_x,
            j % tap_bytes
        )
    }
}

const MAP: u64 = 0x1000;
const WEIGHTS: u64 = 0x2_0000;
const RESULT: u64 = 0x3_0000;

/// One tile of the convolution, in two steps of k, on a core.
fn run_tile(config: &Config, conv: &Conv, rng: &mut ChaCha8Rng) {
    let (pixels, k, n) = (conv.out[0] * conv.out[1], conv.k(), conv.n);
    let first = rng.random_range(0..pixels);
    let m = rng.random_range(1..=pixels - first);
    let split = if k > 1 { rng.random_range(1..k) } else { k };
    let signed = rng.random::<bool>();
    let zero = if signed { rng.random_range(-128..128) } else { rng.random_range(0..256) };
    let mut memory = SparseMemory::new(rng.next_u64());
    let map: Vec<u8> = (0..conv.h * conv.w * conv.channels).map(|_| rng.random()).collect();
    let weights: Vec<u8> = (0..n * k).map(|_| rng.random()).collect();
    memory.write(MAP, &map).unwrap();
    memory.write(WEIGHTS, &weights).unwrap();

    let l1_map = rng.random_range(0..40);
    let l1_weights = ((l1_map + conv.h * conv.line + conv.pitch) as u64).next_multiple_of(512);
    let mut text = conv.registers();
    // The map: lines of pixels, each dimension with its own stride.
    text += &format!(
        "set mte2.count2 {}\nset mte2.src_stride2 {}\nset mte2.dst_stride2 {}\n\
         mte2.load dst=l1[{l1_map}] gm=b0[{MAP}] rows={} len_bytes={} gm_stride={} dst_stride={} set mte1.0\n\
         set mte2.count2 1\nset mte2.dst_stride2 0\nset mte1.zero_point_a {zero}\n",
        conv.h,
        conv.w * conv.channels,
        conv.line,
        conv.w,
        conv.channels,
        conv.channels,
        conv.pitch
    );
    let mut wait = "wait mte2.0";
    let steps = if split == k { vec![(0, k)] } else { vec![(0, split), (split, k)] };
    let dtype = if signed { "s8" } else { "u8" };
    for &(from, to) in &steps {
        let step = to - from;
        let stride = (n as u64).next_multiple_of(16) * 32;
        text += &format!(
            "barrier\nmte2.load dst=l1[{l1_weights}] gm=b0[{}] rows={n} len_bytes={step} gm_stride={k} dst_stride={stride} layout=nz set mte1.1\n\
             mte1.im2col dst=l0a[0] src=l1[{}] {} rows={m} k={step} dtype={dtype} set m.0 {wait}\n\
             mte1.loadb dst=l0b[0] src=l1[{l1_weights}] panel_stride={stride} rows={n} k={step} dtype=s8 set m.1 wait mte2.1\n\
             m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m={m} n={n} k={step} dtype_a={dtype} dtype_b=s8 {} wait mte1.0 mte1.1\n",
            WEIGHTS + from as u64,
            l1_map + conv.from,
            conv.at(first, from),
            if from == 0 { "" } else { "accumulate" }
        );
        wait = "";
    }
    text += &format!(
        "barrier\nfix.store dst=b0[{RESULT}] src=l0c[0] m={m} n={n} dst_stride={} dtype_out=int32\nend",
        4 * n
    );
    let program = assemble(&text);
    check(&program, config).unwrap_or_else(|findings| panic!("{}\n{text}", findings[0]));
    let run = place(&program, &mut memory);
    let mut core = Core::new(config.clone()).unwrap();
    core.poison(rng.next_u64());
    let outcome = core.run(&mut memory, &run);
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}\n{text}");

    let value = |byte: u8| if signed { i64::from(byte as i8) } else { i64::from(byte) };
    for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
        let product = |l: i64| match conv.x(first + i, l) {
            None => 0,
            Some([y, x, c]) => {
                (value(map[((y * conv.w + x) * conv.channels + c) as usize]) - zero)
                    * i64::from(weights[(j * k + l) as usize] as i8)
            }
        };
        let expected: i64 = (0..k).map(product).sum();
        let bytes = memory.bytes(RESULT + (4 * (i * n + j)) as u64, 4);
        let got = i32::from_le_bytes(bytes.try_into().unwrap());
        assert_eq!(i64::from(got), expected, "pixel {i} from {first}, channel {j}: {conv:?}\n{text}");
    }
}

#[test]
fn im2col_gives_the_operand_of_any_convolution() {
    let mut rng = rng(30);
    let (mut padded, mut done) = (0, 0);
    while done < 400 {
        let conv = Conv::random(&mut rng);
        if conv.k() > 200 || conv.h * conv.line > 3000 {
            continue;
        }
        padded += usize::from((0..conv.out[0] * conv.out[1]).any(|i| conv.x(i, 0).is_none()));
        let config = if done % 2 == 0 {
            Config::lite()
        } else {
            Config { l0a_bytes: 1 << 14, l0b_bytes: 1 << 14, ..Config::tiny() }
        };
        run_tile(&config, &conv, &mut rng);
        done += 1;
    }
    assert!(padded > 100, "{padded} of 400 have padding");
}

/// Registers of a map of 4 lines of 8 bytes and a kernel of one byte, then the instruction.
fn small(change: &str, operands: &str) -> String {
    let registers = [
        "map_height 4",
        "map_width 8",
        "line_stride 8",
        "out_width 8",
        "step_y 1",
        "step_x 1",
        "taps_x 1",
        "tap_bytes 1",
        "tap_step_y 1",
        "tap_step_x 1",
        "origin_y 0",
        "origin_x 0",
    ];
    let sets: String = registers.iter().map(|register| format!("set mte1.{register}\n")).collect();
    format!("{sets}{change}\nmte1.im2col dst=l0a[0] {operands}\nend")
}

#[test]
fn what_the_geometry_forbids_is_a_fault() {
    let fine = "src=l1[0] out_y=0 out_x=0 rows=8 k=1 dtype=u8";
    let bad =
        |change: &str, operands: &str| expect_fault(&small(change, operands), Cause::BadRegister, Pipe::Mte1, 13, 0);
    bad("set mte1.out_width 0", fine);
    bad("set mte1.taps_x 0", fine);
    bad("set mte1.tap_bytes 0", fine);
    bad("set mte1.origin_y 32768", fine);
    bad("set mte1.origin_x -8388609", fine);
    bad("set mte1.zero_point_source 1", fine);
    bad("set mte1.step_x 1", "src=l1[0] out_y=0 out_x=8 rows=8 k=1 dtype=u8");
    bad("set mte1.step_x 1", "src=l1[0] out_y=0 out_x=0 tap_x=1 rows=8 k=1 dtype=u8");
    bad("set mte1.step_x 1", "src=l1[0] out_y=0 out_x=0 tap_byte=1 rows=8 k=1 dtype=u8");
    let fault = |change: &str, operands: &str, cause, address| {
        expect_fault(&small(change, operands), cause, Pipe::Mte1, 13, address);
    };
    fault("set mte1.zero_point_a -1", fine, Cause::BadZeroPoint, 0);
    // Row 0 of the tile is the last byte of L1, row 1 the first one outside; padding is not read.
    let end = Config::tiny().l1_bytes;
    fault("nop", &format!("src=l1[{}] out_y=0 out_x=0 rows=2 k=1 dtype=u8", end - 1), Cause::OutOfBuffer, end as u64);
    fault("nop", &format!("src=l1[{}] out_y=3 out_x=0 rows=1 k=1 dtype=u8", end - 24), Cause::OutOfBuffer, end as u64);
    let last = Config::tiny().l0a_fractals();
    let beyond = format!("src=l1[0] out_y=0 out_x=0 rows={} k=1 dtype=u8", 16 * last + 1);
    fault("nop", &beyond, Cause::OutOfBuffer, last as u64);
    let unset = "mte1.im2col dst=l0a[0] src=l1[0] out_y=0 out_x=0 rows=8 k=1 dtype=u8\nend";
    expect_fault(unset, Cause::UnsetRegister, Pipe::Mte1, 0, 0);
}

#[test]
fn padding_is_never_read() {
    // A map of one line at the very end of L1 of which every other line is padding.
    let end = Config::tiny().l1_bytes;
    let text = small("set mte1.map_height 1", &format!("src=l1[{}] out_y=0 out_x=0 rows=32 k=1 dtype=u8", end - 8));
    let mut core = Core::new(Config::tiny()).unwrap();
    common::run_done(&mut core, &mut SparseMemory::new(1), &assemble(&text));
}
