// SPDX-License-Identifier: Apache-2.0
//! The rows of the opcode table: fields, rules, actions, faults, cycles.

use super::{Opcode, OpcodeInfo};
use crate::fault::Cause;
use crate::field::{Field, Legal, Rule};
use crate::pipe::Pipe;

const fn f(name: &'static str, word: usize, lo: u8, width: u8, legal: Legal, doc: &'static str) -> Field {
    Field { name, word, lo, width, legal, doc }
}

const fn rule(field: &'static str, equals: u32, then: &'static str, legal: Legal, doc: &'static str) -> Rule {
    Rule { field, equals, then, legal, doc }
}

const LAYOUT: Legal = Legal::OneOf(&[(0, "rows"), (1, "nz")]);
const LOCAL: Legal = Legal::OneOf(&[(0, "l1"), (1, "ub")]);
const TARGET: Legal = Legal::OneOf(&[(0, "gm"), (1, "l1"), (2, "ub")]);
const FB_FIELD: Legal = Legal::OneOf(&[(0, "bias"), (1, "scale"), (2, "shift"), (3, "zero_point")]);
const ROUNDING: Legal = Legal::OneOf(&[(0, "onnx"), (1, "tflite"), (2, "gemmlowp")]);
const SECOND: Legal = Legal::OneOf(&[(0, "none"), (1, "add"), (2, "max")]);
const SET_PIPE: Legal = Legal::OneOf(&[(1, "mte2"), (2, "mte1"), (4, "fix"), (6, "mte3")]);
const DTYPE_IN: Legal = Legal::OneOf(&[
    (0, "s8"),
    (1, "u8"),
    (2, "s4"),
    (3, "u4"),
    (4, "fp16"),
    (5, "bf16"),
    (6, "fp8e4m3"),
    (7, "fp8e5m2"),
]);
const DTYPE_OUT: Legal = Legal::OneOf(&[
    (0, "s8"),
    (1, "u8"),
    (2, "s4"),
    (3, "u4"),
    (4, "fp16"),
    (5, "bf16"),
    (6, "fp8e4m3"),
    (7, "fp8e5m2"),
    (8, "int32"),
    (9, "fp32"),
]);
const FRACTAL_ALIGN: Legal = Legal::Multiple(512);

const BASE: Field = f("base", 2, 0, 4, Legal::Any, "GM base register");
const GM_OFFSET_HI: Field = f("gm_offset_hi", 2, 8, 8, Legal::Any, "bits 39:32 of the GM byte offset from the base");
const GM_OFFSET_LO: Field = f("gm_offset_lo", 3, 0, 32, Legal::Any, "bits 31:0 of the GM byte offset from the base");
const ROWS: Field = f("rows", 2, 16, 16, Legal::NonZero, "rows");
const LEN_BYTES: Field = f("len_bytes", 5, 0, 24, Legal::NonZero, "bytes of one row");
const GM_STRIDE: Field = f("gm_stride", 6, 0, 32, Legal::Any, "bytes from one row to the next in GM");

const SET: &[Field] = &[
    f("pipe", 2, 0, 3, SET_PIPE, "pipe whose register is written"),
    f("register", 2, 8, 8, Legal::Any, "index of the register; one that the pipe does not have is illegal"),
    f("value", 3, 0, 32, Legal::Any, "new value; bits above the register's width must be 0"),
];

const MTE2_LOAD: &[Field] = &[
    BASE,
    f("layout", 2, 4, 1, LAYOUT, "layout in the destination; GM is read as rows"),
    f("dst", 2, 5, 1, LOCAL, "destination buffer"),
    GM_OFFSET_HI,
    ROWS,
    GM_OFFSET_LO,
    f("dst_address", 4, 0, 24, Legal::Any, "byte address in the destination"),
    LEN_BYTES,
    GM_STRIDE,
    f(
        "dst_stride",
        7,
        0,
        24,
        Legal::Any,
        "rows: bytes from one row to the next; nz: bytes from one 32-byte panel to the next",
    ),
];

