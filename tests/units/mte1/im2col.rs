// SPDX-License-Identifier: Apache-2.0
//! mte1.im2col: blocks of A of any convolution arrive as defined, at the rate that the banks of L1 allow, and no byte outside L1 is read.

use super::bench::{Bench, Item};
use super::map::{Layer, Map, im2col, op, random_map};
use super::{load, op as op_load};
use crate::common::{Random, config, cubes};
use isa::{Cause, Dtype, Inst, Instruction, Mte1Im2col, Pipe, Side, state::mte1 as register};

const LAYER: Layer = Layer {
    height: 6,
    width: 7,
    channels: 5,
    pitch: 5,
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    padding: [1, 1],
    out_width: 7,
};

fn early(load: Mte1Im2col) -> Item {
    Item::Op(Inst::new(Instruction::Mte1Im2col(load)).set_early(Pipe::M, 0))
}

fn tiles(items: &[Item]) -> usize {
    items.iter().filter(|item| matches!(item, Item::Op(_))).count()
}

/// One tile with its map.
fn case(map: Map, load: Mte1Im2col) -> Vec<Item> {
    let mut items = map.sets();
    items.push(Item::Set(register::ZERO_POINT_A, 0xFFFF_FFF9));
    items.push(op(load));
    items
}

#[test]
fn every_edge_of_a_convolution() {
    for core in cubes() {
        let mut bench = Bench::new(&core, 201);
        let layer = |change: &dyn Fn(&mut Layer)| {
            let mut layer = LAYER;
            change(&mut layer);
            (layer.map(0), layer.k())
        };
        let mut items = vec![];
        // Padding on every side: the whole map from its corner on, kernel 3 x 3.
        let (map, k) = layer(&|_| {});
        items.extend(case(map, im2col(42, k)));
        // The same from the middle of a line, and with k from the middle of a tap.
        items.extend(case(map, Mte1Im2col { out_y: 2, out_x: 5, ..im2col(9, k) }));
        items.extend(case(map, Mte1Im2col { tap_y: 1, tap_byte: 7, ..im2col(11, 20) }));
        // Output lines shorter than a block of rows, down to one pixel.
        for out_width in 1..4 {
            items.extend(case(layer(&|layer| layer.out_width = out_width).0, im2col(17, 6)));
        }
        // 1 x 1 with stride 2; dilation 3; one channel, three channels with stride 2.
        let (map, k) = layer(&|layer| (layer.kernel, layer.stride, layer.padding) = ([1, 1], [2, 2], [0, 0]));
        items.extend(case(map, im2col(12, k)));
        let (map, k) = layer(&|layer| (layer.dilation, layer.padding) = ([3, 3], [3, 3]));
        items.extend(case(map, im2col(20, k)));
        items.extend(case(map, Mte1Im2col { tap_y: 1, tap_x: 2, tap_byte: 4, out_x: 6, ..im2col(20, 19) }));
        let (map, k) = layer(&|layer| (layer.channels, layer.pitch) = (1, 1));
        items.extend(case(map, im2col(30, k)));
        let (map, k) = layer(&|layer| (layer.channels, layer.pitch, layer.stride) = (3, 3, [2, 2]));
        items.extend(case(Map { out_width: 4, ..map }, im2col(12, k)));
        // The second of two groups: channels 20 to 39 of 40.
        let (map, _) = layer(&|layer| (layer.channels, layer.pitch) = (20, 40));
        items.extend(case(Map { origin_x: -40 + 20, ..map }, im2col(10, 180)));
        // Fewer rows than a block has; the map at the very end of L1; all padding.
        let (map, k) = layer(&|_| {});
        let end = core.l1_bytes as u32 - 6 * 35;
        items.extend(case(map, Mte1Im2col { l1_address: end, ..im2col(1, k) }));
        items.push(Item::Set(register::ZERO_POINT_A, 200));
        items.push(op(Mte1Im2col { l1_address: end, out_y: 4, dtype: Dtype::U8, ..im2col(14, k) }));
        items.extend(case(map, Mte1Im2col { out_y: 900, ..im2col(5, k) }));
        bench.run(&items);
        assert_eq!(bench.done, tiles(&items), "cube {}x{}x{}", core.m0, core.k0, core.n0);
    }
}

