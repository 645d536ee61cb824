// SPDX-License-Identifier: Apache-2.0
// Inside an arbiter of N requesters; `requests` and `grants` join its ports. `rst` may come at any time; it comes first of all.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);

// `chosen` is any requester. `others` counts the grants that others used since it asks without a break.
(* anyconst *) reg [2:0] chosen;
always @(*) assume (chosen < N);
reg [3:0] others;
wire asks = requests[chosen];
wire gets = grants[chosen];
always @(posedge clk) begin
    if (rst | ~asks | (gets & accept)) others <= 4'd0;
    else if (any & accept) others <= others + 4'd1;
end

always @(*) if (started) begin
    one_grant_at_most: assert ((grants & (grants - 1'b1)) == 0);
    grants_only_what_is_asked: assert ((grants & ~requests) == 0);
    grants_whenever_asked: assert (any == (requests != 0) && any == (grants != 0));
    number_is_that_of_the_grant: assert (any ? (grants >> granted) == 1 : granted == 0);
    granted_within_n_grants: assert (!asks || others < N);
end

// Invariants: requesters before the chosen one in the present order come down to none.
wire [3:0] before = chosen >= first_q ? chosen - first_q : chosen + N - first_q;
always @(*) if (started) begin
    order_begins_with_a_requester: assert (first_q <= N);
    every_used_grant_brings_it_nearer: assert (!asks || others + before < N);
end

always @(*) if (started) begin
    chosen_one_waits_for_all_others: cover (asks && others == N - 1 && gets && accept);
    all_ask: cover (&requests && first_q == N - 1);
end
