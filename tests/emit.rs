// SPDX-License-Identifier: Apache-2.0
//! The printer: faithful text, readable text, clear refusals.

use rand::{Rng, RngExt};
use rtl::emit::{EmitError, emit};
use rtl::prim::prelude::*;
use std::path::Path;
use tb::{Cosim, lint, seed};

/// The ordinary expressions that the crate's own printer gets wrong, and their neighbours.
#[derive(LogicBlock, Default)]
struct Ordinary {
    a: Signal<In, Bits<8>>,
    b: Signal<In, Bits<8>>,
    c: Signal<In, Bits<8>>,
    f: Signal<In, Bit>,
    sa: Signal<In, Int<8>>,
    sum9: Signal<Out, Bits<9>>,
    not32: Signal<Out, Bits<32>>,
    shift16: Signal<Out, Bits<16>>,
    flag8: Signal<Out, Bits<8>>,
    and_eq: Signal<Out, Bit>,
    or_eq: Signal<Out, Bit>,
    xor_gt: Signal<Out, Bit>,
    not_negative: Signal<Out, Bit>,
    minus_one: Signal<Out, Bit>,
    extended: Signal<Out, Int<32>>,
    extended_bits: Signal<Out, Bits<32>>,
    widened: Signal<Local, Int<32>>,
    pointer_wrap: Signal<Out, Bit>,
    borrow: Signal<Out, Bit>,
    negated: Signal<Out, Int<9>>,
    square: Signal<Out, Int<16>>,
}

impl Logic for Ordinary {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("ordinary: expressions that a printer can get wrong.");
        self.sum9.next = bit_cast::<9, 8>(self.a.val() + self.b.val());
        self.not32.next = bit_cast::<32, 8>(!self.a.val());
        self.shift16.next = bit_cast::<16, 8>(self.a.val() << 4);
        self.flag8.next = bit_cast::<8, 1>((!self.f.val()).into()) + self.a.val();
        self.and_eq.next = self.a.val() & self.b.val() == self.c.val();
        self.or_eq.next = self.a.val() | self.b.val() == self.c.val();
        self.xor_gt.next = self.a.val() ^ self.b.val() > self.c.val();
        self.not_negative.next = self.sa.val() >= 0.into();
        self.minus_one.next = self.sa.val() == (-1).into();
        self.extended.next = (self.sa.val() - signed_cast_int(self.a.val()) + self.sa.val()).into();
        self.widened.next = signed_cast_ext::<32, 8>(self.sa.val());
        self.extended_bits.next = unsigned_cast_int(self.widened.val());
        self.pointer_wrap.next = self.a.val() + 1 == self.b.val();
        self.borrow.next = (self.a.val() - self.b.val()) > 5;
        self.negated.next = (-self.sa.val()).into();
        self.square.next = (self.sa.val() * self.sa.val()).into();
    }
}

#[test]
fn ordinary_expressions_keep_their_meaning() {
    let mut both = Cosim::new(Ordinary::default(), "ordinary", None);
    let mut random = seed(1);
    for round in 0..4_096u64 {
        let uut = &mut both.twin.uut;
        let draw = random.rng.next_u64();
        uut.a.next = (draw & 0xff).into();
        // Every fourth round near to a, where wraps and equalities are.
        uut.b.next = if round % 4 == 0 { uut.a.next + 1 } else { (draw >> 8 & 0xff).into() };
        uut.c.next = if round % 4 == 1 { uut.a.next & uut.b.next } else { (draw >> 16 & 0xff).into() };
        uut.f.next = draw >> 24 & 1 == 1;
        uut.sa.next = if round % 16 == 0 { Int::new(-128) } else { Int::new((draw >> 32) as i64) };
        both.compare();
    }
}

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum Walk {
    Idle,
    Run,
    Done,
}

/// A little of everything: states, registers, lists, arithmetic, a child that stands twice.
#[derive(LogicBlock)]
struct Counter {
    clk: Signal<In, Clock>,
    rst: Signal<In, Bit>,
    go: Signal<In, Bit>,
    limit: Signal<In, Bits<8>>,
    busy: Signal<Out, Bit>,
    total: Signal<Out, Bits<8>>,
    lane: Vec<Signal<In, Bits<8>>>,
    chosen: Signal<Out, Bits<8>>,
    dot: Signal<Out, Int<20>>,
    word: Signal<Out, Bits<24>>,
    state: Reg<Walk>,
    count: Reg<Bits<8>>,
    joins: Vec<Join<8, 24>>,
    which: Signal<Local, Bits<2>>,
    step: Constant<Bits<8>>,
    _n: usize,
}

