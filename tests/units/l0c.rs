// SPDX-License-Identifier: Apache-2.0
//! L0C against a plain model: data, full bits, clears, and the read port that M and FIX share.

use isa::Config;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl::l0c::L0c;
use rtl::twin::Twin;
use tb::Lockstep;

/// Seed of the random tests: `QUADER_SEED` or 1; printed so that a failure replays.
fn seed() -> u64 {
    let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    println!("QUADER_SEED={seed}");
    seed
}

fn config(m0: usize, n0: usize, l0c_bytes: usize) -> Config {
    Config { m0, n0, l0c_bytes, fix_lanes: 1, dsp_mults: 0, ..Config::tiny() }
}

/// A read that was accepted: who asked, and the block as it was then (`None`: never written).
struct Read {
    by_fix: bool,
    block: usize,
    data: Option<Vec<u32>>,
}

#[test]
fn l0c_keeps_blocks_and_full_bits() {
    // 512 fractals need two banks of full bits.
    for (m0, n0, bytes, cycles) in
        [(4, 4, 2 << 10, 6_000), (2, 8, 8 << 10, 3_000), (16, 16, 16 << 10, 400), (8, 8, 512 << 10, 300)]
    {
        follows_the_model(&config(m0, n0, bytes), cycles);
    }
}

#[test]
fn l0c_is_the_same_in_verilog() {
    for core in crate::common::compared() {
        let lockstep = Lockstep::of(&core, "l0c");
        lockstep.with(|uut: &L0c| uut, || follows_the_model(&core, 3_000));
        lockstep.finish();
    }
}

/// Random writes, clears and reads against a plain model.
fn follows_the_model(config: &Config, cycles: usize) {
    let seed = seed();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let per_fractal = config.l0c_blocks_per_fractal();
    let fractals = config.l0c_fractals();
    let blocks = fractals * per_fractal;
    let lanes = config.m0 * config.n0;
    let mut memory: Vec<Option<Vec<u32>>> = vec![None; blocks];
    let mut full = vec![false; blocks];
    let mut twin = Twin::new(L0c::new(config), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let mut pipe: [Option<Read>; 2] = [None, None];
    let (mut fix_reads, mut refused_by_m, mut m_reads, mut compared) = (0, 0, 0, 0);
    // Few blocks are touched at a time, so that reads meet writes and clears.
    let mut window = 0;
    for cycle in 0..cycles {
        if cycle % 100 == 0 {
            window = rng.random_range(0..fractals);
        }
        let near = |rng: &mut ChaCha8Rng| {
            let fractal = (window + rng.random_range(0..2)) % fractals;
            fractal * per_fractal + rng.random_range(0..per_fractal)
        };
        let write = rng.random_bool(0.4).then(|| near(&mut rng));
        let data: Vec<u32> = (0..lanes).map(|_| rng.random()).collect();
        let clear = rng.random_bool(0.05).then(|| {
            let first = (window + rng.random_range(0..2)) % fractals;
            (first, rng.random_range(first..fractals.min(first + 3)))
        });
        // Reading a block while it is written is undefined.
        let differ = |block: usize| Some(block) != write;
        let m_read = rng.random_bool(0.3).then(|| near(&mut rng)).filter(|&block| differ(block));
        let fix_read = rng.random_bool(0.7).then(|| near(&mut rng)).filter(|&block| differ(block));
        let reset = rng.random_bool(0.003);

        let uut = &mut twin.uut;
        uut.rst.next = reset;
        uut.write_valid.next = write.is_some();
        uut.write_address.next = (write.unwrap_or_else(|| near(&mut rng)) as u64).into();
        for (port, &value) in uut.write_data.iter_mut().zip(&data) {
            port.next = u64::from(value).into();
        }
        uut.clear_valid.next = clear.is_some();
        let (first, last) = clear.unwrap_or((0, fractals - 1));
        uut.clear_first.next = (first as u64).into();
        uut.clear_last.next = (last as u64).into();
        uut.m_read_valid.next = m_read.is_some();
        uut.m_read_address.next = (m_read.unwrap_or(0) as u64).into();
        uut.fix_read_valid.next = fix_read.is_some();
        let asked = fix_read.unwrap_or_else(|| near(&mut rng));
        uut.fix_read_address.next = (asked as u64).into();
        twin.settle();

        let uut = &twin.uut;
        assert_eq!(uut.fix_full.val(), full[asked], "cycle {cycle}: full bit of block {asked}");
        let ready = full[asked] && m_read.is_none();
        assert_eq!(uut.fix_read_ready.val(), ready, "cycle {cycle}: ready for block {asked}");
        if let Some(Read { by_fix, block, data: Some(expected) }) = &pipe[1] {
            let ports = if *by_fix { &uut.fix_read_data } else { &uut.m_read_data };
            let got: Vec<u32> = ports.iter().map(|port| port.val().index() as u32).collect();
            assert_eq!(&got, expected, "cycle {cycle}: block {block}");
            compared += 1;
        }
        twin.edge();

        pipe[1] = pipe[0].take();
        pipe[0] = match (m_read, fix_read) {
            (Some(block), _) => Some((false, block)),
            (None, Some(block)) if ready => Some((true, block)),
            _ => None,
        }
        .map(|(by_fix, block)| Read { by_fix, block, data: memory[block].clone() });
        m_reads += usize::from(m_read.is_some());
        fix_reads += usize::from(pipe[0].as_ref().is_some_and(|read| read.by_fix));
        refused_by_m += usize::from(m_read.is_some() && fix_read.is_some() && full[asked]);
        if let Some((first, last)) = clear {
            full[first * per_fractal..(last + 1) * per_fractal].fill(false);
        }
        if let Some(block) = write {
            memory[block] = Some(data);
            full[block] = true;
        }
        if reset {
            full.fill(false);
        }
    }
    assert!(fix_reads > cycles / 20 && refused_by_m > 0 && m_reads > cycles / 10, "the test reached too little");
    assert!(compared > cycles / 20, "only {compared} reads were compared");
}

#[test]
fn every_core_prints() {
    use rust_hdl::prelude::Block;
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        let mut l0c = L0c::new(&config);
        l0c.connect_all();
        let design = rtl::emit::emit(&l0c, "l0c").expect("L0C can be printed");
        assert_eq!(tb::lint(&design), [""; 0], "{}", config.name);
    }
}
