// SPDX-License-Identifier: Apache-2.0
//! What driving costs, in the worst case: a design that computes almost nothing. Run with `--release -- --ignored --nocapture`.

use std::time::Instant;

use verilated::{Build, Clocked, Reset};

#[test]
#[ignore = "a measurement"]
fn cycles_per_second_of_a_tiny_design() -> verilated::Result<()> {
    const CYCLES: u64 = 2_000_000;
    let text = "module speed(input clk, input [511:0] a, input valid, output reg [511:0] q, output reg [31:0] n);
      always @(posedge clk) if (valid) begin q <= q + a; n <= n + 32'd1; end endmodule";
    let model = Build::new("speed").text("speed.v", text).build()?;
    let mut sim = Clocked::new(model.instance(Reset::Zeros)?, "clk", 10)?;
    let [a, valid, q, n] = ["a", "valid", "q", "n"].map(|name| sim.port(name).expect("declared"));
    let (start, mut sum) = (Instant::now(), 0u64);
    for cycle in 0..CYCLES {
        sim.dut_mut().set(valid, cycle & 1);
        sim.dut_mut().words_mut(a)[0] = cycle as u32;
        sim.step()?;
        sum = sum.wrapping_add(u64::from(sim.dut().words(q)[0]));
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(sim.dut().get(n), CYCLES / 2);
    println!("{:.2} Mcycles/s, Verilator {}, checksum {sum:x}", CYCLES as f64 / seconds / 1e6, model.info().verilator);
    Ok(())
}

/// A flat `n`^3 array of multipliers with registered products and sums, as a generator would write it.
fn multipliers(n: usize) -> String {
    use std::fmt::Write as _;
    let (bits, sums) = (8 * n * n, 32 * n * n);
    let (mut regs, mut steps) = (String::new(), String::new());
    for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
        let mut sum = format!("c[{} +: 32]", 32 * (i * n + j));
        for k in 0..n {
            let (a, b) = (8 * (i * n + k), 8 * (k * n + j));
            let _ = writeln!(regs, "  reg signed [15:0] p_{i}_{j}_{k};");
            let _ = writeln!(steps, "    p_{i}_{j}_{k} <= $signed(a[{a} +: 8]) * $signed(b[{b} +: 8]);");
            let _ = write!(sum, " + {{{{16{{p_{i}_{j}_{k}[15]}}}}, p_{i}_{j}_{k}}}");
        }
        let _ = writeln!(steps, "    c[{} +: 32] <= {sum};", 32 * (i * n + j));
    }
    let ports = format!("input clk, input [{}:0] a, input [{}:0] b, output reg [{}:0] c", bits - 1, bits - 1, sums - 1);
    format!("module mac{n}({ports});\n{regs}  always @(posedge clk) begin\n{steps}  end\nendmodule\n")
}

#[test]
#[ignore = "a measurement"]
fn build_time_and_speed_of_large_designs() -> verilated::Result<()> {
    for (n, hint, trace) in
        [(8, 1_000_000, false), (8, 1_000, false), (16, 1_000, false), (16, 1_000_000, false), (16, 1_000_000, true)]
    {
        // A comment makes it new, so that it is really built.
        let text = format!("{}// {:?}\n", multipliers(n), std::time::SystemTime::now());
        let build = Build::new(&format!("mac{n}")).text("mac.v", text).cycles_hint(hint).trace(trace);
        let model = build.build()?;
        let mut sim = Clocked::new(model.instance(Reset::Random(1))?, "clk", 10)?;
        let [a, b] = ["a", "b"].map(|name| sim.port(name).expect("declared"));
        let (start, mut cycles) = (Instant::now(), 0u32);
        while start.elapsed().as_secs_f64() < 1.0 {
            sim.dut_mut().words_mut(a).fill(cycles.wrapping_mul(0x9E37_79B9));
            sim.dut_mut().words_mut(b).fill(cycles.wrapping_mul(0x85EB_CA6B));
            sim.step()?;
            cycles += 1;
        }
        let speed = f64::from(cycles) / start.elapsed().as_secs_f64() / 1e3;
        let info = model.info();
        println!(
            "{n}^3 multipliers, {}, trace {trace}: built in {:.1} s, {speed:.1} kcycles/s",
            info.opt, info.seconds
        );
        print!(
            "{}",
            std::fs::read_to_string(info.folder.join("build.log"))
                .unwrap_or_default()
                .lines()
                .map(|line| format!("  {:.60}\n", line))
                .collect::<String>()
        );
        std::fs::remove_dir_all(&info.folder).expect("removable");
    }
    Ok(())
}
