// SPDX-License-Identifier: Apache-2.0
// A copy engine, only to test the surroundings with: chunks of 16 beats, four in flight, one AXI ID each, so that
// responses may come in any order and interleaved. Registers: 0 control (write 1: start; read: busy, done, error),
// 4/8 source, 12/16 destination, 20 chunks, 24 deliberate bug (1 withdraws AWVALID, 2 puts WLAST one beat early).
module dma #(parameter W = 128) (
    input clk, input rst, output irq,
    output reg m_axi_awvalid, input m_axi_awready, output reg [39:0] m_axi_awaddr, output reg [3:0] m_axi_awid,
    output [7:0] m_axi_awlen, output [2:0] m_axi_awsize, output [1:0] m_axi_awburst,
    output m_axi_awlock, output [3:0] m_axi_awcache, output [2:0] m_axi_awprot, output [3:0] m_axi_awqos,
    output m_axi_wvalid, input m_axi_wready, output [W-1:0] m_axi_wdata, output [W/8-1:0] m_axi_wstrb, output m_axi_wlast,
    input m_axi_bvalid, output m_axi_bready, input [3:0] m_axi_bid, input [1:0] m_axi_bresp,
    output reg m_axi_arvalid, input m_axi_arready, output reg [39:0] m_axi_araddr, output reg [3:0] m_axi_arid,
    output [7:0] m_axi_arlen, output [2:0] m_axi_arsize, output [1:0] m_axi_arburst,
    output m_axi_arlock, output [3:0] m_axi_arcache, output [2:0] m_axi_arprot, output [3:0] m_axi_arqos,
    input m_axi_rvalid, output m_axi_rready, input [3:0] m_axi_rid, input [W-1:0] m_axi_rdata, input [1:0] m_axi_rresp,
    input m_axi_rlast,
    input s_axil_awvalid, output s_axil_awready, input [7:0] s_axil_awaddr, input [2:0] s_axil_awprot,
    input s_axil_wvalid, output s_axil_wready, input [31:0] s_axil_wdata, input [3:0] s_axil_wstrb,
    output reg s_axil_bvalid, input s_axil_bready, output [1:0] s_axil_bresp,
    input s_axil_arvalid, output s_axil_arready, input [7:0] s_axil_araddr, input [2:0] s_axil_arprot,
    output reg s_axil_rvalid, input s_axil_rready, output reg [31:0] s_axil_rdata, output [1:0] s_axil_rresp);

  localparam [39:0] CHUNK = 16 * W / 8;
  assign m_axi_awlen = 8'd15;   assign m_axi_arlen = 8'd15;
  assign m_axi_awsize = $clog2(W / 8); assign m_axi_arsize = $clog2(W / 8);
  assign m_axi_awburst = 2'd1;  assign m_axi_arburst = 2'd1;
  assign m_axi_awlock = 1'b0;   assign m_axi_arlock = 1'b0;
  assign m_axi_awcache = 4'd3;  assign m_axi_arcache = 4'd3;
  assign m_axi_awprot = 3'd0;   assign m_axi_arprot = 3'd0;
  assign m_axi_awqos = 4'd0;    assign m_axi_arqos = 4'd0;

  // Registers.
  reg [39:0] src, dst;
  reg [31:0] chunks;
  reg [1:0] bug;
  reg busy, done, error;
  assign irq = done;
  assign s_axil_bresp = 2'd0;
  assign s_axil_rresp = 2'd0;
  wire write = s_axil_awvalid && s_axil_wvalid && (!s_axil_bvalid || s_axil_bready);
  assign s_axil_awready = write;
  assign s_axil_wready = write;
  assign s_axil_arready = !s_axil_rvalid || s_axil_rready;
  wire start = write && s_axil_awaddr == 8'd0 && s_axil_wdata[0] && !busy;

  // Chunks: lane k % 4 goes 0 free, 1 reading, 2 full, 3 writing.
  reg [1:0] state [0:3];
  reg [3:0] got [0:3];
  reg [W-1:0] buffer [0:63];
  reg [31:0] issued, sent, finished;
  reg w_active;
  reg aw_sent;
  reg [3:0] beat;
  reg [1:0] pause;
  wire [1:0] r_lane = m_axi_rid[1:0];
  wire [1:0] b_lane = m_axi_bid[1:0];
  wire [1:0] w_lane = sent[1:0];
  assign m_axi_rready = pause != 2'd3;
  assign m_axi_bready = pause != 2'd1;
  assign m_axi_wvalid = w_active;
  assign m_axi_wdata = buffer[{w_lane, beat}];
  assign m_axi_wstrb = {W/8{1'b1}};
  assign m_axi_wlast = beat == (bug == 2'd2 ? 4'd14 : 4'd15);
  wire aw_fires = m_axi_awvalid && m_axi_awready;
  wire w_fires = m_axi_wvalid && m_axi_wready;
  wire w_done = w_fires && beat == 4'd15;
  integer i;

  always @(posedge clk) begin
    pause <= pause + 2'd1;
    if (s_axil_bready) s_axil_bvalid <= 1'b0;
    if (write) begin
      s_axil_bvalid <= 1'b1;
      case (s_axil_awaddr)
        8'd4: src[31:0] <= s_axil_wdata;
        8'd8: src[39:32] <= s_axil_wdata[7:0];
        8'd12: dst[31:0] <= s_axil_wdata;
        8'd16: dst[39:32] <= s_axil_wdata[7:0];
        8'd20: chunks <= s_axil_wdata;
        8'd24: bug <= s_axil_wdata[1:0];
        default: ;
      endcase
    end
    if (s_axil_rready) s_axil_rvalid <= 1'b0;
    if (s_axil_arvalid && s_axil_arready) begin
      s_axil_rvalid <= 1'b1;
      case (s_axil_araddr)
        8'd0: s_axil_rdata <= {29'd0, error, done, busy};
        8'd4: s_axil_rdata <= src[31:0];
        8'd20: s_axil_rdata <= chunks;
        default: s_axil_rdata <= 32'hDEAD_BEEF;
      endcase
    end

    // Reads.
    if (m_axi_arvalid && m_axi_arready) begin
      m_axi_arvalid <= 1'b0;
      issued <= issued + 32'd1;
    end else if (busy && !m_axi_arvalid && issued != chunks && state[issued[1:0]] == 2'd0) begin
      m_axi_arvalid <= 1'b1;
      m_axi_araddr <= src;
      m_axi_arid <= {2'b10, issued[1:0]};
      src <= src + CHUNK;
      state[issued[1:0]] <= 2'd1;
    end
    if (m_axi_rvalid && m_axi_rready) begin
      buffer[{r_lane, got[r_lane]}] <= m_axi_rdata;
      got[r_lane] <= got[r_lane] + 4'd1;
      if (m_axi_rresp != 2'd0) error <= 1'b1;
      if (m_axi_rlast) state[r_lane] <= 2'd2;
    end

    // Writes: address and data go independently.
    if (aw_fires) m_axi_awvalid <= 1'b0;
    else if (bug == 2'd1 && m_axi_awvalid) m_axi_awvalid <= 1'b0;
    else if (bug == 2'd1 && w_active && !aw_sent) m_axi_awvalid <= 1'b1;
    if (aw_fires) aw_sent <= 1'b1;
    if (w_fires) beat <= beat + 4'd1;
    if (w_done) w_active <= 1'b0;
    if (busy && !w_active && !m_axi_awvalid && !aw_sent && state[w_lane] == 2'd2) begin
      m_axi_awvalid <= 1'b1;
      m_axi_awaddr <= dst;
      m_axi_awid <= {2'b10, w_lane};
      dst <= dst + CHUNK;
      w_active <= 1'b1;
      beat <= 4'd0;
      state[w_lane] <= 2'd3;
    end
    if ((aw_sent || aw_fires) && (!w_active || w_done)) begin
      aw_sent <= 1'b0;
      sent <= sent + 32'd1;
    end
    if (m_axi_bvalid && m_axi_bready) begin
      state[b_lane] <= 2'd0;
      finished <= finished + 32'd1;
      if (m_axi_bresp != 2'd0) error <= 1'b1;
    end
    if (busy && finished == chunks) begin
      busy <= 1'b0;
      done <= 1'b1;
    end
    if (start) begin
      busy <= 1'b1;
      done <= 1'b0;
      error <= 1'b0;
      issued <= 32'd0;
      sent <= 32'd0;
      finished <= 32'd0;
    end
    if (rst) begin
      m_axi_awvalid <= 1'b0; m_axi_arvalid <= 1'b0; s_axil_bvalid <= 1'b0; s_axil_rvalid <= 1'b0;
      w_active <= 1'b0; aw_sent <= 1'b0; busy <= 1'b0; done <= 1'b0; error <= 1'b0; bug <= 2'd0; pause <= 2'd0;
      issued <= 32'd0; sent <= 32'd0; finished <= 32'd0; beat <= 4'd0;
      for (i = 0; i < 4; i = i + 1) begin state[i] <= 2'd0; got[i] <= 4'd0; end
    end
  end
endmodule