/// A random program of im2col, loads of both kinds and SETs.
pub fn random_mix(bench: &mut Bench, maps: usize, rows: usize, k: usize) -> Vec<Item> {
    let mut items = vec![];
    for _ in 0..maps {
        let (sets, load) = bench.random_im2col(rows, k);
        items.extend(sets);
        items.push(if bench.chance(40) { early(load) } else { op(load) });
        if bench.chance(50) {
            // A second tile of the same map while the first is worked on.
            items.push(op(Mte1Im2col { rows: 1 + load.rows / 2, k: 1 + load.k / 2, ..load }));
        }
        if bench.chance(60) {
            items.extend(super::random_items(bench, 1, 30, 40));
        }
    }
    items
}

#[test]
fn random_maps_arrive_on_every_cube() {
    for (at, core) in cubes().into_iter().enumerate() {
        let mut bench = Bench::new(&core, 211 + at as u64);
        let mut ops = 0;
        for (refuse, pause) in [(0, 0), (30, 30), (70, 0)] {
            (bench.refuse, bench.pause) = (refuse, pause);
            let items = random_mix(&mut bench, 4, 40, 70);
            ops += tiles(&items);
            bench.run(&items);
        }
        assert_eq!(bench.done, ops, "cube {}x{}x{}", core.m0, core.k0, core.n0);
        assert!(bench.early > 0);
    }
}

#[test]
fn random_cores() {
    let mut random = Random::seeded(231);
    for at in 0..8 {
        let power = |random: &mut Random, low: usize, high: usize| 1 << (low + random.below(high - low + 1));
        let (m0, n0, k0) = (power(&mut random, 1, 4), power(&mut random, 1, 4), power(&mut random, 2, 5));
        let core = config(m0, k0, n0, power(&mut random, 2, 6).min(m0.max(n0) * k0));
        let mut bench = Bench::new(&core, 232 + at);
        bench.refuse = random.below(50);
        let items = random_mix(&mut bench, 4, 40, 60);
        bench.run(&items);
    }
}

#[test]
fn the_first_byte_outside_l1_is_named() {
    let mut random = Random::seeded(241);
    let (mut met, mut late) = (0, 0);
    for (at, core) in cubes().into_iter().enumerate() {
        let mut bench = Bench::new(&core, 242 + at as u64);
        for round in 0..6 {
            let (map, load, address, before) = loop {
                let (map, load) = random_map(&core, &mut random, 30, 50, true);
                if let Some((address, before)) = map.fault(&load, &core) {
                    break (map, load, address, before);
                }
            };
            bench.refuse = random.below(60);
            let mut items = vec![op_load(load_a()), op_load(load_a())];
            items.extend(map.sets());
            items.push(Item::Set(register::ZERO_POINT_A, 0));
            items.push(op(load));
            let writes = bench.writes;
            bench.run_to_fault(&items, items.len() - 1, Cause::OutOfBuffer, address as u64);
            let plain = usize::from(load_a().rows).div_ceil(core.m0) * usize::from(load_a().k).div_ceil(core.k0);
            assert_eq!(bench.writes - writes, 2 * plain + before, "round {round}: blocks before the offending one");
            met += 1;
            late += usize::from(before > 0);
            bench.reset();
        }
    }
    println!("{met} faults, {late} after a block");
    assert!(late * 4 > met, "{late} of {met} faults come after a block");
}

fn load_a() -> isa::Mte1Load {
    load(Side::A, false, 20, 40)
}

