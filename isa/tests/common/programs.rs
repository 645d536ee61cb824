// SPDX-License-Identifier: Apache-2.0
//! Random programs whose accesses collide often, and a player that runs a program under a random schedule.
//!
//! The player shares nothing with the checker: no clocks, only who has started and finished. It allows what the architecture
//! allows: pipes run in order but overlap two instructions, queues are bounded, early sets fire at the start.

use isa::*;
use std::collections::{HashMap, VecDeque};

/// Side of the tiles in elements: one fractal of A and B, one of C.
const TILE: u16 = 16;
/// Bytes of k of a tile.
const K: u16 = 32;

/// A random program of about `length` instructions on two to four slots per buffer, legal but for its missing flags.
pub fn colliding(next: &mut impl FnMut() -> u64, length: usize) -> Vec<Instruction> {
    let mut pick = |limit: u64| next() % limit;
    let slots = 2 + pick(3);
    let mut program = Vec::new();
    // Which L0 slots hold something: the checker refuses reads of empty ones.
    let (mut a, mut b, mut c, mut fb) = (vec![false; 8], vec![false; 8], vec![false; 8], vec![false; 8]);
    while program.len() < length {
        let slot = pick(slots);
        let l1_address = slot as u32 * 1024;
        let choice = pick(13);
        match choice {
            0 | 1 => program.push(Instruction::Mte2Load(Mte2Load {
                gm: GmAddress { base: pick(2) as u8, offset: pick(4) * 512 },
                gm_stride: 32,
                layout: Layout::Nz,
                dst: LocalBuffer::L1,
                dst_address: l1_address,
                dst_stride: 512,
                rows: 16,
                len_bytes: if pick(2) == 0 { 32 } else { 20 },
            })),
            2 => program.push(Instruction::Mte2Fill(Mte2Fill {
                dst: LocalBuffer::L1,
                dst_address: l1_address + pick(512) as u32,
                dst_stride: 64,
                rows: 4,
                len_bytes: 40,
                byte: 1,
            })),
            3..=5 => {
                let side = if pick(2) == 0 { Side::A } else { Side::B };
                let fractal = pick(slots);
                let held = if side == Side::A { &mut a } else { &mut b };
                // Sometimes a tile of two fractals, so that a consumer reads a part of it only.
                let fractals = 1 + pick(4) / 3;
                held[fractal as usize..][..fractals as usize].fill(true);
                program.push(Instruction::Mte1Load(Mte1Load {
                    side,
                    transpose: false,
                    dtype: Dtype::S8,
                    l1_address,
                    panel_stride: 1024,
                    rows: TILE * fractals as u16,
                    k: K,
                    fractal: fractal as u16,
                }));
            }
            6 | 7 => {
                let (left, right, sum) = (pick(slots), pick(slots), pick(slots));
                if a[left as usize] && b[right as usize] {
                    let accumulate = c[sum as usize] && pick(2) == 0;
                    c[sum as usize] = true;
                    program.push(Instruction::Mmad(Mmad {
                        accumulate,
                        dtype_a: Dtype::S8,
                        dtype_b: Dtype::S8,
                        l0a: left as u16,
                        l0b: right as u16,
                        l0c: sum as u16,
                        m: TILE,
                        n: TILE,
                        k: K,
                    }));
                }
            }
            8 | 9 => {
                let sum = pick(slots);
                // Sometimes two neighbouring tiles in one store, so that it has two producers.
                let wide = sum + 1 < slots && c[sum as usize + 1] && pick(3) == 0;
                if c[sum as usize] {
                    let to_l1 = pick(3) == 0;
                    program.push(Instruction::FixStore(FixStore {
                        dst: if to_l1 {
                            FixTarget::L1(l1_address)
                        } else {
                            FixTarget::Gm(GmAddress { base: 2, offset: pick(4) * 1024 })
                        },
                        layout: if to_l1 { Layout::Nz } else { Layout::Rows },
                        dst_stride: if to_l1 { 512 } else { 128 },
                        dtype_out: if to_l1 { Dtype::S8 } else { Dtype::Int32 },
                        bias: fb[slot as usize] && pick(2) == 0,
                        per_channel: false,
                        rounding: Rounding::Onnx,
                        relu: false,
                        clamp: false,
                        second: Second::None,
                        m: TILE,
                        n: if wide { 2 * TILE } else { TILE },
                        l0c: sum as u16,
                        channel: slot as u16 * 32,
                    }));
                }
            }
            10 => program.push(Instruction::Mte3Store(Mte3Store {
                gm: GmAddress { base: if pick(6) == 0 { 2 } else { 3 }, offset: pick(4) * 512 },
                gm_stride: 32,
                layout: Layout::Nz,
                src: LocalBuffer::L1,
                src_address: l1_address,
                src_stride: 512,
                rows: 16,
                len_bytes: 32,
            })),
            11 => {
                fb[slot as usize] = true;
                program.push(Instruction::Mte1LoadFb(Mte1LoadFb {
                    field: FbField::Bias,
                    l1_address,
                    channel: slot as u16 * 32,
                    count: 32,
                }));
            }
            _ if pick(8) == 0 => program.push(Instruction::Barrier),
            _ => program.push(Instruction::Set { pipe: Pipe::Fix, register: 0, value: 1.0f32.to_bits() }),
        }
    }
    program.insert(0, Instruction::Set { pipe: Pipe::Fix, register: 0, value: 0.5f32.to_bits() });
    program
}

