// SPDX-License-Identifier: Apache-2.0
//! What of a board is the vendor's: PLL, tri-state pads and the clock that leaves the chip, as text around the printed board.
//!
//! ```text
//!  clk_25mhz ─► EHXPLLL ─► clk ─► board            btn[1], not LOCK ─► hold
//!  sdram_d[16] ◄─► TRELLIS_IO (BIDIR) ─► register on the edge that `Timing::capture_halves` names ─► board
//!  sdram_clk ◄─ ODDRX1F: the clock inverted, so that pins change in the middle between its edges
//! ```
//! [`SIMULATED_CELLS`] are twins of the three cells with the same behaviour, for simulators; synthesis takes the vendor's.

use super::{BoardError, Timing};
use rtl::emit::{Design, Instance, Module, Port};

/// Twins of the vendor's cells: a PLL whose clock is the one that comes in and that locks after 8 cycles, a pad, and a register that gives D0 while its clock is
/// high and D1 while it is low.
pub const SIMULATED_CELLS: &str = r"// Twins of ECP5 cells for simulation; synthesis takes the vendor's.
module EHXPLLL #(
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
    parameter CLKOP_ENABLE = 0, CLKOP_TRIM_DELAY = 0, FEEDBK_PATH = 0, PLLRST_ENA = 0, INTFB_WAKE = 0, STDBY_ENABLE = 0,
    parameter DPHASE_SOURCE = 0, OUTDIVIDER_MUXA = 0
) (
    input CLKI, input CLKFB, input RST, input STDBY, input PHASESEL0, input PHASESEL1, input PHASEDIR, input PHASESTEP,
    input PHASELOADREG, input PLLWAKESYNC, input ENCLKOP,
    output CLKOP, output LOCK
);
    reg [3:0] count;
    initial count = 4'd0;
    always @(posedge CLKI) if (!LOCK) count <= count + 4'd1;
    assign LOCK = count[3];
    assign CLKOP = CLKI;
endmodule

module TRELLIS_IO #(parameter DIR = 0) (inout B, input I, input T, output O);
    assign B = T ? 1'bz : I;
    assign O = B;
endmodule

module ODDRX1F #(parameter GSR = 0) (input SCLK, input RST, input D0, input D1, output Q);
    assign Q = SCLK ? D0 : D1;
endmodule
";

/// The dividers of a PLL from 25 MHz: (input, feedback, output), with the oscillator at 400 to 800 MHz and the phase detector at 3.125 MHz or more, whose
/// clock is exactly `clock_hz`; the one with the fastest phase detector, then the slowest oscillator.
#[must_use]
pub fn pll(clock_hz: u32) -> Option<(u32, u32, u32)> {
    const IN_HZ: u64 = 25_000_000;
    for input in 1..=8u64 {
        for output in 1..=128u64 {
            let oscillator = u64::from(clock_hz) * output;
            let feedback = u64::from(clock_hz) * input / IN_HZ;
            let exact = feedback * IN_HZ == u64::from(clock_hz) * input;
            if exact && (1..=80).contains(&feedback) && (400_000_000..=800_000_000).contains(&oscillator) {
                return Some((input as u32, feedback as u32, output as u32));
            }
        }
    }
    None
}

/// The pins of ULX3S, name, width, direction; they are those of `constraints/ulx3s.lpf`.
const PINS: [(&str, usize, &str); 16] = [
    ("clk_25mhz", 1, "input"),
    ("ftdi_rxd", 1, "output"),
    ("ftdi_txd", 1, "input"),
    ("btn", 2, "input"),
    ("led", 8, "output"),
    ("wifi_gpio0", 1, "output"),
    ("sdram_clk", 1, "output"),
    ("sdram_cke", 1, "output"),
    ("sdram_csn", 1, "output"),
    ("sdram_wen", 1, "output"),
    ("sdram_rasn", 1, "output"),
    ("sdram_casn", 1, "output"),
    ("sdram_a", 13, "output"),
    ("sdram_ba", 2, "output"),
    ("sdram_dqm", 2, "output"),
    ("sdram_d", 16, "inout"),
];

