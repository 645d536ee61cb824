// SPDX-License-Identifier: Apache-2.0
//! Whole boards, driven by the code that drives a real one, through a serial port of the system.

use super::bench::Served;
use super::noise::Noise;
use fpga::board::Board;
use host::{Gemm, HostError, LinkError, Modelled, Program, Serial, SerialSettings, Transport, Window, gemm};
use isa::csr::{RIGHT_READ, RIGHT_WRITE};
use isa::{Config, Counter};
use rand::{Rng, RngExt};
use std::path::Path;
use std::time::Duration;
use tb::seed;

/// The settings of a host that is patient: a simulated board carries about 2,000 bytes per second on an idle machine, however fast its line says it is.
pub fn patient() -> SerialSettings {
    SerialSettings { baud: 2_400, patience: Duration::from_secs(1), attempts: 40 }
}

fn open(served: &Served, config: &Config) -> Serial {
    Serial::open(&served.path, config, patient()).unwrap_or_else(|error| panic!("{error}"))
}

/// A product on the board equals the model's, bit for bit.
fn multiply(core: &mut Serial, [m, n, k]: [usize; 3], number: u64) -> u64 {
    let shape = Gemm::new(m, n, k);
    let mut random = seed(number);
    let (mut a, mut b) = (vec![0; m * k], vec![0; k * n]);
    random.rng.fill_bytes(&mut a);
    random.rng.fill_bytes(&mut b);
    let config = core.config().clone();
    let product = gemm(core, &shape, &a, &b).unwrap_or_else(|error| panic!("{error}"));
    let expected = gemm(&mut Modelled::new(&config, 1).unwrap(), &shape, &a, &b).unwrap();
    assert_eq!(product.c, expected.c, "{m} x {n} x {k}");
    assert_eq!(product.report.get(Counter::UsefulMacs), Some((m * n * k) as u64));
    product.report.cycles().unwrap()
}

#[test]
fn a_product_runs_on_a_board_with_sdram() {
    let config = Config::tiny();
    let served = Served::new(Board::Ulx3s, &config, 1, Noise::none());
    let mut core = open(&served, &config);
    assert_eq!((core.memory_bytes(), core.clock_hz()), (32 << 20, 75_000_000));
    let cycles = multiply(&mut core, [20, 17, 33], 1);
    println!("{cycles} cycles");
    // Bytes of any alignment, over borders of words, blocks, pages, banks and rows.
    let mut random = seed(2);
    for (address, len) in [(0u64, 1usize), (5, 2), (1021, 7), (4093, 1030), ((32 << 20) - 9, 9), (0x12_3457, 300)] {
        let (mut around, mut bytes) = (vec![0; len + 16], vec![0; len]);
        random.rng.fill_bytes(&mut around);
        random.rng.fill_bytes(&mut bytes);
        let from = address.saturating_sub(8).min((32 << 20) - around.len() as u64);
        core.write(from, &around).unwrap();
        core.write(address, &bytes).unwrap();
        let at = (address - from) as usize;
        around[at..at + len].copy_from_slice(&bytes);
        assert_eq!(core.read(from, around.len()).unwrap(), around, "{len} bytes at {address:#x}");
    }
    let statistics = core.statistics();
    // A busy machine may be late with an answer, but nothing is damaged.
    assert_eq!(statistics.damaged, 0, "{statistics:?}");
    served.off();
}

#[test]
fn nothing_wrong_comes_back_over_a_bad_line() {
    let config = Config::tiny();
    let served = Served::new(Board::Bare, &config, 2, Noise::new(3, 4));
    let mut core = open(&served, &config);
    assert_eq!(core.memory_bytes(), 32 << 10);
    for (number, shape) in [[16, 16, 16], [5, 7, 9], [1, 30, 20]].into_iter().enumerate() {
        multiply(&mut core, shape, number as u64);
    }
    // Random pieces of memory, each read back, and at the end all of it.
    let mut random = seed(4);
    let mut memory = core.read(0, 4096).unwrap();
    for _ in 0..12 {
        let (at, len) = (random.rng.random_range(0..3500), random.rng.random_range(1..300));
        let mut bytes = vec![0; len];
        random.rng.fill_bytes(&mut bytes);
        memory[at..at + len].copy_from_slice(&bytes);
        core.write(at as u64, &bytes).unwrap();
        assert_eq!(core.read(at as u64, len).unwrap(), bytes);
    }
    assert_eq!(core.read(0, 4096).unwrap(), memory);
    let statistics = core.statistics();
    let noise = served.off();
    println!(
        "{statistics:?}; of {} bytes {} changed, {} lost, {} inserted, {} without stop bit",
        noise.passed, noise.changed, noise.lost, noise.inserted, noise.broken
    );
    assert!(noise.changed > 10 && noise.lost > 5 && noise.inserted > 5 && noise.broken > 5);
    assert!(statistics.resent > 20 && statistics.damaged > 10, "{statistics:?}");
}