impl Default for Counter {
    fn default() -> Self {
        Counter {
            clk: Default::default(),
            rst: Default::default(),
            go: Default::default(),
            limit: Default::default(),
            busy: Default::default(),
            total: Default::default(),
            lane: vec![Default::default(); 3],
            chosen: Default::default(),
            dot: Default::default(),
            word: Default::default(),
            state: Default::default(),
            count: Default::default(),
            joins: vec![Join::default(); 2],
            which: Default::default(),
            step: Constant::new(bits(1)),
            _n: 3,
        }
    }
}

impl Logic for Counter {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("counter_{lane[]}x{lane}: counts to a limit.");
        dff_setup!(self, clk, state, count);
        self.busy.next = false;
        match self.state.q.val() {
            Walk::Idle => {
                if self.go.val() {
                    self.state.d.next = Walk::Run;
                    self.count.d.next = 0.into();
                }
            }
            Walk::Run => {
                self.busy.next = true;
                self.count.d.next = self.count.q.val() + self.step.val();
                if self.count.q.val() + 1 == self.limit.val() {
                    self.state.d.next = Walk::Done;
                }
            }
            Walk::Done => {
                self.state.d.next = Walk::Idle;
            }
        }
        if self.rst.val() {
            self.state.d.next = Walk::Idle;
            self.count.d.next = 0.into();
        }
        self.total.next = self.count.q.val();
        self.which.next = self.limit.val().get_bits::<2>(6);
        if self.which.val() == 3 {
            self.which.next = 0.into();
        }
        self.chosen.next = self.limit.val();
        self.dot.next = (signed_cast_int(self.lane[0].val()) * signed_cast_int(self.lane[1].val())
            - signed_cast_int(self.lane[2].val()))
        .into();
        for i in 0..self._n {
            self.joins[0].lane[i].next = self.lane[i].val();
            for n in self._n..(self._n + 1) {
                self.joins[1].lane[n - 1 - i].next = self.joins[0].lane[i].val();
            }
        }
        self.word.next = self.joins[0].word.val() ^ self.joins[1].word.val();
    }
}

#[test]
fn a_signal_that_is_read_between_two_assignments_is_refused() {
    let error = refusal(Counter::default());
    assert_eq!(error.place, "which");
    assert!(error.reason.contains("read before its last assignment"), "{error}");
}

fn refusal<B: Block>(mut block: B) -> EmitError {
    block.connect_all();
    emit(&block, "refused").expect_err("this block has no faithful Verilog")
}

/// Four signals that one kernel each makes impossible.
macro_rules! impossible {
    ($name:ident) => {
        #[derive(LogicBlock, Default)]
        struct $name {
            a: Signal<In, Bits<8>>,
            s: Signal<In, Int<8>>,
            y: Signal<Out, Bits<8>>,
            z: Signal<Out, Int<16>>,
        }
    };
}

impossible!(Latch);
impl Logic for Latch {
    #[hdl_gen]
    fn update(&mut self) {
        self.z.next = 0.into();
        if self.a.val() == 3 {
            self.y.next = 1.into();
        }
    }
}

impossible!(Undriven);
impl Logic for Undriven {
    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = self.a.val();
    }
}

impossible!(CastOfArithmetic);
impl Logic for CastOfArithmetic {
    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = self.a.val();
        self.z.next = signed_cast_ext::<16, 9>((self.s.val() + self.s.val()).into());
    }
}

#[test]
fn latches_undriven_outputs_and_ambiguous_casts_are_refused_by_name() {
    let latch = refusal(Latch::default());
    assert!(latch.place == "y" && latch.reason.contains("latch"), "{latch}");
    let undriven = refusal(Undriven::default());
    assert!(undriven.place == "z" && undriven.reason.contains("nothing drives it"), "{undriven}");
    let cast = refusal(CastOfArithmetic::default());
    assert!(cast.place.contains("signed_cast") && cast.reason.contains("Local"), "{cast}");
    assert!(cast.to_string().contains("in block `refused`"), "{cast}");
}

impossible!(NamesItself);
impl Logic for NamesItself {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("y: a port that is called as its module.");
        self.y.next = self.a.val();
        self.z.next = 0.into();
    }
}

/// A module that another one holds may have a port of its name.
#[derive(LogicBlock, Default)]
struct Holder {
    a: Signal<In, Bits<8>>,
    q: Signal<Out, Bits<8>>,
    inner: NamesItself,
}

impl Logic for Holder {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("holder: a block that holds another.");
        self.inner.a.next = self.a.val();
        self.inner.s.next = 0.into();
        self.q.next = self.inner.y.val();
    }
}

/// Element 0 of a list of blocks is printed as a signal of this block is called.
#[derive(LogicBlock)]
struct NamesAnInstance {
    clk: Signal<In, Clock>,
    a: Signal<In, Bits<8>>,
    fifo_0: Signal<Out, Bits<8>>,
    fifo: Vec<Fifo<8>>,
}

