// SPDX-License-Identifier: Apache-2.0
//! The bug of docs/debugging.md, found as the page finds it: a copy of the cube's pipeline that lets a step read a block of L0C a cycle too early.
//! With `QUADER_DEBUGGING=DIR` the waves stay in that folder, for the page's pictures.

#![allow(clippy::unwrap_used)]

mod shell;
mod wave;

use host::{Dump, MemorySettings, Observe, Program, Simulated, Timeline, Transport, Trigger, Window};
use isa::Config;
use isa::asm::assemble;
use shell::Folder;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use verilated::{Build, Model};
use wave::{Read, Signal};

/// The third of the three steps in which a block of L0C is on its way: without it the interlock ends a cycle early.
const LEFT_OUT: &str = " | (ends_2_q & (read_address == probe))";

/// C[4, 8] = A[4, 8] B[8, 8]^T in two instructions of k = 4, two blocks of C each: the second one comes back to block 0 at once.
const PROGRAM: &str = "\
mte2.load dst=l1[0x0] gm=b0[0x0] rows=4 len_bytes=4 gm_stride=8 dst_stride=512 layout=nz
mte2.load dst=l1[0x200] gm=b0[0x4] rows=4 len_bytes=4 gm_stride=8 dst_stride=512 layout=nz
mte2.load dst=l1[0x400] gm=b1[0x0] rows=8 len_bytes=4 gm_stride=8 dst_stride=512 layout=nz
mte2.load dst=l1[0x600] gm=b1[0x4] rows=8 len_bytes=4 gm_stride=8 dst_stride=512 layout=nz set mte1.0
mte1.loada dst=l0a[0] src=l1[0x0] panel_stride=512 rows=4 k=4 dtype=s8 wait mte2.0
mte1.loada dst=l0a[1] src=l1[0x200] panel_stride=512 rows=4 k=4 dtype=s8
mte1.loadb dst=l0b[0] src=l1[0x400] panel_stride=512 rows=8 k=4 dtype=s8
mte1.loadb dst=l0b[1] src=l1[0x600] panel_stride=512 rows=8 k=4 dtype=s8 set m.0
m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=4 n=8 k=4 dtype_a=s8 dtype_b=s8 wait mte1.0
m.mmad c=l0c[0] a=l0a[1] b=l0b[1] m=4 n=8 k=4 dtype_a=s8 dtype_b=s8 accumulate set fix.0
fix.store dst=b2[0x0] src=l0c[0] m=4 n=8 dst_stride=32 dtype_out=int32 wait m.0
end
";

const BASES: [u64; 3] = [0x1000, 0x2000, 0x3000];

/// The core `tiny` with its trace ports and waves, whole or with the bug.
fn model(is_whole: bool) -> Arc<Model> {
    let core = rtl::top::traced_core(&Config::tiny()).unwrap();
    let mut design = rtl::emit::emit(&*core, "quader").unwrap();
    let line = design.modules.iter_mut().find(|module| module.text.contains(LEFT_OUT)).expect("the cube has its line");
    if !is_whole {
        line.text = line.text.replace(LEFT_OUT, "");
    }
    Build::new("quader").texts(design.files()).cycles_hint(1_000_000).trace(true).build().unwrap()
}

fn elements(count: usize, factor: usize) -> Vec<u8> {
    (0..count).map(|at| (at * factor % 251) as u8).collect()
}

/// C as it must be.
fn expected() -> Vec<i32> {
    let (a, b) = (elements(32, 37), elements(64, 91));
    let number = |byte: u8| i32::from(byte as i8);
    let dot = |i: usize, j: usize| (0..8).map(|l| number(a[8 * i + l]) * number(b[8 * j + l])).sum();
    (0..32).map(|at| dot(at / 8, at % 8)).collect()
}