/// Each rule of the registers, one by one; then the instruction is accepted.
pub fn registers(core: &isa::Config) {
    let mut bench = Bench::new(core, 251);
    let good = im2col(10, 30);
    let map = LAYER.map(0);
    for (register, value, load) in [
        (register::ZERO_POINT_SOURCE, 1, good),
        (register::OUT_WIDTH, 0, good),
        (register::TAPS_X, 0, good),
        (register::TAP_BYTES, 0, good),
        (register::OUT_WIDTH, 7, Mte1Im2col { out_x: 7, ..good }),
        (register::TAPS_X, 3, Mte1Im2col { tap_x: 3, ..good }),
        (register::TAP_BYTES, 15, Mte1Im2col { tap_byte: 15, ..good }),
        (register::ORIGIN_Y, 32_768, good),
        (register::ORIGIN_Y, -32_769i32 as u32, good),
        (register::ORIGIN_X, 1 << 23, good),
        (register::ORIGIN_X, (-(1i32 << 23) - 1) as u32, good),
        (register::ORIGIN_X, i32::MIN as u32, good),
    ] {
        let mut items = map.sets();
        items.push(op(good));
        items.push(Item::Set(register, value));
        // A bad zero point comes second.
        items.push(Item::Set(register::ZERO_POINT_A, 400));
        items.push(op(load));
        bench.run_to_fault(&items, items.len() - 1, Cause::BadRegister, 0);
        bench.reset();
    }
    for missing in register::MAP_HEIGHT..=register::ORIGIN_X {
        let mut items = map.sets();
        items.retain(|item| !matches!(item, Item::Set(register, _) if *register == missing));
        // A bad register comes second.
        items.extend([Item::Set(register::ZERO_POINT_SOURCE, 1), op(good)]);
        bench.run_to_fault(&items, items.len() - 1, Cause::UnsetRegister, 0);
        bench.reset();
    }
    let mut items = map.sets();
    items.extend([Item::Set(register::ZERO_POINT_A, 128), op(good)]);
    bench.run_to_fault(&items, items.len() - 1, Cause::BadZeroPoint, 0);
    bench.reset();
    // Values at the ends of their ranges are legal; so are zero points of B from FB.
    for (register, value) in [
        (register::ORIGIN_Y, 32_767),
        (register::ORIGIN_Y, -32_768i32 as u32),
        (register::ORIGIN_X, (1 << 23) - 1),
        (register::ORIGIN_X, -(1i32 << 23) as u32),
        (register::ZERO_POINT_SOURCE, 2),
    ] {
        let mut items = map.sets();
        items.extend([Item::Set(register, value), op(good)]);
        bench.run(&items);
        bench.reset();
    }
    // The L0A that it fills has an end, too.
    let fractals = core.l0a_fractals() as u16;
    let mut items = map.sets();
    items.push(op(Mte1Im2col { fractal: fractals - 1, ..im2col(10, 40) }));
    bench.run_to_fault(&items, items.len() - 1, Cause::OutOfBuffer, u64::from(fractals));
}

#[test]
fn every_register_is_checked() {
    registers(&config(4, 16, 4, 16));
}

/// Cycles from the first to the last write of the tile just run, both included.
fn span(bench: &Bench) -> u64 {
    bench.last_write.expect("a write") - bench.first_write.expect("a write") + 1
}

/// What `span` is if nothing but the banks of L1 limits: the reads of the tile but for those of its first block, and 1.
fn bound(map: &Map, tile: &Mte1Im2col, core: &isa::Config) -> u64 {
    let reads = map.reads(tile, core);
    let all: usize = reads.iter().map(|(_, reads)| reads).sum();
    let first: usize = reads.iter().take_while(|(block, _)| *block == 0).map(|(_, reads)| reads).sum();
    (all - first + 1) as u64
}

#[test]
fn layers_take_the_cycles_of_the_page() {
    let core = isa::Config::lite();
    let layer = |[height, width]: [u32; 2], channels, kernel, stride, padding, out_width| Layer {
        height,
        width,
        channels,
        pitch: channels,
        kernel,
        stride,
        dilation: [1, 1],
        padding,
        out_width,
    };
    // Filters, and the blocks and cycles of a tile of 64 output pixels (or all there are) from the second output line on.
    let layers = [
        ("ResNet-8 3x3, 3 of 32x32", layer([32, 32], 3, [3, 3], [1, 1], [1, 1], 32), 16, 32, 63),
        ("ResNet-8 3x3, 16 of 32x32", layer([32, 32], 16, [3, 3], [1, 1], [1, 1], 32), 16, 144, 228),
        ("ResNet-8 3x3/2, 16 of 32x32", layer([32, 32], 16, [3, 3], [2, 2], [0, 0], 16), 32, 144, 180),
        ("ResNet-8 1x1/2, 16 of 32x32", layer([32, 32], 16, [1, 1], [2, 2], [0, 0], 16), 32, 16, 19),
        ("ResNet-8 3x3, 32 of 16x16", layer([16, 16], 32, [3, 3], [1, 1], [1, 1], 16), 32, 288, 432),
        ("ResNet-8 3x3/2, 32 of 16x16", layer([16, 16], 32, [3, 3], [2, 2], [0, 0], 8), 64, 288, 288),
        ("ResNet-8 3x3, 64 of 8x8", layer([8, 8], 64, [3, 3], [1, 1], [1, 1], 8), 64, 512, 512),
        ("DS-CNN 10x4/2, 1 of 49x10", layer([49, 10], 1, [10, 4], [2, 2], [4, 1], 5), 64, 21, 67),
        ("DS-CNN 1x1, 64 of 25x5", layer([25, 5], 64, [1, 1], [1, 1], [0, 0], 5), 64, 28, 28),
        ("MobileNetV1 3x3/2, 3 of 96x96", layer([96, 96], 3, [3, 3], [2, 2], [0, 0], 48), 8, 32, 63),
        ("MobileNetV1 1x1, 8 of 48x48", layer([48, 48], 8, [1, 1], [1, 1], [0, 0], 48), 16, 16, 17),
        ("MobileNetV1 1x1, 16 of 24x24", layer([24, 24], 16, [1, 1], [1, 1], [0, 0], 24), 32, 16, 18),
        ("MobileNetV1 1x1, 32 of 24x24", layer([24, 24], 32, [1, 1], [1, 1], [0, 0], 24), 32, 32, 32),
        ("MobileNetV1 1x1, 128 of 6x6", layer([6, 6], 128, [1, 1], [1, 1], [0, 0], 6), 128, 72, 127),
    ];
    for (name, layer, filters, blocks, cycles) in layers {
        let map = layer.map(0);
        let mut bench = Bench::new(&core, 261);
        let rows = 64.min(layer.out_width * layer.out_width) as u16;
        let tile = Mte1Im2col { out_y: 1, ..im2col(rows, layer.k().min(512)) };
        let mut items = map.sets();
        items.push(op(tile));
        bench.run(&items);
        let per_block = span(&bench) as f64 / bench.writes as f64;
        println!("{name}: k {}, {} blocks in {} cycles, {per_block:.2} per block", tile.k, bench.writes, span(&bench));
        assert_eq!((bench.writes, span(&bench)), (blocks, cycles), "{name}");
        // One block per max(2, N/N0) cycles; the banks alone decide unless a block of rows takes a single read.
        assert!(span(&bench) <= (filters / core.n0 as u64).max(2) * blocks as u64, "{name}");
        let row_ends = if usize::from(tile.k) <= core.k0 { u64::from(rows) / u64::from(layer.out_width) } else { 0 };
        assert!((bound(&map, &tile, &core)..=bound(&map, &tile, &core) + row_ends).contains(&span(&bench)), "{name}");
    }
}

