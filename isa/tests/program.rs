// SPDX-License-Identifier: Apache-2.0
//! Claims: what the builder makes passes the checker and survives every schedule; every flag of it is needed; what the
//! checker accepts survives every schedule.

#![allow(clippy::unwrap_used)]

mod common;

use common::programs::{built, colliding, play};
use common::{numbers, seed};
use isa::*;

fn small() -> Config {
    Config { queue_len: 2, ..Config::tiny() }
}

fn show(program: &[Inst]) -> String {
    asm::disassemble(program).unwrap()
}

/// The program without the n-th set and the n-th wait of a flag.
fn without(program: &[Inst], flag: Flag, n: usize) -> Vec<Inst> {
    let mut cut = program.to_vec();
    let (mut sets, mut waits) = (0, 0);
    for inst in &mut cut {
        let own = inst.op.pipe();
        inst.waits.retain(|wait| {
            waits += usize::from(wait.flag(own) == flag);
            wait.flag(own) != flag || waits != n + 1
        });
        inst.sets.retain(|signal| {
            sets += usize::from(signal.flag(own) == flag);
            signal.flag(own) != flag || sets != n + 1
        });
    }
    cut
}

#[test]
fn built_programs_pass_the_checker_and_every_schedule() {
    let seed = seed(10);
    let (mut flags, mut early, mut barriers) = (0, 0, 0);
    for case in 0..3_000 {
        let mut next = numbers(seed.wrapping_add(case));
        let length = 5 + next() as usize % 60;
        let operations = colliding(&mut next, length);
        let program = built(&operations);
        if let Err(findings) = check(&program, &small()) {
            panic!("seed {seed} case {case}: {}\n{}", findings[0], show(&program));
        }
        for _ in 0..3 {
            if let Err(problem) = play(&program, 2, &mut next) {
                panic!("seed {seed} case {case}: {problem}\n{}", show(&program));
            }
        }
        flags += program.iter().map(|inst| inst.sets.len()).sum::<usize>();
        early += program.iter().filter(|inst| inst.is_early()).count();
        barriers += program.iter().filter(|inst| inst.op == Instruction::Barrier).count();
    }
    println!("{flags} flags, {early} early instructions, {barriers} barriers");
    assert!(flags > 10_000 && early > 1_000 && barriers > 100, "the programs hardly collide");
}

#[test]
fn every_flag_of_the_builder_is_needed() {
    let seed = seed(11);
    let mut removed = 0;
    for case in 0..200 {
        let mut next = numbers(seed.wrapping_add(case));
        let program = built(&colliding(&mut next, 40));
        let flags: std::collections::BTreeSet<Flag> = program.iter().flat_map(|inst| inst.set_flags()).collect();
        for flag in flags {
            let count = program.iter().flat_map(|inst| inst.set_flags()).filter(|set| *set == flag).count();
            for n in 0..count {
                let cut = without(&program, flag, n);
                let findings = check(&cut, &small());
                assert!(findings.is_err(), "case {case}: {flag} number {n} is not needed\n{}", show(&program));
                removed += 1;
            }
        }
    }
    assert!(removed > 1_000);
}

#[test]
fn what_the_checker_accepts_survives_every_schedule() {
    // Programs with damaged flags: those that the checker refuses are mostly wrong, those it accepts must be right.
    let seed = seed(12);
    let (mut accepted, mut refused, mut proven) = (0, 0, 0);
    for case in 0..3_000 {
        let mut next = numbers(seed.wrapping_add(case));
        let mut program = built(&colliding(&mut next, 25));
        for _ in 0..1 + next() % 3 {
            damage(&mut program, &mut next);
        }
        let verdict = check(&program, &small());
        let mut failure = None;
        for _ in 0..10 {
            failure = failure.or(play(&program, 2, &mut next).err());
        }
        match (verdict, failure) {
            (Ok(()), Some(problem)) => panic!("case {case}: accepted, but {problem}\n{}", show(&program)),
            (Ok(()), None) => accepted += 1,
            (Err(_), failure) => {
                refused += 1;
                proven += usize::from(failure.is_some());
            }
        }
    }
    println!("{accepted} accepted, {refused} refused, {proven} of these fail in ten random schedules");
    assert!(accepted > 50 && refused > 1_000 && proven * 3 > refused);
}

