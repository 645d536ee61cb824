// SPDX-License-Identifier: Apache-2.0
//! Claims: text and instructions round-trip, the canonical text is a fixed point, every bad line says where and what to do.

#![allow(clippy::unwrap_used)]

mod common;

use common::{numbers, seed};
use isa::asm::{assemble, disassemble, line};
use isa::*;

fn one(text: &str) -> Inst {
    let assembly = assemble(text, "test.qasm").unwrap_or_else(|errors| panic!("{}", errors[0]));
    assert_eq!(assembly.program.len(), 1);
    assembly.program[0].clone()
}

fn error(text: &str) -> String {
    assemble(text, "test.qasm").unwrap_err()[0].to_string()
}

#[test]
fn random_programs_round_trip_through_text() {
    let mut next = numbers(seed(30));
    for _ in 0..200 {
        let program: Vec<Inst> = (0..100).map(|_| random::inst(&mut next)).collect();
        let text = disassemble(&program).unwrap();
        let assembly = assemble(&text, "random.qasm").unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
        assert_eq!(assembly.program, program);
        assert_eq!(assembly.lines, (1..=100).collect::<Vec<usize>>());
        assert_eq!(disassemble(&assembly.program).unwrap(), text);
        let bytes = encode_program(&program).unwrap();
        assert_eq!(decode_program(&bytes).unwrap(), program);
    }
}

#[test]
fn a_program_with_constants_comments_and_any_order_reads_well() {
    let text = "
        ; a tile of A
        .equ K 2*(32 + 32)      # elements
        .equ STRIDE = 2Ki
        mte2.load  layout=nz, dst=l1[0x400], gm=b3[1Mi + 0x10], rows=64, len_bytes=K, gm_stride=4*K, dst_stride=STRIDE  set mte1.0
        set mte1.zero_point_a -3 // signed
        mte1.loada src=l1[1Ki] dst=l0a[2] panel_stride=STRIDE rows=64 k=K dtype=s8 transpose  wait mte2.0  set mte2.1 m.7 early
        set fix.scale 0.5
        end
    ";
    let assembly = assemble(text, "test.qasm").unwrap();
    let canonical = "\
mte2.load dst=l1[0x400] gm=b3[0x100010] rows=64 len_bytes=128 gm_stride=512 dst_stride=2048 layout=nz set mte1.0
set mte1.zero_point_a -3
mte1.loada dst=l0a[2] src=l1[0x400] panel_stride=2048 rows=64 k=128 dtype=s8 transpose wait mte2.0 set mte2.1 m.7 early
set fix.scale 0.5
end
";
    assert_eq!(disassemble(&assembly.program).unwrap(), canonical);
    assert_eq!(assembly.lines, [5, 6, 7, 8, 9]);
}

#[test]
fn numbers_are_read_in_every_form() {
    let shift = |text: &str| match one(&format!("set fix.clamp_low {text}")).op {
        Instruction::Set { value, .. } => value as i32,
        other => panic!("{other:?}"),
    };
    let forms = [
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("3K", 3000),
        ("3Ki", 3072),
        ("1Mi", 1 << 20),
        ("2+3*4", 14),
        ("(2+3)*4", 20),
        ("-(1-3)", 2),
        ("- 7", -7),
        ("-2147483648", i32::MIN),
    ];
    for (text, value) in forms {
        assert_eq!(shift(text), value, "{text}");
    }
    let scale = |text: &str| match one(&format!("set fix.scale {text}")).op {
        Instruction::Set { value, .. } => value,
        other => panic!("{other:?}"),
    };
    assert_eq!(scale("1.5"), 1.5f32.to_bits());
    assert_eq!(scale("-1.5"), (-1.5f32).to_bits());
    assert_eq!(scale("1.0e-7"), 1e-7f32.to_bits());
    assert_eq!(scale("0x3f800000"), 1.0f32.to_bits());
}

#[test]
fn every_fp32_survives_its_text() {
    let mut next = numbers(seed(31));
    let edges = [0, 1, 0x8000_0000, 0x7F7F_FFFF, 0x7F80_0000, 0x7FC0_0001, 0xFF80_0000, 0x0080_0000, 1e-7f32.to_bits()];
    for value in edges.into_iter().chain((0..2_000).map(|_| next() as u32)) {
        for register in [state::fix::SCALE, state::fix::RATIO, state::fix::SECOND_RATIO, state::fix::OFFSET] {
            let inst = Inst::new(Instruction::Set { pipe: Pipe::Fix, register, value });
            let text = line(&inst).unwrap();
            assert_eq!(one(&text), inst, "{text}");
        }
    }
}

