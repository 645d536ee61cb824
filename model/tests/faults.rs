// SPDX-License-Identifier: Apache-2.0
//! Claims: every fault has exactly its record, and rows before the offending one are done, none after it.

#![allow(clippy::unwrap_used)]

mod common;

use common::{PROGRAM, assemble, expect_fault, place, run_fault, window};
use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::*;
use model::*;
use rand::Rng;

/// GM that answers one byte with an error.
struct Broken {
    memory: SparseMemory,
    bad: u64,
}

impl Memory for Broken {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        self.answer(address, data.len())?;
        self.memory.read(address, data)
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        self.answer(address, data.len())?;
        self.memory.write(address, data)
    }
}

impl Broken {
    fn answer(&self, address: u64, len: usize) -> Result<(), BusError> {
        let hit = (address..address + len as u64).contains(&self.bad);
        if hit { Err(BusError { address: self.bad }) } else { Ok(()) }
    }
}

fn tiny() -> Core {
    Core::new(Config::tiny()).unwrap()
}

fn fault_of(run: &Run, memory: &mut impl Memory) -> FaultRecord {
    match tiny().run(memory, run) {
        Outcome::Fault(fault) => fault,
        Outcome::Done(_) => panic!("the program ends without a fault"),
    }
}

/// The record of raw words as instruction 1, behind a NOP.
fn fault_of_words(words: [u32; 8]) -> FaultRecord {
    let mut memory = SparseMemory::new(1);
    let run = place(&[Instruction::Nop.into(), Instruction::End.into()], &mut memory);
    memory.write(PROGRAM + 32, &isa::decode::bytes_of(&words)).unwrap();
    fault_of(&run, &mut memory)
}

fn refused(cause: Cause) -> FaultRecord {
    FaultRecord { cause, pipe: Pipe::S, pc: 32, address: 0 }
}

#[test]
fn decode_faults() {
    assert_eq!(fault_of_words([0; 8]), refused(Cause::IllegalOpcode));
    assert_eq!(fault_of_words([0x50, 0, 0, 0, 0, 0, 0, 0]), refused(Cause::IllegalOpcode));
    assert_eq!(fault_of_words([0x03, 0, 0, 0, 0, 0, 0, 1]), refused(Cause::IllegalField));
    let words = |text| Inst::encode_words(&assemble(text)[0]).unwrap();
    let mut zero_rows = words("mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=1 dst_stride=0");
    zero_rows[2] &= 0xFFFF;
    assert_eq!(fault_of_words(zero_rows), refused(Cause::IllegalField));
    let unsupported = [
        "mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=1 k=1 dtype=s4",
        "m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=1 n=1 k=1 dtype_a=fp16 dtype_b=fp16",
        "fix.store dst=b0[0] src=l0c[0] m=1 n=1 dst_stride=0 dtype_out=s4",
        "fix.store dst=b0[0] src=l0c[0] m=1 n=1 dst_stride=0 dtype_out=fp16 rounding=tflite",
    ];
    for text in unsupported {
        assert_eq!(fault_of_words(words(text)), refused(Cause::Unsupported), "{text}");
    }
    let of_ub = [
        "mte2.fill dst=ub[0] byte=1 rows=1 len_bytes=1 dst_stride=0",
        "mte3.store gm=b0[0] src=ub[0] rows=1 len_bytes=1 gm_stride=0 src_stride=0",
        "mte3.move dst=l1[0] src=ub[0] rows=1 len_bytes=1 dst_stride=0 src_stride=0",
    ];
    for text in of_ub {
        let mut core = Core::new(Config { ub_bytes: 0, ..Config::tiny() }).unwrap();
        let record = common::run_fault(&mut core, &mut SparseMemory::new(1), &assemble(&format!("nop\n{text}\nend")));
        assert_eq!(record, refused(Cause::Unsupported), "{text}");
    }
}

