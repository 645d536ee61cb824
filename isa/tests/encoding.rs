// SPDX-License-Identifier: Apache-2.0
//! Claims: every instruction round-trips, every undefined encoding is refused, the tables are consistent.

#![allow(clippy::unwrap_used)]

mod common;

use common::{numbers, seed};
use isa::decode::{SlotProblem, bytes_of, words_of};
use isa::opcode::{SET_SLOT_LO, WAIT_SLOT_LO};
use isa::*;
use std::collections::HashSet;

#[test]
fn every_value_round_trips() {
    let mut next = numbers(seed(1));
    let mut seen = HashSet::new();
    for _ in 0..20_000 {
        let inst = random::inst(&mut next);
        let bytes = inst.encode().unwrap_or_else(|error| panic!("{inst:?}: {error}"));
        assert_eq!(Inst::decode(&bytes).as_ref(), Ok(&inst));
        assert_eq!(bytes_of(&words_of(&bytes)), bytes);
        seen.insert(inst.op.opcode());
    }
    assert_eq!(seen.len(), Opcode::ALL.len());
}

#[test]
fn whatever_decodes_encodes_to_the_same_bytes() {
    // Legal encodings with one to three random bits flipped: either refused, or an instruction with exactly these bytes.
    let mut next = numbers(seed(2));
    let mut decoded = 0;
    for _ in 0..50_000 {
        let mut words = random::inst(&mut next).encode_words().unwrap();
        for _ in 0..1 + next() % 3 {
            let bit = next() as usize % 256;
            words[bit / 32] ^= 1 << (bit % 32);
        }
        if let Ok(inst) = Inst::decode_words(&words) {
            assert_eq!(inst.encode_words(), Ok(words));
            decoded += 1;
        }
    }
    assert!(decoded > 1_000, "only {decoded} decoded: the test proves nothing");
}

#[test]
fn every_reserved_bit_is_refused() {
    let mut next = numbers(seed(3));
    for opcode in Opcode::ALL {
        let words = random::inst_of(opcode, &mut next).encode_words().unwrap();
        let mut flipped = 0;
        for (word, mask) in opcode.reserved_mask().into_iter().enumerate() {
            for bit in (0..32).filter(|bit| mask >> bit & 1 == 1) {
                let mut bad = words;
                bad[word] ^= 1 << bit;
                let error = Inst::decode_words(&bad).unwrap_err();
                assert_eq!(error, DecodeError::ReservedBits { opcode, word, bits: 1 << bit });
                assert_eq!(error.cause(), Cause::IllegalField);
                flipped += 1;
            }
        }
        assert!(flipped > 0);
    }
}

#[test]
fn every_undefined_opcode_is_refused() {
    let legal: Vec<u8> = Opcode::ALL.iter().map(|opcode| opcode.code()).collect();
    for code in 0..=255u8 {
        let mut words = [0u32; 8];
        words[0] = u32::from(code);
        let refused = Inst::decode_words(&words).map_err(|error| error.cause()) == Err(Cause::IllegalOpcode);
        assert_eq!(refused, !legal.contains(&code), "opcode {code:#04x}");
    }
}

#[test]
fn every_illegal_value_of_every_narrow_field_is_refused() {
    let mut next = numbers(seed(4));
    for opcode in Opcode::ALL {
        for field in opcode.fields() {
            let words = random::inst_of(opcode, &mut next).encode_words().unwrap();
            let values: Vec<u32> = if field.width <= 16 {
                (0..=field.max()).collect()
            } else {
                (0..1024).chain((0..1000).map(|_| next() as u32 & field.max())).collect()
            };
            for value in values {
                let mut bad = words;
                field.put(&mut bad, value);
                let decoded = Inst::decode_words(&bad);
                if !field.legal.admits(value) {
                    assert_eq!(decoded.unwrap_err().cause(), Cause::IllegalField, "{opcode} {} = {value}", field.name);
                } else if let Ok(inst) = decoded {
                    assert_eq!(inst.encode_words(), Ok(bad));
                }
            }
        }
    }
}

