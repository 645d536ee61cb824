// SPDX-License-Identifier: Apache-2.0
//! Claims: every kind of mistake is found, with instruction and sentence; what is right is not reported.

#![allow(clippy::unwrap_used)]

use isa::asm::assemble;
use isa::*;

/// Two instructions that fill L1 and load A and B from it, in order.
const OPERANDS: &str = "
    mte2.load dst=l1[0] gm=b0[0] rows=16 len_bytes=32 gm_stride=32 dst_stride=512 layout=nz set mte1.0
    mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 wait mte2.0 set m.0
    mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 set m.1
";
const MMAD: &str = "m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8";
const STORE: &str = "fix.store dst=b1[0] src=l0c[0] m=16 n=16 dst_stride=64 dtype_out=int32";

fn program(text: &str) -> Vec<Inst> {
    assemble(text, "test.qasm").unwrap_or_else(|errors| panic!("{}", errors[0])).program
}

fn findings(text: &str) -> Vec<String> {
    let found = check(&program(text), &Config::tiny()).err().unwrap_or_default();
    found.iter().map(|finding| finding.to_string()).collect()
}

/// Exactly one finding, on this instruction, with this text in it.
fn finds(text: &str, index: usize, sentence: &str) {
    let found = findings(text);
    let hit =
        found.len() == 1 && found[0].starts_with(&format!("instruction {index} `")) && found[0].contains(sentence);
    assert!(hit, "want {sentence}\n got {found:#?}");
}

#[test]
fn a_right_program_has_no_findings() {
    let text = format!("{OPERANDS}\n{MMAD} wait mte1.0 mte1.1 set fix.0\n{STORE} wait m.0\nend");
    assert_eq!(findings(&text), [""; 0]);
    let chained = text.replace("set m.0", "set m.0 early").replace("set m.1", "set m.1 early");
    let chained = chained.replace("set fix.0", "set fix.0 early");
    assert_eq!(findings(&chained), [""; 0]);
}

#[test]
fn the_end_must_be_there_and_last() {
    assert_eq!(findings("nop"), ["the program of 1 instructions has no end: put `end` behind the last one"]);
    finds("end\nnop", 1, "stands after end and never runs");
}

#[test]
fn what_has_no_encoding_or_is_not_on_the_core_is_found() {
    let fill = "mte2.fill dst=ub[0] byte=0 rows=1 len_bytes=1 dst_stride=0\nend";
    assert_eq!(findings(fill), [""; 0]);
    let without_ub = Config { ub_bytes: 0, ..Config::tiny() };
    let found = check(&program(fill), &without_ub).unwrap_err();
    assert!(found[0].to_string().ends_with("this core lacks ub, which dst asks for"), "{}", found[0]);
    let mut broken = program("nop\nend");
    broken[0].sets.push(Signal { to: Pipe::M, id: 0, early: false });
    let found = check(&broken, &Config::tiny()).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "instruction 0 `nop` has no encoding: nop: has 1 set flags but instructions of pipe s carry none"
    );
}

#[test]
fn bounds_count_the_last_byte_touched() {
    let fill = |address: u32, len: u32| {
        format!("mte2.fill dst=l1[{address}] byte=0 rows=2 len_bytes={len} dst_stride=100\nend")
    };
    assert_eq!(findings(&fill((16 << 10) - 110, 10)), [""; 0]);
    finds(&fill((16 << 10) - 110, 11), 0, "touches l1 up to byte 0x4000, but there are only 0x4000 bytes");
    // nz: 40 columns are one full panel and 8 bytes of the next; 15 of its 16 rows fit.
    let load = |stride: u32, rows: u32| {
        format!("mte2.load dst=l1[0] gm=b0[0] rows={rows} len_bytes=40 gm_stride=40 dst_stride={stride} layout=nz\nend")
    };
    assert_eq!(findings(&load((16 << 10) - 480 - 32, 16)), [""; 0]);
    finds(&load((16 << 10) - 480, 16), 0, "touches l1 up to byte 0x4007");
    finds(
        "mte2.load dst=l1[0] gm=b0[0xffffffffff] rows=1 len_bytes=2 gm_stride=0 dst_stride=0\nend",
        0,
        "touches gm base 0 up to byte 0x10000000000",
    );
    finds(
        "mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=32 gm_stride=0 dst_stride=512 layout=nz set mte1.0\n\
         mte1.loada dst=l0a[15] src=l1[0] panel_stride=512 rows=17 k=32 dtype=s8 wait mte2.0\nend",
        1,
        "touches l0a up to fractal 0x10, but there are only 0x10 fractals",
    );
    finds("mte1.loadfb field=bias src=l1[0] channel=510 count=3\nend", 0, "touches fb bias up to channel 0x200");
}

