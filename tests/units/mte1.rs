// SPDX-License-Identifier: Apache-2.0
//! MTE1: tiles arrive in L0 as the instruction defines them, on every cube, at the rate promised, and nothing leaves its buffer.

mod bench;
mod im2col;
mod map;
mod neighbours;

use crate::common::{Random, compared, config, cubes, prints_and_lints};
use bench::{Bench, Item};
use isa::{Cause, Dtype, FbField, Inst, Instruction, Mte1Load, Mte1LoadFb, Pipe, Side, state::mte1 as register};
use neighbours::Neighbours;
use rtl::l1::L1;
use rtl::mte1::Mte1;
use rtl::twin::Twin;
use tb::Lockstep;

fn load(side: Side, transpose: bool, rows: u16, k: u16) -> Mte1Load {
    let lines = u32::from(if transpose { k } else { rows });
    Mte1Load {
        side,
        transpose,
        dtype: Dtype::S8,
        l1_address: 0,
        panel_stride: lines.div_ceil(16) * 512,
        rows,
        k,
        fractal: 0,
    }
}

fn op(load: Mte1Load) -> Item {
    Item::Op(Inst::new(Instruction::Mte1Load(load)))
}

fn op_early(load: Mte1Load) -> Item {
    Item::Op(Inst::new(Instruction::Mte1Load(load)).set_early(Pipe::M, 0))
}

/// A random program of loads and SETs; parameters only if `parameters`.
fn random_items(bench: &mut Bench, loads: usize, rows: usize, k: usize) -> Vec<Item> {
    let mut items = vec![];
    for _ in 0..loads {
        let load = bench.random_load(rows, k);
        if bench.chance(60) {
            items.extend(bench.random_sets(&load));
        } else {
            let side = if load.side == Side::B { register::ZERO_POINT_B } else { register::ZERO_POINT_A };
            items.push(Item::Set(side, 17));
            items.push(Item::Set(register::ZERO_POINT_SOURCE, 0));
        }
        items.push(if bench.chance(40) { op_early(load) } else { op(load) });
    }
    items
}

#[test]
fn random_tiles_arrive_on_every_cube() {
    for (at, core) in cubes().into_iter().enumerate() {
        let mut bench = Bench::new(&core, 41 + at as u64);
        for (refuse, pause) in [(0, 0), (30, 30), (70, 0)] {
            (bench.refuse, bench.pause) = (refuse, pause);
            let items = random_items(&mut bench, 8, 50, 80);
            bench.run(&items);
        }
        assert_eq!(bench.done, 24, "cube {}x{}x{}", core.m0, core.k0, core.n0);
        assert!(bench.early > 0);
    }
}

#[test]
fn one_element_and_the_edges_of_blocks() {
    for core in cubes() {
        let mut bench = Bench::new(&core, 61);
        let edges = [1, core.k0 as u16, core.k0 as u16 + 1, 33];
        let mut items = vec![];
        for transpose in [false, true] {
            for side in [Side::A, Side::B] {
                for (rows, k) in [(1, 1), (1, 33), (17, 1), (core.m0 as u16 + 1, edges[2]), (32, edges[1])] {
                    items.push(op(load(side, transpose, rows, k)));
                }
            }
        }
        bench.run(&items);
        assert_eq!(bench.done, 20);
    }
}

#[test]
fn parameters_arrive_and_feed_the_zero_points() {
    for (at, core) in cubes().into_iter().enumerate() {
        let mut bench = Bench::new(&core, 71 + at as u64);
        (bench.refuse, bench.pause) = (20, 20);
        for _ in 0..6 {
            let mut items = vec![];
            for _ in 0..2 {
                let load = Inst::new(Instruction::Mte1LoadFb(bench.random_loadfb()));
                items.push(Item::Op(if bench.chance(40) { load.set_early(Pipe::M, 0) } else { load }));
            }
            items.extend(random_items(&mut bench, 2, 40, 40));
            bench.run(&items);
        }
        assert_eq!(bench.done, 24);
    }
}

#[test]
fn plain_loads_follow_each_other_without_a_gap() {
    let mut bench = Bench::new(&isa::Config::lite(), 81);
    let items: Vec<Item> = (0..4).map(|_| op(load(Side::A, false, 64, 128))).collect();
    let cycles = bench.run(&items);
    println!("lite, 4 plain loads of 64x128: {cycles} cycles for {} blocks", bench.writes);
    assert_eq!(bench.writes, 512);
    let (first, last) = (bench.first_write.expect("a write"), bench.last_write.expect("a write"));
    assert_eq!(last - first, 511, "one block per cycle");
    assert_eq!(first - bench.first_read.expect("a read"), 4, "written 4 cycles after the read, full in the fifth");
}