#[test]
fn every_malformed_slot_is_refused() {
    let op = Instruction::Mmad(Mmad {
        accumulate: false,
        dtype_a: Dtype::S8,
        dtype_b: Dtype::U8,
        l0a: 1,
        l0b: 2,
        l0c: 3,
        m: 5,
        n: 6,
        k: 7,
    });
    let words = Inst::new(op).encode_words().unwrap();
    let problem = |word: usize, bits: u32| {
        let mut bad = words;
        bad[word] |= bits;
        match Inst::decode_words(&bad) {
            Ok(_) => None,
            Err(DecodeError::BadSlot { problem, .. }) => Some(problem),
            Err(other) => panic!("{other}"),
        }
    };
    let slot = |pipe: u32, id: u32| 1 | pipe << 1 | id << 4;
    for lo in WAIT_SLOT_LO {
        for bits in (2..0x80).step_by(2) {
            assert_eq!(problem(0, bits << lo), Some(SlotProblem::NotZero));
        }
    }
    for pipe in 0..8 {
        let legal = [1, 2, 4, 6].contains(&pipe);
        assert_eq!(problem(0, slot(pipe, 3) << WAIT_SLOT_LO[0]).is_none(), legal, "wait on pipe {pipe}");
        assert_eq!(problem(1, slot(pipe, 3) << SET_SLOT_LO[0]).is_none(), legal, "set to pipe {pipe}");
        let early = problem(1, (slot(pipe, 3) | 0x80) << SET_SLOT_LO[0]);
        assert_eq!(early.is_none(), pipe == 4, "early set from m to pipe {pipe}");
    }
    assert_eq!(problem(0, slot(2, 0) << WAIT_SLOT_LO[1]), Some(SlotProblem::Gap));
    assert_eq!(problem(1, slot(2, 0) << SET_SLOT_LO[0] | slot(2, 1) << SET_SLOT_LO[2]), Some(SlotProblem::Gap));
    let twice = slot(4, 5) << WAIT_SLOT_LO[0] | slot(4, 5) << WAIT_SLOT_LO[1];
    assert_eq!(problem(0, twice), Some(SlotProblem::Twice));
    let twice_but_early = slot(4, 5) << SET_SLOT_LO[0] | (slot(4, 5) | 0x80) << SET_SLOT_LO[1];
    assert_eq!(problem(1, twice_but_early), Some(SlotProblem::Twice));
}

#[test]
fn operands_that_do_not_fit_are_refused_by_name() {
    let fill = |len_bytes| {
        Inst::new(Instruction::Mte2Fill(Mte2Fill {
            dst: LocalBuffer::L1,
            dst_address: 0,
            dst_stride: 0,
            rows: 1,
            len_bytes,
            byte: 0,
        }))
    };
    assert!(fill((1 << 24) - 1).encode().is_ok());
    let error = fill(1 << 24).encode().unwrap_err();
    assert_eq!(error.to_string(), "mte2.fill: len_bytes is 16777216 but its field holds at most 16777215");
    let error = fill(0).encode().unwrap_err();
    assert_eq!(error.to_string(), "mte2.fill: len_bytes is 0 but must be at least 1");
    let crowded = (0..4).fold(fill(1), |inst, id| inst.set(Pipe::Mte1, id));
    assert!(matches!(crowded.encode(), Err(EncodeError::TooManySlots { count: 4, limit: 3, .. })));
    assert!(matches!(fill(1).wait(Pipe::M, 8).encode(), Err(EncodeError::BadId { id: 8, .. })));
    let nop = Inst::new(Instruction::Nop).set(Pipe::M, 0);
    assert!(matches!(nop.encode(), Err(EncodeError::TooManySlots { count: 1, limit: 0, .. })));
}

#[test]
fn set_refuses_registers_that_are_not_there_and_values_that_do_not_fit() {
    for pipe in Pipe::ALL {
        for register in 0..=255u8 {
            let found = state::state_register(pipe, register);
            let set = |value| Inst::new(Instruction::Set { pipe, register, value }).encode();
            assert_eq!(set(0).is_ok(), found.is_some(), "{pipe} {register}");
            if let Some(found) = found.filter(|found| found.width < 32) {
                assert!(set((1 << found.width) - 1).is_ok());
                assert!(matches!(set(1 << found.width), Err(EncodeError::Illegal(DecodeError::WideValue { .. }))));
            }
        }
    }
}

