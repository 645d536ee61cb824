// SPDX-License-Identifier: Apache-2.0
//! What every pipe does, in words, from the ports `trace_*` and the program: the instruction in flight, what is waited for, the cube's block.

use crate::record::{PIPES, PipePorts, TracePorts};
use isa::{Activity, Config, Flag, Inst, Instruction, Pipe};
use std::collections::VecDeque;
use verilated::Dut;

/// One pipe in the present cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Now {
    /// Index of the oldest instruction in the engine.
    pub(crate) instruction: Option<usize>,
    /// What the counters say; `None` while no program runs.
    pub(crate) activity: Option<Activity>,
}

/// One pipe over time.
#[derive(Debug, Default)]
struct Track {
    /// Operations of the program, in order; SETs are none.
    operations: Vec<usize>,
    /// How many of them have started, if all were seen.
    started: usize,
    /// Those in the engine.
    flying: VecDeque<usize>,
    /// The one handed over last.
    last: Option<usize>,
    /// What was still missing when last looked at, while it waits for flags.
    missing: Vec<Flag>,
    now: Now,
}

/// Block products of an instruction: blocks along m, n, k, and how many are done.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    counts: [u64; 3],
    sizes: [u32; 3],
    real: [u32; 3],
    done: u64,
}

impl Blocks {
    fn new(config: &Config, m: u16, n: u16, k: u16) -> Blocks {
        let sizes = [config.m0, config.n0, config.k0].map(|size| size as u32);
        let real = [m, n, k].map(u32::from);
        let counts = [0, 1, 2].map(|at| u64::from(real[at].div_ceil(sizes[at])));
        Blocks { counts, sizes, real, done: 0 }
    }

    /// The block of the step that is next: k is innermost, then n, then m.
    fn block(&self) -> [u64; 3] {
        let [_, n, k] = self.counts;
        [self.done / (n * k), self.done / k % n, self.done % k]
    }

    fn is_done(&self) -> bool {
        self.done >= self.counts.iter().product::<u64>()
    }

    /// `C[8..12, 0..4] k 16..20`: rows and columns of the tile of C, and the elements of k.
    fn text(&self) -> String {
        let block = self.block();
        let [m, n, k] = [0, 1, 2].map(|at| {
            let first = block[at] as u32 * self.sizes[at];
            format!("{first}..{}", (first + self.sizes[at]).min(self.real[at]))
        });
        format!("C[{m}, {n}] k {k}")
    }
}

/// All pipes over time.
#[derive(Debug)]
pub(crate) struct Pipes {
    ports: TracePorts,
    config: Option<Config>,
    program: Vec<Option<Inst>>,
    /// The program of the next start.
    next: Option<Vec<Option<Inst>>>,
    /// Somebody tells of programs. Then a core that runs without one is being reset.
    is_told: bool,
    /// The program was seen from its first cycle on, so the flags that are raised are known.
    is_whole: bool,
    tracks: [Track; PIPES],
    /// Counts of the flags that are raised, by [`Flag::index`].
    raised: Vec<i64>,
    /// Instructions of the cube with steps to do.
    blocks: VecDeque<Blocks>,
    stepped: Option<Blocks>,
    /// A program runs.
    running: bool,
    /// The core ran in the cycle before; `None` before the first.
    before: Option<bool>,
    /// Cycles of the program that runs or ran last; the present one counts.
    cycles: u64,
    /// Cycles of all programs.
    total: u64,
    programs: u64,
}

impl Pipes {
    pub(crate) fn new(ports: TracePorts) -> Pipes {
        Pipes {
            ports,
            config: None,
            program: Vec::new(),
            next: None,
            is_told: false,
            is_whole: false,
            tracks: Default::default(),
            raised: vec![0; Flag::COUNT],
            blocks: VecDeque::new(),
            stepped: None,
            running: false,
            before: None,
            cycles: 0,
            total: 0,
            programs: 0,
        }
    }

    /// The program that starts next; an instruction that cannot be decoded is `None`.
    pub(crate) fn tell(&mut self, config: &Config, program: Vec<Option<Inst>>) {
        self.config = Some(config.clone());
        self.next = Some(program);
        self.is_told = true;
    }

    /// True while a program runs.
    pub(crate) fn is_running(&self) -> bool {
        self.running
    }

    /// The present cycle of the program, as the counters count it; `None` if none runs, or its first one was not seen.
    pub(crate) fn cycle(&self) -> Option<u64> {
        self.cycles.checked_sub(1).filter(|_| self.running && self.is_whole)
    }

    /// Cycles of all programs so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Programs that were started.
    pub(crate) fn programs(&self) -> u64 {
        self.programs
    }

    /// What pipe `index` does.
    pub(crate) fn now(&self, index: usize) -> Now {
        self.tracks[index].now
    }

    /// The flags that pipe `index` waits for, if it does.
    pub(crate) fn missing(&self, index: usize) -> &[Flag] {
        &self.tracks[index].missing
    }

    /// The instruction with this index in the text of the assembler.
    pub(crate) fn text(&self, index: usize) -> String {
        match self.program.get(index) {
            Some(Some(inst)) => isa::asm::line(inst).unwrap_or_else(|error| error.to_string()),
            Some(None) => "not an instruction".to_owned(),
            None => "behind the program".to_owned(),
        }
    }