#[test]
fn faults_come_back_and_the_board_goes_on() {
    let config = Config::tiny();
    let served = Served::new(Board::Bare, &config, 5, Noise::none());
    let mut core = open(&served, &config);
    let text = "mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=64 gm_stride=64 dst_stride=64\nend\n";
    let assembly = isa::asm::assemble(text, "outside").unwrap_or_else(|errors| panic!("{errors:?}"));
    let window = Window { first: 0, last: 31, rights: RIGHT_READ | RIGHT_WRITE };
    let outside = Program::new(assembly.program, 4096, vec![0; 16], vec![window]).unwrap();
    match core.run(&outside) {
        Err(HostError::Fault(record)) => assert_eq!(record.cause, isa::Cause::WindowRead),
        other => panic!("{other:?}"),
    }
    multiply(&mut core, [4, 4, 4], 5);
    // Beyond the memory nothing is asked for.
    let error = core.write(32 << 10, &[1]).unwrap_err().to_string();
    assert!(error.contains("32769") && error.contains("32768"), "{error}");
    // A board that was reset does not go on in the midst of something.
    served.press_reset();
    std::thread::sleep(Duration::from_millis(200));
    let error = loop {
        if let Err(error) = core.read(0, 4) {
            break error;
        }
    };
    assert!(matches!(error, HostError::Link(LinkError::Reset)), "{error}");
    drop(core);
    multiply(&mut open(&served, &config), [4, 4, 4], 6);
    served.off();
}

#[test]
fn what_is_no_board_is_told_in_a_sentence() {
    let config = Config::tiny();
    let usual = SerialSettings { patience: Duration::from_millis(20), attempts: 3, ..SerialSettings::default() };
    let error = |path: &Path, config: &Config, settings| match Serial::open(path, config, settings) {
        Ok(_) => panic!("there is no such board"),
        Err(error) => error.to_string(),
    };
    assert!(error(Path::new("/dev/ttyNothing"), &config, usual).contains("no port /dev/ttyNothing"));
    assert!(error(Path::new("/dev/null"), &config, usual).contains("cannot be set"));
    let (mut line, port) = serial2::SerialPort::pair().unwrap();
    let path = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&port))).unwrap();
    let silent = error(&path, &config, usual);
    assert!(silent.contains("nothing answers") && silent.contains("3 requests at 1000000 baud"), "{silent}");
    // What answers every byte with rubbish.
    line.set_read_timeout(Duration::from_millis(2)).unwrap();
    let chatter = std::thread::spawn(move || {
        let mut bytes = [0; 256];
        for _ in 0..200 {
            let _ = line.read(&mut bytes);
            let _ = line.write_all(&[0x7e, 1, 2, 3, 0x7e]);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let noisy = error(&path, &config, usual);
    assert!(noisy.contains("too noisy"), "{noisy}");
    chatter.join().unwrap();
    let served = Served::new(Board::Bare, &config, 7, Noise::none());
    let wrong = error(&served.path, &Config::lite(), patient());
    assert!(wrong.contains("the core `tiny`, not `lite`") && wrong.contains("--config tiny"), "{wrong}");
    let first = open(&served, &config);
    assert!(error(&served.path, &config, patient()).contains("used by another program"));
    drop(first);
    served.off();
}

#[test]
#[ignore = "builds lite, which takes minutes; cargo test --test board -- --ignored"]
fn a_product_runs_on_a_board_with_lite() {
    let config = Config::lite();
    let served = Served::new(Board::Ulx3s, &config, 9, Noise::none());
    let mut core = open(&served, &config);
    multiply(&mut core, [24, 40, 48], 9);
    served.off();
}
