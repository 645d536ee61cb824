// SPDX-License-Identifier: Apache-2.0
// Inside a FIFO of two lanes of any depth and width. `clear` may come at any time; it comes first of all.
localparam WIDTH = $bits({in_data_1, in_data_0});
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (clear);

// Words are numbered modulo 256 as they come and as they go. `chosen` is any number; `word` is what came in with it last. The number is
// free, so what holds for it holds for every word: each goes out once, as it came in, in order.
(* anyconst *) reg [7:0] chosen;
reg [7:0] came, went;
reg [WIDTH-1:0] word;
wire comes = in_valid & in_ready;
wire goes = out_valid & out_ready;
wire [WIDTH-1:0] out_word = {out_data_1, out_data_0};
always @(posedge clk) begin
    if (comes) came <= came + 8'd1;
    if (comes && came == chosen) word <= {in_data_1, in_data_0};
    if (goes) went <= went + 8'd1;
    if (clear) begin
        came <= 8'd0;
        went <= 8'd0;
    end
end
wire [7:0] stored = came - went;
wire [7:0] ahead = chosen - went;

reg waits;
reg [WIDTH-1:0] waiting;
always @(posedge clk) begin
    waits <= out_valid & ~out_ready & ~clear;
    waiting <= out_word;
end

always @(*) if (started) begin
    never_overfull: assert (stored <= depth);
    level_is_the_words_inside: assert (level == stored);
    ready_means_room: assert (in_ready == (stored < depth));
    valid_means_a_word: assert (out_valid == (stored != 8'd0));
    words_go_out_as_they_came: assert (!(out_valid && went == chosen) || out_word == word);
    valid_is_not_withdrawn: assert (!waits || out_valid);
    payload_holds: assert (!waits || out_word == waiting);
end

// Invariants: where the words lie.
(* hierconn *) wire [7:0] \mem.spy ;
(* hierconn *) wire [WIDTH-1:0] \mem.spied ;
wire [8:0] place = head_q + ahead;
wire [8:0] free = head_q + level;
assign \mem.spy = place < depth ? place[7:0] : place[7:0] - depth;
always @(*) if (started) begin
    head_is_inside: assert (head_q < depth);
    tail_is_level_after_head: assert (tail_q == (free < depth ? free[7:0] : free[7:0] - depth));
    chosen_word_is_stored: assert (!(ahead < stored) || \mem.spied == word);
end

always @(*) if (started) begin
    is_full: cover (stored == depth);
    chosen_word_goes_out_of_a_full_queue: cover (stored == depth && went == chosen && goes && went > 8'd1);
end
