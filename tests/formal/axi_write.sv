// SPDX-License-Identifier: Apache-2.0
// Inside the write side of the AXI master with two requesters. The other side keeps to AXI: an answer only to a burst whose address and last
// word it took. `rst` comes first of all, and then only under `quiet`, as the block asks for.
reg started = 1'b0;
always @(posedge clk) started <= 1'b1;
always @(*) if (!started) assume (rst);
always @(*) if (started) assume (!rst || quiet);
`ifdef SEARCH
// One window is all of memory: whether a burst is allowed is not what the searches are for.
always @(*) assume (lo_0 == 0 && (&hi_0) && rights_0 == 3'd7);
always @(*) assume (rights_1 == 0 && rights_2 == 0 && rights_3 == 0 && rights_4 == 0 && rights_5 == 0 && rights_6 == 0 && rights_7 == 0);
`endif

// Bursts without answer whose address was taken, per requester, and whose last word was taken, all together.
reg [7:0] open_0, open_1, sent;
wire address = m_axi_awvalid & m_axi_awready;
wire ends = m_axi_wvalid & m_axi_wready & m_axi_wlast;
always @(posedge clk) begin
    open_0 <= rst ? 8'd0 : open_0 + (address && m_axi_awid == 4'd0) - (m_axi_bvalid && m_axi_bid == 4'd0);
    open_1 <= rst ? 8'd0 : open_1 + (address && m_axi_awid == 4'd1) - (m_axi_bvalid && m_axi_bid == 4'd1);
    sent <= rst ? 8'd0 : sent + ends - m_axi_bvalid;
end
always @(*) if (m_axi_bvalid) begin
    assume (sent != 8'd0);
    assume ((m_axi_bid == 4'd0 && open_0 != 8'd0) || (m_axi_bid == 4'd1 && open_1 != 8'd0));
end

// The channels of addresses and of words.
reg waits, word_waits;
reg [68:0] waiting;
reg [36:0] word_waiting;
wire [68:0] payload = {m_axi_awid, m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst, m_axi_awlock, m_axi_awcache, m_axi_awprot, m_axi_awqos};
wire [36:0] word = {m_axi_wlast, m_axi_wstrb, m_axi_wdata};
always @(posedge clk) begin
    waits <= started & m_axi_awvalid & ~m_axi_awready;
    waiting <= payload;
    word_waits <= started & m_axi_wvalid & ~m_axi_wready;
    word_waiting <= word;
end
always @(*) if (started) begin
    address_is_not_withdrawn_even_by_reset: assert (!waits || m_axi_awvalid);
    address_holds: assert (!waits || payload == waiting);
    word_is_not_withdrawn_even_by_reset: assert (!word_waits || m_axi_wvalid);
    word_holds: assert (!word_waits || word == word_waiting);
end

// Bursts in flight: none is forgotten, never more than `limit`, and their queues have room for all.
(* hierconn *) wire \words.caught_q ;
(* hierconn *) wire \strobes.out_valid ;
(* hierconn *) wire \strobes.caught_q ;
(* hierconn *) wire \lasts.out_valid ;
(* hierconn *) wire \lasts.caught_q ;
(* hierconn *) wire \lasts.catch_0_q ;
(* hierconn *) wire [7:0] \order.level ;
(* hierconn *) wire [7:0] \flights_0.level ;
(* hierconn *) wire [7:0] \flights_1.level ;
wire [7:0] live_0 = open_0 + (m_axi_awvalid && m_axi_awid == 4'd0) + (answered_q && answered_id_q == 4'd0);
wire [7:0] live_1 = open_1 + (m_axi_awvalid && m_axi_awid == 4'd1) + (answered_q && answered_id_q == 4'd1);
wire [7:0] ending = (m_axi_wvalid && m_axi_wlast) + (\words.caught_q && \lasts.catch_0_q );
always @(*) if (started) begin
    never_more_in_flight_than_allowed: assert (live_0 + live_1 <= limit);
    quiet_means_nothing_in_flight: assert (quiet == (live_0 + live_1 == 8'd0));
    no_flight_is_forgotten: assert (\flights_0.level == live_0 && \flights_1.level == live_1);
    every_burst_sends_its_last_word_once: assert (sent + answered_q + ending + \order.level == live_0 + live_1);
    count_is_the_bursts_in_flight: assert (count_q == live_0 + live_1);
end

// Invariants: the three skid buffers go together; a burst that has begun is still in the queue.
(* hierconn *) wire \gate.checked_q ;
(* hierconn *) wire \gate.asked_q ;
(* hierconn *) wire [2:0] \gate.asked_id_q ;
wire newest_is_last = \words.caught_q ? \lasts.catch_0_q : m_axi_wlast;
always @(*) if (started) begin
    counts_are_small: assert (open_0 <= limit && open_1 <= limit && sent <= limit && \order.level <= limit);
    words_go_with_strobes: assert (\strobes.out_valid == m_axi_wvalid && \strobes.caught_q == \words.caught_q );
    words_go_with_lasts: assert (\lasts.out_valid == m_axi_wvalid && \lasts.caught_q == \words.caught_q );
    caught_means_shown: assert (!\words.caught_q || m_axi_wvalid);
    begun_is_in_order: assert (beat_q == 8'd0 || \order.level != 8'd0);
    not_last_means_begun: assert (!m_axi_wvalid || newest_is_last || \order.level != 8'd0);
    address_of_a_requester: assert (!m_axi_awvalid || m_axi_awid <= 4'd1);
    asked_by_a_requester: assert (!\gate.asked_q || \gate.asked_id_q <= 3'd1);
    checked_of_a_requester: assert (!\gate.checked_q || gate_next_id <= 3'd1);
    answer_to_a_requester: assert (!answered_q || answered_id_q <= 4'd1);
end

always @(*) if (started) begin
    all_in_flight: cover (count_q == limit && sent == 8'd1);
    second_word_waits: cover (word_waits && m_axi_wlast && \words.caught_q );
    words_before_their_address: cover (waits && ends);
end