impl Logic for NamesAnInstance {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("names_an_instance: a port that is called as an instance.");
        self.fifo[0].clk.next = self.clk.val();
        self.fifo[0].clear.next = false;
        self.fifo[0].in_valid.next = true;
        self.fifo[0].in_data[0].next = self.a.val();
        self.fifo[0].out_ready.next = true;
        self.fifo_0.next = self.fifo[0].out_data[0].val();
    }
}

#[test]
fn ports_that_are_called_as_the_top_module_or_an_instance_are_refused() {
    let mut itself = NamesItself::default();
    itself.connect_all();
    let error = emit(&itself, "y").expect_err("a port has this name");
    assert!(error.place == "y" && error.block == "y" && error.reason.contains("may not have its name"), "{error}");
    // Under another name, and below another module, Verilator takes it.
    let other = emit(&itself, "other").unwrap_or_else(|error| panic!("{error}"));
    let mut holder = Holder::default();
    holder.connect_all();
    let held = emit(&holder, "holder").unwrap_or_else(|error| panic!("{error}"));
    assert!(held.module("y").is_some_and(|module| module.ports.iter().any(|port| port.name == "y")));
    for (design, top) in [(other, "other"), (held, "holder")] {
        let built = verilated::Build::new(top).texts(design.files()).cycles_hint(100).build();
        built.unwrap_or_else(|error| panic!("{error}"));
    }
    let instance = NamesAnInstance {
        clk: Signal::default(),
        a: Signal::default(),
        fifo_0: Signal::default(),
        fifo: vec![Fifo::new(4, 1)],
    };
    let error = refusal(instance);
    assert!(error.place == "fifo_0" && error.reason.contains("an instance"), "{error}");
}

/// The same without the fault of [`Counter`].
#[derive(LogicBlock)]
struct Bench {
    clk: Signal<In, Clock>,
    rst: Signal<In, Bit>,
    go: Signal<In, Bit>,
    limit: Signal<In, Bits<8>>,
    sel: Signal<In, Bits<2>>,
    busy: Signal<Out, Bit>,
    total: Signal<Out, Bits<8>>,
    chosen: Signal<Out, Bits<8>>,
    lane: Vec<Signal<In, Bits<8>>>,
    fifo: Vec<Fifo<8>>,
    state: Reg<Walk>,
    count: Reg<Bits<8>>,
    _n: usize,
}

impl Default for Bench {
    fn default() -> Self {
        Bench {
            clk: Default::default(),
            rst: Default::default(),
            go: Default::default(),
            limit: Default::default(),
            sel: Default::default(),
            busy: Default::default(),
            total: Default::default(),
            chosen: Default::default(),
            lane: vec![Default::default(); 4],
            fifo: vec![Fifo::new(4, 1), Fifo::new(4, 1), Fifo::new(8, 1), Fifo::new(8, 2)],
            state: Default::default(),
            count: Default::default(),
            _n: 4,
        }
    }
}

impl Logic for Bench {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("bench_{lane[]}x{lane}: four queues and a counter.");
        dff_setup!(self, clk, state, count);
        self.busy.next = false;
        match self.state.q.val() {
            Walk::Idle => {
                if self.go.val() {
                    self.state.d.next = Walk::Run;
                    self.count.d.next = 0.into();
                }
            }
            Walk::Run => {
                self.busy.next = true;
                self.count.d.next = self.count.q.val() + 1;
                if self.count.q.val() + 1 == self.limit.val() {
                    self.state.d.next = Walk::Done;
                }
            }
            Walk::Done => {
                self.state.d.next = Walk::Idle;
            }
        }
        if self.rst.val() {
            self.state.d.next = Walk::Idle;
            self.count.d.next = 0.into();
        }
        self.total.next = self.count.q.val();
        self.chosen.next = self.fifo[self.sel.val().index()].out_data[0].val();
        for i in 0..self._n {
            self.fifo[i].clk.next = self.clk.val();
            self.fifo[i].clear.next = self.rst.val();
            self.fifo[i].in_valid.next = self.go.val();
            self.fifo[i].in_data[0].next = self.lane[i].val();
            self.fifo[i].out_ready.next = self.sel.val() == i.to_bits();
        }
        self.fifo[3].in_data[1].next = self.lane[0].val() + self.lane[1].val();
    }
}

