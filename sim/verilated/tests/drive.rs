// SPDX-License-Identifier: Apache-2.0
//! Driving: ports of every size in place, clocks, power-up states, stops that stay inside their instance, waveforms.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use verilated::{Build, Clocked, Direction, Error, Model, Reset, Wave};

const ADDER: &str = "
module adder(input clk, input rst, input [7:0] a, input [11:0] b, output reg [12:0] sum, output [8:0] now);
  assign now = {1'b0, a} + 9'd1;
  always @(posedge clk) if (rst) sum <= 13'd0; else sum <= {5'd0, a} + {1'b0, b};
endmodule";

fn adder() -> Arc<Model> {
    Build::new("adder").text("adder.v", ADDER).cycles_hint(100).build().expect("the adder builds")
}

#[test]
fn a_clocked_adder_shows_combinational_values_before_and_registered_ones_after_the_edge() -> verilated::Result<()> {
    let mut sim = Clocked::new(adder().instance(Reset::Zeros)?, "clk", 10)?;
    let [a, b, sum, now] = ["a", "b", "sum", "now"].map(|name| sim.port(name).expect("declared"));
    sim.dut_mut().set(a, 200);
    sim.dut_mut().set(b, 4000);
    sim.settle()?;
    assert_eq!((sim.dut().get(now), sim.dut().get(sum)), (201, 0));
    sim.rise()?;
    assert_eq!((sim.dut().get(sum), sim.cycle(), sim.dut().time()), (4200, 1, 5));
    sim.finish()
}

#[test]
fn an_unknown_port_is_told_with_all_ports_there_are() {
    let error = adder().port("summ").expect_err("there is none");
    let text = error.to_string();
    assert!(matches!(error, Error::UnknownPort { .. }));
    for part in ["`summ`", "input clk[1]", "input b[12]", "output sum[13]"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
#[should_panic(expected = "cannot be set to 0x100")]
fn a_value_that_does_not_fit_is_refused() {
    let mut dut = adder().instance(Reset::Zeros).expect("made");
    let a = dut.port("a").expect("declared");
    dut.set(a, 256);
}

#[test]
#[should_panic(expected = "it is an output")]
fn an_output_cannot_be_set() {
    let mut dut = adder().instance(Reset::Zeros).expect("made");
    let sum = dut.port("sum").expect("declared");
    dut.set(sum, 1);
}

#[test]
fn wide_ports_are_words_and_bytes_in_place() -> verilated::Result<()> {
    let text = "module wide(input [511:0] a, input [63:0] c, input [31:0] w, input [39:0] s, output [511:0] q, output [63:0] d, output [9:0] n);
      assign q = {a[255:0], ~a[511:256]}; assign d = c + {32'd0, w}; assign n = s[39:30]; endmodule";
    let model = Build::new("wide").text("wide.v", text).cycles_hint(1).build()?;
    let mut dut = model.instance(Reset::Zeros)?;
    let [a, c, w, s, q, d, n] = ["a", "c", "w", "s", "q", "d", "n"].map(|name| dut.port(name).expect("declared"));
    assert_eq!(
        (dut.words(a).len(), dut.bytes(a).len(), dut.bytes(s).len(), dut.bytes(n).len(), a.bits()),
        (16, 64, 5, 2, 512)
    );
    for (index, word) in dut.words_mut(a).iter_mut().enumerate() {
        *word = 0x0101_0101 * index as u32;
    }
    dut.bytes_mut(c).copy_from_slice(&[0xFF; 8]);
    dut.words_mut(w)[0] = 2;
    dut.set(s, 0xFF_C000_0000);
    dut.eval()?;
    let expected: Vec<u32> = (8..16u32).map(|i| !(0x0101_0101 * i)).chain((0..8).map(|i| 0x0101_0101 * i)).collect();
    assert_eq!(dut.words(q), expected);
    assert_eq!((dut.get(d), dut.get(n)), (1, 0x3FF));
    assert_eq!(dut.bytes(q)[63], 7);
    let direction = |name| model.ports().iter().find(|port| port.name == name).expect("declared").direction;
    assert_eq!((direction("a"), direction("q")), (Direction::Input, Direction::Output));
    Ok(())
}

#[test]
#[should_panic(expected = "is wider than 64 bits")]
fn a_wide_port_has_no_single_value() {
    let text = "module wide65(input [64:0] a, output b); assign b = ^a; endmodule";
    let model = Build::new("wide65").text("wide65.v", text).cycles_hint(1).build().expect("built");
    let dut = model.instance(Reset::Zeros).expect("made");
    let _ = dut.get(dut.port("a").expect("declared"));
}

#[test]
fn names_that_verilator_encodes_are_found_by_their_verilog_name() -> verilated::Result<()> {
    let text = "module names(input a__b, input double, output q); assign q = a__b ^ double; endmodule";
    let mut dut = Build::new("names").text("names.v", text).cycles_hint(1).build()?.instance(Reset::Zeros)?;
    let [a, b, q] = ["a__b", "double", "q"].map(|name| dut.port(name).expect("declared"));
    dut.set(a, 1);
    dut.set(b, 0);
    dut.eval()?;
    assert_eq!(dut.get(q), 1);
    Ok(())
}

const STOPPER: &str = "
module stopper(input clk, input [3:0] n, output reg [7:0] count);
  initial count = 8'd0;
  always @(posedge clk) begin
    count <= count + 8'd1;
    if (n == 4'd1) $fatal(1, \"n is one at count %0d\", count);
    if (n == 4'd2) $stop;
    if (n == 4'd3) $finish;
    if (n == 4'd4) $display(\"hello %0d at %0t\", count, $time);
    if (n == 4'd5) $error(\"n is five\");
    assert (n != 4'd6) else $error(\"n is six\");
  end
endmodule";

fn stopper(assertions: bool) -> Arc<Model> {
    let build = Build::new("stopper").text("stopper.v", STOPPER).cycles_hint(1);
    let build = if assertions { build.assertions() } else { build };
    build.build().expect("the stopper builds")
}

#[test]
fn fatal_stop_error_and_assertions_end_their_instance_only() -> verilated::Result<()> {
    let model = stopper(true);
    let mut other = Clocked::new(model.instance(Reset::Zeros)?, "clk", 10)?;
    other.run(3)?;
    for (n, expected) in [(1, "n is one at count 2"), (2, "stopper.v:"), (5, "n is five"), (6, "n is six")] {
        let mut sim = Clocked::new(model.instance(Reset::Zeros)?, "clk", 10)?;
        let port = sim.port("n")?;
        sim.run(2)?;
        sim.dut_mut().set(port, n);
        let first = sim.step().expect_err("the design stops itself").to_string();
        assert!(first.contains(expected) && first.contains("`stopper` stopped at 25 ns"), "{first}");
        assert_eq!(sim.step().expect_err("it stays stopped").to_string().replace("20 ns", "25 ns"), first);
        assert!(sim.finish().is_err());
        other.step()?;
    }
    assert_eq!(other.dut().get(other.port("count")?), 7);
    other.finish()
}

#[test]
fn without_assertions_only_the_unconditional_stops_count() -> verilated::Result<()> {
    let mut sim = Clocked::new(stopper(false).instance(Reset::Zeros)?, "clk", 10)?;
    let n = sim.port("n")?;
    sim.dut_mut().set(n, 6);
    sim.run(3)?;
    sim.dut_mut().set(n, 1);
    assert!(sim.step().is_err());
    Ok(())
}

#[test]
fn finish_is_seen_by_its_own_instance_among_many_on_one_thread() -> verilated::Result<()> {
    let model = stopper(true);
    let mut sims = Vec::new();
    for _ in 0..3 {
        sims.push(Clocked::new(model.instance(Reset::Zeros)?, "clk", 10)?);
    }
    let n = model.port("n")?;
    sims[1].dut_mut().set(n, 3);
    sims[2].dut_mut().set(n, 4);
    sims.iter_mut().try_for_each(Clocked::step)?;
    assert_eq!(sims.iter().map(|sim| sim.dut().finished()).collect::<Vec<_>>(), [false, true, false]);
    Ok(())
}

#[test]
fn a_loop_that_does_not_settle_is_an_error_and_not_a_hang() -> verilated::Result<()> {
    let text = "module ring(input go, output q); wire a = go & ~b; wire b = a; assign q = a; endmodule";
    let mut dut = Build::new("ring").text("ring.v", text).cycles_hint(1).build()?.instance(Reset::Zeros)?;
    let go = dut.port("go")?;
    dut.eval()?;
    dut.set(go, 1);
    let error = dut.eval().expect_err("it oscillates").to_string();
    assert!(error.contains("converge"), "{error}");
    Ok(())
}

#[test]
fn power_up_state_follows_mode_and_seed() -> verilated::Result<()> {
    let text = "module power(input clk, input [63:0] d, output reg [63:0] q, output reg [199:0] w);
      always @(posedge clk) if (d[0]) begin q <= d; w <= {136'd0, d}; end endmodule";
    let model = Build::new("power").text("power.v", text).cycles_hint(1).build()?;
    let state = |reset| {
        let mut dut = model.instance(reset).expect("made");
        dut.eval().expect("evaluated");
        (dut.get(model.port("q").expect("declared")), dut.words(model.port("w").expect("declared")).to_vec())
    };
    assert_eq!(state(Reset::Zeros), (0, vec![0; 7]));
    assert_eq!(state(Reset::Ones), (u64::MAX, [vec![u32::MAX; 6], vec![0xFF]].concat()));
    let seven = state(Reset::Random(7));
    assert_ne!(seven, state(Reset::Random(8)));
    assert_ne!(seven.0, 0);
    // Other threads seed at the same time; the state of seed 7 may not depend on that.
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4u32)
            .map(|thread| {
                let state = &state;
                scope.spawn(move || {
                    (0..100)
                        .map(|i| state(Reset::Random(if i % 2 == 0 { 7 } else { thread * 100 + i })))
                        .step_by(2)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for thread in threads {
            assert!(thread.join().expect("no panic").iter().all(|one| *one == seven));
        }
    });
    Ok(())
}

#[test]
fn a_waveform_is_written_and_read_back() -> verilated::Result<()> {
    let model = Build::new("adder").text("adder.v", ADDER).cycles_hint(100).trace(true).build()?;
    let path = std::env::temp_dir().join(format!("verilated-wave-{}", std::process::id())).join("adder.vcd");
    let mut dut = model.instance(Reset::Zeros)?;
    dut.trace(&path)?;
    let mut sim = Clocked::new(dut, "clk", 10)?;
    let [a, b] = ["a", "b"].map(|name| sim.port(name).expect("declared"));
    for n in 0..20 {
        sim.dut_mut().set(a, n);
        sim.dut_mut().set(b, 100 * n);
        sim.step()?;
    }
    sim.finish()?;
    let wave = Wave::read(&path)?;
    let sum = wave.signal("adder.sum")?;
    assert_eq!(sum.bits, 13);
    for n in 0..20 {
        assert_eq!(sum.at(n * 10 + 5), Some(101 * n), "just after edge {n}");
    }
    assert_eq!(wave.signal("clk")?.changes.len(), 40);
    assert!(wave.signal("nothing").expect_err("not there").to_string().contains("TOP.adder.sum"));
    std::fs::remove_dir_all(path.parent().expect("it has one")).expect("removable");
    Ok(())
}

/// A writer that a test can look into.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_waveform_can_go_anywhere_pause_and_start_again() -> verilated::Result<()> {
    let model = Build::new("adder").text("adder.v", ADDER).cycles_hint(100).trace(true).build()?;
    let mut sim = Clocked::new(model.instance(Reset::Zeros)?, "clk", 10)?;
    let a = sim.port("a")?;
    for first in [0, 7] {
        let text = Shared::default();
        sim.dut_mut().trace_to("memory", text.clone())?;
        let header = || text.0.borrow().len();
        assert!(sim.dut_mut().trace_to("memory", io::sink()).is_err(), "one at a time");
        sim.dut_mut().flush_trace();
        let empty = header();
        assert!(empty > 0, "the header is there at once");
        sim.dut_mut().pause_trace(true);
        sim.dut_mut().set(a, first);
        sim.run(3)?;
        sim.dut_mut().flush_trace();
        assert_eq!(header(), empty, "nothing while it is paused");
        sim.dut_mut().pause_trace(false);
        let begun = sim.cycle();
        sim.step()?;
        sim.dut_mut().close_trace()?;
        let text = String::from_utf8_lossy(&text.0.borrow()).into_owned();
        let changes = text.split("$enddefinitions $end").nth(1).expect("a whole header");
        let stamp = changes.lines().find(|line| line.starts_with('#')).expect("a time");
        assert_eq!(stamp, format!("#{}", 10 * begun));
        assert!(changes.lines().any(|line| line.starts_with(&format!("b{first:08b} "))), "every value: {changes}");
    }
    Ok(())
}

#[test]
fn a_waveform_that_cannot_be_written_is_an_error() -> verilated::Result<()> {
    let model = Build::new("adder").text("adder.v", ADDER).cycles_hint(100).trace(true).build()?;
    let mut sim = Clocked::new(model.instance(Reset::Zeros)?, "clk", 10)?;
    sim.dut_mut().trace("/dev/full")?;
    sim.run(3)?;
    let error = sim.dut_mut().close_trace().expect_err("there is no room on it").to_string();
    assert!(error.starts_with("waveform /dev/full: it cannot be written"), "{error}");
    Ok(())
}

#[test]
fn a_design_that_stops_leaves_a_complete_waveform() -> verilated::Result<()> {
    let model = Build::new("stopper").text("stopper.v", STOPPER).cycles_hint(1).assertions().trace(true).build()?;
    let path = std::env::temp_dir().join(format!("verilated-stop-{}.vcd", std::process::id()));
    let mut dut = model.instance(Reset::Zeros)?;
    dut.trace(&path)?;
    let mut sim = Clocked::new(dut, "clk", 10)?;
    sim.run(4)?;
    let n = sim.port("n")?;
    sim.dut_mut().set(n, 1);
    assert!(sim.step().is_err());
    let wave = Wave::read(&path)?;
    assert_eq!(wave.signal("stopper.n")?.at(45), Some(1));
    std::fs::remove_file(&path).expect("removable");
    Ok(())
}

#[test]
fn a_waveform_without_tracing_is_an_error_that_says_so() -> verilated::Result<()> {
    let error = adder().instance(Reset::Zeros)?.trace("never.vcd").expect_err("not traced");
    assert!(error.to_string().contains("trace(true)"));
    Ok(())
}

#[test]
fn many_threads_drive_many_instances() -> verilated::Result<()> {
    let model = adder();
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let model = &model;
            scope.spawn(move || {
                for round in 0..50 {
                    let mut sim =
                        Clocked::new(model.instance(Reset::Random(round)).expect("made"), "clk", 10).expect("started");
                    let [rst, a, b, sum] = ["rst", "a", "b", "sum"].map(|name| sim.port(name).expect("declared"));
                    sim.dut_mut().set(rst, 0);
                    for n in 0..20 {
                        sim.dut_mut().set(a, thread * 10 + n);
                        sim.dut_mut().set(b, u64::from(round));
                        sim.step().expect("no stop");
                        assert_eq!(sim.dut().get(sum), thread * 10 + n + u64::from(round));
                    }
                }
            });
        }
    });
    Ok(())
}

#[test]
fn shifts_of_shifts_keep_the_sum_of_their_amounts() -> verilated::Result<()> {
    // Some versions of Verilator rewrite this to one shift by a sum that is too narrow; the build turns that off.
    let text = "module shifts(input [7:0] a, input [2:0] b, input [2:0] c, output [7:0] l, output [7:0] r);
      assign l = (a << b) << c; assign r = (a >> b) >> c; endmodule";
    let mut dut = Build::new("shifts").text("shifts.v", text).cycles_hint(1).build()?.instance(Reset::Zeros)?;
    let [a, b, c, l, r] = ["a", "b", "c", "l", "r"].map(|name| dut.port(name).expect("declared"));
    dut.set(a, 0xB5);
    for (one, two) in (0..8).flat_map(|one| (0..8).map(move |two| (one, two))) {
        dut.set(b, one);
        dut.set(c, two);
        dut.eval()?;
        let expected = ((0xB5 << one << two) & 0xFF, 0xB5 >> one >> two);
        assert_eq!((dut.get(l), dut.get(r)), expected, "shifts by {one} and {two}");
    }
    Ok(())
}
