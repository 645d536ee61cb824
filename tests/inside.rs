// SPDX-License-Identifier: Apache-2.0
//! Looking into a simulated core: buffers, full bits, parameters and state registers, read from the hardware, are those of the model after
//! every one of many random programs.

#![allow(clippy::unwrap_used)]

mod machine;

use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use isa::state::STATE_REGISTERS;
use isa::{Config, FbField, Flag, Inst, Instruction, LocalBuffer, Pipe, Side, State, asm};
use machine::Machine;
use sim::Look;
use std::collections::BTreeSet;
use tb::programs::{prepare, program};

/// How much was compared, so that nothing passes for having been empty.
#[derive(Debug, Default)]
struct Compared {
    l0: usize,
    l0c: usize,
    set: usize,
    channels: usize,
}

/// Blocks are full in both or in none; what is full is equal.
fn compare_blocks(look: &Look, model: &model::Core, compared: &mut Compared, what: &str) {
    let config = model.config();
    for (side, fractals) in [(Side::A, config.l0a_fractals()), (Side::B, config.l0b_fractals())] {
        for (fractal, row, k) in places(fractals, FRACTAL_ROW_BYTES) {
            let (got, (value, full)) =
                (look.l0(side, fractal, row, k).unwrap(), model.l0(side, fractal, row, k).unwrap());
            assert_eq!(got.full, full, "{side:?} fractal {fractal} row {row} k {k}\n{what}");
            if full {
                assert_eq!(got.value, value, "{side:?} fractal {fractal} row {row} k {k}\n{what}");
                compared.l0 += 1;
            }
        }
        assert_eq!(look.l0(side, fractals, 0, 0), None);
    }
    for (fractal, row, column) in places(config.l0c_fractals(), L0C_FRACTAL_COLUMNS) {
        let (got, (value, full)) = (look.l0c(fractal, row, column).unwrap(), model.l0c(fractal, row, column).unwrap());
        assert_eq!(got.full, full, "L0C fractal {fractal} row {row} column {column}\n{what}");
        if full {
            assert_eq!(got.value, value, "L0C fractal {fractal} row {row} column {column}\n{what}");
            compared.l0c += 1;
        }
    }
    assert_eq!(look.l0c(config.l0c_fractals(), 0, 0), None);
}

/// Every (fractal, row, column) of a buffer.
fn places(fractals: usize, columns: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..fractals).flat_map(move |fractal| {
        (0..FRACTAL_ROWS).flat_map(move |row| (0..columns).map(move |column| (fractal, row, column)))
    })
}

/// L1 and UB of `tiny`, which the preparation gave defined contents.
fn compare_bytes(look: &Look, model: &model::Core, what: &str) {
    let tiny = Config::tiny();
    for (buffer, bytes, size) in
        [(LocalBuffer::L1, model.l1(), tiny.l1_bytes), (LocalBuffer::Ub, model.ub(), tiny.ub_bytes)]
    {
        for (address, &byte) in bytes[..size].iter().enumerate() {
            assert_eq!(look.byte(buffer, address), Some(byte), "{buffer}[{address:#x}]\n{what}");
        }
        assert_eq!(look.byte(buffer, bytes.len()), None);
    }
}

/// The state registers after the program, and flags that are all 0.
fn compare_state(look: &Look, program: &[Inst], compared: &mut Compared, what: &str) {
    let mut state = State::reset();
    for inst in program {
        if let Instruction::Set { pipe, register, value } = inst.op {
            state.set(pipe, register, value);
            compared.set += 1;
        }
    }
    for register in &STATE_REGISTERS {
        let (pipe, index) = (register.pipe, register.index);
        assert_eq!(look.register(pipe, index), state.get(pipe, index), "{pipe}.{}\n{what}", register.name);
    }
    for (from, to, id) in (0..200u8).map(|at| (at / 40, at / 8 % 5, at % 8)) {
        let [from, to] = [from, to].map(|at| Pipe::WORKERS[usize::from(at)]);
        assert_eq!(look.flag(Flag { from, to, id }), 0, "{what}");
    }
}

/// The parameters that programs have loaded so far.
fn compare_parameters(
    look: &Look,
    model: &model::Core,
    known: &BTreeSet<(usize, u8)>,
    compared: &mut Compared,
    what: &str,
) {
    for &(channel, field) in known {
        let (got, expected) = (look.channel(channel).unwrap(), model.channel(channel).unwrap());
        let (got, expected) = match FbField::from_code(field).unwrap() {
            FbField::Bias => (i64::from(got.bias), i64::from(expected.bias)),
            FbField::Scale => (i64::from(got.scale), i64::from(expected.scale)),
            FbField::Shift => (i64::from(got.shift), i64::from(expected.shift as i8)),
            FbField::ZeroPoint => (i64::from(got.zero_point), i64::from(expected.zero_point)),
        };
        assert_eq!(got, expected, "channel {channel}, field {field}\n{what}");
        compared.channels += 1;
    }
    assert_eq!(look.channel(model.config().fb_channels), None);
}

fn look_after_random_programs(config: &Config, seed: u64, programs: usize) {
    // On `tiny` the simulation that `quader step` builds, so that it is one less to build.
    let model = sim::core::open_model(config, config.name == "tiny").unwrap_or_else(|error| panic!("{error}"));
    let mut rng = tb::seed(seed).rng;
    let memory = machine::memory(config, 0, &mut rng);
    let mut machine = Machine::new(&model, config, memory, &mut rng);
    machine.core = machine.core.looked_into().unwrap();
    machine.refill(&mut rng);
    let (mut compared, mut known) = (Compared::default(), BTreeSet::new());
    let preparation = prepare(&machine.arena);
    for number in 0..=programs {
        let program = if number == 0 { preparation.clone() } else { program(&mut rng, &machine.arena) };
        let what = format!("program {number} on {}\n{}", config.name, asm::disassemble(&program).unwrap());
        machine.compare(&program, &|| what.clone());
        for inst in &program {
            if let Instruction::Mte1LoadFb(load) = inst.op {
                let channels = usize::from(load.channel)..usize::from(load.channel) + usize::from(load.count);
                known.extend(channels.map(|channel| (channel, load.field.code())));
            }
        }
        let look = machine.core.look();
        compare_blocks(&look, &machine.model, &mut compared, &what);
        compare_bytes(&look, &machine.model, &what);
        compare_state(&look, &program, &mut compared, &what);
        compare_parameters(&look, &machine.model, &known, &mut compared, &what);
    }
    println!("{}: {compared:?}", config.name);
    let Compared { l0, l0c, set, channels } = compared;
    assert!(l0 > 20_000 && l0c > 5_000 && set > 50 && channels > 500, "{compared:?}");
}

#[test]
fn the_inside_of_tiny_is_that_of_the_model() {
    look_after_random_programs(&Config::tiny(), 71, tb::rounds(60));
}

#[test]
fn the_inside_of_lite_is_that_of_the_model() {
    look_after_random_programs(&Config::lite(), 72, tb::rounds(60));
}

#[test]
fn a_core_that_was_not_built_for_it_cannot_be_looked_into() {
    let model = sim::core::recordable_model(&Config::tiny(), false).unwrap();
    let memory = sim::MemoryConfig::ideal(Config::tiny().bus_bytes);
    let gm = sim::GlobalMemory::new(sim::Poison::new(1));
    let core = sim::Core::with_model(&model, &Config::tiny(), memory, gm, verilated::Reset::Zeros).unwrap();
    let Err(error) = core.looked_into() else { panic!("it has no names of its inside") };
    assert!(error.to_string().contains("built without any"), "{error}");
}
