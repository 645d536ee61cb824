// SPDX-License-Identifier: Apache-2.0
// Inside a gate of two requesters on a bus of 8 bytes; the first needs bit 2 of `rights`, the second bit 0. What is asked for are whole
// words inside 4 KiB, of which at least one byte is asked for, as burst.sv proves. The windows stand still. `rst` may come at any time; it
// comes first of all.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);

`ifdef SEARCH
// One window will do.
always @(*) assume (rights_1 == 0 && rights_2 == 0 && rights_3 == 0 && rights_4 == 0 && rights_5 == 0 && rights_6 == 0 && rights_7 == 0);
`endif

// Every request that is taken goes through three registers: asked, checked, channel.
wire taken_0 = request_valid_0 & request_ready_0;
wire taken_1 = request_valid_1 & request_ready_1;
wire [39:0] address = taken_0 ? request_address_0 : request_address_1;
wire [7:0] beats = taken_0 ? request_beats_0 : request_beats_1;
wire [7:0] skip = taken_0 ? request_skip_0 : request_skip_1;
always @(*) if (taken_0 | taken_1) assume (address[2:0] == 3'd0 && skip < 8'd8);
wire [7:0] trim = taken_0 ? request_trim_0 : request_trim_1;
wire [12:0] words = {5'd0, beats} + 13'd1;
always @(*) if (taken_0 | taken_1) begin
    assume (trim < 8'd8 && {1'b0, address[11:0]} + (words << 3) <= 13'd4096);
    assume (beats != 8'd0 || skip + trim < 8'd8);
end
reg [50:0] asked, passed, shown;
reg [2:0] asked_skip, passed_skip;
// The last byte asked for, counted from the first word on and not wrapped: 41 bits.
reg [40:0] asked_end, passed_end;
always @(posedge clk) begin
    if (taken_0 | taken_1) begin
        asked <= {address, beats, 2'd0, taken_1};
        asked_skip <= skip[2:0];
        asked_end <= {1'b0, address} + {28'd0, words << 3} - 41'd1 - {33'd0, trim};
    end
    if (take) begin
        passed <= asked;
        passed_skip <= asked_skip;
        passed_end <= asked_end;
    end
    if (go) shown <= passed;
end

// Windows as one vector each.
wire [319:0] lo = {lo_7, lo_6, lo_5, lo_4, lo_3, lo_2, lo_1, lo_0};
wire [319:0] hi = {hi_7, hi_6, hi_5, hi_4, hi_3, hi_2, hi_1, hi_0};
wire [23:0] rights = {rights_7, rights_6, rights_5, rights_4, rights_3, rights_2, rights_1, rights_0};
wire [7:0] above = {above_7_q, above_6_q, above_5_q, above_4_q, above_3_q, above_2_q, above_1_q, above_0_q};
wire [7:0] below = {below_7_q, below_6_q, below_5_q, below_4_q, below_3_q, below_2_q, below_1_q, below_0_q};
reg [663:0] windows;
always @(posedge clk) windows <= {lo, hi, rights};
always @(*) if (started) assume ({lo, hi, rights} == windows);

// Which windows have the right and hold the first byte of the burst that may pass, and which hold its last one.
wire [39:0] passed_first = {passed[50:14], passed_skip};
reg [7:0] holds_first, holds_last;
integer i;
always @(*) for (i = 0; i < 8; i = i + 1) begin
    holds_first[i] = lo[40 * i +: 40] <= passed_first && rights[3 * i + (passed[0] ? 0 : 2)];
    holds_last[i] = passed_end <= {1'b0, hi[40 * i +: 40]};
end

reg waits, stopped, was_waiting;
reg [50:0] waiting;
wire [50:0] payload = {ax_address, ax_len, ax_id};
always @(posedge clk) begin
    waits <= ax_valid & ~ax_ready & ~rst;
    waiting <= payload;
    was_waiting <= ax_valid & ~ax_ready;
    stopped <= stop;
end

always @(*) if (started) begin
    valid_is_not_withdrawn: assert (!waits || ax_valid);
    payload_holds: assert (!waits || payload == waiting);
    nothing_starts_under_stop: assert (!ax_valid || was_waiting || !stopped);
    asks_for_what_was_taken: assert (!ax_valid || payload == shown);
    inside_a_window_with_the_right: assert (!go || (holds_first & holds_last) != 8'd0);
    one_request_at_a_time: assert (!(taken_0 & taken_1));
    first_byte_is_that_asked_for: assert (!go || {next_first, next_beats, next_id} == {passed[50:14], passed_skip, passed[10:0]});
end

// Invariants: the registers.
always @(*) if (started) begin
    asked_is_that: assert (!asked_q || {asked_first_q, asked_beats_q, asked_id_q} == {asked[50:14], asked_skip, asked[10:0]});
    checked_is_that: assert (!checked_q || {next_first, next_beats, next_id} == {passed[50:14], passed_skip, passed[10:0]});
    asked_words: assert (!asked_q || asked[13:11] == 3'd0);
    checked_words: assert (!checked_q || passed[13:11] == 3'd0);
    asked_right: assert (!asked_q || asked_right_q == (asked[0] ? 3'd1 : 3'd4));
    asked_last: assert (!asked_q || {1'b0, asked_last_q} == asked_end);
    compared_first: assert (!checked_q || above == holds_first);
    compared_last: assert (!checked_q || below == holds_last);
end

always @(*) if (started) begin
    full_length_waits: cover (waits && ax_len == 8'd255 && ax_id == 3'd1);
    nothing_starts: cover (stop && checked_q && !ax_valid);
    last_byte_of_all_passes: cover (go && passed_end == 41'hff_ffff_ffff);
    stays_outside: cover (violation && !stop);
end