#[test]
fn a_destination_that_overlaps_itself_is_found() {
    let load = |stride: u32, layout: &str| {
        format!(
            "mte2.load dst=l1[0] gm=b0[0] rows=16 len_bytes=64 gm_stride=64 dst_stride={stride} layout={layout}\nend"
        )
    };
    assert_eq!(findings(&load(64, "rows")), [""; 0]);
    finds(&load(63, "rows"), 0, "writes some bytes of l1 twice");
    assert_eq!(findings(&load(512, "nz")), [""; 0]);
    finds(&load(480, "nz"), 0, "writes some bytes of l1 twice");
}

#[test]
fn registers_are_checked_where_they_are_used() {
    let store = STORE.replace("int32", "s8 relu clamp");
    let text = |sets: &str| format!("{OPERANDS}\n{MMAD} wait mte1.0 mte1.1 set fix.0\n{sets}\n{store} wait m.0\nend");
    let legal = "set fix.scale 0.5\nset fix.clamp_low -1\nset fix.clamp_high 1";
    assert_eq!(findings(&text(legal)), [""; 0]);
    finds(&text("set fix.clamp_low -1\nset fix.clamp_high 1"), 6, "uses fix.scale, which has no reset value");
    finds(&text("set fix.scale 0.5\nset fix.clamp_low 0"), 6, "uses fix.clamp_high, which has no reset value");
    finds(&text(&legal.replace("0.5", "0.0")), 7, "uses scale 0 (0x00000000)");
    finds(&text(&legal.replace("0.5", "-0.5")), 7, "not finite, positive and normal");
    finds(&text(&format!("{legal}\nset fix.zero_point 128")), 8, "uses zero point 128, which is outside -128..=127");
    let zero_point = format!("set mte1.zero_point_b 200\n{}", text(legal));
    finds(&zero_point, 3, "uses zero point 200, which is outside -128..=127");
    // A register that is set behind the instruction does not help it.
    let late =
        format!("{}\nset fix.scale 0.5\nend", text("set fix.clamp_low 0\nset fix.clamp_high 0").replace("end", ""));
    finds(&late, 6, "uses fix.scale");
}

#[test]
fn a_second_tensor_is_checked_and_ordered() {
    let store = STORE.replace("int32", "u8 relu second=add");
    let legal = "set fix.scale 0.5\nset fix.second_address 64\nset fix.second_stride 32\nset fix.ratio 0.75
        set fix.second_ratio 1.5\nset fix.offset -7.0";
    let text = |sets: &str| format!("{OPERANDS}\n{MMAD} wait mte1.0 mte1.1 set fix.0\n{sets}\n{store} wait m.0\nend");
    assert_eq!(findings(&text(legal)), [""; 0]);
    finds(&text(&legal.replace("set fix.offset -7.0", "nop")), 10, "uses fix.offset, which has no reset value");
    finds(
        &text(&legal.replace("stride 32", "stride 40")),
        10,
        "uses fix.second_stride, which must be a multiple of 32",
    );
    let small = "uses fix.ratio = 0.0001 (0x38d1b717), which must be at least 2^-12 and below 2^8";
    finds(&text(&legal.replace("0.75", "0.0001")), 10, small);
    let fine = "which must be a multiple of 2^-35 with a magnitude below 2^18";
    finds(&text(&legal.replace("-7.0", "1.0e-20")), 10, fine);
    let zero = format!("{legal}\nset fix.sum_zero_point -1");
    finds(&text(&zero), 11, "uses fix.sum_zero_point = -1, which is outside 0..=255");
    finds(&text(&legal.replace("64", "3648")), 10, "touches ub up to byte 0x102f, but there are only 0x1000 bytes");
    // MTE2 brings it without a flag.
    let load = "mte2.load dst=ub[64] gm=b0[0] rows=16 len_bytes=16 gm_stride=16 dst_stride=32";
    let unordered = text(&format!("{load}\n{legal}"));
    finds(&unordered, 11, "reads ub bytes 0x40..0x50, which instruction 4");
    let ordered =
        unordered.replace("dst_stride=32\n", "dst_stride=32 set fix.1\n").replace("wait m.0", "wait m.0 mte2.1");
    assert_eq!(findings(&ordered), [""; 0]);
    // Only numbers of 8 bits have one.
    let wide = asm_error(&STORE.replace("int32", "int32 second=max"));
    assert!(wide.contains("dtype_out is 8 but must be below 0x2 where second is 2"), "{wide}");
}

