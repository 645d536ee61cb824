// SPDX-License-Identifier: Apache-2.0
//! The sequencer: its decoder against `isa::decode`, its streams against the program, with stalls everywhere.

use crate::common::{Random, prints_and_lints};
use isa::inst::{Inst, Instruction};
use isa::opcode::Opcode;
use isa::{Cause, Config, Pipe};
use rtl::sequencer::{Check, Sequencer};
use rtl::twin::Twin;
use rust_hdl::prelude::*;
use std::collections::VecDeque;
use tb::Lockstep;

type Words = [u32; 8];

/// The worker whose queue an instruction goes to, if it is legal.
fn expected(words: &Words, config: &Config) -> Result<Option<usize>, Cause> {
    let inst = Inst::decode_words(words).map_err(|error| error.cause())?;
    inst.check_supported(config).map_err(|error| error.cause())?;
    Ok(inst.op.queue().worker_index())
}

fn encode(inst: &Inst) -> Words {
    isa::decode::words_of(&inst.encode().expect("a random instruction is legal"))
}

struct Decoder {
    check: Check,
    config: Config,
    cases: usize,
}

impl Decoder {
    fn new(config: Config) -> Self {
        let mut check = Check::new(&config);
        check.connect_all();
        Decoder { check, config, cases: 0 }
    }

    fn compare(&mut self, words: &Words) {
        self.cases += 1;
        for (port, word) in self.check.word.iter_mut().zip(words) {
            port.next = u64::from(*word).into();
        }
        assert!(simulate(&mut self.check, 100));
        let check = &self.check;
        let of = |list: &Vec<Signal<Out, Bit>>| check.is_opcode.iter().zip(list).any(|(is, bit)| is.val() && bit.val());
        let target = check.target.iter().position(|target| target.val());
        let got = if !check.is_opcode.iter().any(|is| is.val()) {
            Err(Cause::IllegalOpcode)
        } else if of(&check.illegal) {
            Err(Cause::IllegalField)
        } else if of(&check.unsupported) {
            Err(Cause::Unsupported)
        } else {
            Ok(target)
        };
        assert_eq!(got, expected(words, &self.config), "{words:08x?}: {:?}", Inst::decode_words(words));
        if got.is_ok() {
            assert_eq!(check.stop.val(), words[0] as u8 == Opcode::End.code());
            assert_eq!(check.barrier.val(), words[0] as u8 == Opcode::Barrier.code());
            assert!(check.target.iter().filter(|target| target.val()).count() <= 1);
        }
    }
}

#[test]
fn decoder_agrees_with_isa_on_every_opcode_and_every_bit() {
    let mut random = Random::seeded(1);
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        let mut decoder = Decoder::new(config);
        for code in 0..=255 {
            decoder.compare(&[code, 0, 0, 0, 0, 0, 0, 0]);
        }
        for opcode in Opcode::ALL {
            for _ in 0..12 {
                let words = encode(&isa::random::inst_of(opcode, &mut || random.next()));
                decoder.compare(&words);
                for bit in 0..256 {
                    let mut flipped = words;
                    flipped[bit / 32] ^= 1 << (bit % 32);
                    decoder.compare(&flipped);
                }
            }
        }
        println!("{} comparisons", decoder.cases);
    }
}

#[test]
fn decoder_agrees_with_isa_on_random_slots_and_fields() {
    let mut random = Random::seeded(2);
    let mut decoder = Decoder::new(Config::lite());
    let (mut legal, mut causes) = (0, [0usize; 4]);
    for _ in 0..30_000 {
        let mut words = encode(&isa::random::inst(&mut || random.next()));
        let opcode = Opcode::from_code(words[0] as u8).expect("legal");
        if random.chance(60) && opcode.has_slots() {
            words[0] = words[0] & 0xFF | (random.next() as u32 & 0x1FFF_FF00);
            words[1] = random.next() as u32 & 0x00FF_FFFF;
            for (word, lo) in [(0, 8), (0, 15), (0, 22), (1, 0), (1, 8), (1, 16)] {
                if random.chance(70) {
                    words[word] |= 1 << lo;
                }
                if random.chance(80) {
                    words[word] &= !(3 << (lo + 5));
                }
            }
        }
        if random.chance(50) && !opcode.fields().is_empty() {
            let field = &opcode.fields()[random.below(opcode.fields().len())];
            field.put(&mut words, random.next() as u32);
        }
        match expected(&words, &decoder.config) {
            Ok(_) => legal += 1,
            Err(cause) => causes[usize::from(cause.code())] += 1,
        }
        decoder.compare(&words);
    }
    println!("legal {legal}, by cause {causes:?}");
    assert!(legal > 1_000 && causes[2] > 1_000 && causes[3] > 1_000);
}

