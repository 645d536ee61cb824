// SPDX-License-Identifier: Apache-2.0
//! Proofs by induction about the emitted Verilog of the blocks that must not lose, invent or reorder anything. The properties stand in
//! `tests/formal/*.sv`; they are read inside the emitted modules. Page: `docs/formal.md`.
//!
//! Every proof has broken copies, one text of the Verilog changed for another, and each must fail for the assertion named; and covers,
//! so that no proof holds only because nothing happens.

#![allow(clippy::unwrap_used)]

use fpga::{Properties, System};
use isa::Config;
use rtl::axi::{AxiRead, AxiWrite, Burst, Gate};
use rtl::emit::{Design, emit};
use rtl::flags::Flags;
use rtl::issue::Issue;
use rtl::prim::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Before the properties when a cover or a counterexample is searched for: under it, they may assume more, which makes the search short and
/// leaves what it finds genuine. Nothing is proved with it.
const SEARCH: &str = "`define SEARCH\n";

/// A block with its properties.
struct Proof {
    design: Design,
    /// Module and text.
    parts: Vec<(String, String)>,
    /// Depth of the induction.
    k: usize,
    /// Every cover and every failure of a broken copy comes in fewer cycles than this.
    within: usize,
}

/// A change that makes a block wrong: in the top module, `from` becomes `to`, and this assertion fails.
struct Broken {
    from: &'static str,
    to: &'static str,
    fails: &'static str,
}

/// A [`Broken`] in a row of a table.
const fn broken(from: &'static str, to: &'static str, fails: &'static str) -> Broken {
    Broken { from, to, fails }
}

impl Proof {
    /// The block as module `name`, with the properties of `tests/formal/<file>.sv`.
    fn new(mut block: impl Block, name: &str, file: &str) -> Proof {
        block.connect_all();
        let design = emit(&block, name).unwrap_or_else(|error| panic!("{error}"));
        let parts = vec![(name.to_owned(), properties(file))];
        Proof { design, parts, k: 1, within: 12 }
    }

    /// With the properties of another file in the module whose name begins with `module`.
    fn with(mut self, module: &str, file: &str) -> Proof {
        let found = self.design.modules.iter().find(|other| other.name.starts_with(module));
        self.parts.push((found.unwrap().name.clone(), properties(file)));
        self
    }

    /// With a line before the properties of the block.
    fn knowing(mut self, line: &str) -> Proof {
        self.parts[0].1.insert_str(0, &format!("{line}\n"));
        self
    }

    fn within(self, cycles: usize) -> Proof {
        Proof { within: cycles, ..self }
    }

    fn system(&self, design: &Design, folder: &str, before: &str) -> System {
        let folder = folder_of(&self.design.top).join(folder);
        let mut properties: Vec<Properties<'_>> =
            self.parts.iter().map(|(module, text)| Properties { module, text: text.clone() }).collect();
        properties[0].text.insert_str(0, before);
        System::new(design, &properties, &folder).unwrap_or_else(|error| panic!("{}: {error}", design.top))
    }

    /// Proves all assertions; covers and broken copies are those of a smaller one.
    fn prove(&self) {
        let system = self.system(&self.design, "proof", "");
        system.prove(self.k).unwrap_or_else(|error| panic!("{error}"));
        println!("{}: {} assertions proved with k = {}", self.design.top, system.assertions().count(), self.k);
    }

    /// Proves all assertions, reaches all covers, and sees every broken copy fail.
    fn check(&self, broken: &[Broken]) {
        let top = &self.design.top;
        self.prove();
        let system = self.system(&self.design, "cover", SEARCH);
        for cover in system.covers() {
            let reached = system.cover(cover, self.within).unwrap();
            let cycle = reached.unwrap_or_else(|| panic!("{top}: {cover} is not reached in {} cycles", self.within));
            println!("{top}: {cover} is reached in cycle {cycle}");
        }
        for (number, broken) in broken.iter().enumerate() {
            let system = self.system(&self.broken_design(broken), &format!("broken-{number}"), SEARCH);
            let found = system.counterexample(broken.fails, self.within).unwrap();
            let cycle = found.unwrap_or_else(|| {
                panic!(
                    "{top}: `{}` instead of `{}` leaves {} true for {} cycles",
                    broken.to, broken.from, broken.fails, self.within
                )
            });
            println!("{top}: `{}` instead of `{}`: {} fails in cycle {cycle}", broken.to, broken.from, broken.fails);
        }
    }