#[test]
fn registers_scales_and_zero_points_are_checked_when_they_are_used() {
    let store = "fix.store dst=b0[0] src=l0c[0] m=1 n=1 dst_stride=0";
    expect_fault(&format!("{store} dtype_out=u8\nend"), Cause::UnsetRegister, Pipe::Fix, 0, 0);
    expect_fault(
        &format!("set fix.clamp_low 0\n{store} dtype_out=int32 clamp\nend"),
        Cause::UnsetRegister,
        Pipe::Fix,
        1,
        0,
    );
    for scale in ["0", "0x80000001", "0x7F800000", "0x7FC00000", "0xBF800000", "0x007FFFFF"] {
        let text = format!("set fix.scale {scale}\n{store} dtype_out=u8\nend");
        expect_fault(&text, Cause::BadScale, Pipe::Fix, 1, 0);
    }
    for mode in ["tflite", "gemmlowp"] {
        let store = format!("{store} dtype_out=s8 rounding={mode}");
        expect_fault(&format!("set fix.scale 0x40000000\n{store}\nend"), Cause::UnsetRegister, Pipe::Fix, 1, 0);
        expect_fault(&format!("set fix.shift 0\n{store}\nend"), Cause::UnsetRegister, Pipe::Fix, 1, 0);
        for (m, shift) in [
            ("1", 0),
            ("0x3FFFFFFF", 0),
            ("0x80000000", 0),
            ("0xFFFFFFFF", 0),
            ("0", -32),
            ("0", 31),
            ("0x40000000", 127),
        ] {
            let text = format!("set fix.scale {m}\nset fix.shift {shift}\n{store}\nend");
            expect_fault(&text, Cause::BadScale, Pipe::Fix, 2, 0);
        }
    }
    let text = format!("set fix.scale 0x80000001\n{store} dtype_out=fp32\nend");
    expect_fault(&text, Cause::BadScale, Pipe::Fix, 1, 0);
    let text = format!("set fix.scale 1.0\nset fix.zero_point -1\n{store} dtype_out=u8\nend");
    expect_fault(&text, Cause::BadZeroPoint, Pipe::Fix, 2, 0);
    for (dtype, zero_point) in [("s8", 128), ("s8", -129), ("u8", -1), ("u8", 256)] {
        for side in ["a", "b"] {
            let text = format!(
                "set mte1.zero_point_{side} {zero_point}
                 mte1.load{side} dst=l0{side}[0] src=l1[0] panel_stride=512 rows=1 k=1 dtype={dtype}\nend"
            );
            expect_fault(&text, Cause::BadZeroPoint, Pipe::Mte1, 1, 0);
        }
    }
}

#[test]
fn parameters_from_fb_are_checked_row_by_row() {
    // Zero points 1, -1 as u8; scales 1.0, 0.0.
    let mut memory = SparseMemory::new(4);
    memory.write(0, &[1, 0, 0xFF, 0xFF]).unwrap();
    memory.write(32, &[0, 0, 0x80, 0x3F, 0, 0, 0, 0]).unwrap();
    let setup = "mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=512 gm_stride=0 dst_stride=0 set mte1.0
         mte1.loadfb field=zero_point src=l1[0] channel=20 count=2 wait mte2.0
         mte1.loadfb field=scale src=l1[32] channel=30 count=2
         set mte1.zero_point_source 1\n set mte1.zero_point_channel_a 20\n";
    let load = |rows| format!("mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows={rows} k=32 dtype=u8");
    let record = |cause, pipe, index: u32, address| FaultRecord { cause, pipe, pc: 32 * index, address };
    let program = assemble(&format!("{setup}{}\nend", load(2)));
    assert_eq!(run_fault(&mut tiny(), &mut memory, &program), record(Cause::BadZeroPoint, Pipe::Mte1, 5, 0));
    let program = assemble(&format!(
        "{setup}{} set m.0\n mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=u8 set m.1
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=1 n=2 k=32 dtype_a=u8 dtype_b=u8 wait mte1.0 mte1.1 set fix.0
         fix.store dst=b0[0x9000] src=l0c[0] m=1 n=2 dst_stride=0 dtype_out=u8 per_channel channel=30 wait m.0\nend",
        load(1)
    ));
    assert_eq!(run_fault(&mut tiny(), &mut memory, &program), record(Cause::BadScale, Pipe::Fix, 8, 31));
}

