// SPDX-License-Identifier: Apache-2.0
//! Checks of one instruction at a time: encoding, support, bounds, state registers, END.

use super::{Finding, Problem, states};
use crate::config::Config;
use crate::dtype::Dtype;
use crate::effects::{Access, effects};
use crate::geometry::{Im2col, Misuse, Outer};
use crate::inst::*;
use crate::pipe::Pipe;
use crate::second::SecondTensor;
use crate::state::{State, fix, mte1, state_register};

/// What has no encoding, or is not on the core.
pub(super) fn encodings(program: &[Inst], config: &Config) -> Vec<Finding> {
    let problem = |inst: &Inst| match inst.encode() {
        Err(error) => Some(Problem::Encoding(error)),
        Ok(_) => inst.check_supported(config).err().map(Problem::Unsupported),
    };
    let found = program.iter().enumerate().filter_map(|(index, inst)| Some((index, problem(inst)?)));
    found.map(|(index, problem)| Finding::new(program, index, problem)).collect()
}

/// END, bounds and state registers of a program whose instructions have encodings.
pub(super) fn operands(program: &[Inst], config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let end = program.iter().position(|inst| inst.op == Instruction::End);
    match end {
        None => findings.push(Finding::new(program, program.len(), Problem::NoEnd)),
        Some(end) if end + 1 < program.len() => findings.push(Finding::new(program, end + 1, Problem::AfterEnd)),
        Some(_) => {}
    }
    for (index, (inst, state)) in program.iter().zip(states(program)).enumerate() {
        let mut problems = registers(&inst.op, &state);
        for access in effects(&inst.op, &state) {
            problems.extend(bounds(&access, config));
            if access.write {
                problems.extend(self_overlap(&inst.op, &state, &access));
            }
        }
        findings.extend(problems.into_iter().map(|problem| Finding::new(program, index, problem)));
    }
    findings
}

fn bounds(access: &Access, config: &Config) -> Option<Problem> {
    let (buffer, end) = (access.buffer, access.end());
    let capacity = buffer.capacity(config);
    (end > capacity).then_some(Problem::OutOfBuffer { buffer, end, capacity })
}

/// A write whose bytes are fewer than those that it stores. Fills are left out: they write the same value twice.
fn self_overlap(op: &Instruction, state: &State, access: &Access) -> Option<Problem> {
    let (rows, row_bytes) = match op {
        Instruction::Mte2Load(load) => (load.rows, load.len_bytes),
        Instruction::FixStore(store) => (store.m, store.row_bytes()),
        Instruction::Mte3Store(store) => (store.rows, store.len_bytes),
        Instruction::Mte3Move(copy) => (copy.rows, copy.len_bytes),
        _ => return None,
    };
    let matrices = Outer::of(op, state).ok()?.map_or(1, |outer| outer.matrices());
    let stored = matrices * u64::from(rows) * u64::from(row_bytes);
    let written: u64 = access.ranges.iter().map(|range| range.end - range.start).sum();
    (written < stored).then_some(Problem::SelfOverlap { buffer: access.buffer })
}

fn registers(op: &Instruction, state: &State) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(Outer::of(op, state).err().map(Problem::Misuse));
    match op {
        Instruction::Mte1Im2col(load) => match Im2col::of(load, state) {
            Err(misuse) => problems.push(Problem::Misuse(misuse)),
            Ok(_) => problems.extend(zero_point(state, Pipe::Mte1, mte1::ZERO_POINT_A, load.dtype)),
        },
        Instruction::Mte1Load(load) => {
            let (bit, index) = match load.side {
                Side::A => (0, mte1::ZERO_POINT_A),
                Side::B => (1, mte1::ZERO_POINT_B),
            };
            let from_fb = state.get(Pipe::Mte1, mte1::ZERO_POINT_SOURCE).unwrap_or(0) >> bit & 1 == 1;
            if !from_fb {
                problems.extend(zero_point(state, Pipe::Mte1, index, load.dtype));
            }
        }
        Instruction::FixStore(store) => {
            let mut used = Vec::new();
            if store.scales() && !store.per_channel {
                used.push(fix::SCALE);
                if store.shifts() {
                    used.push(fix::SHIFT);
                }
            }
            if store.clamp {
                used.extend([fix::CLAMP_LOW, fix::CLAMP_HIGH]);
            }
            for &index in used.iter().filter(|&&index| state.get(Pipe::Fix, index).is_none()) {
                let register = state_register(Pipe::Fix, index).expect("the index is a constant of the table");
                problems.push(Problem::Misuse(Misuse::Unset(register)));
            }
            let used = |index| used.contains(&index).then(|| state.get(Pipe::Fix, index)).flatten();
            match used(fix::SCALE) {
                Some(bits) if !store.rounding.admits_scale(bits) => problems.push(match store.shifts() {
                    true => Problem::BadMultiplier { value: bits },
                    false => Problem::BadScale { bits },
                }),
                _ => {}
            }
            match used(fix::SHIFT).map(|bits| bits as i8) {
                Some(value) if !Rounding::admits_shift(value) => problems.push(Problem::BadShift { value }),
                _ => {}
            }
            problems.extend(SecondTensor::of(store, state).err().map(Problem::Misuse));
            if store.has_zero_point() {
                problems.extend(zero_point(state, Pipe::Fix, fix::ZERO_POINT, store.dtype_out));
            }
        }
        _ => {}
    }
    problems
}

fn zero_point(state: &State, pipe: Pipe, index: u8, dtype: Dtype) -> Option<Problem> {
    let (low, high) = dtype.range()?;
    let value = state.get(pipe, index)? as i32;
    (!(low..=high).contains(&value)).then_some(Problem::BadZeroPoint { value, low, high })
}
