// SPDX-License-Identifier: Apache-2.0
//! Memory, monitors, register host and waves together, end to end with a small copy engine in Verilog.

use std::sync::Arc;

use rand::{Rng as _, RngExt as _};
use sim::memory::{Access, Hit};
use sim::seed::Seed;
use sim::waves::{Run, observed_in};
use sim::{AxiMemory, AxilDriver, Bench, GlobalMemory, Injection, MemoryConfig, Order, Poison, Resp, Result, Window};
use verilated::{Build, Model, Reset};

const DMA: &str = include_str!("dma.v");

const SOURCE: u64 = 0x12_3456_7000;
const TARGET: u64 = 0xAB_0000_1000;

fn model(bits: u32, traced: bool) -> Arc<Model> {
    let build = Build::new("dma").text("dma.v", DMA).parameter("W", bits).assertions().trace(traced);
    build.build().expect("the fixture builds")
}

/// A bench around the engine with `bytes` random bytes at the source.
fn bench(bits: u32, config: MemoryConfig, bytes: usize, seed: Seed, run: Option<&Run>) -> Result<(Bench, Vec<u8>)> {
    let mut data = vec![0; bytes];
    seed.rng("data").fill_bytes(&mut data);
    let mut gm = GlobalMemory::new(Poison::new(seed.0));
    gm.write(SOURCE, &data);
    let (stall, seed) = (config.stall, config.seed);
    let memory = AxiMemory::new(config, gm)?;
    let reset = Reset::Random(seed as u32);
    let dut = model(bits, run.is_some_and(Run::is_traced)).instance(reset)?;
    let driver = AxilDriver::new(seed, if stall > 0.0 { 5 } else { 0 });
    let mut bench = Bench::new(dut)?.with_memory("m_axi_", memory)?.with_lite("s_axil_", driver)?;
    if let Some(run) = run {
        bench = bench.observed_by(run);
    }
    bench.reset(3)?;
    Ok((bench, data))
}

/// Programs a copy of `chunks` chunks and starts it; returns the cycles from there to `done`.
fn copy(bench: &mut Bench, chunks: u32, bug: u32, limit: u64) -> Result<u64> {
    let halves = |addr: u64| [addr as u32, (addr >> 32) as u32];
    for (register, value) in [4, 8, 12, 16].into_iter().zip([halves(SOURCE), halves(TARGET)].concat()) {
        bench.write32(register, value)?;
    }
    bench.write32(20, chunks)?;
    bench.write32(24, bug)?;
    assert_eq!(bench.read32(20)?, chunks);
    bench.write32(0, 1)?;
    let irq = bench.dut().port("irq")?;
    bench.run_until("the end of the copy", limit, |bench| bench.dut().get(irq) != 0)
}

/// A copy that has to be right, and what memory has to hold after it.
fn check_copy(bits: u32, chunks: u32, config: MemoryConfig, seed: Seed) -> Result<u64> {
    let bytes = (chunks * 16 * bits / 8) as usize;
    let (mut bench, data) = bench(bits, config, bytes, seed, None)?;
    let window = |start, read| Window { start, end: start + bytes as u64, read, write: !read };
    bench.memory_mut().watch(vec![window(SOURCE, true), window(TARGET, false)]);
    let cycles = copy(&mut bench, chunks, 0, 200_000)?;
    assert_eq!(bench.read32(0)?, 2, "done, no error");
    let memory = bench.memory();
    assert_eq!(memory.gm.read(TARGET, bytes), data);
    assert_eq!(memory.gm.written_bytes(), 2 * bytes as u64, "nothing else was written");
    let traffic = *memory.traffic();
    assert_eq!((traffic.read_bytes, traffic.write_bytes), (bytes as u64, bytes as u64));
    assert_eq!((traffic.read_bursts, traffic.write_beats), (u64::from(chunks), u64::from(chunks * 16)));
    bench.finish()?;
    Ok(cycles)
}

#[test]
fn copies_are_right_on_every_bus_width() -> Result<()> {
    for bits in [32, 64, 128, 256, 512] {
        check_copy(bits, 9, MemoryConfig::ideal(bits as usize / 8), Seed(u64::from(bits)))?;
    }
    Ok(())
}

#[test]
fn copies_are_right_under_random_stalls_orders_latencies_and_bandwidths() -> Result<()> {
    let seed = Seed::of_test("copies_are_right_under_random_stalls_orders_latencies_and_bandwidths");
    let mut choices = seed.rng("choices");
    for case in 0..60 {
        let config = MemoryConfig {
            bus_bytes: 16,
            latency: [1, 2, 30, 100][choices.random_range(0..4)],
            bytes_per_cycle: [2.0, 7.5, 16.0, f64::INFINITY][choices.random_range(0..4)],
            shared: choices.random(),
            stall: [0.0, 0.2, 0.5, 0.9][choices.random_range(0..4)],
            order: [Order::InOrder, Order::OutOfOrder, Order::Interleaved][choices.random_range(0..3)],
            jitter: [0, 50][choices.random_range(0..2)],
            seed: seed.case(case).0,
        };
        println!("case {case}: {config:?}");
        check_copy(128, choices.random_range(1..20), config, seed.case(case))?;
    }
    Ok(())
}