#[test]
fn nothing_leaves_its_buffer() {
    // tiny: L1 16 KiB, L0A and L0B 16 fractals, L0C 32, FB 512 channels.
    let cases = [
        // The first byte outside is the first one after the end where a row crosses it, else where the row begins.
        ("mte2.load dst=l1[0x3FF0] gm=b0[0] rows=1 len_bytes=17 gm_stride=0 dst_stride=0", Pipe::Mte2, 0x4000),
        ("mte2.load dst=l1[0x3F00] gm=b0[0] rows=9 len_bytes=3 gm_stride=0 dst_stride=40", Pipe::Mte2, 0x4018),
        (
            "mte2.load dst=l1[0x3FE0] gm=b0[0] rows=1 len_bytes=33 gm_stride=0 dst_stride=64 layout=nz",
            Pipe::Mte2,
            0x4020,
        ),
        ("mte2.fill dst=l1[0x4005] byte=1 rows=1 len_bytes=1 dst_stride=0", Pipe::Mte2, 0x4005),
        ("mte3.store gm=b0[0] src=l1[0x3FFF] rows=1 len_bytes=2 gm_stride=0 src_stride=0", Pipe::Mte3, 0x4000),
        ("mte1.loada dst=l0a[0] src=l1[0x3E00] panel_stride=512 rows=17 k=1 dtype=s8", Pipe::Mte1, 0x4000),
        ("mte1.loada dst=l0a[0] src=l1[0x3E00] panel_stride=1024 rows=2 k=33 dtype=s8", Pipe::Mte1, 0x4200),
        ("mte1.loadb dst=l0b[0] src=l1[0x3E00] panel_stride=512 rows=1 k=17 dtype=u8 transpose", Pipe::Mte1, 0x4000),
        ("mte1.loadb dst=l0b[15] src=l1[0] panel_stride=512 rows=17 k=1 dtype=u8", Pipe::Mte1, 16),
        ("mte1.loada dst=l0a[14] src=l1[0] panel_stride=512 rows=16 k=65 dtype=u8 set m.0 early", Pipe::Mte1, 16),
        ("mte1.loada dst=l0a[20] src=l1[0] panel_stride=512 rows=1 k=1 dtype=u8", Pipe::Mte1, 20),
        ("mte1.loadfb field=shift src=l1[0x3FE0] channel=0 count=33", Pipe::Mte1, 0x4000),
        ("mte1.loadfb field=shift src=l1[0] channel=511 count=2", Pipe::Mte1, 512),
        ("mte1.loadfb field=bias src=l1[0] channel=600 count=2", Pipe::Mte1, 600),
        ("m.mmad c=l0c[0] a=l0a[16] b=l0b[0] m=1 n=1 k=1 dtype_a=s8 dtype_b=s8", Pipe::M, 16),
        ("m.mmad c=l0c[0] a=l0a[0] b=l0b[17] m=1 n=1 k=1 dtype_a=s8 dtype_b=s8", Pipe::M, 17),
        ("m.mmad c=l0c[99] a=l0a[0] b=l0b[0] m=1 n=1 k=1 dtype_a=s8 dtype_b=s8", Pipe::M, 99),
        ("m.mmad c=l0c[31] a=l0a[0] b=l0b[0] m=17 n=1 k=1 dtype_a=s8 dtype_b=s8 set fix.0 early", Pipe::M, 32),
        ("fix.store dst=b0[0] src=l0c[33] m=1 n=1 dst_stride=0 dtype_out=int32", Pipe::Fix, 33),
        ("fix.store dst=b0[0] src=l0c[0] m=1 n=3 dst_stride=0 dtype_out=int32 bias channel=510", Pipe::Fix, 512),
        ("fix.store dst=b0[0] src=l0c[0] m=1 n=3 dst_stride=0 dtype_out=int32 bias channel=700", Pipe::Fix, 700),
    ];
    for (text, pipe, address) in cases {
        expect_fault(&format!("nop\n{text}\nend"), Cause::OutOfBuffer, pipe, 1, address);
    }
    let product = "mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=512 dst_stride=0 set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=4 k=4 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=4 k=4 dtype=s8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=4 n=4 k=4 dtype_a=s8 dtype_b=s8 wait mte1.0 set fix.0\n";
    let store = "fix.store dst=l1[0x3FFC] src=l0c[0] m=2 n=2 dst_stride=2 dtype_out=int32 wait m.0\nend";
    expect_fault(&format!("{product}{store}"), Cause::OutOfBuffer, Pipe::Fix, 4, 0x4000);
    // The last byte of each buffer is inside.
    let edges = "mte2.fill dst=l1[0x3E00] byte=1 rows=1 len_bytes=512 dst_stride=0 set mte1.0
         mte1.loada dst=l0a[15] src=l1[0x3E00] panel_stride=512 rows=16 k=32 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[15] src=l1[0x3E00] panel_stride=512 rows=16 k=16 dtype=s8 transpose
         mte1.loadb dst=l0b[15] src=l1[0x3E00] panel_stride=512 rows=16 k=32 dtype=s8 set m.0
         mte1.loadfb field=bias src=l1[0x3FC0] channel=496 count=16 set fix.0
         m.mmad c=l0c[31] a=l0a[15] b=l0b[15] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8 wait mte1.0 set fix.0
         fix.store dst=l1[0x3C00] src=l0c[31] m=16 n=16 dst_stride=64 dtype_out=int32 bias channel=496 wait m.0 mte1.0\nend";
    common::run_done(&mut tiny(), &mut SparseMemory::new(1), &assemble(edges));
}