/// What the assembler says.
fn asm_error(text: &str) -> String {
    assemble(text, "test.qasm").err().map(|errors| errors[0].to_string()).unwrap_or_default()
}

#[test]
fn reads_of_what_was_never_written_are_found() {
    let fb = format!("{OPERANDS}\n{MMAD} wait mte1.0 mte1.1 set fix.0\n{STORE} bias channel=3 wait m.0\nend");
    finds(&fb, 4, "reads fb bias channel 3, which nothing has written");
    let empty = format!("{MMAD}\nend");
    let found = findings(&empty);
    assert!(found.len() == 2 && found[0].contains("reads l0a fractal 0") && found[1].contains("reads l0b fractal 0"));
    let accumulates = format!("{OPERANDS}\n{MMAD} accumulate wait mte1.0 mte1.1\nend");
    finds(&accumulates, 3, "reads l0c fractal 0, which nothing has written");
}

#[test]
fn shapes_must_fit_what_was_loaded() {
    let text = |mmad: &str| format!("{OPERANDS}\n{mmad} wait mte1.0 mte1.1\nend");
    assert_eq!(findings(&text(&MMAD.replace("m=16", "m=5"))), [""; 0]);
    let found = findings(&text(&MMAD.replace("k=32", "k=20")));
    assert!(found.len() == 2 && found[0].contains("reads 16 x 20 of l0a fractal 0, which was written as 16 x 32"));
    let short = text(MMAD).replace("rows=16 k=32 dtype=s8 wait", "rows=7 k=32 dtype=s8 wait");
    finds(&short, 3, "reads 16 x 32 of l0a fractal 0, which was written as 7 x 32");
}

#[test]
fn every_missing_order_is_found() {
    // Read after write, through L1.
    let text = format!("{OPERANDS}end").replace(" set m.0", "").replace(" set m.1", "");
    assert_eq!(findings(&text), [""; 0]);
    let no_flag = text.replace(" set mte1.0", "").replace(" wait mte2.0", "");
    assert_eq!(
        findings(&no_flag)[0],
        "instruction 1 `mte1.loada dst=l0a[0] src=l1[0x0] panel_stride=512 rows=16 k=32 dtype=s8` reads l1 bytes 0x0..0x200, \
         which instruction 0 `mte2.load dst=l1[0x0] gm=b0[0x0] rows=16 len_bytes=32 gm_stride=32 dst_stride=512 layout=nz` \
         writes in no defined order"
    );
    let barrier = no_flag.replace("mte1.loada", "barrier\nmte1.loada");
    assert_eq!(findings(&barrier), [""; 0]);
    // Write after read: the same place is loaded again while MTE1 may still read it.
    let again = "mte2.load dst=l1[0x1e0] gm=b0[0] rows=16 len_bytes=32 gm_stride=32 dst_stride=512 layout=nz";
    let war = text.replace("end", &format!("{again}\nend"));
    let found = findings(&war);
    assert!(found[0].contains("writes l1 bytes 0x1e0..0x200") && found[0].contains("reads in no defined order"));
    let ordered =
        war.replace(again, &format!("{again} wait mte1.3")).replace("dtype=s8\nmte2", "dtype=s8 set mte2.3\nmte2");
    assert_eq!(findings(&ordered), [""; 0], "{ordered}");
    // Neighbouring bytes are no conflict.
    assert_eq!(findings(&war.replace("0x1e0", "0x200")), [""; 0]);
}

