// SPDX-License-Identifier: Apache-2.0
//! From Rust to a bitstream: the flow on a piece of the core that is placed in seconds, and the netlist of `tiny`.

#![allow(clippy::unwrap_used)]

use fpga::flow::{Board, Flow, Job, Report};
use isa::Config;
use rtl::cube::Dot;
use rtl::prim::prelude::*;
use std::path::{Path, PathBuf};

/// A dot product between shift registers, on the pins of a ULX3S.
#[derive(LogicBlock)]
struct Piece {
    clk_25mhz: Signal<In, Clock>,
    ftdi_txd: Signal<In, Bit>,
    ftdi_rxd: Signal<Out, Bit>,
    led: Signal<Out, Bit>,
    dot: Dot,
    shift: Vec<Reg<Bits<9>>>,
    bit: Reg<Bits<9>>,
    fold: Reg<Bits<24>>,
    sum: Signal<Local, Bits<24>>,
    _k0: usize,
}

impl Piece {
    fn new(k0: usize, blocks: usize) -> Piece {
        let mut piece = Piece {
            clk_25mhz: Signal::default(),
            ftdi_txd: Signal::default(),
            ftdi_rxd: Signal::default(),
            led: Signal::default(),
            dot: Dot::new(k0, blocks),
            shift: vec![Reg::default(); 2 * k0],
            bit: Reg::default(),
            fold: Reg::default(),
            sum: Signal::default(),
            _k0: k0,
        };
        piece.connect_all();
        piece
    }
}

impl Logic for Piece {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("piece: a dot product between shift registers.");
        dff_setup!(self, clk_25mhz, bit, fold);
        self.dot.clk.next = self.clk_25mhz.val();
        self.bit.d.next = 0.into();
        if self.ftdi_txd.val() {
            self.bit.d.next = 1.into();
        }
        for i in 0..(2 * self._k0) {
            self.shift[i].clock.next = self.clk_25mhz.val();
        }
        self.shift[0].d.next = (self.shift[0].q.val() << 1) ^ self.bit.q.val();
        for i in 1..(2 * self._k0) {
            self.shift[i].d.next = (self.shift[i].q.val() << 1) ^ (self.shift[i - 1].q.val() >> 8);
        }
        for k in self._k0..(self._k0 + 1) {
            for i in 0..self._k0 {
                self.dot.a[i].next = self.shift[i].q.val();
                self.dot.b[i].next = self.shift[k + i].q.val();
            }
        }
        self.sum.next = unsigned_cast_int(self.dot.sum.val());
        self.fold.d.next = (self.fold.q.val() << 1) ^ self.sum.val();
        self.ftdi_rxd.next = self.fold.q.val().get_bit(23);
        self.led.next = self.fold.q.val().get_bit(0);
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fpga").join(name)
}

fn job<'a>(name: &'a str, board: &'a Board, top: &'a dyn Block, seeds: &'a [u32], folder: &'a Path) -> Job<'a> {
    Job { name, board, top, aim_mhz: 100.0, seeds, macs: 4, folder }
}

fn board(name: &str) -> &'static Board {
    Board::named(name).unwrap()
}

#[test]
fn a_bitstream_is_the_same_bytes_every_time_and_another_seed_gives_others() {
    let flow = Flow::find().unwrap_or_else(|error| panic!("{error}"));
    let piece = Piece::new(4, 2);
    let build = |name: &str, seeds: &[u32]| {
        let folder = folder(name);
        let job = job("piece", board("ulx3s-25f"), &piece, seeds, &folder);
        let netlist = flow.synthesise(&job, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
        let built = flow.implement(&job, &netlist, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
        (std::fs::read(&built.bitstream).unwrap(), built.report)
    };
    let (first, report) = build("first", &[1]);
    // 2 rows of 44 carry cells, a tree of three sums; the registers of the two blocks are inside them.
    assert_eq!((report.cells.multipliers, report.cells.block_rams), (2, 0));
    assert!(report.cells.luts >= 2 * 92, "{report:?}");
    let [seed] = report.seeds[..] else { panic!("one seed: {report:?}") };
    println!("{} look-up tables, {:.1} MHz, {} bytes", report.cells.luts, seed.mhz, first.len());
    assert!(first.len() > 10_000 && seed.mhz > 60.0);
    let (again, _) = build("again", &[1]);
    assert!(first == again, "the same inputs give the same bytes");
    let (other, two) = build("other", &[2]);
    assert!(first != other, "another seed gives another placement");
    assert_eq!(two.cells, report.cells);
    assert_eq!(Report::parse(&report.json()).unwrap().json(), report.json());
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_placed() {
    let flow = Flow::find().unwrap_or_else(|error| panic!("{error}"));
    let piece = Piece::new(32, 29);
    let folder = folder("large");
    let job = job("piece", board("ulx3s-25f"), &piece, &[1], &folder);
    let netlist = flow.synthesise(&job, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(netlist.cells.multipliers, 29);
    let error = flow.implement(&job, &netlist, &|_| {}).unwrap_err().to_string();
    assert_eq!(error, "piece needs 29 multiplier blocks and LFE5U-25F has 28: take a smaller core or a larger board");
    assert!(!netlist.fits() && netlist.fmax().is_none());
}

/// The marks around the table of costs in the README.
const MARKS: [&str; 2] = ["<!-- costs: made from fpga/reports by tests/fpga.rs -->\n", "<!-- /costs -->\n"];

/// `QUADER_BLESS=1 cargo test --test fpga costs` writes the table anew.
#[test]
fn the_costs_in_the_readme_are_those_of_the_reports() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root.join("fpga/reports")).unwrap().map(|item| item.unwrap().path()).collect();
    files.sort();
    let reports: Vec<Report> = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let report = Report::parse(&text).unwrap_or_else(|| panic!("{} is no report", file.display()));
            assert_eq!(report.json(), text, "{} was edited by hand", file.display());
            assert_eq!(file.file_stem().unwrap().to_str().unwrap(), format!("{}-{}", report.board, report.design));
            // The core's own figures, so that a report of an older core is noticed.
            assert_eq!(report.macs, Config::named(&report.design).unwrap().peak_macs());
            assert!(Board::named(&report.board).is_some());
            report
        })
        .collect();
    assert!(!reports.is_empty());
    let table = fpga::flow::table(&reports);
    let path = root.join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let [begin, end] = MARKS;
    let (before, rest) = readme.split_once(begin).expect("the README has the marks");
    let (old, after) = rest.split_once(end).expect("the README has the marks");
    if std::env::var_os("QUADER_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(old, table, "the table is stale: QUADER_BLESS=1 cargo test --test fpga costs");
}

/// Minutes: the bars that the netlist of `tiny` keeps, in the cells of ECP5.
#[test]
fn tiny_is_synthesised_and_no_larger_than_it_was() {
    let flow = Flow::find().unwrap_or_else(|error| panic!("{error}"));
    let (config, board) = (Config::tiny(), board("ulx3s-85f"));
    let top = board.top(&config).unwrap();
    let folder = folder("tiny");
    let netlist = flow.synthesise(&job("tiny", board, &*top, &[1], &folder), &|step| println!("{step}"));
    let cells = netlist.unwrap_or_else(|error| panic!("{error}")).cells;
    println!("{cells:?}");
    assert!(cells.luts <= TINY_LUTS && cells.flip_flops <= TINY_FLIP_FLOPS, "{cells:?}");
    assert_eq!(cells.block_rams, 46);
}

/// What `tiny` took when this was written, and two percent.
const TINY_LUTS: usize = 55_900;
const TINY_FLIP_FLOPS: usize = 28_500;