#[test]
fn windows_stop_reads_writes_and_fetches() {
    let load = "mte2.load dst=l1[0] gm=b0[0x1000] rows=4 len_bytes=16 gm_stride=0x100 dst_stride=16\nend";
    let store = "mte3.store gm=b0[0x1000] src=l1[0] rows=4 len_bytes=16 gm_stride=0x100 src_stride=16\nend";
    let code = Window { rights: RIGHT_EXECUTE, ..window(PROGRAM, PROGRAM + 63) };
    let data = |last, rights| Window { rights, ..window(0x1000, last) };
    let mut memory = SparseMemory::new(8);
    let mut faults = |text, windows: [Window; 2], length: u32| {
        let mut run = place(&assemble(text), &mut memory);
        run.length = length;
        run.windows[..2].copy_from_slice(&windows);
        match tiny().run(&mut memory, &run) {
            Outcome::Done(_) => None,
            Outcome::Fault(fault) => Some(fault),
        }
    };
    let record = |cause, pipe, pc, address| Some(FaultRecord { cause, pipe, pc, address });
    // Exactly enough; the last byte missing; the right missing.
    assert_eq!(faults(load, [code, data(0x130F, RIGHT_READ)], 64), None);
    let missing = record(Cause::WindowRead, Pipe::Mte2, 0, 0x1300);
    assert_eq!(faults(load, [code, data(0x130E, RIGHT_READ)], 64), missing);
    assert_eq!(faults(load, [data(0x130E, RIGHT_READ), code], 64), missing);
    let all = record(Cause::WindowRead, Pipe::Mte2, 0, 0x1000);
    assert_eq!(faults(load, [code, data(0x130F, RIGHT_WRITE | RIGHT_EXECUTE)], 64), all);
    assert_eq!(faults(store, [code, data(0x130F, RIGHT_WRITE)], 64), None);
    let missing = record(Cause::WindowWrite, Pipe::Mte3, 0, 0x1300);
    assert_eq!(faults(store, [code, data(0x130E, RIGHT_WRITE)], 64), missing);
    let no_right = Window { rights: RIGHT_READ | RIGHT_WRITE, ..code };
    let executed = record(Cause::WindowExecute, Pipe::S, 0, PROGRAM);
    assert_eq!(faults(load, [no_right, data(0x130F, RIGHT_READ)], 64), executed);
    let short = Window { last: PROGRAM + 62, ..code };
    // Both instructions are one burst.
    let executed = record(Cause::WindowExecute, Pipe::S, 0, PROGRAM);
    assert_eq!(faults(load, [short, data(0x130F, RIGHT_READ)], 64), executed);
    let two_bursts = format!("{}{load}", "nop\n".repeat(3));
    let first = Window { last: PROGRAM + 158, ..code };
    let executed = record(Cause::WindowExecute, Pipe::S, 128, PROGRAM + 128);
    assert_eq!(faults(&two_bursts, [first, data(0x130F, RIGHT_READ)], 160), executed);
    let executed = record(Cause::WindowExecute, Pipe::S, 32, PROGRAM + 32);
    // The program ends without END: the length counts, not what lies behind.
    assert_eq!(faults(load, [code, data(0x130F, RIGHT_READ)], 63), executed);
    let executed = record(Cause::WindowExecute, Pipe::S, 0, PROGRAM);
    assert_eq!(faults(load, [code, data(0x130F, RIGHT_READ)], 0), executed);
}