const MTE2_FILL: &[Field] = &[
    f("dst", 2, 5, 1, LOCAL, "destination buffer"),
    f("byte", 2, 8, 8, Legal::Any, "value of every byte written"),
    ROWS,
    f("dst_address", 4, 0, 24, Legal::Any, "byte address in the destination"),
    LEN_BYTES,
    f("dst_stride", 7, 0, 24, Legal::Any, "bytes from one row to the next"),
];

const MTE1_LOAD: &[Field] = &[
    f("transpose", 2, 0, 1, Legal::Any, "0: L1 holds rows x k; 1: L1 holds k x rows, turned while it loads"),
    f("dtype", 2, 4, 4, DTYPE_IN, "dtype of the elements"),
    f("l1_address", 3, 0, 24, FRACTAL_ALIGN, "byte address in L1"),
    f("panel_stride", 4, 0, 24, FRACTAL_ALIGN, "bytes from one 32-byte column panel to the next in L1"),
    f("rows", 5, 0, 16, Legal::NonZero, "rows of the tile (m for A, n for B)"),
    f("k", 5, 16, 16, Legal::NonZero, "elements of k"),
    f("fractal", 6, 0, 16, Legal::Any, "first fractal in L0A or L0B"),
];

const MTE1_LOADFB: &[Field] = &[
    f(
        "field",
        2,
        0,
        2,
        FB_FIELD,
        "which parameter: bias int32, scale fp32 or the multiplier of tflite and gemmlowp, shift s8, zero point s16, bits 8:0 kept",
    ),
    f(
        "l1_address",
        3,
        0,
        24,
        Legal::Multiple(32),
        "byte address of the packed array in L1 (4, 4, 1 or 2 bytes per channel)",
    ),
    f("channel", 5, 0, 16, Legal::Any, "first channel"),
    f("count", 5, 16, 16, Legal::NonZero, "channels"),
];

const MTE1_IM2COL: &[Field] = &[
    f("dtype", 2, 4, 4, DTYPE_IN, "dtype of the elements"),
    f("tap_y", 2, 8, 8, Legal::Any, "line of the tap of the first k"),
    f("tap_x", 2, 16, 8, Legal::Any, "place of that tap in its line, below taps_x"),
    f("l1_address", 3, 0, 24, Legal::Any, "byte address in L1 of byte 0 of line 0 of the map"),
    f("out_y", 4, 0, 16, Legal::Any, "output line of row 0"),
    f("out_x", 4, 16, 16, Legal::Any, "output pixel of row 0 in its line, below out_width"),
    f("rows", 5, 0, 16, Legal::NonZero, "rows of the tile: output pixels, line by line"),
    f("k", 5, 16, 16, Legal::NonZero, "elements of k"),
    f("fractal", 6, 0, 16, Legal::Any, "first fractal in L0A"),
    f("tap_byte", 6, 16, 16, Legal::Any, "byte of the first k in its tap, below tap_bytes"),
];

const MMAD: &[Field] = &[
    f("accumulate", 2, 0, 1, Legal::Any, "0: C = A B; 1: C += A B"),
    f("dtype_a", 2, 4, 4, DTYPE_IN, "dtype of A"),
    f("dtype_b", 2, 8, 4, DTYPE_IN, "dtype of B"),
    f("l0a", 3, 0, 16, Legal::Any, "first fractal of A in L0A"),
    f("l0b", 3, 16, 16, Legal::Any, "first fractal of B in L0B"),
    f("l0c", 4, 0, 16, Legal::Any, "first fractal of C in L0C"),
    f("m", 5, 0, 16, Legal::NonZero, "rows of A and C"),
    f("n", 5, 16, 16, Legal::NonZero, "rows of B in L0B, columns of C"),
    f("k", 6, 0, 16, Legal::NonZero, "elements of k"),
];