#[test]
fn every_mistake_says_where_and_what_to_do() {
    let fill = "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=1 dst_stride=0";
    let cases = [
        ("mte2.lod dst=l1[0]", "test.qasm:1:1: unknown instruction `mte2.lod`: use one of end, barrier, "),
        ("\n  nop foo", "test.qasm:2:7: `foo` cannot stand here: nop takes no operands"),
        (
            &format!("{fill} foo=1"),
            "test.qasm:1:60: mte2.fill has no operand `foo`: use dst, byte, rows, len_bytes, dst_stride",
        ),
        (&format!("{fill} rows=1"), "test.qasm:1:60: operand `rows` stands here twice: remove one"),
        ("mte2.fill byte=0", "test.qasm:1:1: mte2.fill needs dst=l1[ADDRESS]: add it"),
        ("mte2.fill dst=l2[0]", "test.qasm:1:15: expected l1[NUMBER] or ub[NUMBER], but found `l2`"),
        ("mte2.fill dst=l1(0)", "test.qasm:1:17: expected `[`, but found `(`"),
        ("mte2.fill byte=256", "test.qasm:1:16: byte is 256 but must be from 0 to 255"),
        (
            "mte2.fill byte=WIDE",
            "test.qasm:1:16: constant `WIDE` is not defined: put `.equ WIDE VALUE` above this line",
        ),
        ("mte2.fill byte=12z", "test.qasm:1:16: `12z` is not a number: write 12, 0x1f,"),
        ("mte2.fill byte", "test.qasm:1:15: expected `=`, but found the end of the line"),
        (
            "mte2.load gm=b16[0]",
            "test.qasm:1:14: expected a base register b0 to b15, for example b0[0x100], but found `b16`",
        ),
        ("mte2.load layout=zn", "test.qasm:1:18: `zn` is no layout: use rows, nz"),
        (
            "mte2.fill dst=l1[0] byte=0 rows=0 len_bytes=1 dst_stride=0",
            "test.qasm:1:28: mte2.fill: rows is 0 but must be at least 1",
        ),
        (
            "mte2.load dst=l1[8] gm=b0[0] rows=1 len_bytes=1 gm_stride=0 dst_stride=0 layout=nz",
            "test.qasm:1:11: mte2.load: dst_address is 8 but must be a multiple of 32 where layout is 1",
        ),
        (&format!("{fill} wait s.0"), "test.qasm:1:1: mte2.fill: wait slot 0 names pipe s, which cannot share a flag"),
        (
            &format!("{fill} wait m.8"),
            "test.qasm:1:65: expected a flag id from 0 to 7, for example m.0, but found `m.8`",
        ),
        (&format!("{fill} wait m.0 early"), "test.qasm:1:69: mte2.fill has no operand `early`: use dst,"),
        (&format!("{fill} set"), "test.qasm:1:63: expected a flag, for example m.0, but found the end of the line"),
        (
            &format!("{fill} set m.0 early"),
            "test.qasm:1:1: mte2.fill: set slot 0 is early, which only mte1 to m and m to fix may be",
        ),
        (
            &format!("{fill} wait m.0 m.1 m.2 m.3"),
            "test.qasm:1:1: mte2.fill: has 4 wait flags but an instruction carries at most 3",
        ),
        ("set fix.gain 1", "test.qasm:1:5: `fix.gain` is no state register: use fix.scale, fix.shift,"),
        ("set gain 1", "test.qasm:1:5: `gain` is no state register: use mte2.count2, mte2.src_stride2,"),
        ("set fix.shift 128", "test.qasm:1:15: fix.shift is 128 but must be from -128 to 127"),
        ("set fix.shift 1.0", "test.qasm:1:15: expected a number, but found number 1.0"),
        (".equ A 1\n.equ A 2", "test.qasm:2:6: constant `A` is defined twice: choose another name"),
        (".equ a.b 1", "test.qasm:1:6: expected a name without `.`, but found `a.b`"),
        (".equ A 0x7fffffffffffffff + 1", "test.qasm:1:27: the result does not fit 64 bits: use smaller numbers"),
        ("nop $", "test.qasm:1:5: unexpected character `$`: remove it, or put it in a comment behind `;`"),
        ("end )", "test.qasm:1:5: expected an operand, `wait` or `set`, but found `)`"),
    ];
    for (text, expected) in cases {
        let message = error(text);
        assert!(message.starts_with(expected), "{text}\n got {message}\nwant {expected}");
    }
}

#[test]
fn every_bad_line_is_reported_and_nothing_is_assembled() {
    let errors = assemble("nop\nfoo\nend\nbar\n", "test.qasm").unwrap_err();
    assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn garbage_never_panics() {
    let mut next = numbers(seed(32));
    let alphabet: Vec<char> = "mte1.load set wait l0a[]=0x9Ki+-*(),;early\tü.equ fix".chars().collect();
    for _ in 0..20_000 {
        let length = next() as usize % 40;
        let text: String = (0..length).map(|_| alphabet[next() as usize % alphabet.len()]).collect();
        let _ = assemble(&text, "garbage.qasm");
    }
}

#[test]
fn truncated_programs_are_refused() {
    let bytes = encode_program(&[Inst::new(Instruction::Nop), Inst::new(Instruction::End)]).unwrap();
    let (index, error) = decode_program(&bytes[..40]).unwrap_err();
    assert_eq!((index, error.to_string().as_str()), (1, "the program ends after 8 of the 32 bytes of an instruction"));
}
