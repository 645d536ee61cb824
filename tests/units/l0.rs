// SPDX-License-Identifier: Apache-2.0
//! L0A and L0B: blocks come back as written, and the full bits follow writes and clears.

use crate::common::{Random, compared, config, prints_and_lints};
use rtl::l0::L0;
use rtl::twin::Twin;
use tb::Lockstep;

/// Random writes, clears and reads against a plain model.
fn follows_the_model(rows: usize, k0: usize, fractals: usize, cycles: usize, random: &mut Random) {
    let per_fractal = (16 / rows) * (32 / k0);
    let blocks = fractals * per_fractal;
    let lanes = rows * k0;
    let mut twin = Twin::new(L0::new(rows, k0, fractals), |uut: &mut L0, clk| uut.clk.next = clk);
    let mut data = vec![None::<Vec<u64>>; blocks];
    let mut full = vec![false; blocks];
    let mut expected: [Option<Vec<u64>>; 2] = [None, None];
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let mut compared = 0;
    for cycle in 0..cycles {
        if random.below(200) == 0 {
            twin.uut.rst.next = true;
            twin.uut.write_valid.next = false;
            twin.uut.clear_valid.next = false;
            twin.uut.read_valid.next = false;
            twin.edge();
            full.fill(false);
            expected = [None, None];
            twin.uut.rst.next = false;
        }
        let write = random
            .chance(60)
            .then(|| (random.below(blocks), (0..lanes).map(|_| random.next() & 511).collect::<Vec<_>>()));
        let clear = random.chance(10).then(|| {
            let first = random.below(fractals);
            (first, first + random.below(3))
        });
        let read = random.below(blocks);
        let valid = random.chance(80) && write.as_ref().is_none_or(|(at, _)| *at != read);
        twin.uut.write_valid.next = write.is_some();
        if let Some((at, block)) = &write {
            twin.uut.write_address.next = (*at as u64).into();
            for (lane, value) in block.iter().enumerate() {
                twin.uut.write_data[lane].next = (*value).into();
            }
        }
        twin.uut.clear_valid.next = clear.is_some();
        if let Some((first, last)) = clear {
            twin.uut.clear_first.next = (first as u64).into();
            twin.uut.clear_last.next = (last as u64).into();
        }
        twin.uut.read_valid.next = valid;
        twin.uut.read_address.next = (read as u64).into();
        twin.settle();
        assert_eq!(twin.uut.read_full.val(), full[read], "cycle {cycle}: full bit of block {read}");
        if let Some(block) = &expected[1] {
            for (lane, want) in block.iter().enumerate() {
                assert_eq!(twin.uut.read_data[lane].val(), *want, "cycle {cycle}: lane {lane}");
            }
            compared += 1;
        }
        expected = [if valid { data[read].clone() } else { None }, expected[0].take()];
        twin.edge();
        if let Some((first, last)) = clear {
            for fractal in first..=last.min(fractals - 1) {
                full[fractal * per_fractal..(fractal + 1) * per_fractal].fill(false);
            }
        }
        if let Some((at, block)) = write {
            full[at] = true;
            data[at] = Some(block);
        }
    }
    assert!(compared > cycles / 20, "only {compared} reads were compared");
}

#[test]
fn blocks_come_back_and_full_bits_follow() {
    let mut random = Random::seeded(11);
    for (rows, k0, fractals, cycles) in
        [(4, 4, 2, 1500), (4, 16, 4, 1500), (2, 8, 4, 1500), (8, 4, 8, 800), (16, 32, 8, 200), (16, 32, 2, 200)]
    {
        follows_the_model(rows, k0, fractals, cycles, &mut random);
    }
}

#[test]
fn more_than_256_fractals_use_several_tables() {
    let mut random = Random::seeded(12);
    follows_the_model(16, 32, 512, 1200, &mut random);
}

#[test]
fn l0_is_the_same_in_verilog() {
    let mut random = Random::seeded(13);
    for core in compared() {
        for (unit, rows, fractals) in [("l0a", core.m0, core.l0a_fractals()), ("l0b", core.n0, core.l0b_fractals())] {
            let lockstep = Lockstep::of(&core, unit);
            lockstep.with(|uut: &L0| uut, || follows_the_model(rows, core.k0, fractals, 1500, &mut random));
            lockstep.finish();
        }
    }
}

#[test]
fn prints() {
    for (name, core) in [("tiny", isa::Config::tiny()), ("lite", isa::Config::lite()), ("max", isa::Config::max())] {
        prints_and_lints(&mut L0::a(&core), &format!("l0a_{name}"));
    }
    prints_and_lints(&mut L0::b(&config(16, 4, 2, 8)), "l0b_odd");
    prints_and_lints(&mut L0::new(16, 32, 512), "l0_tables");
}