#[test]
fn modules_are_printed_once_and_named_for_what_they_are() {
    let mut bench = Bench::default();
    bench.connect_all();
    let design = emit(&bench, "quader_test").unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = design.modules.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        names,
        ["lutram_4x1x8", "fifo_1x8", "lutram_8x1x8", "fifo_1x8_v2", "lutram_8x2x8", "fifo_2x8", "quader_test"],
        "each distinct module once, leaves first"
    );
    let text = design.text();
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n").replace("$signed", "").replace("$unsigned", "");
    assert!(!code.contains('$'), "no `$` in names");
    for module in &design.modules {
        assert!(module.text.starts_with("// SPDX-License-Identifier: Apache-2.0\n"));
        assert!(module.text.lines().nth(1).is_some_and(|line| line.starts_with(&format!("// {}: ", module.name))));
    }
    let top = &design.modules[6].text;
    assert!(top.contains(".clk(clk)"), "the clock is a port connection");
    assert!(!top.contains("= clk;"), "the clock is never assigned");
    assert!(top.contains("always @(posedge clk) state_q <= state_d;"), "registers stand where they are used:\n{top}");
    assert!(top.contains("state_d = Walk_Run;"), "states have names:\n{top}");
    assert!(lint(&design).is_empty(), "{:?}", lint(&design));
}

#[test]
fn a_block_with_state_and_children_agrees_cycle_by_cycle() {
    let mut both = Cosim::new(Bench::default(), "bench", Some(("clk", |uut, clk| uut.clk.next = clk)));
    let mut random = seed(2);
    for cycle in 0..3_000 {
        let uut = &mut both.twin.uut;
        uut.rst.next = cycle < 2 || random.rng.random_range(0..200) == 0;
        uut.go.next = random.rng.random_range(0..3) == 0;
        uut.limit.next = random.rng.random_range(0..12u64).into();
        uut.sel.next = random.rng.random_range(0..4u64).into();
        for lane in &mut uut.lane {
            lane.next = random.rng.random_range(0..256u64).into();
        }
        both.edge();
    }
}

/// An output that only the last arm of an exhaustive match assigns.
#[derive(LogicBlock, Default)]
struct LastArm {
    clk: Signal<In, Clock>,
    rst: Signal<In, Bit>,
    finished: Signal<Out, Bit>,
    state: Reg<Walk>,
}

impl Logic for LastArm {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("last_arm: walks three states and tells the last one.");
        dff_setup!(self, clk, state);
        self.finished.next = false;
        match self.state.q.val() {
            Walk::Idle => self.state.d.next = Walk::Run,
            Walk::Run => self.state.d.next = Walk::Done,
            Walk::Done => {
                self.state.d.next = Walk::Idle;
                self.finished.next = true;
            }
        }
        if self.rst.val() {
            self.state.d.next = Walk::Idle;
        }
    }
}

#[test]
fn an_arm_without_effect_does_not_fall_into_the_last_one() {
    let mut both = Cosim::new(LastArm::default(), "last_arm", Some(("clk", |uut, clk| uut.clk.next = clk)));
    both.twin.uut.rst.next = true;
    both.edge();
    both.twin.uut.rst.next = false;
    for cycle in 0..9 {
        both.compare();
        assert_eq!(both.twin.uut.finished.val(), cycle % 3 == 2, "cycle {cycle}");
        both.edge();
    }
}

#[test]
fn files_and_file_list_are_written() {
    let mut bench = Bench::default();
    bench.connect_all();
    let design = emit(&bench, "quader_test").unwrap_or_else(|error| panic!("{error}"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emit");
    design.write(&dir).expect("the target folder can be written");
    let list = std::fs::read_to_string(dir.join("quader.f")).expect("the list was written");
    assert_eq!(list.lines().count(), design.modules.len());
    for file in list.lines() {
        assert!(dir.join(file).is_file(), "{file}");
    }
}

#[test]
fn hand_written_verilog_stands_in_prim_only() {
    /// Rust files below `dir` with the number of leaves in each.
    fn search(dir: &Path, found: &mut Vec<(String, usize)>) {
        for entry in std::fs::read_dir(dir).expect("the source folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                search(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                // Built here so that this line is not found.
                let leaves = text.matches(concat!("Custom", "(")).count();
                let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("below the root").display().to_string();
                found.extend((leaves > 0).then_some((name, leaves)));
            }
        }
    }
    let mut found = vec![];
    for folder in ["src", "isa", "rtl", "model", "sim", "tb", "host", "fpga", "tests", "examples"] {
        search(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    // The printer looks at leaves, it makes none.
    found.retain(|(path, _)| !path.starts_with("rtl/src/emit/"));
    found.sort();
    assert!(found.iter().all(|(path, _)| path.starts_with("rtl/src/prim/")), "{found:?}");
    let leaves: usize = found.iter().map(|(_, leaves)| leaves).sum();
    assert!((1..=8).contains(&leaves), "at most eight leaves: {found:?}");
}
