// SPDX-License-Identifier: Apache-2.0
// Behavioural models of the cells of Lattice's ECP5 that a netlist of Quader is made of, for simulation only. Written for this project from
// the family's data sheet and the descriptions of its blocks; nothing of a vendor's library is in it. Modelled is what Quader uses: one clock, no
// cascades, no asynchronous resets.

module LUT4 #(parameter [15:0] INIT = 16'h0) (input wire A, B, C, D, output wire Z);
    assign Z = INIT[{D, C, B, A}];
endmodule

module PFUMX (input wire ALUT, BLUT, C0, output wire Z);
    assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21 (input wire D0, D1, SD, output wire Z);
    assign Z = SD ? D1 : D0;
endmodule

// Two bits of a carry chain. The carry of a half is that of its LUT with C = D = 0, unless the LUT passes the carry on.
module CCU2C #(
    parameter [15:0] INIT0 = 16'h0,
    parameter [15:0] INIT1 = 16'h0,
    parameter INJECT1_0 = "YES",
    parameter INJECT1_1 = "YES"
) (
    input wire CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output wire S0, S1, COUT
);
    wire lut_0 = INIT0[{D0, C0, B0, A0}];
    wire lut_1 = INIT1[{D1, C1, B1, A1}];
    wire made_0 = INIT0[{2'b00, B0, A0}];
    wire made_1 = INIT1[{2'b00, B1, A1}];
    wire middle = lut_0 ? CIN : (INJECT1_0 != "YES") & made_0;
    assign S0 = lut_0 ^ ((INJECT1_0 != "YES") & CIN);
    assign S1 = lut_1 ^ ((INJECT1_1 != "YES") & middle);
    assign COUT = lut_1 ? middle : (INJECT1_1 != "YES") & made_1;
endmodule

// Signed or unsigned 18 x 18 bits; a register is there if its clock is not "NONE". All of them are on CLK0.
module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", parameter REG_INPUTA_CE = "CE0", parameter REG_INPUTA_RST = "RST0",
    parameter REG_INPUTB_CLK = "NONE", parameter REG_INPUTB_CE = "CE0", parameter REG_INPUTB_RST = "RST0",
    parameter REG_INPUTC_CLK = "NONE", parameter REG_INPUTC_CE = "CE0", parameter REG_INPUTC_RST = "RST0",
    parameter REG_PIPELINE_CLK = "NONE", parameter REG_PIPELINE_CE = "CE0", parameter REG_PIPELINE_RST = "RST0",
    parameter REG_OUTPUT_CLK = "NONE", parameter REG_OUTPUT_CE = "CE0", parameter REG_OUTPUT_RST = "RST0",
    parameter CLK0_DIV = "ENABLED", parameter CLK1_DIV = "ENABLED", parameter CLK2_DIV = "ENABLED", parameter CLK3_DIV = "ENABLED",
    parameter HIGHSPEED_CLK = "NONE", parameter GSR = "ENABLED", parameter CAS_MATCH_REG = "FALSE",
    parameter SOURCEB_MODE = "B_SHIFT", parameter MULT_BYPASS = "DISABLED", parameter RESETMODE = "SYNC"
) (
    input wire A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input wire B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
    input wire C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
    input wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,
    output wire P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17,
    output wire P18, P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
    wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    reg [17:0] a_kept;
    reg [17:0] b_kept;
    reg [35:0] p_kept;
    wire [17:0] a_used = REG_INPUTA_CLK == "NONE" ? a : a_kept;
    wire [17:0] b_used = REG_INPUTB_CLK == "NONE" ? b : b_kept;
    wire signed [35:0] left = {{18{SIGNEDA & a_used[17]}}, a_used};
    wire signed [35:0] right = {{18{SIGNEDB & b_used[17]}}, b_used};
    wire [35:0] product = left * right;
    always @(posedge CLK0) if (CE0 | RST0) begin
        a_kept <= RST0 ? 18'd0 : a;
        b_kept <= RST0 ? 18'd0 : b;
        p_kept <= RST0 ? 36'd0 : product;
    end
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
            P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} =
        REG_OUTPUT_CLK == "NONE" ? product : p_kept;
endmodule

// A flip-flop with a set or reset that is synchronous or not, and an enable. The polarities of clock and reset come with "INV".
module TRELLIS_FF #(
    parameter GSR = "ENABLED", parameter CEMUX = "1", parameter CLKMUX = "CLK", parameter LSRMUX = "LSR", parameter SRMODE = "LSR_OVER_CE",
    parameter REGSET = "RESET", parameter LSRMODE = "LSR"
) (input wire CLK, LSR, CE, DI, M, output reg Q);
    wire enable = CEMUX == "1" | (CEMUX == "INV" ? ~CE : CEMUX == "CE" & CE);
    wire set = LSRMUX == "INV" ? ~LSR : LSR;
    wire clock = CLKMUX == "INV" ? ~CLK : CLK;
    wire data = LSRMODE == "PRLD" ? M : DI;
    initial Q = REGSET == "SET";
    always @(posedge clock)
        if (SRMODE == "CE_OVER_LSR" ? set & enable : set) Q <= REGSET == "SET";
        else if (enable) Q <= data;
endmodule

// 16 words of 4 bits in look-up tables, read without a clock.
module TRELLIS_DPR16X4 #(parameter WCKMUX = "WCK", parameter WREMUX = "WRE", parameter [63:0] INITVAL = 64'h0) (
    input wire [3:0] DI, RAD, WAD, input wire WRE, WCK, output wire [3:0] DO
);
    reg [3:0] words [0:15];
    wire write = WREMUX == "1" | (WREMUX == "INV" ? ~WRE : WRE);
    wire clock = WCKMUX == "INV" ? ~WCK : WCK;
    always @(posedge clock) if (write) words[WAD] <= DI;
    assign DO = words[RAD];
endmodule
