// SPDX-License-Identifier: Apache-2.0
//! The issue stage of every pipe against queues of plain Rust, with random engines, flags and stalls.

use crate::common::{Random, compared, prints_and_lints};
use isa::inst::{Inst, Instruction};
use isa::opcode::Opcode;
use isa::{Config, Pipe};
use rtl::issue::Issue;
use rtl::twin::Twin;
use rust_hdl::prelude::*;
use std::collections::VecDeque;
use tb::Lockstep;

type Words = [u32; 8];

fn words(inst: &Inst) -> Words {
    isa::decode::words_of(&inst.encode().expect("legal"))
}

/// A random instruction for the queue of `pipe`.
fn random_inst(pipe: Pipe, random: &mut Random) -> Inst {
    loop {
        let inst = isa::random::inst(&mut || random.next());
        if inst.op.queue() == pipe && inst.op.queue().worker_index().is_some() {
            return inst;
        }
    }
}

/// Flag vector of the flags that a list names.
fn vector(flags: impl Iterator<Item = (Pipe, u8)>) -> Vec<bool> {
    let mut bits = vec![false; 40];
    for (pipe, id) in flags {
        bits[pipe.worker_index().expect("a worker") * 8 + usize::from(id)] = true;
    }
    bits
}

fn values(ports: &[Signal<Out, Bit>]) -> Vec<bool> {
    ports.iter().map(|port| port.val()).collect()
}

/// One operation in the engine.
struct Flight {
    inst: Inst,
    pc: u32,
    left: usize,
    early_due: bool,
}