/// A worker that finishes what it gets after a while.
#[derive(Default)]
struct Worker {
    /// Cycles until each instruction is finished.
    left: VecDeque<usize>,
}

/// How a run went.
#[derive(Debug)]
struct Outcome {
    cycles: u64,
    first_push: Option<u64>,
    fault: Option<(u8, u32, u64)>,
    pushed: usize,
}

struct Bench<const B: usize> {
    twin: Twin<Sequencer<B>>,
    random: Random,
    /// Percent of cycles in which a handshake is held back.
    stall: usize,
    latency: usize,
}

impl<const B: usize> Bench<B> {
    fn new(config: &Config, random: Random, stall: usize, latency: usize) -> Self {
        let twin = Twin::new(Sequencer::<B>::new(config), |uut, level| uut.clk.next = level);
        Bench { twin, random, stall, latency }
    }

    fn reset(&mut self) {
        self.twin.uut.data_valid.next = false;
        self.twin.uut.rst.next = true;
        self.twin.edge();
        self.twin.uut.rst.next = false;
    }

    /// Runs `program` at `base` and checks every port against it; `flag_left` is a flag that never falls.
    fn run(&mut self, program: &[Words], base: u64, flag_left: bool, config: &Config) -> Outcome {
        self.reset();
        let bus = B / 8;
        let length = program.len() * 32;
        let bytes: Vec<u8> = program.iter().flatten().flat_map(|word| word.to_le_bytes()).chain([0xEE; 32]).collect();
        let burst_bytes = (config.fetch_bytes / 2).clamp(32, 256);
        let mut beats: VecDeque<(u64, usize)> = VecDeque::new();
        let mut workers: [Worker; 5] = Default::default();
        let mut next = 0usize;
        let mut outcome = Outcome { cycles: 0, first_push: None, fault: None, pushed: 0 };
        self.twin.uut.program_base.next = base.into();
        self.twin.uut.length.next = (length as u64).into();
        self.twin.uut.start.next = true;
        self.twin.edge();
        self.twin.uut.start.next = false;
        let begin = self.twin.cycle;
        let mut offered = false;
        let mut asked = 0u64;
        loop {
            let now = self.twin.cycle - begin;
            assert!(now < 400_000, "the program does not end: {outcome:?}");
            let uut = &mut self.twin.uut;
            uut.request_ready.next = !self.random.chance(self.stall);
            let arrived = beats.front().is_some_and(|beat| beat.0 <= now);
            offered = arrived && (offered || !self.random.chance(self.stall));
            uut.data_valid.next = offered;
            if let Some(&(_, offset)) = beats.front() {
                let mut word = Bits::<B>::default();
                for bit in 0..B {
                    let byte = bytes[offset + bit / 8];
                    word = word.replace_bit(bit, byte >> (bit % 8) & 1 == 1);
                }
                uut.data.next = word;
            }
            for (pipe, worker) in workers.iter_mut().enumerate() {
                uut.push_ready[pipe].next = worker.left.len() < 4 && !self.random.chance(self.stall);
                uut.idle[pipe].next = worker.left.is_empty();
            }
            uut.flags_any.next = flag_left;
            self.twin.settle();
            let uut = &self.twin.uut;
            for worker in &mut workers {
                if let Some(front) = worker.left.front_mut() {
                    *front -= 1;
                    if *front == 0 {
                        worker.left.pop_front();
                    }
                }
            }
            if uut.request_valid.val() && uut.request_ready.val() {
                let (address, count) = (uut.request_address.val().to_u64(), uut.request_beats.val().to_u64() + 1);
                let end = address + count * bus as u64;
                assert_eq!(address, base + asked, "bursts follow each other");
                assert!(count * bus as u64 <= burst_bytes as u64, "burst of {count} beats");
                assert_eq!(address / 4096, (end - 1) / 4096, "4 KiB rule");
                assert!(end <= (base + length as u64).next_multiple_of(bus as u64), "past the end");
                let last = beats.back().map_or(0, |beat| beat.0).max(now + self.latency as u64);
                for beat in 0..count {
                    beats.push_back((last + beat, (address - base) as usize + beat as usize * bus));
                }
                asked = end - base;
            }
            if offered && uut.data_ready.val() {
                beats.pop_front();
                offered = false;
            }
            // Instructions that go nowhere are passed over; those behind a barrier wait for all before it.
            let target = (0..5).find(|&pipe| uut.push_valid[pipe].val() && uut.push_ready[pipe].val());
            assert!((0..5).filter(|&pipe| uut.push_valid[pipe].val()).count() <= 1);
            if uut.dispatched.val() && !uut.done.val() {
                let words = program[next];
                let Ok(wanted) = expected(&words, config) else { panic!("illegal instruction {next} left") };
                assert_eq!(target, wanted, "instruction {next}");
                assert_eq!(uut.pc.val().to_u32(), next as u32 * 32);
                for (word, port) in words.iter().zip(&uut.word) {
                    assert_eq!(port.val().to_u32(), *word, "instruction {next}");
                }
                if words[0] as u8 == Opcode::Barrier.code() {
                    assert!(workers.iter().all(|worker| worker.left.is_empty()), "barrier {next} does not wait");
                }
                if let Some(pipe) = target {
                    let work = 1 + self.random.below(if self.stall == 0 { 1 } else { 30 });
                    workers[pipe].left.push_back(work);
                    outcome.first_push.get_or_insert(now);
                    outcome.pushed += 1;
                }
                next += 1;
            } else {
                assert_eq!(target, None, "pushed without leaving");
            }
            outcome.cycles = now;
            if uut.done.val() {
                assert_eq!(program[next][0] as u8, Opcode::End.code());
                assert!(workers.iter().all(|worker| worker.left.is_empty()), "END does not wait");
                assert!(beats.is_empty(), "beats outstanding at the end");
                self.twin.edge();
                return outcome;
            }
            if uut.fault.val() {
                assert_eq!(uut.fault_pc.val().to_u32(), next as u32 * 32);
                outcome.fault =
                    Some((uut.fault_cause.val().to_u64() as u8, next as u32, uut.fault_address.val().to_u64()));
                // What is outstanding is swallowed.
                self.twin.uut.halt.next = true;
                for (_, _) in beats.drain(..) {
                    self.twin.uut.data_valid.next = true;
                    self.twin.settle();
                    while !self.twin.uut.data_ready.val() {
                        self.twin.edge();
                    }
                    self.twin.edge();
                }
                self.twin.uut.halt.next = false;
                self.twin.uut.data_valid.next = false;
                return outcome;
            }
            self.twin.edge();
        }
    }
}