#[test]
fn order_is_transitive_through_a_third_pipe() {
    let text = "
        mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=512 dst_stride=0 set mte1.0
        mte1.loadfb field=shift src=l1[0] count=1 wait mte2.0 set mte3.0
        mte3.store gm=b0[0] src=l1[0] rows=1 len_bytes=512 gm_stride=0 src_stride=0 wait mte1.0
        end";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn chaining_covers_the_read_of_the_tile_and_nothing_else() {
    let chain = |mmad_sets: &str, rest: &str| {
        let loads = OPERANDS.replace("set m.0", "set m.0 early").replace("set m.1", "set m.1 early");
        format!("{loads}\n{MMAD} wait mte1.0 mte1.1 {mmad_sets}\n{rest}\nend")
    };
    // The load that overwrites A needs a normal flag from M: an early one of M to FIX and on does not help.
    let reload = "mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8";
    assert_eq!(findings(&chain("set mte1.0", &format!("{reload} wait m.0"))), [""; 0]);
    finds(&chain("", reload), 4, "writes l0a fractals 0x0..0x1");
    // FIX reads the tile of two mmads, but only the second one is early.
    let two = "m.mmad c=l0c[1] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8 set fix.0 early";
    let wide = format!("{} wait m.0", STORE.replace("n=16", "n=32").replace("dst_stride=64", "dst_stride=128"));
    finds(&chain("", &format!("{two}\n{wide}")), 5, "reads l0c fractals 0x0..0x1");
    let both = chain("set fix.1 early", &format!("{two}\n{wide} m.1"));
    assert_eq!(findings(&both), [""; 0]);
    let reload_b = reload.replace("loada dst=l0a", "loadb dst=l0b");
    // A finished consumer of the whole tile proves that the producer has finished.
    let release = format!(
        "{STORE} wait m.0 set mte1.0\nmte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 wait fix.0"
    );
    assert_eq!(findings(&chain("set fix.0 early", &release)), [""; 0]);
    // Finishes come in order: a later store of another tile proves as much.
    let other = MMAD.replace("l0c[0]", "l0c[1]");
    let second = format!(
        "{STORE} wait m.0\n{other} set fix.1\n{} wait m.1 set mte1.0\n{reload_b} wait fix.0",
        STORE.replace("l0c[0]", "l0c[1]"),
    );
    assert_eq!(findings(&chain("set fix.0 early", &second)), [""; 0]);
    let part = release.replace("m=16", "m=8");
    assert_eq!(findings(&chain("set fix.0 early", &part)), [""; 0], "a fractal is the unit of order in L0C");
}

#[test]
fn a_finished_consumer_proves_no_more_than_what_it_read() {
    // A load of two fractals; the mmad reads both, or the first one; then L1 is filled again on the word of M alone.
    let text = |m: u32| {
        format!(
            "mte2.load dst=l1[0] gm=b0[0] rows=32 len_bytes=32 gm_stride=32 dst_stride=1024 layout=nz set mte1.0
             mte1.loadb dst=l0b[0] src=l1[0] panel_stride=1024 rows=16 k=32 dtype=s8 wait mte2.0
             mte1.loada dst=l0a[0] src=l1[0] panel_stride=1024 rows=32 k=32 dtype=s8 set m.0 early
             barrier
             mte1.loada dst=l0a[0] src=l1[0] panel_stride=1024 rows=32 k=32 dtype=s8 set m.1 early
             m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m={m} n=16 k=32 dtype_a=s8 dtype_b=s8 wait mte1.0 mte1.1 set mte2.0
             mte2.fill dst=l1[512] byte=0 rows=1 len_bytes=512 dst_stride=0 wait m.0
             end"
        )
    };
    assert_eq!(findings(&text(32)), [""; 0]);
    finds(&text(16), 6, "writes l1 bytes 0x200..0x400");
}

