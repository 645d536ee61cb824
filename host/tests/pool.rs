// SPDX-License-Identifier: Apache-2.0
//! The largest result of the taps of a kernel, and maximum pooling: equal to plain loops on the model for every kind of core, and on the
//! simulated hardware.

#![allow(clippy::unwrap_used)]

mod common;

use common::conv::ConvCase;
use common::{core_for, on_both};
use host::{Conv, HostError, Modelled, Output, Reduce, Residual, Transport, conv2d};
use isa::{Config, Dtype, check};
use rand::{Rng, RngExt};

/// Any convolution with results of 8 bits whose taps have results of their own.
fn random_case(rng: &mut impl Rng, most: u64) -> ConvCase {
    loop {
        let mut case = ConvCase::random(rng, most);
        case.conv.reduce = Reduce::Max;
        if case.conv.validate().is_ok() {
            return case;
        }
    }
}

#[test]
fn random_maxima_on_random_cores_of_the_model() {
    let mut rng = tb::seed(71).rng;
    let (mut met, mut without) = (0, 0);
    for _ in 0..tb::rounds(150) {
        let config = Config::random(|| rng.next_u64());
        let case = random_case(&mut rng, 60_000);
        let compiled = match case.conv.compile(&config) {
            Err(HostError::NoTiling { .. }) => {
                without += 1;
                continue;
            }
            compiled => compiled.unwrap(),
        };
        let found = check(compiled.program().instructions(), &config);
        assert!(found.is_ok(), "{case} on {config:?}: {}", found.unwrap_err()[0]);
        let product = compiled.run(&mut Modelled::new(&config, 9).unwrap(), &case.x, &case.weights).unwrap();
        case.compare(&product.values());
        met += 1;
    }
    println!("{met} convolutions, {without} cores without room");
    assert!(met > without, "{met} convolutions, {without} cores without room");
}

fn random_maxima(config: &Config, count: usize, seed: u64) {
    sim::waves::on_failure(&format!("maxima-{}", config.name), || {
        let mut rng = tb::seed(seed).rng;
        let mut core = None;
        for number in 0..tb::rounds(count) {
            let core = core_for(&mut core, config, number, &mut rng);
            let case = random_case(&mut rng, 20_000);
            let compiled = case.conv.compile(config).unwrap();
            let run = |core: &mut dyn Transport| compiled.run(core, &case.x, &case.weights);
            case.compare(&on_both(core, compiled.program(), &case, run).values());
        }
    });
}

#[test]
fn random_maxima_on_simulated_tiny() {
    random_maxima(&Config::tiny(), 16, 72);
}

#[test]
fn random_maxima_on_simulated_lite() {
    random_maxima(&Config::lite(), 16, 73);
}

/// The largest numbers of the windows of x \[h, w, channels\], by loops over the map alone.
fn pooled(pool: &Conv, x: &[u8]) -> Vec<i32> {
    let [out_h, out_w] = pool.out();
    let number = |byte: u8| if pool.dtype_x == Dtype::S8 { i32::from(byte as i8) } else { i32::from(byte) };
    let mut largest = vec![i32::MIN; out_h * out_w * pool.cout];
    for (index, largest) in largest.iter_mut().enumerate() {
        let (channel, pixel) = (index % pool.cout, index / pool.cout);
        let [top, left] = [pixel / out_w * pool.stride[0], pixel % out_w * pool.stride[1]];
        for (y, x_at) in (0..pool.h).flat_map(|y| (0..pool.w).map(move |x| (y, x))) {
            let inside = |at: usize, first: usize, axis: usize| {
                let reach = (pool.kernel[axis] - 1) * pool.dilation[axis];
                let far = (at + pool.pads[axis]).checked_sub(first);
                far.is_some_and(|far| far <= reach && far.is_multiple_of(pool.dilation[axis]))
            };
            if inside(y, top, 0) && inside(x_at, left, 1) {
                *largest = number(x[(y * pool.w + x_at) * pool.cout + channel]).max(*largest);
            }
        }
    }
    largest
}

/// Pools of networks and odd ones: 3 x 3 with stride 2 and padding, 2 x 2, one line, one with dilation, more channels than a block.
fn pools() -> Vec<Conv> {
    let pool = |map, kernel, dtype, stride, pads| Conv { stride, pads, ..Conv::max_pool(map, kernel, dtype) };
    vec![
        pool([20, 20, 64], [3, 3], Dtype::U8, [2; 2], [1; 4]),
        pool([12, 18, 33], [2, 2], Dtype::S8, [2; 2], [0; 4]),
        pool([1, 37, 5], [1, 4], Dtype::S8, [1; 2], [0, 3, 0, 1]),
        Conv { dilation: [2, 3], ..pool([15, 17, 40], [3, 2], Dtype::U8, [1, 2], [1, 0, 2, 1]) },
        pool([6, 6, 3], [6, 6], Dtype::S8, [1; 2], [0; 4]),
    ]
}

fn pools_are_right(core: &mut dyn Transport, seed: u64) {
    let mut rng = tb::seed(seed).rng;
    for pool in pools() {
        let x: Vec<u8> = (0..pool.x_bytes()).map(|_| rng.random()).collect();
        let product = conv2d(core, &pool, &x, &vec![1; pool.w_bytes()]).unwrap();
        let wrong = product.values().iter().zip(&pooled(&pool, &x)).position(|(got, want)| got != want);
        assert_eq!(wrong, None, "{pool:?} on {}: first wrong element", core.config().name);
    }
}

#[test]
fn pools_on_the_model_are_right() {
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        pools_are_right(&mut Modelled::new(&config, 5).unwrap(), 74);
    }
}

#[test]
fn pools_on_the_simulated_cores_are_right() {
    for config in [Config::tiny(), Config::lite()] {
        sim::waves::on_failure(&format!("pools-{}", config.name), || {
            let mut rng = tb::seed(75).rng;
            pools_are_right(core_for(&mut None, &config, 0, &mut rng), 76);
        });
    }
}

#[test]
fn what_a_maximum_needs_is_said() {
    let says = |conv: Conv| conv.validate().unwrap_err().to_string();
    let sentence = "the largest result of the taps is kept of results of 8 bits without a residual: quantise the output and leave the residual away";
    let pool = Conv::max_pool([4, 4, 4], [2, 2], Dtype::S8);
    assert_eq!(says(Conv { output: Output::Int32, ..pool.clone() }), sentence);
    assert_eq!(says(Conv { residual: Some(Residual::Max), ..pool.clone() }), sentence);
    let without_ub = Config { ub_bytes: 0, ..Config::tiny() };
    assert!(matches!(pool.compile(&without_ub), Err(HostError::NoTiling { .. })));
}
