// SPDX-License-Identifier: Apache-2.0
// Inside a gate of two requesters on a bus of 8 bytes. What is asked for are whole words, as burst.sv proves. `rst` may come at any time; it
// comes first of all. Whether the windows are compared rightly is not claimed here.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);

`ifdef SEARCH
// One window is all of memory: whether a burst is allowed is not what the searches are for.
always @(*) assume (lo_0 == 0 && (&hi_0) && rights_0 == 3'd7);
always @(*) assume (rights_1 == 0 && rights_2 == 0 && rights_3 == 0 && rights_4 == 0 && rights_5 == 0 && rights_6 == 0 && rights_7 == 0);
`endif

// Every request that is taken goes through three registers: asked, checked, channel.
wire taken_0 = request_valid_0 & request_ready_0;
wire taken_1 = request_valid_1 & request_ready_1;
wire [39:0] address = taken_0 ? request_address_0 : request_address_1;
wire [7:0] beats = taken_0 ? request_beats_0 : request_beats_1;
wire [7:0] skip = taken_0 ? request_skip_0 : request_skip_1;
always @(*) if (taken_0 | taken_1) assume (address[2:0] == 3'd0 && skip < 8'd8);
reg [50:0] asked, passed, shown;
reg [2:0] asked_skip, passed_skip;
always @(posedge clk) begin
    if (taken_0 | taken_1) begin
        asked <= {address, beats, 2'd0, taken_1};
        asked_skip <= skip[2:0];
    end
    if (take) begin
        passed <= asked;
        passed_skip <= asked_skip;
    end
    if (go) shown <= passed;
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
    one_request_at_a_time: assert (!(taken_0 & taken_1));
    first_byte_is_that_asked_for: assert (!go || {next_first, next_beats, next_id} == {passed[50:14], passed_skip, passed[10:0]});
end

// Invariants: the registers.
always @(*) if (started) begin
    asked_is_that: assert (!asked_q || {asked_first_q, asked_beats_q, asked_id_q} == {asked[50:14], asked_skip, asked[10:0]});
    checked_is_that: assert (!checked_q || {next_first, next_beats, next_id} == {passed[50:14], passed_skip, passed[10:0]});
    asked_words: assert (!asked_q || asked[13:11] == 3'd0);
    checked_words: assert (!checked_q || passed[13:11] == 3'd0);
end

always @(*) if (started) begin
    full_length_waits: cover (waits && ax_len == 8'd255 && ax_id == 3'd1);
    nothing_starts: cover (stop && checked_q && !ax_valid);
end