const FIX_STORE: &[Field] = &[
    BASE,
    f("layout", 2, 4, 1, LAYOUT, "layout in the destination"),
    f("dst", 2, 5, 2, TARGET, "destination"),
    GM_OFFSET_HI,
    f("dtype_out", 2, 16, 4, DTYPE_OUT, "dtype of the results"),
    f("bias", 2, 20, 1, Legal::Any, "1: add the bias of FB channel + j to column j"),
    f(
        "per_channel",
        2,
        21,
        1,
        Legal::Any,
        "1: scale and shift of FB channel + j for column j; 0: of the state registers",
    ),
    f("rounding", 2, 22, 2, ROUNDING, "requantisation mode"),
    f("relu", 2, 24, 1, Legal::Any, "1: not below the zero point (int32, fp32: not below 0)"),
    f("clamp", 2, 25, 1, Legal::Any, "1: keep within clamp_low and clamp_high"),
    f("second", 2, 26, 2, SECOND, "what to do with the second tensor, m x n numbers of dtype_out in UB (rows)"),
    f("address", 3, 0, 32, Legal::Any, "GM: bits 31:0 of the byte offset from the base; L1, UB: byte address"),
    f(
        "dst_stride",
        4,
        0,
        32,
        Legal::Any,
        "rows: bytes from one row to the next; nz: bytes from one 32-byte panel to the next",
    ),
    f("m", 5, 0, 16, Legal::NonZero, "rows"),
    f("n", 5, 16, 16, Legal::NonZero, "columns"),
    f("l0c", 6, 0, 16, Legal::Any, "first fractal in L0C"),
    f("channel", 6, 16, 16, Legal::Any, "FB channel of column 0; ignored without bias and per_channel"),
];

const MTE3_STORE: &[Field] = &[
    BASE,
    f("layout", 2, 4, 1, LAYOUT, "layout in the source; GM is written as rows"),
    f("src", 2, 5, 1, LOCAL, "source buffer"),
    GM_OFFSET_HI,
    ROWS,
    GM_OFFSET_LO,
    f("src_address", 4, 0, 24, Legal::Any, "byte address in the source"),
    LEN_BYTES,
    GM_STRIDE,
    f(
        "src_stride",
        7,
        0,
        24,
        Legal::Any,
        "rows: bytes from one row to the next; nz: bytes from one 32-byte panel to the next",
    ),
];

const MTE3_MOVE: &[Field] = &[
    f("layout", 2, 4, 1, LAYOUT, "layout in L1; UB is read as rows"),
    ROWS,
    f("dst_address", 3, 0, 24, Legal::Any, "byte address in L1"),
    f("src_address", 4, 0, 24, Legal::Any, "byte address in UB"),
    LEN_BYTES,
    f(
        "dst_stride",
        6,
        0,
        24,
        Legal::Any,
        "rows: bytes from one row to the next; nz: bytes from one 32-byte panel to the next",
    ),
    f("src_stride", 7, 0, 24, Legal::Any, "bytes from one row to the next"),
];

const NZ: &str = "nz rows are 32 bytes long and lie at multiples of 32";
const NO_GM: &str = "only GM has a base and 40 bits of offset";
const LOCAL_BITS: &str = "addresses in L1 and UB have 24 bits";
const NO_SCALE: &str = "int32 results are not scaled";
const FLOAT: &str = "fp32 results have an fp32 scale";
const FLOAT_CLAMP: &str = "the bounds are integers";
const SECOND_8_BIT: &str = "a second tensor joins results of 8 bits";

const MTE2_LOAD_RULES: &[Rule] = &[
    rule("layout", 1, "dst_address", Legal::Multiple(32), NZ),
    rule("layout", 1, "dst_stride", Legal::Multiple(32), NZ),
];