#[test]
fn fields_do_not_overlap_and_rules_name_fields() {
    for opcode in Opcode::ALL {
        assert_eq!(Opcode::from_code(opcode.code()), Some(opcode));
        assert_eq!(Opcode::from_mnemonic(opcode.mnemonic()), Some(opcode));
        assert_eq!(opcode.has_slots(), opcode.pipe() != Pipe::S);
        let mut used = [0u32; 8];
        let mut position = (2, 0);
        for field in opcode.fields() {
            assert!((2..8).contains(&field.word) && field.width >= 1 && field.lo + field.width <= 32);
            assert!((field.word, field.lo) >= position, "{opcode} {} is out of order", field.name);
            position = (field.word, field.lo);
            assert_eq!(used[field.word] & field.mask(), 0, "{opcode} {} overlaps", field.name);
            used[field.word] |= field.mask();
            assert_eq!(opcode.fields().iter().filter(|other| other.name == field.name).count(), 1);
            match field.legal {
                Legal::Multiple(of) | Legal::Below(of) => assert!(of.is_power_of_two()),
                Legal::OneOf(values) => {
                    assert!(values.iter().all(|&(value, _)| value <= field.max()))
                }
                _ => {}
            }
        }
        for rule in opcode.rules() {
            assert!(opcode.field(rule.field).is_some() && opcode.field(rule.then).is_some());
            assert!(opcode.field(rule.field).unwrap().legal.admits(rule.equals));
        }
        let reserved = opcode.reserved_mask();
        assert!((0..8).all(|word| reserved[word] & used[word] == 0));
    }
}

#[test]
fn named_values_of_fields_are_those_of_the_enums() {
    let check = |legal: Legal, name_of: &dyn Fn(u8) -> Option<&'static str>| {
        let Legal::OneOf(values) = legal else { panic!("not an enumeration") };
        for &(value, name) in values {
            assert_eq!(name_of(value as u8), Some(name));
        }
        values.len()
    };
    let dtype = |code| Dtype::from_code(code).map(Dtype::name);
    let of = |opcode: Opcode, name: &str| opcode.field(name).unwrap().legal;
    assert_eq!(check(of(Opcode::FixStore, "dtype_out"), &dtype), Dtype::ALL.len());
    assert_eq!(check(of(Opcode::Mmad, "dtype_a"), &dtype), 8);
    let pipe = |code| Pipe::from_code(code).map(Pipe::name);
    assert_eq!(check(of(Opcode::Set, "pipe"), &pipe), 4);
    let layout = |code| Layout::from_code(code).map(Layout::name);
    assert_eq!(check(of(Opcode::Mte2Load, "layout"), &layout), 2);
    let local = |code| LocalBuffer::from_code(code).map(LocalBuffer::name);
    assert_eq!(check(of(Opcode::Mte3Store, "src"), &local), 2);
    let rounding = |code| Rounding::from_code(code).map(Rounding::name);
    assert_eq!(check(of(Opcode::FixStore, "rounding"), &rounding), 3);
    let second = |code| Second::from_code(code).map(Second::name);
    assert_eq!(check(of(Opcode::FixStore, "second"), &second), 3);
    let fb = |code| FbField::from_code(code).map(FbField::name);
    assert_eq!(check(of(Opcode::Mte1LoadFb, "field"), &fb), 4);
}

#[test]
fn unsupported_is_what_a_core_lacks() {
    let config = Config { ub_bytes: 0, ..Config::lite() };
    let mut next = numbers(seed(5));
    let mut refused = 0;
    for _ in 0..5_000 {
        let inst = random::inst(&mut next);
        let lacks = match inst.op {
            Instruction::Mte2Load(Mte2Load { dst, .. }) | Instruction::Mte2Fill(Mte2Fill { dst, .. }) => {
                dst == LocalBuffer::Ub
            }
            Instruction::Mte3Store(Mte3Store { src, .. }) => src == LocalBuffer::Ub,
            Instruction::Mte3Move(_) => true,
            Instruction::Mte1Load(load) => load.dtype.code() > 1,
            Instruction::Mte1Im2col(load) => load.dtype.code() > 1,
            Instruction::Mmad(mmad) => mmad.dtype_a.code() > 1 || mmad.dtype_b.code() > 1,
            Instruction::FixStore(store) => {
                matches!(store.dst, FixTarget::Ub(_))
                    || ![Dtype::S8, Dtype::U8, Dtype::Int32, Dtype::Fp32].contains(&store.dtype_out)
                    || store.second != Second::None
            }
            _ => false,
        };
        let checked = inst.check_supported(&config);
        assert_eq!(checked.is_err(), lacks, "{inst:?}");
        if let Err(error) = checked {
            assert_eq!(error.cause(), Cause::Unsupported);
            refused += 1;
        }
    }
    assert!(refused > 1_000);
}
