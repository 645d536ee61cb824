// SPDX-License-Identifier: Apache-2.0
// Inside the flag counters, all 160. `raises`, `earlies`, `takes`, `presents` join the ports, `counts` the registers. `rst` may come at any
// time; it comes first of all. Only flags that are present are taken (issue.sv proves it of the issue stage).
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);
always @(*) assume ((takes & ~presents) == 0);

// The chosen flag (from, to, id) is any; `net` is its raises less its takes, with bits to spare on both sides of 0 to 15.
`ifdef SEARCH
localparam [2:0] from = 3'd1, to = 3'd2, id = 3'd0;
always @(*) assume ((raises & ~(200'd1 << 56)) == 0 && earlies[15:1] == 0);
`else
(* anyconst *) reg [2:0] from;
(* anyconst *) reg [2:0] to;
(* anyconst *) reg [2:0] id;
always @(*) assume (from < 5 && to < 5 && from != to);
`endif
wire [7:0] chosen = (from * 5 + to) * 8 + id;
wire [7:0] mirrored = (to * 5 + from) * 8 + id;
wire [7:0] number = (from * 4 + (to + 4 - from) % 5) * 8 + id;
wire early = from == 1 && to == 2 ? earlies[id] : from == 2 && to == 3 ? earlies[8 + id] : 1'b0;
reg [6:0] net;
wire [6:0] next = net + raises[chosen] + early - takes[mirrored];

// What all counters together must do to the fault: these are the block's own counts, each of which is right by what is proved of the chosen.
reg [4:0] overflows;
reg [5:0] sum;
integer f, t, i;
always @(*) begin
    overflows = 5'd0;
    sum = 6'd0;
    for (f = 0; f < 5; f = f + 1)
        for (t = 0; t < 5; t = t + 1)
            for (i = 0; i < 8; i = i + 1)
                if (f != t) begin
                    sum = counts[4 * ((f * 4 + (t + 4 - f) % 5) * 8 + i) +: 4];
                    sum = sum + raises[(f * 5 + t) * 8 + i] - takes[(t * 5 + f) * 8 + i];
                    if (f == 1 && t == 2) sum = sum + earlies[i];
                    if (f == 2 && t == 3) sum = sum + earlies[8 + i];
                    if (sum[4]) overflows[f] = 1'b1;
                end
end
reg overflowed, was_fault, was_rst, was_any;
reg [4:0] pipe_overflowed;
always @(posedge clk) begin
    net <= rst ? 7'd0 : next;
    overflowed <= (net <= 7'd15) & (next > 7'd15) & ~rst;
    pipe_overflowed <= overflows;
    was_fault <= fault;
    was_rst <= rst;
    was_any <= |presents & ~rst;
end

always @(*) if (started && !fault) begin
    within_0_and_15: assert (net <= 7'd15);
    count_is_raises_less_takes: assert (counts[4 * number +: 4] == net);
    present_means_more_raises_than_takes: assert (presents[mirrored] == (net != 7'd0));
end
always @(*) if (started) begin
    nothing_present_of_a_pipe_to_itself: assert (!presents[from * 48 + id]);
    overflow_is_a_fault: assert (!overflowed || fault);
    fault_means_overflow: assert (!fault || was_fault || pipe_overflowed != 0);
    fault_stays: assert (!was_fault || was_rst || fault);
    fault_names_a_pipe_that_overflowed: assert (!fault || was_fault || pipe_overflowed[fault_pipe]);
    any_is_some_present: assert (any == was_any);
end

always @(*) if (started) begin
    counter_at_15: cover (!fault && net == 7'd15);
    overflow_by_two: cover (fault && !was_fault && net == 7'd17);
end