#[test]
fn the_same_seed_takes_the_same_cycles_and_another_one_others() -> Result<()> {
    let cycles = |seed| {
        check_copy(
            128,
            12,
            MemoryConfig { stall: 0.5, order: Order::Interleaved, jitter: 20, seed, ..MemoryConfig::ideal(16) },
            Seed(1),
        )
    };
    assert_eq!(cycles(7)?, cycles(7)?);
    assert_ne!(cycles(7)?, cycles(8)?);
    Ok(())
}

#[test]
fn interleaving_really_happens_and_the_engine_survives_it() -> Result<()> {
    let config =
        MemoryConfig { order: Order::Interleaved, latency: 40, jitter: 30, seed: 3, ..MemoryConfig::ideal(16) };
    let (mut bench, data) = bench(128, config, 64 * 256, Seed(2), None)?;
    let halves = |addr: u64| [addr as u32, (addr >> 32) as u32];
    for (register, value) in [4, 8, 12, 16].into_iter().zip([halves(SOURCE), halves(TARGET)].concat()) {
        bench.write32(register, value)?;
    }
    bench.write32(20, 64)?;
    bench.write32(0, 1)?;
    let irq = bench.dut().port("irq")?;
    let (mut last, mut switches) = (None::<(u32, bool)>, 0);
    bench.run_until("the end of the copy", 100_000, |bench| {
        let input = bench.memory().input();
        if input.r_valid {
            switches += u32::from(last.is_some_and(|(id, ended)| id != input.r.id && !ended));
            last = Some((input.r.id, input.r.last));
        }
        bench.dut().get(irq) != 0
    })?;
    assert!(switches > 50, "{switches} switches within bursts");
    assert_eq!(bench.memory().gm.read(TARGET, data.len()), data);
    bench.finish()
}

#[test]
fn injected_errors_reach_the_engine_and_change_nothing_else() -> Result<()> {
    for (access, hit, resp) in [
        (Access::Read, Hit::Beat(37), Resp::SlvErr),
        (Access::Read, Hit::Range(SOURCE + 256, SOURCE + 257), Resp::DecErr),
        (Access::Write, Hit::Beat(20), Resp::SlvErr),
    ] {
        let (mut bench, data) = bench(128, MemoryConfig::ideal(16), 4 * 256, Seed(5), None)?;
        bench.memory_mut().inject(Injection { access, hit, resp });
        copy(&mut bench, 4, 0, 10_000)?;
        assert_eq!(bench.read32(0)?, 6, "done with an error");
        let got = bench.memory().gm.read(TARGET, data.len());
        let wrong: Vec<usize> =
            (0..64).filter(|beat| got[beat * 16..beat * 16 + 16] != data[beat * 16..beat * 16 + 16]).collect();
        let expected: Vec<usize> = match (access, hit) {
            (Access::Read, Hit::Beat(_)) => vec![37],
            (Access::Read, Hit::Range(..)) => vec![16],
            (Access::Write, _) => (16..32).collect(),
        };
        assert_eq!(wrong, expected);
        bench.finish()?;
    }
    Ok(())
}

#[test]
fn deliberate_bugs_are_caught_by_the_monitor_with_their_cycle() -> Result<()> {
    for (bug, text) in [(1, "Aw: valid fell before ready came"), (2, "W: WLAST is true on beat 14 of 16")] {
        let config = MemoryConfig { stall: 0.5, seed: 9, ..MemoryConfig::ideal(16) };
        let (mut bench, _) = bench(128, config, 32 * 256, Seed(6), None)?;
        // The second bug never ends: the monitor and the memory count beats differently from the engine.
        let _ = copy(&mut bench, 32, bug, 5_000);
        let error = bench.finish().expect_err("a broken rule").to_string();
        assert!(error.contains(text) && error.contains("memory bus, cycle "), "{error}");
    }
    Ok(())
}

#[test]
fn accesses_outside_the_windows_and_across_4_kib_are_told() -> Result<()> {
    let (mut bench, _) = bench(128, MemoryConfig::ideal(16), 4096, Seed(6), None)?;
    let window = |start, end, write| Window { start, end, read: true, write };
    bench.memory_mut().watch(vec![window(SOURCE, SOURCE + 4096, false), window(TARGET, TARGET + 512, true)]);
    copy(&mut bench, 3, 0, 2_000)?;
    bench.write32(4, SOURCE as u32 + 4096 - 128)?;
    bench.write32(20, 1)?;
    bench.write32(0, 1)?;
    bench.run_until("the second copy", 2_000, |bench| {
        bench.memory().traffic().write_bursts == 4 && bench.memory().is_idle()
    })?;
    let lines = bench.violations();
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("Write of ID 10: bytes 0xab00001200..0xab00001210 lie outside"), 1, "{lines:?}");
    assert_eq!(count("lie outside the allowed windows"), 16 + 1 + 16, "16 beats, the read past the end, 16 beats");
    assert_eq!(count("crosses a multiple of 4 KiB"), 1);
    Ok(())
}