    fn broken_design(&self, Broken { from, to, .. }: &Broken) -> Design {
        let mut design = self.design.clone();
        let module = design.modules.last_mut().unwrap();
        assert_eq!(module.text.matches(from).count(), 1, "{}: `{from}` stands once in the text", module.name);
        module.text = module.text.replace(from, to);
        design
    }
}

fn folder_of(top: &str) -> PathBuf {
    // A second run of the same proof writes its own.
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("formal").join(std::process::id().to_string()).join(top)
}

fn properties(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formal").join(format!("{file}.sv"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A gate of two requesters, the second with the right to read, on a bus of 8 bytes.
fn gate() -> Proof {
    Proof::new(Gate::new(8, &[2, 0]), "gate", "gate")
}

#[test]
fn a_gate_holds_its_address_and_starts_nothing_under_stop() {
    gate().check(&[
        broken("valid_d = ax_valid;", "valid_d = ax_valid & (~stop);", "valid_is_not_withdrawn"),
        broken(
            "pass = ((checked_q & allowed) & (~stop)) & ((~ax_valid) | ax_ready)",
            "pass = (checked_q & allowed) & (~stop)",
            "payload_holds",
        ),
        broken("& (~stop)) & ((~ax_valid)", ") & ((~ax_valid)", "nothing_starts_under_stop"),
        broken(
            "below_0_d = asked_last_q <= hi_0",
            "below_0_d = asked_first_q <= hi_0",
            "inside_a_window_with_the_right",
        ),
        broken("(rights_0 & asked_right_q) != 3'd0", "rights_0 != 3'd0", "inside_a_window_with_the_right"),
        broken("if (above_0_q & below_0_q)", "if (above_0_q)", "inside_a_window_with_the_right"),
    ]);
}

fn axi_read() -> Proof {
    Proof::new(AxiRead::<32>::new(3), "axi_read", "axi_read")
}

#[test]
fn the_read_side_never_withdraws_an_address_nor_loses_count_of_its_bursts() {
    axi_read().check(&[
        broken(
            "gate_stop = (halt | fault) | (count_q == limit)",
            "gate_stop = halt | fault",
            "never_more_in_flight_than_allowed",
        ),
        broken("if ((~gate_go) & finish)", "if (finish)", "quiet_means_nothing_in_flight"),
        broken("quiet = count_q == 8'd0", "quiet = count_q <= 8'd1", "address_is_not_withdrawn_even_by_reset"),
        broken(
            ".rst(rst),\n        .request_valid_0",
            ".rst(rst | halt),\n        .request_valid_0",
            "address_is_not_withdrawn_even_by_reset",
        ),
        broken("m_axi_arid = {1'd0, gate_ax_id}", "m_axi_arid = {1'd0, gate_next_id}", "address_holds"),
        broken("flights_1_out_ready = finish &", "flights_1_out_ready = valid & ready &", "no_flight_is_forgotten"),
        broken(
            "data_valid_1 = (valid & (~drop)) &",
            "data_valid_1 = (valid & (~drop)) & (~data_ready_0) &",
            "data_is_not_withdrawn_but_by_halt_or_fault",
        ),
        broken("ready = drop | halt;", "ready = drop | halt | data_ready_1;", "data_holds"),
        broken(
            "data_valid_1 = (valid & (~drop)) & (marks_out_data_0[3:0] == 4'd1)",
            "data_valid_1 = valid & (~drop)",
            "data_for_one_requester",
        ),
    ]);
}

fn axi_write() -> Proof {
    Proof::new(AxiWrite::<32, 4>::new(3), "axi_write", "axi_write")
}

#[test]
fn the_write_side_never_withdraws_an_address_or_a_word() {
    axi_write().check(&[
        broken(
            "gate_stop = (stop | fault) | (count_q == limit)",
            "gate_stop = stop | fault",
            "never_more_in_flight_than_allowed",
        ),
        broken("if ((~gate_go) & answered_q)", "if (answered_q)", "quiet_means_nothing_in_flight"),
        broken("quiet = count_q == 8'd0", "quiet = count_q <= 8'd1", "address_is_not_withdrawn_even_by_reset"),
        broken("quiet = count_q == 8'd0", "quiet = count_q <= 8'd1", "word_is_not_withdrawn_even_by_reset"),
        broken("m_axi_awid = {1'd0, gate_ax_id}", "m_axi_awid = {1'd0, gate_next_id}", "address_holds"),
        broken("m_axi_wlast = lasts_out_data_0 != 1'd0", "m_axi_wlast = last", "word_holds"),
        broken(
            "lasts_in_valid = order_out_valid & offered",
            "lasts_in_valid = order_out_valid & offered & (~last)",
            "every_burst_sends_its_last_word_once",
        ),
        broken("order_out_ready = send & last", "order_out_ready = send", "every_burst_sends_its_last_word_once"),
        broken(
            "flights_0_out_ready = answered_q &",
            "flights_0_out_ready = answered_q & (~stop) &",
            "no_flight_is_forgotten",
        ),
    ]);
}

/// A wire that joins the elements of a list, number 0 lowest.
fn joined(wire: &str, count: usize, width: usize, element: impl Fn(usize) -> String) -> String {
    let elements: Vec<String> = (0..count).rev().map(element).collect();
    format!("wire [{}:0] {wire} = {{{}}};", count * width - 1, elements.join(", "))
}

fn fifo(depth: usize) -> Proof {
    Proof::new(Fifo::<4>::new(depth, 2), &format!("fifo_{depth}"), "fifo").with("lutram", "lutram")
}

#[test]
fn a_queue_of_any_depth_loses_nothing_and_keeps_the_order() {
    for depth in [2, 3, 128] {
        fifo(depth).prove();
    }
    fifo(5).within(15).check(&[
        broken("in_valid & (level != depth)", "in_valid", "level_is_the_words_inside"),
        broken("out_ready & (level != 8'd0)", "out_ready", "level_is_the_words_inside"),
        broken("push & (~pop)", "push", "level_is_the_words_inside"),
        broken("in_ready = level != depth", "in_ready = level != last", "ready_means_room"),
        broken("out_valid = level != 8'd0", "out_valid = (level != 8'd0) & (~in_valid)", "valid_is_not_withdrawn"),
        broken("tail_q == last", "tail_q == depth", "words_go_out_as_they_came"),
        broken("(head_q + 8'd1) & place_bits", "(head_q + 8'd2) & place_bits", "words_go_out_as_they_came"),
        broken(".read_address(head_q)", ".read_address(tail_q)", "payload_holds"),
    ]);
}

#[test]
fn a_skid_buffer_loses_nothing_and_keeps_the_order() {
    Proof::new(Skid::<4>::new(2), "skid", "skid").check(&[
        broken("caught_d = 1'd1", "caught_d = 1'd0", "words_go_out_as_they_came"),
        broken("show_1_d = catch_1_q", "show_1_d = in_data_1", "words_go_out_as_they_came"),
        broken("shown_d = caught_q | in_valid", "shown_d = in_valid", "valid_means_a_word"),
        broken("in_ready = ~caught_q", "in_ready = 1'd1", "never_overfull"),
        broken("advance = out_ready | (~out_valid)", "advance = 1'd1", "payload_holds"),
        broken("advance = out_ready | (~out_valid)", "advance = 1'd1", "valid_is_not_withdrawn"),
    ]);
}

fn arbiter(n: usize) -> Proof {
    Proof::new(Arbiter::new(n), &format!("arbiter_{n}"), "arbiter")
        .knowing(&joined("grants", n, 1, |i| format!("grant_{i}")))
        .knowing(&joined("requests", n, 1, |i| format!("request_{i}")))
        .knowing(&format!("localparam [3:0] N = 4'd{n};"))
}

#[test]
fn an_arbiter_grants_one_request_at_a_time_and_starves_nobody() {
    for n in [2, 4, 5, 6, 7, 8] {
        arbiter(n).prove();
    }
    arbiter(3).check(&[
        broken("grant_1 = found & (choice == 3'd1)", "grant_1 = request_1", "one_grant_at_most"),
        broken("grant_1 = found & (choice == 3'd1)", "grant_1 = choice == 3'd1 | ~found", "grants_only_what_is_asked"),
        broken("any = found", "any = request_0", "grants_whenever_asked"),
        broken("granted = choice", "granted = 3'd0", "number_is_that_of_the_grant"),
        broken("first_d = choice + 3'd1", "first_d = choice", "granted_within_n_grants"),
        broken("first_d = choice + 3'd1", "first_d = 3'd0", "granted_within_n_grants"),
    ]);
}

fn flags() -> Proof {
    Proof::new(Flags::default(), "flags", "flags")
        .knowing(&joined("raises", 200, 1, |i| format!("raise_{i}")))
        .knowing(&joined("earlies", 16, 1, |i| format!("raise_early_{i}")))
        .knowing(&joined("takes", 200, 1, |i| format!("take_{i}")))
        .knowing(&joined("presents", 200, 1, |i| format!("present_{i}")))
        .knowing(&joined("counts", 160, 4, |i| format!("count_{i}_q")))
}

#[test]
fn no_flag_counter_goes_below_0_or_above_15_without_a_fault() {
    flags().check(&[
        broken("two_more_32 = (raise_56 & early_32) & (~take_88)", "two_more_32 = 1'd0", "count_is_raises_less_takes"),
        broken("change_32 = 4'd15", "change_32 = 4'd14", "count_is_raises_less_takes"),
        broken("one_more_32 & (count_32_q == limit)", "1'd0", "overflow_is_a_fault"),
        broken("one_more_32 & (count_32_q == limit)", "one_more_32", "fault_means_overflow"),
        broken(
            "present_88 = count_32_q != 4'd0",
            "present_88 = count_32_q > 4'd1",
            "present_means_more_raises_than_takes",
        ),
        broken("present_48 = 1'd0", "present_48 = raise_56", "nothing_present_of_a_pipe_to_itself"),
        broken("some_d = nonzero", "some_d = any | nonzero", "any_is_some_present"),
    ]);
}

#[test]
fn an_issue_stage_takes_only_flags_that_are_present() {
    Proof::new(Issue::new(&Config::tiny()), "issue", "issue")
        .knowing(&joined("takes", 40, 1, |i| format!("take_{i}")))
        .knowing(&joined("presents", 40, 1, |i| format!("present_{i}")))
        .check(&[
            broken("& (~missing)) & flight", ") & flight", "takes_only_what_is_present"),
            broken(
                "take_1 = start & needs_1",
                "take_1 = head_valid_q & needs_1 & present_1",
                "takes_only_with_the_operation",
            ),
            broken("offer = (", "offer = (~early) & (", "valid_is_not_withdrawn_but_for_halt"),
            broken(
                "accept = (start | write) | (~head_valid_q)",
                "accept = (op_valid | write) | (~head_valid_q)",
                "payload_holds",
            ),
        ]);
}

fn burst(bytes: usize) -> Proof {
    Proof::new(Burst::new(bytes, 1), &format!("burst_{}", 8 * bytes), "burst")
}

#[test]
fn bursts_cover_their_row_exactly_and_stay_in_their_page() {
    burst(64).prove();
    burst(8).within(5).check(&[
        broken("block_shift = 6'd11", "block_shift = 6'd12", "begins_where_the_last_one_ended"),
        broken("block_shift = 6'd11", "block_shift = 6'd10", "last_means_all"),
        broken("+ 40'd1) << block_shift", "+ 40'd2) << block_shift", "begins_where_the_last_one_ended"),
        broken("row_length - 24'd1", "row_length", "last_means_all"),
        broken(
            "request_beats = end_word[7:0] - at_word[7:0]",
            "request_beats = block_words",
            "never_more_than_the_row",
        ),
        broken("request_beats = end_word[7:0] - at_word[7:0]", "request_beats = 8'd255", "stays_in_its_page"),
        broken("at_word << word_shift", "at_q", "whole_words"),
        broken("at_q[7:0] & byte_mask", "8'd0", "skips_only_at_the_first_byte"),
        broken("(~end_q[7:0]) & byte_mask", "end_q[7:0] & byte_mask", "last_means_all"),
        broken("request_trim = 8'd0", "request_trim = 8'd1", "trims_only_at_the_last_byte"),
        broken("request_ready & same", "request_ready", "takes_a_row_only_after_the_last_burst"),
        broken("request_valid & request_ready", "request_valid", "payload_holds"),
        broken("busy_d = row_valid", "busy_d = row_valid | request_valid", "asks_while_a_row_is_inside"),
        broken("busy_d = request_valid", "busy_d = request_valid & request_ready", "valid_is_not_withdrawn"),
        broken("note_0_d = request_note_0", "note_0_d = row_note_0", "carries_the_note"),
    ]);
}
