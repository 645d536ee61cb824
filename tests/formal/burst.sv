// SPDX-License-Identifier: Apache-2.0
// Inside a burst splitter of any bus width. Rows are any, one after the other or with gaps, requests are taken or not. `rst` may come at
// any time; it comes first of all.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);
always @(*) assume (!row_valid || (row_length != 24'd0 && {1'b0, row_address} + row_length <= 41'h100_0000_0000));

// The row inside: `at` its next byte, `left` the bytes not asked for yet.
localparam [40:0] WORD = 41'd1 << word_shift;
reg row;
reg first;
reg [40:0] from;
reg [24:0] left;
reg [7:0] note;
wire taken = request_valid & request_ready;
wire [40:0] begins = request_address + request_skip;
wire [40:0] beyond = request_address + ((request_beats + 41'd1) << word_shift);
wire [40:0] bytes = beyond - request_trim - begins;
always @(posedge clk) begin
    if (taken) begin
        first <= 1'b0;
        from <= from + bytes;
        left <= left - bytes;
        if (left == bytes) row <= 1'b0;
    end
    if (row_valid & row_ready) begin
        row <= 1'b1;
        first <= 1'b1;
        from <= row_address;
        left <= row_length;
        note <= row_note_0;
    end
    if (rst) row <= 1'b0;
end

reg waits;
reg [72:0] waiting;
wire [72:0] payload = {request_address, request_beats, request_skip, request_trim, request_last, request_note_0};
always @(posedge clk) begin
    waits <= request_valid & ~request_ready & ~rst;
    waiting <= payload;
end

always @(*) if (started) begin
    asks_while_a_row_is_inside: assert (request_valid == row);
    takes_a_row_only_after_the_last_burst: assert (!row_ready || !row || (taken && bytes == left));
end
always @(*) if (started && request_valid) begin
    whole_words: assert (request_address % WORD == 0 && request_skip < WORD && request_trim < WORD);
    stays_in_its_page: assert (request_address[39:12] == ((beyond - 41'd1) >> 12));
    begins_where_the_last_one_ended: assert (begins == from);
    asks_for_something: assert (bytes != 41'd0 && !bytes[40]);
    never_more_than_the_row: assert (bytes <= left);
    last_means_all: assert (request_last == (bytes == left));
    skips_only_at_the_first_byte: assert (request_skip == (first ? from % WORD : 41'd0));
    trims_only_at_the_last_byte: assert (request_last || request_trim == 8'd0);
    carries_the_note: assert (request_note_0 == note);
end
always @(*) if (started) begin
    valid_is_not_withdrawn: assert (!waits || request_valid);
    payload_holds: assert (!waits || payload == waiting);
end

// Invariants: the registers.
always @(*) if (started && row) begin
    at_is_the_next_byte: assert ({1'b0, at_q} == from);
    end_is_the_last_byte: assert (left != 25'd0 && {1'b0, end_q} + 41'd1 == from + left);
    no_wrap: assert (from + left <= 41'h100_0000_0000);
    begins_at_a_block: assert (first || (from & ((41'd1 << block_shift) - 41'd1)) == 0);
end

always @(*) if (started) begin
    last_of_several_bursts_is_trimmed: cover (taken && !first && request_trim != 0 && request_last);
    full_burst: cover (taken && bytes == (41'd1 << block_shift));
    last_word_of_memory: cover (taken && beyond == 41'h100_0000_0000);
    no_gap_between_rows: cover (taken && request_last && row_valid && row_ready);
end