/// `design`, the printed board, in its wrapper `ulx3s`.
pub(super) fn ulx3s(mut design: Design, clock_hz: u32) -> Result<Design, BoardError> {
    let reason =
        "the PLL makes no such clock of 25 MHz: take a multiple of 25 MHz divided by 1 to 8, from 3.125 MHz on";
    let (input, feedback, output) = pll(clock_hz).ok_or(BoardError::Clock { clock_hz, reason })?;
    let pins = PINS.map(|(name, width, direction)| {
        let range = if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) };
        format!("    {direction} wire {range}{name}")
    });
    let capture = match Timing::at(clock_hz).capture_halves {
        5 => {
            "    reg [15:0] fallen;\n    always @(negedge clk) fallen <= from_pads;\n    always @(posedge clk) captured <= fallen;\n"
        }
        _ => "    always @(posedge clk) captured <= from_pads;\n",
    };
    let text = format!(
        "// ulx3s: a board on the pins of ULX3S, clock {clock_hz} Hz.\n\
         module ulx3s (\n{}\n);\n\
         \x20   wire clk;\n\
         \x20   wire lock;\n\
         \x20   wire [2:0] command;\n\
         \x20   wire [15:0] to_pads;\n\
         \x20   wire [15:0] from_pads;\n\
         \x20   wire drive;\n\
         \x20   reg [15:0] captured;\n\n\
         \x20   (* ICP_CURRENT=\"12\", LPF_RESISTOR=\"8\", MFG_ENABLE_FILTEROPAMP=\"1\", MFG_GMCREF_SEL=\"2\" *)\n\
         \x20   EHXPLLL #(\n\
         \x20       .PLLRST_ENA(\"DISABLED\"), .INTFB_WAKE(\"DISABLED\"), .STDBY_ENABLE(\"DISABLED\"), .DPHASE_SOURCE(\"DISABLED\"),\n\
         \x20       .OUTDIVIDER_MUXA(\"DIVA\"), .CLKI_DIV({input}), .CLKFB_DIV({feedback}), .CLKOP_ENABLE(\"ENABLED\"), .CLKOP_DIV({output}),\n\
         \x20       .CLKOP_CPHASE({}), .CLKOP_FPHASE(0), .FEEDBK_PATH(\"CLKOP\")\n\
         \x20   ) pll (\n\
         \x20       .CLKI(clk_25mhz), .CLKFB(clk), .RST(1'b0), .STDBY(1'b0), .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1),\n\
         \x20       .PHASESTEP(1'b1), .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .CLKOP(clk), .LOCK(lock)\n\
         \x20   );\n\n\
         \x20   // The radio's processor leaves the board alone while this is high.\n\
         \x20   assign wifi_gpio0 = 1'b1;\n\
         \x20   assign sdram_cke = 1'b1;\n\
         \x20   assign sdram_csn = 1'b0;\n\
         \x20   assign {{sdram_rasn, sdram_casn, sdram_wen}} = command;\n\
         \x20   ODDRX1F sdram_clock (.SCLK(clk), .RST(1'b0), .D0(1'b0), .D1(1'b1), .Q(sdram_clk));\n\n\
         {capture}\
         \x20   genvar i;\n\
         \x20   generate\n\
         \x20       for (i = 0; i < 16; i = i + 1) begin : pad\n\
         \x20           TRELLIS_IO #(.DIR(\"BIDIR\")) io (.B(sdram_d[i]), .I(to_pads[i]), .T(!drive), .O(from_pads[i]));\n\
         \x20       end\n\
         \x20   endgenerate\n\n\
         \x20   board board (\n\
         \x20       .clk(clk), .hold(btn[1] | !lock), .uart_rx(ftdi_txd), .uart_tx(ftdi_rxd), .led(led),\n\
         \x20       .sdram_command_0(command), .sdram_bank_0(sdram_ba), .sdram_row_0(sdram_a), .sdram_mask_0(sdram_dqm),\n\
         \x20       .sdram_data_out_0(to_pads), .sdram_data_drive_0(drive), .sdram_data_in_0(captured)\n\
         \x20   );\n\
         endmodule\n",
        pins.join(",\n"),
        output.div_ceil(2) - 1,
    );
    let ports = PINS
        .iter()
        .map(|&(name, width, direction)| Port {
            name: name.into(),
            driven: direction == "output",
            width,
            signed: false,
        })
        .collect();
    let instances = vec![Instance { name: "board".into(), module: design.top.clone() }];
    design.modules.push(Module { name: "ulx3s".into(), text, ports, instances });
    design.top = "ulx3s".into();
    Ok(design)
}