#[test]
fn rows_before_the_offending_one_are_written_and_none_of_the_others() {
    let text = "mte2.fill dst=l1[0] byte=0xEE rows=1 len_bytes=64 dst_stride=0 set mte3.0
         mte3.store gm=b0[0x1000] src=l1[0] rows=4 len_bytes=16 gm_stride=0x100 src_stride=16 wait mte2.0\nend";
    let mut memory = SparseMemory::new(8);
    let run = place(&assemble(text), &mut memory)
        .with_window(0, window(0x1000, 0x1207))
        .with_window(1, window(PROGRAM, u64::MAX));
    let mut expected = memory.clone();
    let fault = fault_of(&run, &mut memory);
    assert_eq!(fault, FaultRecord { cause: Cause::WindowWrite, pipe: Pipe::Mte3, pc: 32, address: 0x1200 });
    for row in 0..2 {
        expected.write(0x1000 + 0x100 * row, &[0xEE; 16]).unwrap();
    }
    assert_eq!(memory.first_difference(&expected), None);
}

#[test]
fn fix_stops_at_the_row_that_leaves_the_window() {
    let text = "mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=512 dst_stride=0 set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=s8 dtype_b=s8 wait mte1.0 set fix.0
         fix.store dst=b0[0x1000] src=l0c[0] m=16 n=16 dst_stride=64 dtype_out=int32 wait m.0\nend";
    let mut memory = SparseMemory::new(8);
    let run = place(&assemble(text), &mut memory)
        .with_window(0, window(0x1000, 0x117F))
        .with_window(1, window(PROGRAM, u64::MAX));
    let mut expected = memory.clone();
    let fault = fault_of(&run, &mut memory);
    assert_eq!(fault, FaultRecord { cause: Cause::WindowWrite, pipe: Pipe::Fix, pc: 128, address: 0x1180 });
    expected.write(0x1000, &[32, 0, 0, 0].repeat(96)).unwrap();
    assert_eq!(memory.first_difference(&expected), None);
}

#[test]
fn addresses_stay_within_forty_bits() {
    let end = 1u64 << 40;
    let load = "mte2.load dst=l1[0] gm=b1[0x20] rows=2 len_bytes=32 gm_stride=32 dst_stride=32\nend";
    let store = "mte3.store gm=b1[0x20] src=l1[0] rows=2 len_bytes=32 gm_stride=32 src_stride=32\nend";
    for (text, pipe) in [(load, Pipe::Mte2), (store, Pipe::Mte3)] {
        let mut memory = SparseMemory::new(8);
        let run = place(&assemble(text), &mut memory);
        assert!(matches!(tiny().run(&mut memory, &run.clone().with_base(1, end - 96)), Outcome::Done(_)));
        let fault = fault_of(&run.clone().with_base(1, end - 95), &mut memory);
        let record = |address| FaultRecord { cause: Cause::AddressOverflow, pipe, pc: 0, address };
        // The rows touch and are whole bus words, so they are one run.
        assert_eq!(fault, record(end - 63));
        let apart: Vec<Inst> = assemble(&text.replace("gm_stride=32", "gm_stride=31"));
        let mut memory = SparseMemory::new(8);
        let run_apart = place(&apart, &mut memory).with_base(1, end - 94);
        assert_eq!(fault_of(&run_apart, &mut memory), record(end - 31));
        // A row wholly beyond: its address modulo 2^40.
        assert_eq!(fault_of(&run.with_base(1, end - 32), &mut memory), record(0));
    }
    let text = "mte2.fill dst=l1[0] byte=1 rows=1 len_bytes=512 dst_stride=0 set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=4 k=4 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=4 k=4 dtype=s8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=4 n=4 k=4 dtype_a=s8 dtype_b=s8 wait mte1.0 set fix.0
         fix.store dst=b0[0xFFFFFFFFF0] src=l0c[0] m=2 n=4 dst_stride=1 dtype_out=int32 wait m.0\nend";
    expect_fault(text, Cause::AddressOverflow, Pipe::Fix, 4, 0xFF_FFFF_FFF1);
}