#[test]
fn transposed_loads_keep_one_block_per_cycle() {
    for (core, blocks) in [(isa::Config::lite(), 512), (isa::Config::tiny(), 512), (isa::Config::max(), 64)] {
        let mut bench = Bench::new(&core, 82);
        let (rows, k) = if core.k0 == 4 { (32, 64) } else { (64, 128) };
        let items: Vec<Item> = (0..4).map(|_| op(load(Side::B, true, rows, k))).collect();
        let cycles = bench.run(&items);
        let span = bench.last_write.expect("a write") - bench.first_write.expect("a write");
        println!(
            "{}, 4 transposed loads of {rows}x{k}: {cycles} cycles, {} blocks in {}, first {} after its read",
            core.name,
            bench.writes,
            span + 1,
            bench.first_write.expect("a write") - bench.first_read.expect("a read"),
        );
        assert_eq!(bench.writes, blocks);
        assert_eq!(span + 1, blocks as u64, "one block per cycle on average");
    }
}

#[test]
fn single_loads_of_lite() {
    for (name, transpose, per_row) in [
        ("plain", false, 0),
        ("transposed", true, 0),
        ("plain, zero points per row", false, 3),
        ("transposed, per row", true, 3),
    ] {
        let mut bench = Bench::new(&isa::Config::lite(), 83);
        let items = [Item::Set(register::ZERO_POINT_SOURCE, per_row), op_early(load(Side::A, transpose, 64, 128))];
        let cycles = bench.run(&items) - 1;
        println!("lite, one {name} load of 64x128 (128 blocks): {cycles} cycles from offered to done");
    }
    let mut bench = Bench::new(&isa::Config::lite(), 84);
    for (field, bytes) in [(FbField::Bias, 4), (FbField::Shift, 1)] {
        let fb = Mte1LoadFb { field, l1_address: 32, channel: 0, count: 64 };
        let cycles = bench.run(&[Item::Op(Inst::new(Instruction::Mte1LoadFb(fb)))]);
        println!("lite, loadfb of 64 channels of {bytes} bytes: {cycles} cycles");
    }
}

#[test]
fn every_bound_and_every_zero_point_is_checked() {
    bounds(&config(4, 16, 4, 16));
}

fn bounds(core: &isa::Config) {
    let good = load(Side::A, false, 20, 40);
    let l1 = core.l1_bytes as u32;
    let run = |items: &[Item], at: usize, cause: Cause, address: u64| {
        let mut bench = Bench::new(core, 91);
        bench.run_to_fault(items, at, cause, address);
        bench.reset();
        bench.run(&[op(good), op(load(Side::B, true, 20, 40))]);
        assert_eq!(bench.done, 2, "works again after reset");
    };
    let mut bad = Mte1Load { l1_address: l1 - 512, ..good };
    // Rows 16 to 19 lie beyond L1, the second panel too.
    run(&[op(good), op(bad)], 1, Cause::OutOfBuffer, u64::from(l1) + 512);
    bad.k = 32;
    run(&[op(good), op(bad)], 1, Cause::OutOfBuffer, u64::from(l1));
    bad = Mte1Load { l1_address: l1 - 512, transpose: true, rows: 16, k: 17, ..good };
    run(&[op(good), op(load(Side::B, true, 20, 40)), op(bad)], 2, Cause::OutOfBuffer, u64::from(l1));
    let fractals = core.l0a_fractals();
    bad = Mte1Load { fractal: fractals as u16 - 1, ..good };
    run(&[op(good), op(bad)], 1, Cause::OutOfBuffer, fractals as u64);
    run(&[op(good), op(Mte1Load { fractal: 0xFFFF, ..good })], 1, Cause::OutOfBuffer, 0xFFFF);
    run(&[op_early(Mte1Load { fractal: 0, rows: 16, k: 16, ..good }), op(bad)], 1, Cause::OutOfBuffer, fractals as u64);
    run(&[op(Mte1Load { dtype: Dtype::S4, ..good })], 0, Cause::Unsupported, 0);
    for (dtype, zero) in
        [(Dtype::S8, 128i32), (Dtype::S8, -129), (Dtype::U8, -1), (Dtype::U8, 256), (Dtype::U8, i32::MIN)]
    {
        let set = Item::Set(register::ZERO_POINT_A, zero as u32);
        run(&[op(good), set, op(Mte1Load { dtype, ..good })], 2, Cause::BadZeroPoint, 0);
    }
    let rows = Item::Set(register::ZERO_POINT_SOURCE, 1);
    let channel = Item::Set(register::ZERO_POINT_CHANNEL_A, 500);
    run(&[op(good), rows, channel, op(good)], 3, Cause::OutOfBuffer, 512);
    let fb = |l1_address, channel, count| {
        let load = Mte1LoadFb { field: FbField::Bias, l1_address, channel, count };
        Item::Op(Inst::new(Instruction::Mte1LoadFb(load)))
    };
    run(&[op(good), fb(l1 - 32, 0, 9)], 1, Cause::OutOfBuffer, u64::from(l1));
    run(&[op(good), fb(0, 510, 3)], 1, Cause::OutOfBuffer, 512);
}