fn legal(random: &mut Random, config: &Config) -> Words {
    loop {
        let inst = isa::random::inst(&mut || random.next());
        let stops = matches!(inst.op, Instruction::End);
        let rare = matches!(inst.op, Instruction::Barrier) && !random.chance(30);
        let words = encode(&inst);
        if !stops && !rare && expected(&words, config).is_ok() {
            return words;
        }
    }
}

fn end() -> Words {
    encode(&Inst::new(Instruction::End))
}

fn streams<const B: usize>(config: Config, seed: u64) {
    let config = Config { bus_bytes: B / 8, fix_lanes: 1, ..config }.checked().expect("legal");
    let mut random = Random::seeded(seed);
    let mut bench = Bench::<B>::new(&config, Random::seeded(seed ^ 77), 0, 3);
    for round in 0..10 {
        bench.stall = [0, 20, 60][round % 3];
        bench.latency = 1 + random.below(40);
        let base = (random.next() & 0xFF_FFFF_FFFF & !63) & !(1 << 39);
        let mut program: Vec<Words> = (0..random.below(120)).map(|_| legal(&mut random, &config)).collect();
        let kind = round % 5;
        let at = program.len() as u32;
        let wanted = match kind {
            0 | 1 => {
                program.push(end());
                // What follows END is fetched and ignored.
                (0..random.below(20)).for_each(|_| program.push([0; 8]));
                None
            }
            2 => Some((Cause::WindowExecute, at, base + u64::from(at) * 32)),
            3 => {
                program.push(end());
                Some((Cause::FlagLeft, at, 0))
            }
            _ => {
                let bad = loop {
                    let mut words = legal(&mut random, &config);
                    words[random.below(8)] ^= 1 << random.below(32);
                    if let Err(cause) = expected(&words, &config) {
                        program.push(words);
                        break cause;
                    }
                };
                (0..random.below(20)).for_each(|_| program.push(legal(&mut random, &config)));
                Some((bad, at, 0))
            }
        };
        let outcome = bench.run(&program, base, kind == 3, &config);
        let wanted = wanted.map(|(cause, at, address)| (cause.code(), at, address));
        assert_eq!(outcome.fault, wanted, "bus of {B} bits, round {round}");
    }
}

