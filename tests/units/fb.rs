// SPDX-License-Identifier: Apache-2.0
//! FB: every value comes back two cycles later, FIX gets any consecutive channels.

use crate::common::{Random, compared, prints_and_lints};
use rtl::fb::Fb;
use rtl::twin::Twin;
use tb::Lockstep;

/// Bias, scale and shift of every channel asked for, and a zero point; None is not written yet.
type Expected = (Vec<[Option<u64>; 3]>, Option<u64>);

#[test]
fn values_come_back_from_any_channel() {
    let core = |banks: usize| isa::Config { m0: 4, fix_lanes: 4 * banks, fb_channels: 64, ..isa::Config::max() };
    follows_the_model(&[1, 2, 4, 8].map(core));
}

#[test]
fn fb_is_the_same_in_verilog() {
    for core in compared() {
        let lockstep = Lockstep::of(&core, "fb");
        lockstep.with(|uut: &Fb| uut, || follows_the_model(&[core]));
        lockstep.finish();
    }
}

/// Random writes and reads against a table.
fn follows_the_model(cores: &[isa::Config]) {
    let mut random = Random::seeded(21);
    for core in cores {
        let banks = (core.fix_lanes / core.m0).max(1);
        let channels = core.fb_channels;
        let mut twin = Twin::new(Fb::new(core), |uut: &mut Fb, clk| uut.clk.next = clk);
        let mut table = vec![[None::<u64>; 4]; channels];
        let mut expected: [Option<Expected>; 2] = [None, None];
        let mut compared = 0;
        for cycle in 0..3000 {
            let write =
                random.chance(70).then(|| (random.below(4), random.below(channels), random.next() & 0xFFFF_FFFF));
            let mut fix = random.below(channels - banks + 1);
            let mut zero = random.below(channels);
            if let Some((field, channel, _)) = write {
                if field < 3 && (fix..fix + banks).contains(&channel) {
                    fix = if channel >= banks { 0 } else { channels - banks };
                }
                zero = if field == 3 && zero == channel { (channel + 1) % channels } else { zero };
            }
            twin.uut.write_valid.next = write.is_some();
            if let Some((field, channel, value)) = write {
                twin.uut.write_field.next = (field as u64).into();
                twin.uut.write_channel.next = (channel as u64).into();
                twin.uut.write_data.next = value.into();
            }
            twin.uut.fix_channel.next = (fix as u64).into();
            twin.uut.zero_channel.next = (zero as u64).into();
            twin.settle();
            if let Some((fields, zero)) = &expected[1] {
                for (lane, want) in fields.iter().enumerate() {
                    let got = [
                        u64::from(twin.uut.fix_bias[lane].val()),
                        twin.uut.fix_scale[lane].val().into(),
                        twin.uut.fix_shift[lane].val().into(),
                    ];
                    for field in 0..3 {
                        if let Some(want) = want[field] {
                            assert_eq!(got[field], want, "cycle {cycle}, {banks} banks, lane {lane}, field {field}");
                            compared += 1;
                        }
                    }
                }
                if let Some(want) = zero {
                    assert_eq!(u64::from(twin.uut.zero_point.val()), *want, "cycle {cycle}: zero point");
                }
            }
            let fields = (fix..fix + banks).map(|c| [table[c][0], table[c][1], table[c][2]]).collect();
            expected = [Some((fields, table[zero][3])), expected[0].take()];
            twin.edge();
            if let Some((field, channel, value)) = write {
                table[channel][field] = Some(value & [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFF, 0x1FF][field]);
            }
        }
        assert!(compared > 1000, "only {compared} values were compared");
    }
}

#[test]
fn prints() {
    for (name, core) in [("tiny", isa::Config::tiny()), ("lite", isa::Config::lite()), ("max", isa::Config::max())] {
        prints_and_lints(&mut Fb::new(&core), &format!("fb_{name}"));
    }
}