const FIX_STORE_RULES: &[Rule] = &[
    rule("second", 1, "dtype_out", Legal::Below(2), SECOND_8_BIT),
    rule("second", 2, "dtype_out", Legal::Below(2), SECOND_8_BIT),
    rule("layout", 1, "address", Legal::Multiple(32), NZ),
    rule("layout", 1, "dst_stride", Legal::Multiple(32), NZ),
    rule("dst", 1, "base", Legal::Zero, NO_GM),
    rule("dst", 1, "gm_offset_hi", Legal::Zero, NO_GM),
    rule("dst", 1, "address", Legal::Below(1 << 24), LOCAL_BITS),
    rule("dst", 2, "base", Legal::Zero, NO_GM),
    rule("dst", 2, "gm_offset_hi", Legal::Zero, NO_GM),
    rule("dst", 2, "address", Legal::Below(1 << 24), LOCAL_BITS),
    rule("dtype_out", 8, "per_channel", Legal::Zero, NO_SCALE),
    rule("dtype_out", 8, "rounding", Legal::Zero, NO_SCALE),
    rule("dtype_out", 9, "rounding", Legal::Zero, FLOAT),
    rule("dtype_out", 9, "clamp", Legal::Zero, FLOAT_CLAMP),
];

const MTE3_STORE_RULES: &[Rule] = &[
    rule("layout", 1, "src_address", Legal::Multiple(32), NZ),
    rule("layout", 1, "src_stride", Legal::Multiple(32), NZ),
];

const MTE3_MOVE_RULES: &[Rule] = &[
    rule("layout", 1, "dst_address", Legal::Multiple(32), NZ),
    rule("layout", 1, "dst_stride", Legal::Multiple(32), NZ),
];

const NO_UB: (Cause, &str) = (Cause::Unsupported, "a UB access on a core without UB");
const NO_DTYPE: (Cause, &str) = (Cause::Unsupported, "a dtype that the core lacks");
const L1_BOUNDS: (Cause, &str) = (Cause::OutOfBuffer, "a byte touched lies outside L1");
const OUTER: (Cause, &str) =
    (Cause::BadRegister, "count2 or count3 is 0, or a stride of theirs on an nz side is no multiple of 32");
const GM_WRAP: (Cause, &str) = (Cause::AddressOverflow, "base + offset + extent leaves 40 bits");
const READ_WINDOW: (Cause, &str) = (Cause::WindowRead, "a byte read lies outside every window with R");
const WRITE_WINDOW: (Cause, &str) = (Cause::WindowWrite, "a byte written lies outside every window with W");
const READ_ERROR: (Cause, &str) = (Cause::BusReadError, "the bus answers SLVERR or DECERR");
const WRITE_ERROR: (Cause, &str) = (Cause::BusWriteError, "the bus answers SLVERR or DECERR");
const FLAG_OVERFLOW: (Cause, &str) = (Cause::FlagOverflow, "a set would raise its flag above 15");

const MTE1_LOAD_FAULTS: &[(Cause, &str)] = &[
    NO_DTYPE,
    L1_BOUNDS,
    (Cause::OutOfBuffer, "fractal + ceil(rows/16) ceil(k_bytes/32) exceeds the fractals of L0A or L0B"),
    (Cause::BadZeroPoint, "a zero point outside the range of dtype"),
    (Cause::OutOfBuffer, "zero points from FB: channel + rows exceeds the channels of FB"),
    FLAG_OVERFLOW,
];

const MTE1_LOAD_CYCLES: &str = "4 + ceil(rows/R0) ceil(k_bytes/K0), R0 = M0 for A and N0 for B";

