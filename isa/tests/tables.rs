// SPDX-License-Identifier: Apache-2.0
//! Claims: configurations are legal or say why not; register map and counters have no holes and no overlaps.

#![allow(clippy::unwrap_used)]

mod common;

use common::{numbers, seed};
use isa::csr::{self, Access, CONTEXT_PAGE, DEVICE_PAGE, context, device};
use isa::*;
use std::collections::HashSet;

#[test]
fn named_cores_are_legal_and_have_the_sizes_of_the_architecture() {
    for name in Config::NAMES {
        let config = Config::named(name).unwrap().checked().unwrap();
        assert_eq!(config.name, name);
    }
    let macs = [Config::tiny(), Config::lite(), Config::max()].map(|config| config.peak_macs());
    assert_eq!(macs, [64, 256, 8192]);
    let lite = Config::lite();
    assert_eq!((lite.l0a_fractals(), lite.l0b_fractals(), lite.l0c_fractals()), (64, 64, 32));
    assert_eq!(
        (lite.l0a_blocks_per_fractal(), lite.l0b_blocks_per_fractal(), lite.l0c_blocks_per_fractal()),
        (8, 8, 16)
    );
    assert_eq!((lite.a_block_bytes(), lite.b_block_bytes()), (64, 64));
    assert_eq!(lite.cube_steps(5, 4, 17), 2 * 2);
    let error = Config::named("huge").unwrap_err();
    assert_eq!(error.to_string(), "unknown core `huge`: choose one of tiny, lite, max");
}

#[test]
fn random_configurations_are_legal_small_and_varied() {
    let mut next = numbers(seed(20));
    let configs: Vec<Config> = (0..500).map(|_| Config::random(&mut next)).collect();
    for config in &configs {
        assert_eq!(config.validate(), Ok(()));
        assert!(config.peak_macs() <= 1024);
    }
    let distinct = |value: fn(&Config) -> usize| configs.iter().map(value).collect::<HashSet<_>>().len();
    assert_eq!(distinct(|config| config.m0), 4);
    assert_eq!(distinct(|config| config.k0), 4);
    assert_eq!(distinct(|config| config.n0), 4);
    assert_eq!(distinct(|config| config.bus_bytes), 4);
    assert_eq!(distinct(|config| config.fix_lanes), 5);
    let first = Config::random(numbers(7));
    assert_eq!(first, Config::random(numbers(7)));
}

#[test]
fn every_broken_rule_has_its_sentence() {
    let broken = |change: fn(&mut Config)| {
        let mut config = Config::lite();
        change(&mut config);
        config.checked().unwrap_err().to_string()
    };
    let size = |field: &str, value, range| format!("{field} is {value} but must be a power of two from {range}");
    assert_eq!(broken(|config| config.name.clear()), "core name \"\" must be 1 to 16 printable ascii characters");
    assert_eq!(broken(|config| config.m0 = 32), size("m0", 32, "2 to 16"));
    assert_eq!(broken(|config| config.k0 = 2), size("k0", 2, "4 to 32"));
    assert_eq!(broken(|config| config.n0 = 3), size("n0", 3, "2 to 16"));
    assert_eq!(broken(|config| config.l1_bytes = 2048), size("l1_bytes", 2048, "4096 to 16777216"));
    assert_eq!(broken(|config| config.l0a_bytes = 512), size("l0a_bytes", 512, "1024 to 1048576"));
    assert_eq!(broken(|config| config.l0b_bytes = 0), size("l0b_bytes", 0, "1024 to 1048576"));
    assert_eq!(broken(|config| config.l0c_bytes = 1024), size("l0c_bytes", 1024, "2048 to 4194304"));
    assert_eq!(broken(|config| config.outstanding = 65), size("outstanding", 65, "1 to 64"));
    assert_eq!(broken(|config| config.bus_bytes = 2), size("bus_bytes", 2, "4 to 64"));
    assert_eq!(broken(|config| config.queue_len = 1), size("queue_len", 1, "2 to 64"));
    assert_eq!(broken(|config| config.fetch_bytes = 100), size("fetch_bytes", 100, "64 to 4096"));
    assert_eq!(broken(|config| config.fb_channels = 8), size("fb_channels", 8, "16 to 4096"));
    assert_eq!(
        broken(|config| config.fix_lanes = 32),
        "fix_lanes is 32 but may be at most 16: fix takes its lanes from one m0 x n0 block"
    );
    assert_eq!(
        broken(|config| {
            config.bus_bytes = 4;
            config.fix_lanes = 8;
        }),
        "fix_lanes is 8 but may be at most 4: more results than bus bytes cannot leave in one cycle"
    );
    assert_eq!(
        broken(|config| config.dsp_mults = 257),
        "dsp_mults is 257 but may be at most 256: the cube has m0 x k0 x n0 multipliers"
    );
    assert_eq!(
        broken(|config| {
            config.bus_bytes = 64;
            config.fetch_bytes = 64;
        }),
        "fetch_bytes is 64 but must be at least 128, two words of the 64-byte bus"
    );
    assert_eq!(
        broken(|config| config.ub_bytes = 1000),
        "ub_bytes is 1000 but must be 0 or a multiple of 1024 up to 1048576"
    );
    assert_eq!(
        broken(|config| {
            (config.m0, config.n0, config.k0, config.l1_bytes) = (2, 2, 4, 1 << 16);
            (config.fix_lanes, config.bus_bytes, config.dsp_mults, config.ub_bytes) = (4, 8, 0, 1 << 20);
        }),
        "ub_bytes is 1048576 but may be at most 524288: a bank of ub has at most 65536 words"
    );
    assert_eq!(
        broken(|config| config.dtypes = config.dtypes.with(Dtype::Fp16)),
        "dtypes are {s8, u8, fp16, int32, fp32} but this version builds exactly {s8, u8, int32, fp32}"
    );
}