#[test]
fn gm_writes_are_ordered_by_barriers_only() {
    let text = |between: &str, wait: &str| {
        format!(
            "mte3.store gm=b0[0] src=l1[0] rows=1 len_bytes=64 gm_stride=0 src_stride=0 set mte2.0\n{between}\n\
             mte2.load dst=l1[0x400] gm=b0[0x20] rows=1 len_bytes=64 gm_stride=0 dst_stride=0 {wait}\nend"
        )
    };
    finds(&text("", "wait mte3.0"), 1, "only a barrier orders gm writes");
    assert_eq!(findings(&text("barrier", "wait mte3.0")), [""; 0]);
    assert_eq!(findings(&text("", "wait mte3.0").replace("gm=b0[0x20]", "gm=b1[0x20]")), [""; 0]);
    // A read before a write needs a flag only.
    let read_first = "mte2.load dst=l1[0x400] gm=b0[0] rows=1 len_bytes=64 gm_stride=0 dst_stride=0 set mte3.0\n\
                      mte3.store gm=b0[0] src=l1[0] rows=1 len_bytes=64 gm_stride=0 src_stride=0 wait mte2.0\nend";
    assert_eq!(findings(read_first), [""; 0]);
}

#[test]
fn deadlocks_name_the_flag_and_who_would_set_it() {
    let fill = "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=1 dst_stride=0";
    let store = "mte3.store gm=b0[0] src=l1[64] rows=1 len_bytes=1 gm_stride=0 src_stride=0";
    finds(&format!("{fill} wait mte3.0\nend"), 0, "waits for ever: nothing more sets flag mte3->mte2.0");
    let circle = format!("{fill} wait mte3.0 set mte3.0\n{store} wait mte2.0 set mte2.0\nend");
    let found = findings(&circle);
    assert!(
        found.len() == 2 && found[0].contains("mte3->mte2.0 would be set by instruction 1, which cannot run before")
    );
    // A wait on a set behind a barrier.
    finds(&format!("{fill} wait mte3.0\nbarrier\n{store} set mte2.0\nend"), 0, "would be set by instruction 2");
    // The set stands behind more instructions than the queue holds.
    let queue = Config::tiny().queue_len;
    let behind = |count: usize| {
        let fills = format!("{fill} wait mte3.0 set mte3.0\n").repeat(1) + &format!("{fill}\n").repeat(count);
        format!("{fills}{store} set mte2.0\n{} wait mte2.0\nend", store.replace("64", "128"))
    };
    assert_eq!(findings(&behind(queue - 1)), [""; 0]);
    finds(&behind(queue), 0, &format!("would be set by instruction {}", queue + 1));
}

#[test]
fn flags_left_over_overflowing_and_mixed_are_found() {
    let fill = "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=1 dst_stride=0";
    let store = "mte3.store gm=b0[0] src=l1[64] rows=1 len_bytes=1 gm_stride=64 src_stride=0";
    finds(&format!("{fill} set mte3.5\nend"), 0, "sets flag mte2->mte3.5, of which 1 sets have no wait before end");
    let many = |count: usize| {
        format!("{}{}end", format!("{fill} set mte3.0\n").repeat(count), format!("{store} wait mte2.0\n").repeat(count))
    };
    assert_eq!(findings(&many(8)), [""; 0]);
    let sixteen = findings(&many(16));
    assert!(sixteen.len() == 1 && sixteen[0].contains("may raise flag mte2->mte3.0 to 16, above 15"), "{sixteen:#?}");
    // A barrier proves that all waits have been taken.
    let fenced = many(10).replace("end", "barrier\n") + &many(10);
    assert_eq!(findings(&fenced), [""; 0]);
    // With a flag back, the consumer keeps up.
    let back = format!("{fill} set mte3.0\n{store} wait mte2.0 set mte2.0\n{fill} wait mte3.0\n").repeat(20) + "end";
    assert_eq!(findings(&back), [""; 0]);
    let mixed = format!(
        "{OPERANDS}\n{MMAD} wait mte1.0 mte1.1 set fix.0 early\n{STORE} wait m.0\n\
         {} set fix.0\n{} wait m.0\nend",
        MMAD.replace("l0c[0]", "l0c[1]"),
        STORE.replace("l0c[0]", "l0c[1]")
    );
    finds(&mixed, 5, "has early and normal sets");
}

#[test]
fn a_large_program_is_checked_quickly() {
    let mut builder = ProgramBuilder::new();
    for inst in program(&format!("{OPERANDS}\n{MMAD}\n{STORE}\n").repeat(2_000)) {
        builder.push(inst.op);
    }
    let program = builder.finish();
    assert!(program.len() > 10_000);
    assert_eq!(check(&program, &Config::tiny()), Ok(()));
}