#[test]
fn a_zero_point_in_fb_outside_the_range_is_a_fault() {
    let core = config(4, 16, 4, 16);
    for (dtype, raw, legal) in [
        (Dtype::S8, 0x80, false),
        (Dtype::S8, 0x17F, false),
        (Dtype::S8, 0x180, true),
        (Dtype::U8, 0x100, false),
        (Dtype::U8, 0xFF, true),
    ] {
        let mut bench = Bench::new(&core, 92);
        bench.fb[7][3] = raw;
        let items = [Item::Set(register::ZERO_POINT_SOURCE, 1), op(Mte1Load { dtype, ..load(Side::A, false, 20, 40) })];
        if legal {
            bench.run(&items);
            assert_eq!(bench.done, 1);
        } else {
            bench.run_to_fault(&items, 1, Cause::BadZeroPoint, 0);
        }
    }
}

#[test]
fn tiles_pass_from_l1_to_l0_through_the_real_neighbours() {
    for (at, core) in [config(4, 16, 4, 16), config(8, 4, 2, 8), config(2, 8, 8, 16)].into_iter().enumerate() {
        let mut random = Random::seeded(101 + at as u64);
        let mut twin = Twin::new(Neighbours::new(&core), |uut: &mut Neighbours, clk| uut.clk.next = clk);
        twin.uut.rst.next = true;
        twin.edge();
        twin.uut.rst.next = false;
        // L1 holds a matrix of 36 rows x 70 bytes in nz, and zero points at its end.
        let (lines, columns, stride) = (36usize, 70usize, 3 * 512);
        let s = L1::segment(&core);
        let mut l1 = vec![0u8; 12_288];
        l1.iter_mut().for_each(|byte| *byte = random.next() as u8);
        for i in 0..36 {
            (l1[8192 + 2 * i], l1[8192 + 2 * i + 1]) = ((random.next() & 0x7F) as u8, 0);
        }
        for address in (0..l1.len()).step_by(s) {
            twin.uut.write_valid.next = true;
            twin.uut.write_address.next = (address as u64).into();
            for i in 0..s {
                twin.uut.write_data[i].next = u64::from(l1[address + i]).into();
            }
            twin.settle();
            assert!(twin.uut.write_ready.val());
            twin.edge();
        }
        twin.uut.write_valid.next = false;
        let zeros = Mte1LoadFb { field: FbField::ZeroPoint, l1_address: 8192, channel: 100, count: 36 };
        let tile = |side, transpose, rows, k, fractal| Mte1Load {
            dtype: Dtype::U8,
            panel_stride: stride,
            fractal,
            ..load(side, transpose, rows, k)
        };
        // A 3 x 3 kernel over 7 x 5 pixels of 11 bytes, all of its padding.
        let map = map::Map {
            height: 7,
            width: 55,
            line_stride: 61,
            out_width: 5,
            step_y: 1,
            step_x: 11,
            taps_x: 1,
            tap_bytes: 33,
            tap_step_y: 1,
            tap_step_x: 0,
            origin_y: -1,
            origin_x: -11,
        };
        let convolution = isa::Mte1Im2col { dtype: Dtype::U8, l1_address: 777, fractal: 10, ..map::im2col(20, 70) };
        // A plain with a scalar zero point, B transposed with one per row.
        let ops = [
            Inst::new(Instruction::Mte1LoadFb(zeros)),
            Inst::new(Instruction::Mte1Load(tile(Side::A, false, lines as u16, columns as u16, 1))),
            Inst::new(Instruction::Mte1Load(tile(Side::B, true, 33, 35, 2))).set_early(Pipe::M, 3),
            Inst::new(Instruction::Mte1Im2col(convolution)),
        ];
        let sets =
            [(register::ZERO_POINT_A, 77), (register::ZERO_POINT_SOURCE, 2), (register::ZERO_POINT_CHANNEL_B, 100)];
        let sets = sets.into_iter().chain(map.registers());
        for (index, value) in sets {
            twin.uut.set_valid.next = true;
            twin.uut.set_register.next = u64::from(index).into();
            twin.uut.set_value.next = u64::from(value).into();
            twin.edge();
        }
        twin.uut.set_valid.next = false;
        let (mut next, mut done, mut early) = (0, 0, 0);
        while done < ops.len() {
            twin.uut.op_valid.next = next < ops.len();
            if let Some(inst) = ops.get(next) {
                for (port, word) in twin.uut.op_word.iter_mut().zip(inst.encode_words().expect("legal")) {
                    port.next = u64::from(word).into();
                }
            }
            twin.uut.read1_valid.next = random.chance(60);
            twin.settle();
            next += usize::from(next < ops.len() && twin.uut.op_ready.val());
            done += usize::from(twin.uut.done.val());
            early += usize::from(twin.uut.early.val());
            assert!(!twin.uut.fault.val() && twin.cycle < 6000, "cycle {}", twin.cycle);
            twin.edge();
        }
        assert_eq!(early, 1);
        // Every block of both tiles is full and holds what the definition says.
        for (side, r0, rows, k, first) in
            [(0, core.m0, lines, columns, 1), (1, core.n0, 33, 35, 2), (2, core.m0, 20, 70, 10)]
        {
            for row in (0..rows).step_by(r0) {
                for c in (0..k).step_by(core.k0) {
                    let fractal = first + row / 16 * k.div_ceil(32) + c / 32;
                    let per_fractal = (16 / r0) * (32 / core.k0);
                    let block = fractal * per_fractal + row % 16 / r0 * (32 / core.k0) + c % 32 / core.k0;
                    let buffer = side % 2;
                    twin.uut.look[buffer].next = (block as u64).into();
                    twin.settle();
                    assert!(twin.uut.full[buffer].val(), "block {block} of tile {side} is full");
                    twin.edge();
                    twin.edge();
                    for lane in 0..r0 * core.k0 {
                        let (r, c) = (row + lane / core.k0, c + lane % core.k0);
                        let (line, column) = if side == 0 { (r, c) } else { (c, r) };
                        let byte = |at: usize| i64::from(l1[at]);
                        let zero = if side == 0 { 77 } else { byte(8192 + 2 * r.min(35)) };
                        let value = byte((column / 32 * stride as usize + line * 32 + column % 32).min(12_287));
                        let mut want = if r < rows && c < k { value - zero } else { 0 };
                        if side == 2 {
                            let real = (r < rows && c < k).then(|| map.source(&convolution, r, c)).flatten();
                            want = real.map_or(0, |at| byte(at) - 77);
                        }
                        let got = if buffer == 0 { &twin.uut.a[lane] } else { &twin.uut.b[lane] };
                        let got = ((u64::from(got.val()) << 55) as i64) >> 55;
                        assert_eq!(got, want, "tile {side}, row {r}, byte {c}");
                    }
                }
            }
        }
    }
}