#[test]
fn the_build_hash_changes_with_every_field_but_the_name() {
    let changes: [fn(&mut Config); 16] = [
        |config| config.m0 = 8,
        |config| config.k0 = 8,
        |config| config.n0 = 8,
        |config| config.l1_bytes *= 2,
        |config| config.l0a_bytes *= 2,
        |config| config.l0b_bytes *= 2,
        |config| config.l0c_bytes *= 2,
        |config| config.ub_bytes = 1024,
        |config| config.fix_lanes = 4,
        |config| config.outstanding = 8,
        |config| config.bus_bytes = 32,
        |config| config.queue_len = 8,
        |config| config.fetch_bytes = 512,
        |config| config.dsp_mults = 0,
        |config| config.fb_channels = 256,
        |config| config.dtypes = DtypeSet::empty(),
    ];
    let mut hashes = HashSet::from([Config::lite().hash()]);
    for change in changes {
        let mut config = Config::lite();
        change(&mut config);
        assert!(hashes.insert(config.hash()));
    }
    let renamed = Config { name: "other".into(), ..Config::lite() };
    assert_eq!(renamed.hash(), Config::lite().hash());
    // The documented function, computed by hand over the seventeen numbers of `lite`.
    let numbers = [0x10000u32, 4, 16, 4, 131072, 32768, 32768, 32768, 32768, 8, 16, 16, 16, 1024, 123, 512, 0x303];
    let mut hash = 0x811c_9dc5u32;
    for byte in numbers.iter().flat_map(|number| number.to_le_bytes()) {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    assert_eq!(Config::lite().hash(), hash);
}

#[test]
fn registers_do_not_overlap_and_stand_in_order() {
    for page in [DEVICE_PAGE, CONTEXT_PAGE] {
        let mut offsets = HashSet::new();
        let mut names = HashSet::new();
        for csr in page {
            assert!(names.insert(csr.name));
            assert!((csr.count == 1) == (csr.stride == 0), "{}", csr.name);
            for offset in csr.offsets() {
                assert!(offset % 4 == 0 && offset < csr::PAGE_BYTES);
                assert!(offsets.insert(offset), "{} overlaps at {offset:#x}", csr.name);
                let (found, index) = csr::at(page, offset).unwrap();
                assert_eq!((found.name, offset), (csr.name, csr.offset + index * csr.stride));
            }
            let total: u32 = csr.fields.iter().map(|field| u32::from(field.width)).sum();
            assert_eq!(csr.mask().count_ones(), total, "fields of {} overlap", csr.name);
            assert_eq!(csr.reset.value(&Config::lite()) & !csr.mask(), 0, "{} resets a reserved bit", csr.name);
        }
        let firsts: Vec<u32> = page.iter().map(|csr| csr.offset).collect();
        assert!(firsts.is_sorted());
    }
    assert!(csr::at(DEVICE_PAGE, 0x05C).is_none() && csr::at(CONTEXT_PAGE, 0x114).is_none());
    assert!(csr::at(CONTEXT_PAGE, 0x002).is_none(), "offsets are whole words");
}

#[test]
fn the_device_page_shows_the_configuration() {
    let config = Config { name: "abcdefg".into(), ..Config::tiny() };
    let read = |offset| csr::at(DEVICE_PAGE, offset).unwrap().0.reset.value(&config);
    assert_eq!(read(device::MAGIC).to_le_bytes(), *b"QUAD");
    assert_eq!(read(device::BUILD_HASH), config.hash());
    assert_eq!((read(device::M0), read(device::K0), read(device::N0)), (4, 4, 4));
    assert_eq!(read(device::DTYPES), 0x303);
    assert_eq!(read(device::FEATURES), 7);
    assert_eq!(read(device::NAME).to_le_bytes(), *b"abcd");
    assert_eq!(read(device::NAME + 4).to_le_bytes(), *b"efg\0");
    assert!(DEVICE_PAGE.iter().all(|csr| csr.access == Access::Ro));
}

#[test]
fn windows_start_without_rights() {
    let (rights, _) = csr::at(CONTEXT_PAGE, context::WINDOW_RIGHTS).unwrap();
    assert_eq!(rights.reset.value(&Config::max()), 0);
    assert_eq!(rights.count, 8);
    assert_eq!(csr::context_address(0, context::WINDOW_RIGHTS), 0x1110);
}

#[test]
fn counters_have_distinct_names_and_indices() {
    let counters: Vec<Counter> = Counter::all().collect();
    assert_eq!(counters.len(), Counter::COUNT);
    let names: HashSet<String> = counters.iter().map(|counter| counter.name()).collect();
    assert_eq!(names.len(), Counter::COUNT);
    assert!(counters.iter().enumerate().all(|(index, counter)| counter.index() == index));
    assert_eq!(Counter::Pipe(Pipe::Mte1, Activity::WaitBlock).index(), 8);
    let end = context::COUNTER_LO + context::COUNTER_STRIDE * Counter::COUNT as u32;
    assert!(end <= csr::PAGE_BYTES);
}

#[test]
fn codes_and_names_are_inverse() {
    for code in 0..=255u8 {
        assert_eq!(Pipe::from_code(code).map(Pipe::code), (code < 7).then_some(code));
        assert_eq!(Dtype::from_code(code).map(Dtype::code), (code < 10).then_some(code));
        assert_eq!(Cause::from_code(code).map(Cause::code), (code < 18).then_some(code));
    }
    assert!(Pipe::ALL.into_iter().all(|pipe| Pipe::from_name(pipe.name()) == Some(pipe)));
    assert!(Dtype::ALL.into_iter().all(|dtype| Dtype::from_name(dtype.name()) == Some(dtype)));
    let mut flags = HashSet::new();
    for from in Pipe::ALL {
        for to in Pipe::ALL {
            for id in 0..9 {
                let index = Flag { from, to, id }.index();
                assert!(index.is_none_or(|index| index < Flag::COUNT && flags.insert(index)));
            }
        }
    }
    assert_eq!(flags.len(), 5 * 4 * 8);
}

#[test]
fn state_registers_are_dense_and_fit_their_width() {
    let mut state = State::reset();
    for pipe in Pipe::ALL {
        let own: Vec<u8> = STATE_REGISTERS.iter().filter(|one| one.pipe == pipe).map(|one| one.index).collect();
        assert_eq!(own, (0..own.len() as u8).collect::<Vec<u8>>());
    }
    for register in &STATE_REGISTERS {
        assert_eq!(state.get(register.pipe, register.index), register.reset);
        assert!(register.reset.is_none_or(|reset| register.admits(reset)));
        let (low, high) = register.range();
        for number in [low, -1, 0, 1, high].into_iter().filter(|number| (low..=high).contains(number)) {
            assert!(register.admits(register.bits(number)));
            assert_eq!(register.number(register.bits(number)), number);
        }
        state.set(register.pipe, register.index, 1);
        assert_eq!(state.get(register.pipe, register.index), Some(1));
    }
    assert_eq!(state.get(Pipe::M, 0), None);
}

#[test]
fn sizes_of_elements_round_up_to_bytes() {
    assert_eq!((Dtype::S4.bytes(3), Dtype::S8.bytes(3), Dtype::Bf16.bytes(3), Dtype::Int32.bytes(3)), (2, 3, 6, 12));
    assert_eq!((Dtype::U8.range(), Dtype::Fp16.range()), (Some((0, 255)), None));
}