/// Removes, adds or moves a flag, or makes a set early or not.
fn damage(program: &mut [Inst], next: &mut impl FnMut() -> u64) {
    let with_flags: Vec<usize> = (0..program.len())
        .filter(|&index| !program[index].sets.is_empty() || !program[index].waits.is_empty())
        .collect();
    if with_flags.is_empty() {
        return;
    }
    let index = with_flags[next() as usize % with_flags.len()];
    let flag = program[index].wait_flags().chain(program[index].set_flags()).next().unwrap();
    match next() % 4 {
        0 => {
            let cut = without(program, flag, 0);
            program.clone_from_slice(&cut);
        }
        1 => {
            // A pair that was not there: from this instruction to a later one of another pipe.
            let own = program[index].op.pipe();
            let later = (index + 1..program.len()).find(|&other| {
                let pipe = program[other].op.pipe();
                pipe != own && pipe != Pipe::S && program[other].waits.len() < 3
            });
            if let (Some(later), true) = (later, program[index].sets.len() < 3) {
                let to = program[later].op.pipe();
                let set = Signal { to, id: 7, early: false };
                if !program[index].sets.iter().any(|other| other.to == to && other.id == 7)
                    && !program[later].waits.contains(&Wait { from: own, id: 7 })
                {
                    program[index].sets.push(set);
                    program[later].waits.push(Wait { from: own, id: 7 });
                }
            }
        }
        2 => {
            let own = program[index].op.pipe();
            for signal in &mut program[index].sets {
                signal.early = !signal.early && signal.flag(own).may_be_early();
            }
        }
        _ => {
            program[index].waits.reverse();
            program[index].waits.pop();
        }
    }
}

/// The instructions of a tiled GEMM with every buffer in two halves.
fn gemm(steps: usize) -> Vec<Instruction> {
    let mut operations = Vec::new();
    for step in 0..steps {
        let half = step % 2;
        for (side, base) in [(Side::A, 0), (Side::B, 1)] {
            let dst_address = (half * 2 + usize::from(base)) as u32 * 2048;
            operations.push(Instruction::Mte2Load(Mte2Load {
                gm: GmAddress { base, offset: step as u64 * 4096 },
                gm_stride: 64,
                layout: Layout::Nz,
                dst: LocalBuffer::L1,
                dst_address,
                dst_stride: 1024,
                rows: 32,
                len_bytes: 64,
            }));
            operations.push(Instruction::Mte1Load(Mte1Load {
                side,
                transpose: false,
                dtype: Dtype::S8,
                l1_address: dst_address,
                panel_stride: 1024,
                rows: 32,
                k: 64,
                fractal: half as u16 * 4,
            }));
        }
        let tile = step / 4 % 2;
        operations.push(Instruction::Mmad(Mmad {
            accumulate: step % 4 != 0,
            dtype_a: Dtype::S8,
            dtype_b: Dtype::S8,
            l0a: half as u16 * 4,
            l0b: half as u16 * 4,
            l0c: tile as u16 * 4,
            m: 32,
            n: 32,
            k: 64,
        }));
        if step % 4 == 3 {
            operations.push(Instruction::FixStore(FixStore {
                dst: FixTarget::Gm(GmAddress { base: 2, offset: step as u64 * 4096 }),
                layout: Layout::Rows,
                dst_stride: 128,
                dtype_out: Dtype::Int32,
                bias: false,
                per_channel: false,
                rounding: Rounding::Onnx,
                relu: false,
                clamp: false,
                second: Second::None,
                m: 32,
                n: 32,
                l0c: tile as u16 * 4,
                channel: 0,
            }));
        }
    }
    operations
}

#[test]
fn a_double_buffered_gemm_needs_no_barrier_and_chains_every_tile() {
    let program = built(&gemm(64));
    assert_eq!(check(&program, &small()), Ok(()));
    let barriers = program.iter().filter(|inst| inst.op == Instruction::Barrier).count();
    assert_eq!(barriers, 0, "{}", show(&program));
    let count = |opcode: Opcode| program.iter().filter(|inst| inst.op.opcode() == opcode).count();
    let early = program.iter().filter(|inst| inst.is_early()).count();
    // Every load is read chained; of four mmads that accumulate, the last one is what FIX chains to.
    assert_eq!(early, count(Opcode::Mte1LoadA) + count(Opcode::Mte1LoadB) + count(Opcode::FixStore));
    // Loads wait for their half: one flag in, one back per L1 load; M gives back the halves of L0 once per step.
    let per_step = program.iter().map(|inst| inst.waits.len()).sum::<usize>() as f64 / 64.0;
    println!("{per_step} flags per step\n{}", show(&program[..14]));
    assert!(per_step <= 8.0, "{per_step} flags per step");
    let mut next = numbers(seed(13));
    assert_eq!(play(&program, 8, &mut next), Ok(()));
}