#[test]
fn bus_errors_name_the_word_that_was_read_and_the_burst_that_was_written() {
    // Words of 8 bytes, bursts that end at multiples of 2 KiB.
    let row = "len_bytes=16 gm_stride=0x100";
    let long = "rows=1 len_bytes=0x1805 gm_stride=0";
    let run = "rows=96 len_bytes=64 gm_stride=64";
    let load = |at: u64, rows: &str| format!("mte2.load dst=l1[0] gm=b0[{at}] {rows} dst_stride=64\nend");
    let store = |at: u64, rows: &str| format!("nop\nmte3.store gm=b0[{at}] src=l1[0] {rows} src_stride=64\nend");
    let apart = &format!("rows=4 {row}");
    let read = (Cause::BusReadError, Pipe::Mte2, 0);
    let written = (Cause::BusWriteError, Pipe::Mte3, 32);
    for (text, (cause, pipe, pc), bad, address) in [
        (load(0x1000, apart), read, 0x1205, 0x1200),
        (load(0x1003, apart), read, 0x1205, 0x1203),
        (load(0x1003, apart), read, 0x1209, 0x1208),
        (load(0x1003, long), read, 0x1FFF, 0x1FF8),
        (load(0x1003, run), read, 0x2044, 0x2040),
        (load(0x1000, apart), (Cause::BusReadError, Pipe::S, 32), PROGRAM + 43, PROGRAM + 40),
        (store(0x1000, apart), written, 0x130F, 0x1300),
        (store(0x1003, apart), written, 0x1309, 0x1303),
        (store(0x1003, long), written, 0x1333, 0x1003),
        (store(0x1003, long), written, 0x2801, 0x2800),
        (store(0x1003, run), written, 0x1FFF, 0x1800),
    ] {
        let mut memory = SparseMemory::new(8);
        let run = place(&assemble(&text), &mut memory);
        let fault = fault_of(&run, &mut Broken { memory, bad });
        assert_eq!(fault, FaultRecord { cause, pipe, pc, address }, "{bad:#x} of {text}");
    }
}

#[test]
fn random_programs_end_and_write_only_inside_their_window() {
    let mut rng = common::rng(6);
    let mut causes = std::collections::BTreeSet::new();
    for case in 0..3000 {
        let mut next = || rng.next_u64();
        // Flags would stop nearly every program at once; small offsets let some accesses hit the window.
        let mut program: Vec<Inst> = (0..8).map(|_| Inst::new(isa::random::inst(&mut next).op)).collect();
        for inst in &mut program {
            let offset = next() % 0x2000;
            match &mut inst.op {
                Instruction::Mte2Load(load) => load.gm.offset = offset,
                Instruction::Mte3Store(store) => (store.gm.offset, store.src_address) = (offset, offset as u32 & !31),
                Instruction::FixStore(FixStore { dst: FixTarget::Gm(gm), .. }) => gm.offset = offset & !31,
                _ => {}
            }
        }
        program.push(Instruction::End.into());
        let mut memory = SparseMemory::new(next());
        let run = place(&program, &mut memory)
            .with_window(0, window(0x800, 0x17FF))
            .with_window(1, Window { rights: RIGHT_EXECUTE, ..window(PROGRAM, PROGRAM + 0xFFF) });
        let before = memory.clone();
        let mut core = tiny();
        match core.run(&mut memory, &run) {
            Outcome::Fault(fault) => assert!(fault.pc as usize <= 32 * program.len(), "case {case}: {fault}"),
            Outcome::Done(counts) => assert!(counts.instructions <= 9, "case {case}"),
        }
        if let Outcome::Fault(fault) = core.run(&mut memory, &run) {
            causes.insert(fault.cause);
        }
        // Outside the window nothing has changed.
        let inside = memory.bytes(0x800, 0x1000);
        let mut expected = before.clone();
        expected.write(0x800, &inside).unwrap();
        assert_eq!(memory.first_difference(&expected), None, "case {case}");
    }
    assert!(causes.len() >= 6, "{causes:?}");
}
