// SPDX-License-Identifier: Apache-2.0
//! Claims: flags, barriers and full bits order the pipes; what can never move is a fault, never a hang.

#![allow(clippy::unwrap_used)]

mod common;

use common::{assemble, expect_fault, run_done, run_fault};
use isa::*;
use model::*;

const FILL: &str = "mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=1024 dst_stride=0";
const LOAD_A: &str = "mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8";
const LOAD_B: &str = "mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8";
const MMAD: &str = "m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8";
const STORE: &str = "fix.store dst=b0[0x100] src=l0c[0] m=16 n=16 dst_stride=64 dtype_out=int32";

/// All of 16 x 16 int32 at 0x100.
fn results(memory: &SparseMemory) -> Vec<i32> {
    let word = |bytes: &[u8]| i32::from_le_bytes(bytes.try_into().unwrap());
    memory.bytes(0x100, 1024).chunks(4).map(word).collect()
}

fn run(text: &str) -> (SparseMemory, Counts) {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(3);
    let counts = run_done(&mut core, &mut memory, &assemble(text));
    (memory, counts)
}

#[test]
fn flags_order_the_pipes_against_the_order_of_the_program() {
    // The store stands first, the fill last.
    let (memory, counts) = run(&format!(
        "{STORE} wait m.7\n {MMAD} wait mte1.3 set fix.7\n {LOAD_A} wait mte2.0\n {LOAD_B} set m.3\n {FILL} set mte1.0\n end"
    ));
    assert_eq!(results(&memory), [32; 256]);
    assert_eq!((counts.cube_steps, counts.useful_macs, counts.executed_macs), (128, 8192, 8192));
    assert_eq!((counts.bytes_written, counts.bytes_read, counts.instructions), (1024, 0, 6));
}

#[test]
fn early_flags_let_consumers_in_and_they_see_the_producers_data() {
    let early = format!(
        "{FILL} set mte1.0\n {LOAD_A} wait mte2.0 set m.0 early\n {LOAD_B} set m.1 early
         {MMAD} wait mte1.0 mte1.1 set fix.0 early\n {STORE} wait m.0\n end"
    );
    assert_eq!(results(&run(&early).0), [32; 256]);
    // Twice the same tile: the second early load clears the full bits, so the second product waits for the new data.
    let again = format!(
        "{FILL} set mte1.0\n {LOAD_A} wait mte2.0 set m.0 early\n {LOAD_B} set m.1 early
         {MMAD} wait mte1.0 mte1.1 set mte1.0 fix.0 early\n {STORE} wait m.0 set m.0
         mte2.fill dst=l1[0] byte=2 rows=1 len_bytes=1024 dst_stride=0 wait mte1.0 set mte1.0
         {LOAD_A} wait mte2.0 m.0 set m.0 early
         {MMAD} wait mte1.0 fix.0 set fix.0 early\n {STORE} wait m.0\n end"
    )
    .replacen("set m.1 early", "set m.1 early mte2.0", 1);
    assert_eq!(results(&run(&again).0), [64; 256]);
}

#[test]
fn full_bits_alone_hold_a_consumer_back() {
    // No flag between MTE1, M and FIX: only the full bits, clear since the start, make them wait. FIX stands first.
    let text = format!("{STORE}\n {MMAD}\n {FILL} set mte1.0\n {LOAD_A} wait mte2.0\n {LOAD_B}\n end");
    assert_eq!(results(&run(&text).0), [32; 256]);
}

#[test]
fn a_consumer_goes_on_block_by_block() {
    // The second half of A is loaded only once FIX has stored the first half of C, which M must have given it alone.
    let text = format!(
        "{FILL} set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=8 k=32 dtype=s8  wait mte2.0
         {LOAD_B}
         {MMAD} set fix.1
         fix.store dst=b0[0x100] src=l0c[0] m=8 n=16 dst_stride=64 dtype_out=int32  set mte1.0
         {LOAD_A} wait fix.0
         {STORE} wait m.1
         end"
    );
    assert_eq!(results(&run(&text).0), [32; 256]);
}

#[test]
fn state_registers_act_in_the_order_of_their_pipe() {
    let (memory, _) = run(&format!(
        "{FILL} set mte1.0\n set mte1.zero_point_a -4\n {LOAD_A} wait mte2.0\n set mte1.zero_point_a 9\n {LOAD_B} set m.0
         set fix.clamp_low 0\n set fix.clamp_high 100\n {MMAD} wait mte1.0 set fix.0\n {STORE} clamp wait m.0\n end"
    ));
    // (1 + 4) * 1 * 32 = 160, clamped.
    assert_eq!(results(&memory), [100; 256]);
}

