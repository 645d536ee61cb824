// SPDX-License-Identifier: Apache-2.0
// Inside the issue stage; `takes` and `presents` join its ports. `rst` may come at any time; it comes first of all. A flag that is present
// stays so until it is taken here, because no other pipe takes it.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);
reg [39:0] staying;
always @(posedge clk) staying <= rst ? 40'd0 : presents & ~takes;
always @(*) if (started) assume ((staying & ~presents) == 0);

wire [287:0] payload = {op_pc, op_word_7, op_word_6, op_word_5, op_word_4, op_word_3, op_word_2, op_word_1, op_word_0};
reg waits;
reg [287:0] waiting;
always @(posedge clk) begin
    waits <= op_valid & ~op_ready & ~rst;
    waiting <= payload;
end

always @(*) if (started) begin
    takes_only_what_is_present: assert ((takes & ~presents) == 0);
    takes_only_with_the_operation: assert (takes == 0 || (op_valid && op_ready));
    valid_is_not_withdrawn_but_for_halt: assert (!waits || op_valid || halt);
    payload_holds: assert (!waits || !op_valid || payload == waiting);
end

// Invariant: the queue of operations in flight is never overfull.
(* hierconn *) wire [7:0] \flight.level ;
always @(*) if (started) begin
    flight_is_not_overfull: assert (\flight.level <= 8'd8);
end

always @(*) if (started) begin
    takes_after_it_waited: cover (waits && takes != 0);
end