    /// What pipe `index` does or waits for, in a few words.
    pub(crate) fn state(&self, index: usize) -> String {
        match self.tracks[index].now.activity {
            None => "idle".to_owned(),
            Some(Activity::Busy) => "busy".to_owned(),
            Some(Activity::WaitFlag) => {
                let names = self.tracks[index].missing.iter().map(|flag| format!(" {}.{}", flag.from, flag.id));
                format!("waits for flag{}", names.collect::<String>())
            }
            Some(Activity::WaitBlock) => "waits for block".to_owned(),
            Some(Activity::WaitMemory) => "waits for memory".to_owned(),
            Some(Activity::WaitQueue) => "nothing queued".to_owned(),
        }
    }

    /// The block whose operands L0A and L0B give the cube in this cycle, two cycles after the step that reads them: its text, and its number along m, n and k.
    pub(crate) fn block(&self) -> Option<(String, [u64; 3])> {
        self.stepped.map(|blocks| (blocks.text(), blocks.block()))
    }

    /// Looks at one cycle, after the outputs have settled.
    pub(crate) fn sample(&mut self, dut: &Dut) {
        let running = dut.get(self.ports.running) != 0;
        if !running {
            self.running = false;
        } else if self.before != Some(true) && (self.next.is_some() || !self.is_told) {
            self.begin();
        }
        self.before = Some(running);
        self.stepped = None;
        if !self.running {
            self.tracks.iter_mut().for_each(|track| track.now = Now::default());
            return;
        }
        self.cycles += 1;
        self.total += 1;
        if dut.get(self.ports.step) != 0
            && let Some(blocks) = self.blocks.front_mut()
        {
            self.stepped = Some(*blocks);
            blocks.done += 1;
            if blocks.is_done() {
                self.blocks.pop_front();
            }
        }
        let before = self.tracks.each_ref().map(|track| track.last);
        for index in 0..PIPES {
            self.start(index, dut);
        }
        // Flags that are raised in this cycle are seen in the next one.
        for (index, before) in before.into_iter().enumerate() {
            self.end(index, before, dut);
        }
    }

    fn begin(&mut self) {
        if let Some(program) = self.next.take() {
            self.program = program;
        }
        self.running = true;
        self.is_whole = self.before == Some(false);
        self.raised.fill(0);
        self.blocks.clear();
        self.cycles = 0;
        self.programs += 1;
        for (track, pipe) in self.tracks.iter_mut().zip(Pipe::WORKERS) {
            let of_pipe = |at: &usize| self.program[*at].as_ref().is_some_and(|inst| inst.op.pipe() == pipe);
            let operations = (0..self.program.len()).filter(of_pipe).collect();
            *track = Track { operations, ..Track::default() };
        }
    }

    /// An operation goes to the engine, and what the pipe does otherwise.
    fn start(&mut self, index: usize, dut: &Dut) {
        let PipePorts { pc, start, waits, .. } = &self.ports.pipes[index];
        let is = |port| dut.get(port) != 0;
        let activity = waits.iter().find(|&&(port, _)| is(port)).map_or(Activity::Busy, |&(_, activity)| activity);
        let pc = is(*start).then(|| dut.get(*pc) as usize / isa::limits::INSTRUCTION_BYTES);
        let track = &mut self.tracks[index];
        if let Some(at) = pc {
            track.started = track.operations.partition_point(|&operation| operation <= at);
            track.flying.push_back(at);
            track.last = Some(at);
            if let Some(Some(inst)) = self.program.get(at) {
                for flag in inst.wait_flags().filter_map(Flag::index) {
                    self.raised[flag] -= 1;
                }
                if let (Instruction::Mmad(mmad), Some(config)) = (inst.op, &self.config) {
                    self.blocks.push_back(Blocks::new(config, mmad.m, mmad.n, mmad.k));
                }
            }
        }
        track.now = Now { instruction: track.flying.front().copied(), activity: Some(activity) };
        if activity != Activity::WaitFlag {
            track.missing.clear();
            return;
        }
        let head = track.operations.get(track.started).and_then(|&at| self.program[at].as_ref());
        let Some(inst) = head.filter(|_| self.is_whole) else { return };
        let raised = |flag: &Flag| flag.index().is_some_and(|index| self.raised[index] > 0);
        let missing: Vec<Flag> = inst.wait_flags().filter(|flag| !raised(flag)).collect();
        // The last flag takes a cycle to arrive.
        if !missing.is_empty() || track.missing.is_empty() {
            track.missing = if missing.is_empty() { inst.wait_flags().collect() } else { missing };
        }
    }

    /// Early flags are raised and operations finished: of those that the engine had before this cycle.
    fn end(&mut self, index: usize, before: Option<usize>, dut: &Dut) {
        let PipePorts { early, done, .. } = self.ports.pipes[index];
        let finished = match dut.get(done) != 0 {
            true => self.tracks[index].flying.pop_front(),
            false => None,
        };
        let early = before.filter(|_| dut.get(early) != 0);
        for (at, is_early) in [(early, true), (finished, false)] {
            let Some(inst) = at.and_then(|at| self.program.get(at)?.as_ref()) else { continue };
            for signal in inst.sets.iter().filter(|signal| signal.early == is_early) {
                if let Some(flag) = signal.flag(inst.op.pipe()).index() {
                    self.raised[flag] += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_go_along_k_then_n_then_m_and_end_with_the_tile() {
        let mut blocks = Blocks::new(&Config::tiny(), 6, 5, 7);
        assert_eq!(blocks.counts, [2, 2, 2]);
        let mut texts = Vec::new();
        while !blocks.is_done() {
            texts.push(blocks.text());
            blocks.done += 1;
        }
        assert_eq!(texts.len(), 8);
        assert_eq!(texts[..3], ["C[0..4, 0..4] k 0..4", "C[0..4, 0..4] k 4..7", "C[0..4, 4..5] k 0..4"]);
        assert_eq!(texts[7], "C[4..6, 4..5] k 4..7");
    }
}