#[test]
fn a_barrier_makes_stores_visible_to_loads() {
    let (memory, _) = run("mte2.fill dst=l1[0] byte=0x5A rows=1 len_bytes=64 dst_stride=0 set mte3.0
         mte3.store gm=b0[0x100] src=l1[0] rows=1 len_bytes=64 gm_stride=0 src_stride=0 wait mte2.0
         barrier
         mte2.load dst=l1[0x200] gm=b0[0x100] rows=1 len_bytes=64 gm_stride=0 dst_stride=0 set mte3.0
         nop
         mte3.store gm=b0[0x200] src=l1[0x200] rows=1 len_bytes=64 gm_stride=0 src_stride=0 wait mte2.0
         end");
    assert_eq!(memory.bytes(0x200, 64), [0x5A; 64]);
}

#[test]
fn a_second_run_starts_with_flags_registers_and_full_bits_reset() {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(3);
    let first = assemble(&format!(
        "set fix.scale 1.0\n {FILL} set mte1.0\n {LOAD_A} wait mte2.0\n {LOAD_B} set m.0\n {MMAD} wait mte1.0\n end"
    ));
    run_done(&mut core, &mut memory, &first);
    // A new run finds no full block in L0A, and no scale.
    let record = |cause, pipe| FaultRecord { cause, pipe, pc: 0, address: 0 };
    let product = assemble(&format!("{MMAD}\n end"));
    assert_eq!(run_fault(&mut core, &mut memory, &product), record(Cause::NoProgress, Pipe::M));
    let store = assemble("fix.store dst=b0[0] src=l0c[0] m=1 n=1 dst_stride=0 dtype_out=s8\n end");
    assert_eq!(run_fault(&mut core, &mut memory, &store), record(Cause::UnsetRegister, Pipe::Fix));
    // A run that leaves a flag does not disturb the next one.
    let left = assemble(&format!("{FILL} set mte1.0\n end"));
    assert_eq!(run_fault(&mut core, &mut memory, &left).cause, Cause::FlagLeft);
    assert_eq!(run_done(&mut core, &mut memory, &first).instructions, 6);
}

#[test]
fn fifteen_sets_are_legal_and_the_sixteenth_overflows() {
    let waits = |count| format!("{LOAD_A} wait mte2.3\n").repeat(count);
    // All sets come before the first wait: a barrier keeps the waits back.
    let sets = |count| format!("{FILL} set mte1.3\n").repeat(count) + "barrier\n";
    assert_eq!(run(&format!("{}{}end", sets(15), waits(15))).1.instructions, 32);
    expect_fault(&format!("{}{}end", sets(16), waits(16)), Cause::FlagOverflow, Pipe::Mte2, 15, 0);
}

#[test]
fn a_flag_that_is_left_at_end_is_a_fault() {
    expect_fault(&format!("nop\n {FILL} set fix.7\n end"), Cause::FlagLeft, Pipe::S, 2, 0);
}

#[test]
fn what_waits_for_ever_makes_no_progress() {
    // A flag that nobody sets; a circle of two pipes; a full queue in front of the instruction that would help.
    expect_fault(&format!("nop\n {FILL} wait fix.0\n end"), Cause::NoProgress, Pipe::Mte2, 1, 0);
    let circle = format!("{LOAD_A} wait mte2.0 set mte2.0\n {FILL} wait mte1.0 set mte1.0\n end");
    expect_fault(&circle, Cause::NoProgress, Pipe::Mte2, 1, 0);
    let queued = |count: usize| format!("{}{FILL} set mte1.0\n end", format!("{LOAD_A} wait mte2.0\n").repeat(count));
    expect_fault(&queued(9), Cause::NoProgress, Pipe::Mte1, 0, 0);
    // A barrier in front of it.
    expect_fault(
        &format!("{LOAD_A} wait mte2.0\n barrier\n {FILL} set mte1.0\n end"),
        Cause::NoProgress,
        Pipe::Mte1,
        0,
        0,
    );
    // Blocks that nobody fills: an A tile too small, and a tile of C that an early set has cleared.
    let short = format!(
        "{FILL} set mte1.0\n mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=12 k=32 dtype=s8 wait mte2.0
         {LOAD_B} set m.0\n {MMAD} wait mte1.0\n end"
    );
    expect_fault(&short, Cause::NoProgress, Pipe::M, 3, 0);
    // An early load clears the fractals of its tile whole, also the blocks that it does not write.
    let small = format!(
        "{FILL} set mte1.0\n {LOAD_A} wait mte2.0\n {LOAD_B}
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=4 k=32 dtype=s8 set m.0 early\n {MMAD} wait mte1.0\n end"
    );
    expect_fault(&small, Cause::NoProgress, Pipe::M, 4, 0);
    let cleared = format!(
        "{FILL} set mte1.0\n {LOAD_A} wait mte2.0\n {LOAD_B} set m.0\n {MMAD} wait mte1.0
         m.mmad c=l0c[0] a=l0a[4] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8 set fix.0 early\n {STORE} wait m.0\n end"
    );
    expect_fault(&cleared, Cause::NoProgress, Pipe::M, 4, 0);
}

#[test]
fn chunks_whose_blocks_are_there_are_stored_before_no_progress() {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(3);
    let program = assemble(&format!(
        "{FILL} set mte1.0\n {LOAD_A} wait mte2.0\n {LOAD_B} set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=8 n=16 k=32 dtype_a=s8 dtype_b=s8 wait mte1.0\n {STORE}\n end"
    ));
    let fault = run_fault(&mut core, &mut memory, &program);
    assert_eq!(fault, FaultRecord { cause: Cause::NoProgress, pipe: Pipe::Fix, pc: 128, address: 0 });
    assert_eq!(results(&memory)[..128], [32; 128]);
    assert_eq!(memory.bytes(0x300, 1), [SparseMemory::poison(3, 0x300)]);
}
