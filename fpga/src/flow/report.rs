// SPDX-License-Identifier: Apache-2.0
//! What a design costs on a board, as it is kept in `fpga/reports/<board>-<core>.json`.

use super::Job;
use crate::nextpnr::Nextpnr;
use crate::yosys::Yosys;
use serde_json::{Map, Value, json};

/// Cells of a netlist, counted as the chip counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    /// Look-up tables of four inputs that are taken: one per LUT4, two per carry cell (CCU2C), six per 16 x 4 bit RAM (TRELLIS_DPR16X4: four, and two
    /// that its write port makes useless).
    pub luts: usize,
    /// Flip-flops.
    pub flip_flops: usize,
    /// Block RAMs of 18 Kbit.
    pub block_rams: usize,
    /// Multiplier blocks.
    pub multipliers: usize,
}

/// One placement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seed {
    /// Its seed.
    pub seed: u32,
    /// The highest frequency that nextpnr's timing analysis allows, in MHz.
    pub mhz: f64,
}

/// Frequencies over all seeds, in MHz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fmax {
    /// Of the slowest seed.
    pub minimum: f64,
    /// Of the seed in the middle; of two in the middle, the slower one.
    pub median: f64,
    /// Of the fastest seed.
    pub maximum: f64,
}

/// What a build costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Name of the board.
    pub board: String,
    /// Name of the chip.
    pub chip: String,
    /// Name of the design.
    pub design: String,
    /// Multiply-accumulates per cycle.
    pub macs: usize,
    /// Cells taken.
    pub cells: Cells,
    /// Cells that there are.
    pub there: Cells,
    /// Placements, in the order of the job; none for a netlist that was not placed.
    pub seeds: Vec<Seed>,
    /// Wall time of everything, in seconds.
    pub seconds: u64,
}

impl Cells {
    /// Reads Yosys' `stat -json`.
    pub(crate) fn parse(text: &str) -> Option<Cells> {
        // Yosys logs a few lines around it.
        let text = text.get(text.find('{')?..=text.rfind('}')?)?;
        let stat: Value = serde_json::from_str(text).ok()?;
        let kinds = stat["design"]["num_cells_by_type"].as_object()?;
        let count = |kind: &str| kinds.get(kind).and_then(Value::as_u64).unwrap_or(0) as usize;
        Some(Cells {
            luts: count("LUT4") + 2 * count("CCU2C") + 6 * count("TRELLIS_DPR16X4"),
            flip_flops: count("TRELLIS_FF"),
            block_rams: count("DP16KD"),
            multipliers: count("MULT18X18D"),
        })
    }

    fn object(self) -> Value {
        let Cells { luts, flip_flops, block_rams, multipliers } = self;
        json!({ "luts": luts, "flip_flops": flip_flops, "block_rams": block_rams, "multipliers": multipliers })
    }

    fn from_object(value: &Value) -> Option<Cells> {
        let count = |name: &str| value[name].as_u64().map(|count| count as usize);
        Some(Cells {
            luts: count("luts")?,
            flip_flops: count("flip_flops")?,
            block_rams: count("block_rams")?,
            multipliers: count("multipliers")?,
        })
    }
}

impl Seed {
    /// Reads nextpnr's report: the slowest clock counts.
    pub(crate) fn parse(seed: u32, report: &Value) -> Option<Seed> {
        let clocks = report["fmax"].as_object()?;
        let achieved: Vec<f64> = clocks.values().filter_map(|clock| clock["achieved"].as_f64()).collect();
        achieved.into_iter().reduce(f64::min).map(|mhz| Seed { seed, mhz })
    }
}

impl Report {
    /// The report of a netlist.
    pub(crate) fn new(job: &Job<'_>, cells: Cells, seconds: u64) -> Report {
        let chip = &job.board.chip;
        Report {
            board: job.board.name.into(),
            chip: chip.name.into(),
            design: job.name.into(),
            macs: job.macs,
            cells,
            there: Cells {
                luts: chip.luts,
                flip_flops: chip.flip_flops,
                block_rams: chip.block_rams,
                multipliers: chip.multipliers,
            },
            seeds: vec![],
            seconds,
        }
    }

    /// True if the chip has all the cells.
    pub fn fits(&self) -> bool {
        let (used, there) = (&self.cells, &self.there);
        used.luts <= there.luts
            && used.flip_flops <= there.flip_flops
            && used.block_rams <= there.block_rams
            && used.multipliers <= there.multipliers
    }

    /// The placement that is fastest; of two, the first. `None` without placements.
    pub fn fastest(&self) -> Option<Seed> {
        self.seeds.iter().copied().reduce(|a, b| if b.mhz > a.mhz { b } else { a })
    }