/// The flags of a program, by the builder.
pub fn built(operations: &[Instruction]) -> Vec<Inst> {
    let mut builder = ProgramBuilder::new();
    for &op in operations {
        builder.push(op);
    }
    builder.finish()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Queued,
    Running,
    Finished,
}

/// Runs a program under a random schedule.
///
/// *Errors*: the first thing that the architecture forbids, as text.
pub fn play(program: &[Inst], queue_len: usize, next: &mut impl FnMut() -> u64) -> Result<(), String> {
    let mut state = State::reset();
    let mut accesses = Vec::new();
    let mut epochs = Vec::new();
    let mut epoch = 0;
    for inst in program {
        match inst.op {
            Instruction::Set { pipe, register, value } => state.set(pipe, register, value),
            Instruction::Barrier => epoch += 1,
            _ => {}
        }
        accesses.push(effects(&inst.op, &state));
        epochs.push(epoch);
    }
    let mut phases = vec![Phase::Queued; program.len()];
    let mut queues: HashMap<Pipe, VecDeque<usize>> = HashMap::new();
    let mut running: HashMap<Pipe, VecDeque<usize>> = HashMap::new();
    let mut flags: HashMap<Flag, u32> = HashMap::new();
    let mut dispatched = 0;
    let mut idle_steps = 0;
    let raise = |flags: &mut HashMap<Flag, u32>, index: usize, early: bool| {
        for (signal, flag) in program[index].sets.iter().zip(program[index].set_flags()) {
            if signal.early == early {
                let value = flags.entry(flag).or_default();
                *value += 1;
                if *value > 15 {
                    return Err(format!("instruction {index} overflows {flag}"));
                }
            }
        }
        Ok(())
    };
    loop {
        let all_idle = queues.values().all(VecDeque::is_empty) && running.values().all(VecDeque::is_empty);
        idle_steps += 1;
        if idle_steps > 2_000 {
            return Err(format!("stuck with {dispatched} instructions dispatched"));
        }
        let action = next() % 11;
        if action == 0 {
            let inst = &program[dispatched];
            match inst.op {
                Instruction::End if all_idle => {
                    let left = flags.iter().find(|(_, value)| **value != 0);
                    return left.map_or(Ok(()), |(flag, value)| Err(format!("{flag} is {value} at end")));
                }
                Instruction::End => continue,
                Instruction::Barrier if !all_idle => continue,
                Instruction::Barrier | Instruction::Nop => {}
                _ => {
                    let queue = queues.entry(inst.op.queue()).or_default();
                    if queue.len() == queue_len {
                        continue;
                    }
                    queue.push_back(dispatched);
                }
            }
            dispatched += 1;
            idle_steps = 0;
            continue;
        }
        let pipe = Pipe::WORKERS[(action as usize - 1) / 2];
        let active = running.entry(pipe).or_default();
        if action.is_multiple_of(2) {
            // Finish the oldest instruction, unless it still waits for the blocks of a producer.
            let Some(&index) = active.front() else { continue };
            // A producer of which it reads a part only may lag behind.
            let waits_for_blocks = (0..index).any(|producer| {
                phases[producer] == Phase::Running
                    && chained(program, &accesses, producer, index)
                    && accesses[producer]
                        .iter()
                        .filter(|access| access.write)
                        .all(|target| accesses[index].iter().any(|read| !read.write && read.covers(target)))
            });
            if waits_for_blocks {
                continue;
            }
            active.pop_front();
            phases[index] = Phase::Finished;
            raise(&mut flags, index, false)?;
        } else {
            let queue = queues.entry(pipe).or_default();
            let Some(&index) = queue.front() else { continue };
            let waits: Vec<Flag> = program[index].wait_flags().collect();
            if active.len() == 2 || waits.iter().any(|flag| flags.get(flag).copied().unwrap_or(0) == 0) {
                continue;
            }
            queue.pop_front();
            for flag in waits {
                *flags.get_mut(&flag).expect("it was read above") -= 1;
            }
            if matches!(program[index].op, Instruction::Set { .. }) {
                phases[index] = Phase::Finished;
            } else {
                started(program, &accesses, &epochs, &phases, index)?;
                active.push_back(index);
                phases[index] = Phase::Running;
                raise(&mut flags, index, true)?;
            }
        }
        idle_steps = 0;
    }
}