#[test]
fn a_failed_test_is_run_again_with_waves_of_its_last_cycles() {
    let folder = std::env::temp_dir().join(format!("sim-waves-{}", std::process::id()));
    let fails = |run: &Run| -> Result<()> {
        let (mut bench, _) = bench(128, MemoryConfig::ideal(16), 4096, Seed(4), Some(run))?;
        copy(&mut bench, 16, 0, 10_000)?;
        bench.run_until("what never comes", 3_000, |_| false)?;
        Ok(())
    };
    let error = observed_in(&folder, "never comes", fails).expect_err("it fails").to_string();
    assert!(error.contains("what never comes did not happen within 3000 cycles"), "{error}");
    let wave = verilated::Wave::read(folder.join("never_comes.vcd")).expect("it was written");
    let clock = wave.signal("dma.clk").expect("it is in");
    let cycles = clock.changes.len() / 2;
    assert!((1990..=2010).contains(&cycles), "the last 2000 cycles, here {cycles}");
    assert!(clock.changes[0].0 > 10_000, "not from the start");

    let panics = |run: &Run| -> Result<()> {
        let (mut bench, _) = bench(128, MemoryConfig::ideal(16), 256, Seed(4), Some(run))?;
        copy(&mut bench, 1, 0, 10_000)?;
        panic!("as an assertion would");
    };
    let caught = std::panic::catch_unwind(|| observed_in(&folder, "panics", panics));
    assert!(caught.is_err() && folder.join("panics.vcd").is_file());
    assert!(
        observed_in(&folder, "passes", |run| {
            assert!(!run.is_traced());
            Ok::<u32, sim::Error>(5)
        })
        .is_ok_and(|five| five == 5)
    );
    assert!(!folder.join("passes.vcd").exists());
    std::fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn a_memory_of_another_width_is_refused() {
    let memory = AxiMemory::new(MemoryConfig::ideal(32), GlobalMemory::new(Poison::new(0))).expect("legal");
    let dut = model(128, false).instance(Reset::Zeros).expect("made");
    let error = Bench::new(dut).expect("made").with_memory("m_axi_", memory).err().expect("refused").to_string();
    assert!(error.contains("32 bytes wide and the bus m_axi_* is 16"), "{error}");
    let dut = model(128, false).instance(Reset::Zeros).expect("made");
    let memory = AxiMemory::new(MemoryConfig::ideal(16), GlobalMemory::new(Poison::new(0))).expect("legal");
    let error = Bench::new(dut).expect("made").with_memory("m_axi2_", memory).err().expect("refused").to_string();
    assert!(error.contains("m_axi2_wdata"), "{error}");
}

#[test]
#[ignore = "a measurement; run with --release -- --ignored --nocapture"]
fn cycles_per_second_of_memory_and_monitor() -> Result<()> {
    use std::time::Instant;
    for (name, bits, stall, order) in [
        ("128 bit", 128, 0.0, Order::InOrder),
        ("512 bit", 512, 0.0, Order::InOrder),
        ("128 bit, stalls 0.5, interleaved", 128, 0.5, Order::Interleaved),
    ] {
        const CHUNKS: u32 = 40_000;
        let config = MemoryConfig { stall, order, latency: 30, ..MemoryConfig::ideal(bits as usize / 8) };
        let (mut bench, _) = bench(bits, config, 4096, Seed(1), None)?;
        let start = Instant::now();
        let cycles = copy(&mut bench, CHUNKS, 0, 100_000_000)?;
        let busy = start.elapsed().as_secs_f64();
        let beats = bench.memory().traffic().read_beats + bench.memory().traffic().write_beats;
        let start = Instant::now();
        let _ = bench.run_until("nothing", 1_000_000, |_| false);
        let idle = start.elapsed().as_secs_f64();
        let mut dut = model(bits, false).instance(Reset::Zeros)?;
        let (clk, rst) = (dut.port("clk")?, dut.port("rst")?);
        dut.set(rst, 1);
        let start = Instant::now();
        for _ in 0..1_000_000 {
            dut.set(clk, 0);
            dut.eval()?;
            dut.set(clk, 1);
            dut.eval()?;
        }
        let bare = start.elapsed().as_secs_f64();
        println!(
            "{name}: busy {:.2} Mcycles/s ({:.2} beats per cycle), idle {:.2} Mcycles/s, bare model in reset {:.2} Mcycles/s",
            cycles as f64 / busy / 1e6,
            beats as f64 / cycles as f64,
            1.0 / idle,
            1.0 / bare
        );
    }
    Ok(())
}