fn run(config: &Config, pipe: Pipe, seed: u64, stall: usize) {
    let mut random = Random::seeded(seed);
    let mut twin = Twin::new(Issue::new(config), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let stream: Vec<Inst> = (0..150).map(|_| random_inst(pipe, &mut random)).collect();
    let mut pushed = 0;
    let mut next = 0;
    let mut flight: VecDeque<Flight> = VecDeque::new();
    let mut tokens = vec![0usize; 40];
    let mut finished = 0;
    let mut classes = [0usize; 5];
    let (mut ops, mut earlies, mut both) = (0, 0, 0);
    let mut idle = 0;
    while idle < 3 {
        assert!(twin.cycle < 60_000, "no end: {next} of {} left", stream.len());
        let uut = &mut twin.uut;
        let offer = pushed < stream.len() && !random.chance(stall);
        uut.in_valid.next = offer;
        if offer {
            for (port, word) in uut.in_word.iter_mut().zip(words(&stream[pushed])) {
                port.next = u64::from(word).into();
            }
            uut.in_pc.next = (pushed as u64 * 32).into();
        }
        for (present, count) in uut.present.iter_mut().zip(&tokens) {
            present.next = *count > 0;
        }
        let depth = 1 + random.below(6);
        uut.op_ready.next = flight.len() < depth && !random.chance(stall);
        let early = flight.back().is_some_and(|newest| newest.early_due && !random.chance(50));
        // Operations finish in order; an early one only after its early pulse.
        let done =
            flight.front().is_some_and(|oldest| oldest.left == 0 && (!oldest.early_due || flight.len() == 1 && early));
        uut.early.next = early;
        uut.done.next = done;
        uut.active.next = !flight.is_empty();
        let (block, memory) = (random.chance(20), random.chance(20));
        uut.stall_block.next = block;
        uut.stall_memory.next = memory;
        let halt = random.chance(stall / 4);
        uut.halt.next = halt;
        twin.settle();
        let uut = &twin.uut;
        let holds = next < pushed;
        assert_eq!(uut.idle.val(), !holds && flight.is_empty());

        // What left the head.
        let mut taken = vec![false; 40];
        if uut.set_valid.val() {
            let Instruction::Set { register, value, .. } = stream[next].op else { panic!("{next} is no SET") };
            assert!(!halt);
            assert_eq!((uut.set_register.val().to_u64() as u8, uut.set_value.val().to_u32()), (register, value));
            assert!(!uut.op_valid.val());
            next += 1;
        } else if uut.op_valid.val() {
            assert!(!halt);
            let inst = &stream[next];
            assert!(!matches!(inst.op, Instruction::Set { .. }));
            let needs = vector(inst.waits.iter().map(|wait| (wait.from, wait.id)));
            assert!(needs.iter().zip(&tokens).all(|(need, count)| !need || *count > 0), "offered without its flags");
            for (port, word) in uut.op_word.iter().zip(words(inst)) {
                assert_eq!(port.val().to_u32(), word);
            }
            assert_eq!(uut.op_pc.val().to_u32(), next as u32 * 32);
            if uut.op_ready.val() {
                taken = needs;
            }
        }
        assert_eq!(values(&uut.take), taken);
        let start = uut.op_valid.val() && uut.op_ready.val();

        // What is raised.
        let oldest = flight.front().filter(|_| done);
        let raised = oldest.map(|op| vector(op.inst.sets.iter().filter(|set| !set.early).map(|set| (set.to, set.id))));
        assert_eq!(values(&uut.raise), raised.unwrap_or(vec![false; 40]));
        let mut chained = vec![false; 8];
        if early {
            let newest = flight.back().expect("due");
            assert_eq!(uut.newest_pc.val().to_u32(), newest.pc);
            newest.inst.sets.iter().filter(|set| set.early).for_each(|set| chained[usize::from(set.id)] = true);
            earlies += 1;
            both += usize::from(done);
        }
        assert_eq!(values(&uut.raise_early), chained);
        if let Some(oldest) = flight.front() {
            assert_eq!(uut.oldest_pc.val().to_u32(), oldest.pc);
        }

        // What the cycle was spent on.
        let class =
            [&uut.busy, &uut.wait_flag, &uut.wait_block, &uut.wait_memory, &uut.wait_queue].map(|port| port.val());
        assert_eq!(class.iter().filter(|bit| **bit).count(), 1);
        let got = class.iter().position(|bit| *bit).expect("one");
        let lacks_flag = holds && {
            let inst = &stream[next.min(stream.len() - 1)];
            inst.waits
                .iter()
                .any(|wait| tokens[wait.from.worker_index().expect("worker") * 8 + usize::from(wait.id)] == 0)
        };
        match (flight.is_empty(), holds) {
            (false, _) => assert_eq!(
                got,
                if block {
                    2
                } else if memory {
                    3
                } else {
                    0
                }
            ),
            (true, false) => assert_eq!(got, 4),
            // An instruction that is still in the queue counts as busy.
            (true, true) => assert!(got == 0 || got == 1 && lacks_flag, "class {got}"),
        }
        classes[got] += 1;

        // The model moves on.
        if offer && uut.in_ready.val() {
            pushed += 1;
        }
        for op in &mut flight {
            op.left = op.left.saturating_sub(1);
        }
        if early {
            flight.back_mut().expect("due").early_due = false;
        }
        if done {
            flight.pop_front();
            finished += 1;
        }
        if start {
            let inst = stream[next].clone();
            for wait in &inst.waits {
                tokens[wait.from.worker_index().expect("worker") * 8 + usize::from(wait.id)] -= 1;
            }
            // The engine pulses early only while the operation is the one taken last.
            if let Some(last) = flight.back_mut() {
                last.early_due = false;
            }
            flight.push_back(Flight { early_due: inst.is_early(), inst, pc: next as u32 * 32, left: random.below(12) });
            ops += 1;
            next += 1;
        }
        for count in &mut tokens {
            if *count < 15 && random.chance(3) {
                *count += 1;
            }
        }
        idle = if next == stream.len() && flight.is_empty() { idle + 1 } else { 0 };
        twin.edge();
    }
    assert_eq!(finished, ops);
    println!("{pipe}: {ops} operations, {earlies} early, {both} with done in the same cycle, classes {classes:?}");
    assert_eq!(classes.iter().sum::<usize>() as u64 + 1, twin.cycle);
    assert!(classes[..4].iter().all(|count| *count > 0));
}

#[test]
fn every_pipe_issues_in_order_with_its_flags() {
    for (index, pipe) in Pipe::WORKERS.into_iter().enumerate() {
        for (stall, seed) in [(0, 1), (30, 2), (70, 3)] {
            run(&Config::tiny(), pipe, seed * 10 + index as u64, stall);
        }
    }
}

#[test]
fn an_operation_and_a_set_leave_every_cycle() {
    let mut twin = Twin::new(Issue::new(&Config::lite()), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let load = isa::random::inst_of(Opcode::Mte2Load, &mut || 0);
    let set = isa::random::inst_of(Opcode::Set, &mut || 0);
    assert!(load.waits.is_empty());
    twin.uut.in_valid.next = true;
    twin.uut.op_ready.next = true;
    let mut left = vec![];
    for cycle in 0..40u64 {
        let inst = if cycle % 2 == 0 { &load } else { &set };
        for (port, word) in twin.uut.in_word.iter_mut().zip(words(inst)) {
            port.next = u64::from(word).into();
        }
        // The engine answers one cycle later.
        twin.uut.done.next = left.last() == Some(&(cycle.wrapping_sub(1), true));
        twin.settle();
        assert!(twin.uut.in_ready.val());
        if twin.uut.op_valid.val() || twin.uut.set_valid.val() {
            left.push((cycle, twin.uut.op_valid.val()));
        }
        twin.edge();
    }
    assert_eq!(left.len(), 38, "2 cycles from the queue's input to the engine");
    assert!(left.iter().enumerate().all(|(index, entry)| *entry == (index as u64 + 2, index % 2 == 0)));
}

#[test]
fn issue_is_the_same_in_verilog() {
    for config in compared() {
        let lockstep = Lockstep::of(&config, "issue");
        lockstep.with(
            |uut: &Issue| uut,
            || {
                for (index, pipe) in Pipe::WORKERS.into_iter().enumerate() {
                    run(&config, pipe, 40 + index as u64, 30);
                }
            },
        );
        lockstep.finish();
    }
}

#[test]
fn issue_prints_and_lints() {
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        prints_and_lints(&mut Issue::new(&config), &format!("issue_{}", config.name));
    }
}
