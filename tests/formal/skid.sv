// SPDX-License-Identifier: Apache-2.0
// Inside a skid buffer of two lanes of any width. `clear` may come at any time; it comes first of all.
localparam WIDTH = $bits({in_data_1, in_data_0});
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (clear);

// As in fifo.sv: words are numbered modulo 8, `chosen` is any number, `word` what came in with it last.
(* anyconst *) reg [2:0] chosen;
reg [2:0] came, went;
reg [WIDTH-1:0] word;
wire comes = in_valid & in_ready;
wire goes = out_valid & out_ready;
wire [WIDTH-1:0] out_word = {out_data_1, out_data_0};
always @(posedge clk) begin
    if (comes) came <= came + 3'd1;
    if (comes && came == chosen) word <= {in_data_1, in_data_0};
    if (goes) went <= went + 3'd1;
    if (clear) begin
        came <= 3'd0;
        went <= 3'd0;
    end
end
wire [2:0] stored = came - went;
wire [2:0] ahead = chosen - went;

reg waits;
reg [WIDTH-1:0] waiting;
always @(posedge clk) begin
    waits <= out_valid & ~out_ready & ~clear;
    waiting <= out_word;
end

always @(*) if (started) begin
    never_overfull: assert (stored <= 3'd2);
    valid_means_a_word: assert (out_valid == (stored != 3'd0));
    ready_means_room: assert (in_ready == (stored != 3'd2));
    words_go_out_as_they_came: assert (!(out_valid && went == chosen) || out_word == word);
    valid_is_not_withdrawn: assert (!waits || out_valid);
    payload_holds: assert (!waits || out_word == waiting);
end

// Invariant: the second word lies in the registers that catch.
always @(*) if (started) begin
    chosen_word_is_caught: assert (!(stored == 3'd2 && ahead == 3'd1) || {catch_1_q, catch_0_q} == word);
end

always @(*) if (started) begin
    is_full: cover (stored == 3'd2);
    chosen_word_goes_out_after_it_was_caught: cover (goes && went == chosen && waits && went > 3'd1);
end