    /// Minimum, median and maximum over the seeds; `None` without placements.
    pub fn fmax(&self) -> Option<Fmax> {
        let mut all: Vec<f64> = self.seeds.iter().map(|seed| seed.mhz).collect();
        all.sort_by(f64::total_cmp);
        let (minimum, maximum) = (*all.first()?, *all.last()?);
        Some(Fmax { minimum, median: all[(all.len() - 1) / 2], maximum })
    }

    /// int8 operations per second at the median frequency, in 10^9: 2 x MAC x Fmax.
    pub fn gops(&self) -> Option<f64> {
        self.fmax().map(|fmax| 2.0 * self.macs as f64 * fmax.median / 1e3)
    }

    /// [`Report::gops`] per thousand look-up tables.
    pub fn gops_per_kilolut(&self) -> Option<f64> {
        self.gops().map(|gops| gops / (self.cells.luts as f64 / 1e3))
    }

    /// Text of the report's file.
    pub fn json(&self) -> String {
        let round = |value: f64| (value * 100.0).round() / 100.0;
        let fmax = self.fmax().map(|fmax| {
            let Fmax { minimum, median, maximum } = fmax;
            json!({ "minimum": round(minimum), "median": round(median), "maximum": round(maximum) })
        });
        let seeds: Vec<Value> =
            self.seeds.iter().map(|seed| json!({ "seed": seed.seed, "mhz": round(seed.mhz) })).collect();
        let mut object = Map::new();
        object.insert("board".into(), json!(self.board));
        object.insert("chip".into(), json!(self.chip));
        object.insert("design".into(), json!(self.design));
        object.insert("macs_per_cycle".into(), json!(self.macs));
        object.insert("used".into(), self.cells.object());
        object.insert("available".into(), self.there.object());
        object.insert("fits".into(), json!(self.fits()));
        object.insert("fmax_mhz".into(), json!(fmax));
        object.insert("seeds".into(), json!(seeds));
        object.insert("gops".into(), json!(self.gops().map(round)));
        object.insert("gops_per_kilolut".into(), json!(self.gops_per_kilolut().map(round)));
        object.insert("tools".into(), json!({ "yosys": Yosys::VERSION, "nextpnr": Nextpnr::VERSION }));
        object.insert("wall_seconds".into(), json!(self.seconds));
        format!("{:#}\n", Value::Object(object))
    }

    /// Reads the text of a report's file; `None` if it is none.
    pub fn parse(text: &str) -> Option<Report> {
        let value: Value = serde_json::from_str(text).ok()?;
        let word = |name: &str| value[name].as_str().map(str::to_owned);
        let seeds: Option<Vec<Seed>> = value["seeds"]
            .as_array()?
            .iter()
            .map(|seed| Some(Seed { seed: u32::try_from(seed["seed"].as_u64()?).ok()?, mhz: seed["mhz"].as_f64()? }))
            .collect();
        Some(Report {
            board: word("board")?,
            chip: word("chip")?,
            design: word("design")?,
            macs: value["macs_per_cycle"].as_u64()? as usize,
            cells: Cells::from_object(&value["used"])?,
            there: Cells::from_object(&value["available"])?,
            seeds: seeds?,
            seconds: value["wall_seconds"].as_u64()?,
        })
    }
}

/// The reports as a table for a page of Markdown, one row each, in the order given.
pub fn table(reports: &[Report]) -> String {
    let mut text = String::from(
        "| core | board (chip) | look-up tables | flip-flops | block RAMs | multipliers | Fmax MHz, minimum / median / maximum | int8 GOPS | per 1,000 LUT |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for report in reports {
        let Report { cells, there, .. } = report;
        let part = |used: usize, all: usize| format!("{used} ({:.0} %)", 100.0 * used as f64 / all as f64);
        let speed = match (report.fmax(), report.fits()) {
            (Some(fmax), _) => {
                let count = report.seeds.len();
                let seeds = if count == 1 { "1 seed".to_owned() } else { format!("{count} seeds") };
                format!("{:.1} / {:.1} / {:.1} ({seeds})", fmax.minimum, fmax.median, fmax.maximum)
            }
            (None, true) => "not placed".to_owned(),
            (None, false) => "does not fit".to_owned(),
        };
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        text += &format!(
            "| `{}` | {} ({}) | {} | {} | {} | {} | {speed} | {} | {} |\n",
            report.design,
            report.board,
            report.chip,
            part(cells.luts, there.luts),
            part(cells.flip_flops, there.flip_flops),
            part(cells.block_rams, there.block_rams),
            part(cells.multipliers, there.multipliers),
            number(report.gops()),
            number(report.gops_per_kilolut()),
        );
    }
    text
}