/// Runs the program: C, and the timeline.
fn run(model: &Arc<Model>, wave: Option<Dump>) -> (Vec<i32>, Timeline) {
    let kept: Rc<RefCell<Vec<Timeline>>> = Rc::default();
    let sink = Rc::clone(&kept);
    let timelines = Some(Box::new(move |run| sink.borrow_mut().push(run)) as host::Keep);
    let observe = Observe { wave, timelines };
    let mut core = Simulated::of_model(model, &Config::tiny(), MemorySettings::default(), observe).unwrap();
    core.write(BASES[0], &elements(32, 37)).unwrap();
    core.write(BASES[1], &elements(64, 91)).unwrap();
    let program = assemble(PROGRAM, "debugging.qasm").expect("it is a program").program;
    isa::check(&program, &Config::tiny()).expect("the checker has no finding");
    let mut bases = vec![0; 16];
    bases[..3].copy_from_slice(&BASES);
    let windows = BASES.map(|first| Window { first, last: first + 0xFFF, rights: 3 }).to_vec();
    core.run(&Program::new(program, 0x8000, bases, windows).unwrap()).unwrap();
    let bytes = core.read(BASES[2], 128).unwrap();
    core.end_wave().unwrap();
    let c = bytes.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect();
    (c, kept.take().remove(0))
}

/// Cycles, from 0 on, in which a bit is 1.
fn cycles(signal: &Signal, start: u64, end: u64) -> Vec<u64> {
    (0..end).filter(|cycle| signal.number(start + 10 * cycle) == Some(1)).collect()
}

/// What the cube does with L0C: cycles of its steps, reads and writes.
fn accesses(path: &Path, timeline: &Timeline) -> [Vec<u64>; 3] {
    let mut read = Read::file(path);
    let start = read.signal("trace.program").first(|value| value.ends_with('1')).unwrap();
    let end = timeline.recording.cycles;
    let tiles = read.text("trace.m.tile");
    let steps: Vec<u64> = (0..end).filter(|cycle| tiles.at(start + 10 * cycle) != "-").collect();
    let texts: Vec<&str> = steps.iter().map(|cycle| tiles.at(start + 10 * cycle)).collect();
    assert_eq!(texts, ["C[0..4, 0..4] k 0..4", "C[0..4, 4..8] k 0..4", "C[0..4, 0..4] k 0..4", "C[0..4, 4..8] k 0..4"]);
    let [reads, writes] =
        ["m_l0c_m_read_valid", "m_l0c_write_valid"].map(|name| read.signal(&format!("TOP.quader.{name}")));
    [steps, cycles(&reads, start, end), cycles(&writes, start, end)]
}

#[test]
fn a_read_of_l0c_that_comes_a_cycle_too_early_is_found_in_its_wave() {
    let folder = Folder::new("debugging");
    let place = std::env::var_os("QUADER_DEBUGGING").map_or_else(|| folder.0.clone(), PathBuf::from);
    let whole = |name: &str| Dump { depth: Some(3), ..Dump::new(place.join(name)) };

    // 1. What is wrong: everything, though program and operands are right.
    let (c, timeline) = run(&model(false), Some(whole("broken.vcd")));
    let wrong = (0..32).filter(|&at| c[at] != expected()[at]).count();
    println!("C[0, 0] is {} instead of {}, and {wrong} of 32 elements are wrong", c[0], expected()[0]);
    assert_eq!(wrong, 32);

    // 2. When it leaves the core.
    let written = Trigger::Written { run: 0, address: BASES[2] }.cycle(std::slice::from_ref(&timeline)).unwrap();

    // 3. Where the sums go wrong: the second step on block 0 reads L0C in the cycle in which the first one's totals are written.
    let [steps, reads, writes] = accesses(&place.join("broken.vcd"), &timeline);
    println!("written {written}, steps {steps:?}, reads {reads:?}, writes {writes:?}");
    assert_eq!(
        (written, steps, reads, writes),
        (257, vec![205, 206, 208, 209], vec![209, 210], vec![209, 210, 212, 213])
    );

    // 4. The same on the core as it is: a step later, and everything is right.
    let (c, timeline) = run(&model(true), Some(whole("right.vcd")));
    assert_eq!(c, expected());
    let [steps, reads, writes] = accesses(&place.join("right.vcd"), &timeline);
    println!("steps {steps:?}, reads {reads:?}, writes {writes:?}");
    assert_eq!((steps, reads, writes), (vec![205, 206, 209, 210], vec![210, 211], vec![209, 210, 213, 214]));
}
