// SPDX-License-Identifier: Apache-2.0
// Inside the read side of the AXI master with two requesters. The other side keeps to AXI: data only of a burst whose address it took, with its
// number. `rst` comes first of all, and then only under `quiet`, as the block asks for.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);
always @(*) if (started) assume (!rst || quiet);
`ifdef SEARCH
// One window is all of memory: whether a burst is allowed is not what the searches are for.
always @(*) assume (lo_0 == 0 && (&hi_0) && rights_0 == 3'd7);
always @(*) assume (rights_1 == 0 && rights_2 == 0 && rights_3 == 0 && rights_4 == 0 && rights_5 == 0 && rights_6 == 0 && rights_7 == 0);
`endif

// Bursts whose address was taken and whose last word was not, per requester.
reg [7:0] open_0, open_1;
wire address = m_axi_arvalid & m_axi_arready;
wire ends = m_axi_rvalid & m_axi_rready & m_axi_rlast;
always @(posedge clk) begin
    open_0 <= rst ? 8'd0 : open_0 + (address && m_axi_arid == 4'd0) - (ends && m_axi_rid == 4'd0);
    open_1 <= rst ? 8'd0 : open_1 + (address && m_axi_arid == 4'd1) - (ends && m_axi_rid == 4'd1);
end
always @(*) if (m_axi_rvalid) assume ((m_axi_rid == 4'd0 && open_0 != 8'd0) || (m_axi_rid == 4'd1 && open_1 != 8'd0));

// The address channel, and the words as requester 0 and 1 see them.
reg waits, data_waits_0, data_waits_1;
reg [68:0] waiting;
reg [32:0] data_waiting;
wire [68:0] payload = {m_axi_arid, m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst, m_axi_arlock, m_axi_arcache, m_axi_arprot, m_axi_arqos};
always @(posedge clk) begin
    waits <= started & m_axi_arvalid & ~m_axi_arready;
    waiting <= payload;
    data_waits_0 <= started & data_valid_0 & ~data_ready_0 & ~halt;
    data_waits_1 <= started & data_valid_1 & ~data_ready_1 & ~halt;
    data_waiting <= {data_last_0, data};
end
always @(*) if (started) begin
    address_is_not_withdrawn_even_by_reset: assert (!waits || m_axi_arvalid);
    address_holds: assert (!waits || payload == waiting);
    data_is_not_withdrawn_but_by_halt_or_fault: assert ((!data_waits_0 || data_valid_0 || fault) && (!data_waits_1 || data_valid_1 || fault));
    data_holds: assert (!(data_waits_0 | data_waits_1) || {data_last_0, data} == data_waiting);
    data_for_one_requester: assert (!(data_valid_0 & data_valid_1));
end

// Bursts in flight: none is forgotten, never more than `limit`, and their queues have room for all.
(* hierconn *) wire \marks.caught_q ;
(* hierconn *) wire [7:0] \marks.catch_0_q ;
(* hierconn *) wire \words.caught_q ;
(* hierconn *) wire \words.out_valid ;
(* hierconn *) wire [7:0] \flights_0.level ;
(* hierconn *) wire [7:0] \flights_1.level ;
wire [5:0] mark = marks_out_data_0[5:0];
wire [5:0] next_mark = \marks.catch_0_q [5:0];
wire [7:0] flying_0 = open_0 + (m_axi_arvalid && m_axi_arid == 4'd0)
    + (valid && mark[4] && mark[3:0] == 4'd0) + (\marks.caught_q && next_mark[4] && next_mark[3:0] == 4'd0);
wire [7:0] flying_1 = open_1 + (m_axi_arvalid && m_axi_arid == 4'd1)
    + (valid && mark[4] && mark[3:0] == 4'd1) + (\marks.caught_q && next_mark[4] && next_mark[3:0] == 4'd1);
always @(*) if (started) begin
    never_more_in_flight_than_allowed: assert (flying_0 + flying_1 <= limit);
    quiet_means_nothing_in_flight: assert (quiet == (flying_0 + flying_1 == 8'd0));
    no_flight_is_forgotten: assert (\flights_0.level == flying_0 && \flights_1.level == flying_1);
    count_is_the_bursts_in_flight: assert (count_q == flying_0 + flying_1);
end

wire [7:0] flying_of_mark = mark[3:0] == 4'd0 ? flying_0 : flying_1;
wire [7:0] open_of_next_mark = next_mark[3:0] == 4'd0 ? open_0 : open_1;

// Invariants: what a mark may be, and that words and marks go together.
(* hierconn *) wire \gate.checked_q ;
(* hierconn *) wire \gate.asked_q ;
(* hierconn *) wire [2:0] \gate.asked_id_q ;
always @(*) if (started) begin
    open_is_small: assert (open_0 <= limit && open_1 <= limit);
    words_go_with_marks: assert (\words.out_valid == valid && \words.caught_q == \marks.caught_q );
    caught_means_shown: assert (!\marks.caught_q || valid);
    address_of_a_requester: assert (!m_axi_arvalid || m_axi_arid <= 4'd1);
    asked_by_a_requester: assert (!\gate.asked_q || \gate.asked_id_q <= 3'd1);
    checked_of_a_requester: assert (!\gate.checked_q || gate_next_id <= 3'd1);
    mark_of_a_requester: assert (!valid || mark[3:0] <= 4'd1);
    next_mark_of_a_requester: assert (!\marks.caught_q || next_mark[3:0] <= 4'd1);
end
always @(*) if (started) begin
    burst_goes_on: assert (!valid || mark[4] || flying_of_mark != 8'd0);
    next_burst_goes_on: assert (!\marks.caught_q || next_mark[4] || open_of_next_mark != 8'd0);
end

always @(*) if (started) begin
    all_in_flight: cover (count_q == limit && open_0 == 8'd1);
    data_waits: cover (data_waits_1 && data_valid_1);
end