pub(super) static TABLE: [OpcodeInfo; 14] = [
    OpcodeInfo {
        opcode: Opcode::End,
        mnemonic: "end",
        pipe: Pipe::S,
        has_slots: false,
        fields: &[],
        rules: &[],
        doc: "Ends the program.",
        action: "wait until every pipe is idle and every write is answered; if any flag != 0: fault; status = done; raise irq",
        faults: &[(Cause::FlagLeft, "a flag counter is not 0")],
        cycles: "1 once every pipe is idle",
    },
    OpcodeInfo {
        opcode: Opcode::Barrier,
        mnemonic: "barrier",
        pipe: Pipe::S,
        has_slots: false,
        fields: &[],
        rules: &[],
        doc: "Orders everything before it ahead of everything after it.",
        action: "dispatch stops until every pipe is idle and every write is answered",
        faults: &[],
        cycles: "1 once every pipe is idle",
    },
    OpcodeInfo {
        opcode: Opcode::Nop,
        mnemonic: "nop",
        pipe: Pipe::S,
        has_slots: false,
        fields: &[],
        rules: &[],
        doc: "Does nothing.",
        action: "none",
        faults: &[],
        cycles: "1 of dispatch",
    },
    OpcodeInfo {
        opcode: Opcode::Set,
        mnemonic: "set",
        pipe: Pipe::S,
        has_slots: false,
        fields: SET,
        rules: &[],
        doc: "Writes a state register of a pipe, in the order of that pipe's queue.",
        action: "pipe.register[register] = value, seen by the pipe's later instructions only",
        faults: &[],
        cycles: "1 of dispatch; none in the pipe",
    },
    OpcodeInfo {
        opcode: Opcode::Mte2Load,
        mnemonic: "mte2.load",
        pipe: Pipe::Mte2,
        has_slots: true,
        fields: MTE2_LOAD,
        rules: MTE2_LOAD_RULES,
        doc: "Strided DMA in up to four dimensions from GM into L1 or UB, as rows or into the nz layout.",
        action: "for p3 in 0..count3, p2 in 0..count2, r in 0..rows, c in 0..len_bytes: dst[at(layout, dst_address + p3*dst_stride3 + p2*dst_stride2, dst_stride, r, c)] = GM[base + gm_offset + p3*src_stride3 + p2*src_stride2 + r*gm_stride + c]",
        faults: &[
            NO_UB,
            OUTER,
            (Cause::OutOfBuffer, "a byte written lies outside L1 or UB"),
            GM_WRAP,
            READ_WINDOW,
            READ_ERROR,
            FLAG_OVERFLOW,
        ],
        cycles: "latency + sum over rows of the bus words that the row touches (gm_stride = len_bytes: the rows count as one)",
    },
    OpcodeInfo {
        opcode: Opcode::Mte2Fill,
        mnemonic: "mte2.fill",
        pipe: Pipe::Mte2,
        has_slots: true,
        fields: MTE2_FILL,
        rules: &[],
        doc: "Fills rows of L1 or UB with one byte value.",
        action: "for p3 in 0..count3, p2 in 0..count2, r in 0..rows, c in 0..len_bytes: dst[dst_address + p3*dst_stride3 + p2*dst_stride2 + r*dst_stride + c] = byte",
        faults: &[NO_UB, OUTER, (Cause::OutOfBuffer, "a byte written lies outside L1 or UB"), FLAG_OVERFLOW],
        cycles: "count3 count2 rows ceil(len_bytes/bus)",
    },
    OpcodeInfo {
        opcode: Opcode::Mte1LoadA,
        mnemonic: "mte1.loada",
        pipe: Pipe::Mte1,
        has_slots: true,
        fields: MTE1_LOAD,
        rules: &[],
        doc: "Loads a tile of A from L1 (nz) into L0A, less its zero point.",
        action: "for i in 0..rows, j in 0..k: L0A[fractal](i, j) = (transpose ? L1(j, i) : L1(i, j)) - zero_point_a(i); the rest of each block = 0",
        faults: MTE1_LOAD_FAULTS,
        cycles: MTE1_LOAD_CYCLES,
    },
    OpcodeInfo {
        opcode: Opcode::Mte1LoadB,
        mnemonic: "mte1.loadb",
        pipe: Pipe::Mte1,
        has_slots: true,
        fields: MTE1_LOAD,
        rules: &[],
        doc: "Loads a tile of B from L1 (nz, one row per column of C) into L0B, less its zero point.",
        action: "for i in 0..rows, j in 0..k: L0B[fractal](i, j) = (transpose ? L1(j, i) : L1(i, j)) - zero_point_b(i); the rest of each block = 0",
        faults: MTE1_LOAD_FAULTS,
        cycles: MTE1_LOAD_CYCLES,
    },
    OpcodeInfo {
        opcode: Opcode::Mte1LoadFb,
        mnemonic: "mte1.loadfb",
        pipe: Pipe::Mte1,
        has_slots: true,
        fields: MTE1_LOADFB,
        rules: &[],
        doc: "Loads one parameter of consecutive channels from a packed array in L1 into FB.",
        action: "for i in 0..count: FB[channel + i].field = L1[l1_address + i*size(field) ..][0..size(field)]",
        faults: &[L1_BOUNDS, (Cause::OutOfBuffer, "channel + count exceeds the channels of FB"), FLAG_OVERFLOW],
        cycles: "4 + count",
    },
    OpcodeInfo {
        opcode: Opcode::Mte1Im2col,
        mnemonic: "mte1.im2col",
        pipe: Pipe::Mte1,
        has_slots: true,
        fields: MTE1_IM2COL,
        rules: &[],
        doc: "Loads a tile of A for a convolution from a feature map in L1 (rows) into L0A, less its zero point; padding is 0.",
        action: "for i in 0..rows, j in 0..k: with (q, x) = divmod(out_x + i, out_width); (ty, tx, b) = the digits of (tap_y taps_x + tap_x) tap_bytes + tap_byte + j, radix taps_x and tap_bytes; y = origin_y + (out_y + q) step_y + ty tap_step_y; p = origin_x + x step_x + tx tap_step_x + b: L0A[fractal](i, j) = 0 <= y < map_height and 0 <= p < map_width ? L1[l1_address + y line_stride + p] - zero_point_a : 0; the rest of each block = 0",
        faults: &[
            NO_DTYPE,
            (Cause::UnsetRegister, "a register of the map, the output or the kernel was not set"),
            (
                Cause::BadRegister,
                "out_width, taps_x or tap_bytes is 0; out_x, tap_x or tap_byte is not below them; an origin is outside its range; zero points of A come from FB",
            ),
            (Cause::BadZeroPoint, "zero_point_a is outside the range of dtype"),
            (Cause::OutOfBuffer, "a byte of the map that is read lies outside L1"),
            (Cause::OutOfBuffer, "fractal + ceil(rows/16) ceil(k_bytes/32) exceeds the fractals of L0A"),
            FLAG_OVERFLOW,
        ],
        cycles: "see docs/units/mte1.md: one block of M0 x K0 takes 1 to 2 cycles where its runs of k are long and lie in different banks",
    },
    OpcodeInfo {
        opcode: Opcode::Mmad,
        mnemonic: "m.mmad",
        pipe: Pipe::M,
        has_slots: true,
        fields: MMAD,
        rules: &[],
        doc: "Multiplies a tile of A by a tile of B; k is the k that both tiles were loaded with.",
        action: "for i in 0..m, j in 0..n: L0C[l0c](i, j) = (accumulate ? L0C[l0c](i, j) : 0) + sum over l in 0..k of L0A[l0a](i, l) * L0B[l0b](j, l), modulo 2^32",
        faults: &[
            NO_DTYPE,
            (Cause::Unsupported, "an integer dtype with a float dtype"),
            (Cause::OutOfBuffer, "a tile exceeds the fractals of L0A, L0B or L0C"),
            FLAG_OVERFLOW,
        ],
        cycles: "ceil(m/M0) ceil(n/N0) ceil(k_bytes/K0), plus a fill of 9 after an idle cube",
    },
    OpcodeInfo {
        opcode: Opcode::FixStore,
        mnemonic: "fix.store",
        pipe: Pipe::Fix,
        has_slots: true,
        fields: FIX_STORE,
        rules: FIX_STORE_RULES,
        doc: "Takes a tile of L0C through bias, requantisation, a second tensor, ReLU and clamp, and stores it to GM, L1 or UB.",
        action: "for i in 0..m, j in 0..n: dst[at(layout, address, dst_stride, i, j*size)] = clamp(relu(join(quantise(L0C[l0c](i, j) + (bias ? FB[channel + j].bias : 0)), UB[second_address + i*second_stride + j]))); join(q1, q2) = q1 without second; add: the nearest number of dtype_out to fma(q1, ratio, fma(q2, second_ratio, offset)) in fp32, ties to even; max: the larger one",
        faults: &[
            NO_DTYPE,
            NO_UB,
            (Cause::Unsupported, "a rounding mode that the core lacks"),
            (Cause::UnsetRegister, "scale, shift, clamp_low or clamp_high is used and was not set"),
            (
                Cause::UnsetRegister,
                "second: second_address, second_stride; add: ratio, second_ratio or offset was not set",
            ),
            (Cause::BadRegister, "second: second_address or second_stride is no multiple of 32"),
            (Cause::OutOfBuffer, "the tile exceeds the fractals of L0C"),
            (Cause::OutOfBuffer, "bias or per_channel: channel + n exceeds the channels of FB"),
            (Cause::OutOfBuffer, "second: the last row of the second tensor ends outside UB"),
            (Cause::OutOfBuffer, "a byte written lies outside L1 or UB"),
            (
                Cause::BadScale,
                "onnx: a scale used is not finite, positive and normal; tflite, gemmlowp: a multiplier used is neither 0 nor 2^30..2^31-1, or its shift is not -31..30",
            ),
            (
                Cause::BadScale,
                "add: a ratio is not in 2^-12 <= ratio < 2^8, or offset is no multiple of 2^-35 below 2^18",
            ),
            (
                Cause::BadZeroPoint,
                "zero_point outside the range of dtype_out; add with relu: sum_zero_point outside it",
            ),
            GM_WRAP,
            WRITE_WINDOW,
            WRITE_ERROR,
            FLAG_OVERFLOW,
        ],
        cycles: "m n / min(fix_lanes, bus / size), second: m n / max(1, fix_lanes / M0), plus write latency",
    },
    OpcodeInfo {
        opcode: Opcode::Mte3Store,
        mnemonic: "mte3.store",
        pipe: Pipe::Mte3,
        has_slots: true,
        fields: MTE3_STORE,
        rules: MTE3_STORE_RULES,
        doc: "Strided DMA in up to four dimensions from L1 or UB out to GM.",
        action: "for p3 in 0..count3, p2 in 0..count2, r in 0..rows, c in 0..len_bytes: GM[base + gm_offset + p3*dst_stride3 + p2*dst_stride2 + r*gm_stride + c] = src[at(layout, src_address + p3*src_stride3 + p2*src_stride2, src_stride, r, c)]",
        faults: &[
            NO_UB,
            OUTER,
            (Cause::OutOfBuffer, "a byte read lies outside L1 or UB"),
            GM_WRAP,
            WRITE_WINDOW,
            WRITE_ERROR,
            FLAG_OVERFLOW,
        ],
        cycles: "sum over rows of the bus words that the row touches (gm_stride = len_bytes: the rows count as one), plus write latency",
    },
    OpcodeInfo {
        opcode: Opcode::Mte3Move,
        mnemonic: "mte3.move",
        pipe: Pipe::Mte3,
        has_slots: true,
        fields: MTE3_MOVE,
        rules: MTE3_MOVE_RULES,
        doc: "Strided DMA in up to four dimensions from UB to L1, as rows or into the nz layout.",
        action: "for p3 in 0..count3, p2 in 0..count2, r in 0..rows, c in 0..len_bytes: L1[at(layout, dst_address + p3*dst_stride3 + p2*dst_stride2, dst_stride, r, c)] = UB[src_address + p3*src_stride3 + p2*src_stride2 + r*src_stride + c]",
        faults: &[
            NO_UB,
            OUTER,
            (Cause::BadRegister, "dst_stride2 or dst_stride3 is 2^24 or more"),
            (Cause::OutOfBuffer, "a byte read lies outside UB, or a byte written outside L1"),
            FLAG_OVERFLOW,
        ],
        cycles: "sum over rows of ceil(len_bytes/bus), one more where a row is unaligned",
    },
];