#[test]
fn suitable_pitches_take_at_most_two_cycles_a_block() {
    let mut random = Random::seeded(281);
    for (at, mut core) in cubes().into_iter().enumerate() {
        core.l1_bytes = 128 << 10;
        let unit = core.m0.max(core.n0).max(32 / core.k0) * core.k0;
        for step in [1 + random.below(core.k0), core.k0, unit, 3 * unit] {
            // Several blocks of rows of one line, runs of many blocks from any byte on.
            let (rows, k) = (3 * core.m0, 4 * core.k0);
            let map = Map {
                height: 1,
                width: (1 << 24) - 1,
                line_stride: 0,
                out_width: rows as u32,
                step_y: 1,
                step_x: step as u32,
                taps_x: 1,
                tap_bytes: 4096,
                ..Map::default()
            };
            let room = core.l1_bytes - (rows - 1) * step - k;
            let tile = Mte1Im2col { l1_address: random.below(room) as u32, ..im2col(rows as u16, k as u16) };
            let mut bench = Bench::new(&core, 282 + at as u64);
            let mut items = map.sets();
            items.push(op(tile));
            bench.run(&items);
            assert!(map.reads(&tile, &core).iter().all(|(_, reads)| *reads <= 2), "step {step}, {tile:?}");
            assert_eq!(span(&bench), bound(&map, &tile, &core), "step {step}, {tile:?}");
        }
    }
}

#[test]
fn tiles_follow_each_other_without_a_gap() {
    let core = isa::Config::lite();
    let layer = Layer { channels: 64, pitch: 64, height: 8, width: 8, out_width: 8, ..LAYER };
    let mut bench = Bench::new(&core, 271);
    bench.run(&layer.map(0).sets());
    let tile = Mte1Im2col { tap_y: 1, out_y: 1, ..im2col(32, 64) };
    let one = bench.run(&[op(tile)]) - 1;
    let latency = bench.first_write.expect("a write") - bench.first_read.expect("a read");
    println!("lite, one tile of 32x64: {one} cycles from offered to done, written {latency} after its read");
    assert_eq!((one, latency), (58, 6));
    // The same four times; then plain tiles between.
    let plain = op_load(load(Side::A, false, 32, 64));
    for (items, cycles) in [(vec![op(tile); 4], 128), (vec![op(tile), plain.clone(), op(tile), plain], 130)] {
        let mut bench = Bench::new(&core, 272);
        bench.run(&layer.map(0).sets());
        bench.run(&items);
        println!("{} blocks in {}", bench.writes, span(&bench));
        assert_eq!(span(&bench), cycles);
    }
}