#[test]
fn streams_of_instructions_keep_order_target_and_bytes_on_every_bus() {
    streams::<32>(Config::tiny(), 10);
    streams::<64>(Config::tiny(), 11);
    streams::<128>(Config::lite(), 12);
    streams::<256>(Config::lite(), 13);
    streams::<512>(Config::max(), 14);
    streams::<512>(Config { fetch_bytes: 128, ..Config::max() }, 15);
    streams::<64>(Config { fetch_bytes: 64, ..Config::tiny() }, 16);
    streams::<32>(Config { fetch_bytes: 4096, ..Config::tiny() }, 17);
}

#[test]
fn one_instruction_per_cycle_and_the_same_cycles_twice() {
    fn rate<const B: usize>(config: Config) {
        let mut bench = Bench::<B>::new(&config, Random::seeded(3), 0, 10);
        let nop = encode(&Inst::new(Instruction::Nop));
        let load = encode(&isa::random::inst_of(Opcode::Mte2Load, &mut || 0));
        assert_eq!(expected(&load, &config), Ok(Pipe::Mte2.worker_index()));
        let mut program = vec![load];
        program.extend([nop; 200]);
        program.push(end());
        let once = bench.run(&program, 0x1000, false, &config);
        let twice = bench.run(&program, 0x1000, false, &config);
        println!("bus of {B} bits: first push after {:?}, 202 instructions in {}", once.first_push, once.cycles);
        assert_eq!((once.cycles, once.first_push), (twice.cycles, twice.first_push));
        let per_instruction = (256 / B).max(1) as u64;
        // fetch_bytes / 2 per round trip bounds a fetch from far; this memory answers after 10 cycles.
        assert!(once.cycles <= 202 * per_instruction + 202 * 32 * 16 / (config.fetch_bytes as u64 / 2), "{once:?}");
    }
    rate::<64>(Config::tiny());
    rate::<128>(Config::lite());
    rate::<512>(Config::max());
}

#[test]
fn an_address_space_that_ends_before_the_program_is_a_fault_and_not_a_wrap() {
    let config = Config::lite();
    let mut bench = Bench::<128>::new(&config, Random::seeded(4), 10, 5);
    let nop = encode(&Inst::new(Instruction::Nop));
    let base = (1 << 40) - 512;
    let outcome = bench.run(&vec![nop; 40], base, false, &config);
    assert_eq!(outcome.fault, Some((Cause::WindowExecute.code(), 16, 0)));
}

#[test]
fn sequencer_is_the_same_in_verilog() {
    fn compare<const B: usize>(config: Config) {
        let lockstep = Lockstep::of(&config, "sequencer")
            .constant("data_ready", "a word of this bus holds at most one instruction");
        lockstep.with(|uut: &Sequencer<B>| uut, || streams::<B>(config, 18));
        lockstep.finish();
    }
    compare::<64>(Config::tiny());
    compare::<128>(Config::lite());
}

#[test]
fn sequencer_prints_and_lints() {
    prints_and_lints(&mut Sequencer::<64>::new(&Config::tiny()), "sequencer_tiny");
    prints_and_lints(&mut Sequencer::<128>::new(&Config::lite()), "sequencer_lite");
    prints_and_lints(&mut Sequencer::<512>::new(&Config::max()), "sequencer_max");
}