#[test]
fn mte1_is_the_same_in_verilog() {
    for core in compared() {
        let lockstep = Lockstep::of(&core, "mte1").constant("stall_block", "it waits for no blocks");
        lockstep.with(
            |uut: &Mte1| uut,
            || {
                let mut bench = Bench::new(&core, 111);
                for (refuse, pause) in [(0, 0), (30, 30), (70, 0)] {
                    (bench.refuse, bench.pause) = (refuse, pause);
                    let mut items = vec![];
                    for _ in 0..4 {
                        items.push(Item::Op(Inst::new(Instruction::Mte1LoadFb(bench.random_loadfb()))));
                        items.extend(random_items(&mut bench, 3, 50, 80));
                        items.extend(im2col::random_mix(&mut bench, 2, 40, 70));
                    }
                    bench.run(&items);
                }
                bounds(&core);
                im2col::registers(&core);
            },
        );
        lockstep.finish();
    }
}

#[test]
fn prints() {
    prints_and_lints(&mut Neighbours::new(&config(4, 16, 4, 16)), "neighbours");
    for (name, core) in [("tiny", isa::Config::tiny()), ("lite", isa::Config::lite()), ("max", isa::Config::max())] {
        prints_and_lints(&mut Mte1::new(&core), &format!("mte1_{name}"));
    }
    for core in cubes() {
        prints_and_lints(&mut Mte1::new(&core), &format!("mte1_{}x{}x{}", core.m0, core.k0, core.n0));
    }
}