/// Checks that an instruction may start now: everything before it that touches the same bytes is over, nothing behind it has
/// begun.
fn started(
    program: &[Inst],
    accesses: &[Vec<Access>],
    epochs: &[i32],
    phases: &[Phase],
    index: usize,
) -> Result<(), String> {
    for other in 0..program.len() {
        let same_pipe = program[other].op.pipe() == program[index].op.pipe();
        if other == index || same_pipe {
            continue;
        }
        for (mine, theirs) in accesses[index].iter().flat_map(|mine| accesses[other].iter().map(move |one| (mine, one)))
        {
            let touch = mine.buffer == theirs.buffer && (mine.write || theirs.write) && overlap(mine, theirs);
            if !touch {
                continue;
            }
            if other > index {
                if phases[other] != Phase::Queued {
                    return Err(format!("instruction {other} overtook {index} on {}", mine.buffer));
                }
                continue;
            }
            let written_gm = matches!(mine.buffer, Buffer::Gm(_)) && theirs.write;
            if written_gm && epochs[other] == epochs[index] {
                return Err(format!("instruction {index} follows the gm write of {other} without a barrier"));
            }
            let fine = match phases[other] {
                Phase::Finished => true,
                // Unit by unit, the last writer counts: one pipe touches memory and full bits as if one instruction came
                // after the other.
                Phase::Running => {
                    !mine.write
                        && common_units(mine, theirs).all(|unit| {
                            let pipe = program[other].op.pipe();
                            let writes = |producer: &usize| {
                                program[*producer].op.pipe() == pipe
                                    && accesses[*producer].iter().any(|access| {
                                        access.write && access.buffer == mine.buffer && holds(access, unit)
                                    })
                            };
                            let last = (other..index).rev().find(writes).expect("the other one writes this unit");
                            phases[last] != Phase::Queued && chained(program, accesses, last, index)
                        })
                }
                Phase::Queued => false,
            };
            if !fine {
                return Err(format!(
                    "instruction {index} starts while {other} is {:?} on {}",
                    phases[other], mine.buffer
                ));
            }
        }
    }
    Ok(())
}

/// True if full bits interlock a read of `consumer` with the tile of `producer`.
fn chained(program: &[Inst], accesses: &[Vec<Access>], producer: usize, consumer: usize) -> bool {
    let pair = (program[producer].op.pipe(), program[consumer].op.pipe());
    let chaining = matches!(pair, (Pipe::Mte1, Pipe::M) | (Pipe::M, Pipe::Fix)) && program[producer].is_early();
    chaining
        && accesses[producer].iter().filter(|access| access.write).any(|target| {
            accesses[consumer].iter().any(|read| !read.write && read.buffer == target.buffer && overlap(read, target))
        })
}

fn holds(access: &Access, unit: u64) -> bool {
    access.ranges.iter().any(|range| range.contains(&unit))
}

fn common_units<'a>(left: &'a Access, right: &'a Access) -> impl Iterator<Item = u64> + 'a {
    left.ranges.iter().cloned().flatten().filter(|&unit| holds(right, unit))
}

fn overlap(left: &Access, right: &Access) -> bool {
    left.ranges.iter().any(|a| right.ranges.iter().any(|b| a.start < b.end && b.start < a.end))
}