#[test]
fn without_chaining_no_set_is_early() {
    let mut builder = ProgramBuilder::without_chaining();
    for op in gemm(16) {
        builder.push(op);
    }
    let program = builder.finish();
    assert!(program.iter().all(|inst| !inst.is_early()));
    assert_eq!(check(&program, &small()), Ok(()));
}

#[test]
fn a_producer_that_runs_far_ahead_stays_below_the_flag_limit() {
    // 100 loads into 100 places, then 100 consumers: more tokens than eight ids hold.
    let load = |slot: u32| {
        Instruction::Mte2Load(Mte2Load {
            gm: GmAddress { base: 0, offset: 0 },
            gm_stride: 32,
            layout: Layout::Rows,
            dst: LocalBuffer::L1,
            dst_address: slot * 32,
            dst_stride: 32,
            rows: 1,
            len_bytes: 32,
        })
    };
    let store = |slot: u32| {
        Instruction::Mte3Store(Mte3Store {
            gm: GmAddress { base: 1, offset: u64::from(slot) * 32 },
            gm_stride: 32,
            layout: Layout::Rows,
            src: LocalBuffer::L1,
            src_address: slot * 32,
            src_stride: 32,
            rows: 1,
            len_bytes: 32,
        })
    };
    let operations: Vec<Instruction> = (0..300).map(load).chain((0..300).map(store)).collect();
    let program = built(&operations);
    assert_eq!(check(&program, &small()), Ok(()));
}

#[test]
fn a_flag_that_finds_no_slot_becomes_a_barrier() {
    // What one FIX store writes to L1 is wanted by three other pipes, and its L0C by a fourth.
    let text = "
        mte1.loada dst=l0a[0] src=l1[0x1000] panel_stride=512 rows=16 k=32 dtype=s8
        mte1.loadb dst=l0b[0] src=l1[0x1000] panel_stride=512 rows=16 k=32 dtype=s8
        m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8
        fix.store dst=l1[0] src=l0c[0] m=16 n=16 dst_stride=512 dtype_out=int32 layout=nz
        m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8
        mte1.loada dst=l0a[1] src=l1[0] panel_stride=512 rows=4 k=32 dtype=s8
        mte3.store gm=b1[0] src=l1[0x80] rows=1 len_bytes=32 gm_stride=0 src_stride=0
        mte2.fill dst=l1[0xa0] byte=0 rows=1 len_bytes=32 dst_stride=0
    ";
    let operations: Vec<Instruction> =
        asm::assemble(text, "slots.qasm").unwrap().program.iter().map(|inst| inst.op).collect();
    let program = built(&operations);
    assert_eq!(check(&program, &small()), Ok(()));
    let kinds: Vec<Opcode> = program.iter().map(|inst| inst.op.opcode()).collect();
    assert_eq!(kinds[7..], [Opcode::Barrier, Opcode::Mte2Fill, Opcode::End], "{}", show(&program));
    assert_eq!(program[3].sets.len(), 3);
}

#[test]
fn registers_are_set_in_queue_order_and_only_when_they_change() {
    let mut builder = ProgramBuilder::new();
    let (pipe, register) = (Pipe::Mte1, isa::state::mte1::ZERO_POINT_A);
    builder.set(pipe, register, 0);
    builder.set(pipe, register, 3);
    builder.set(pipe, register, 3);
    builder.push(Instruction::Barrier);
    builder.set(pipe, register, 4);
    let program = builder.finish();
    let texts: Vec<String> = program.iter().map(|inst| asm::line(inst).unwrap()).collect();
    assert_eq!(texts, ["set mte1.zero_point_a 3", "barrier", "set mte1.zero_point_a 4", "end"]);
}
