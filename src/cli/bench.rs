// SPDX-License-Identifier: Apache-2.0
//! `quader bench`: runs a table of works on the simulated cores, checks them, and makes the page of performance.

mod chart;
mod measure;
mod page;
mod rows;

use super::output::{self, Output};
use super::table::{grouped, table};
use super::{Failure, Result, progress};
use clap::Args;
use clap::builder::PossibleValuesParser;
use measure::{Cores, Measured, Results};
use rows::{Group, Row};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const DETAILS: &str = "\
Examples:
  quader bench                        # the whole table into docs/, some minutes
  quader bench hot cold               # two groups, on the terminal only
  quader bench --check                # fails if a cycle count is not that of docs/performance.json
  quader bench --check --most 50000   # only rows that took at most so many cycles then

Without groups, or with --out, performance.md, performance.json and roofline.svg are written into the folder of --out. Every result is compared
with an independent product or convolution. The exit status is 1 if an element is wrong or, with --check, a count is another one; a missed bar is
told and is no failure.";

/// Measure a table of products, layers and networks: exact cycles, utilisation, distance from the roofline
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Bench {
    /// Groups of rows; all if none is named
    #[arg(value_name = "GROUP", value_parser = PossibleValuesParser::new(names()))]
    groups: Vec<String>,
    /// The folder of the page; with groups the page has these alone, and is written only if a folder is given [default: docs]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compare with the file in that folder and write nothing
    #[arg(long)]
    check: bool,
    /// With --check: leave out rows that took more cycles
    #[arg(long, value_name = "CYCLES", requires = "check")]
    most: Option<u64>,
    /// Write the figures as JSON; `-` is standard output, which then has nothing else
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn names() -> Vec<&'static str> {
    rows::groups().iter().map(|group| group.name).collect()
}

impl Bench {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let chosen = |group: &Group| self.groups.is_empty() || self.groups.iter().any(|name| name == group.name);
        let groups: Vec<Group> = rows::groups().into_iter().filter(chosen).collect();
        if self.check {
            return self.check(groups);
        }
        let json = self.json.as_deref().map(Output::create_or_stdout).transpose()?;
        let written = self.groups.is_empty() || self.out.is_some();
        let file = |name: &str| written.then(|| Output::create(&self.folder().join(name))).transpose();
        let (page, figures, chart) = (file("performance.md")?, file("performance.json")?, file("roofline.svg")?);
        let results = measured(&groups)?;
        if !json.as_ref().is_some_and(Output::is_stdout) {
            output::print(&text(&groups, &results))?;
        }
        let told = format!("{:#}\n", page::figures(&groups, &results));
        if let (Some(page), Some(figures), Some(chart)) = (page, figures, chart) {
            chart.write(chart::roofline(&groups, &results).as_bytes())?;
            figures.write(told.as_bytes())?;
            page.write(page::page(&groups, &results).as_bytes())?;
        }
        json.map_or(Ok(()), |json| json.write(told.as_bytes()))
    }

    fn folder(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new("docs"))
    }

    /// Runs rows again and compares their cycles.
    fn check(&self, mut groups: Vec<Group>) -> Result {
        let path = self.folder().join("performance.json");
        let before = before(&path)?;
        let cycles = |group: &str, row: &Row| before[group][&row.name]["cycles"].as_u64();
        for group in &mut groups {
            for row in &group.rows {
                if cycles(group.name, row).is_none() {
                    return Err(Failure::failed(format!(
                        "{} has no `{}` in `{}`: make it anew with `quader bench`",
                        path.display(),
                        row.name,
                        group.name
                    )));
                }
            }
            let name = group.name;
            group.rows.retain(|row| cycles(name, row).is_some_and(|cycles| cycles <= self.most.unwrap_or(u64::MAX)));
        }
        groups.retain(|group| !group.rows.is_empty());
        let results = measured(&groups)?;
        let mut others = vec![];
        for (group, row, measured) in each(&groups, &results) {
            let was = cycles(group.name, row).expect("looked up above");
            if was != measured.cycles {
                others.push(format!(
                    "{} {}: {} cycles, before {}",
                    group.name,
                    row.name,
                    grouped(measured.cycles),
                    grouped(was)
                ));
            }
        }
        let rows = each(&groups, &results).count();
        output::print(&format!("{rows} rows, {} with other cycles than in {}\n", others.len(), path.display()))?;
        match others.is_empty() {
            true => Ok(()),
            false => Err(Failure::failed(format!(
                "{}; if that is meant, make the page anew with `quader bench`",
                others.join("; ")
            ))),
        }
    }
}

/// The file of an earlier run.
fn before(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).map_err(|cause| {
        Failure::input(format!("{} cannot be read: {cause}; make it with `quader bench`", path.display()))
    })?;
    serde_json::from_str(&text)
        .map_err(|cause| Failure::input(format!("{} is no JSON: {cause}; make it with `quader bench`", path.display())))
}

/// Runs every row.
fn measured(groups: &[Group]) -> Result<Results> {
    let mut cores = Cores::default();
    let mut results = Results::new();
    let bar = progress::rows(groups.iter().map(|group| group.rows.len()).sum());
    for group in groups {
        let mut rows = BTreeMap::new();
        for row in &group.rows {
            bar.set_message(format!("{} {} on {}", group.name, row.name, row.config.name));
            rows.insert(row.name.clone(), cores.measure(row)?);
            bar.inc(1);
        }
        results.insert(group.name.to_owned(), rows);
    }
    bar.finish_and_clear();
    Ok(results)
}

fn each<'a>(groups: &'a [Group], results: &'a Results) -> impl Iterator<Item = (&'a Group, &'a Row, &'a Measured)> {
    let rows = groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    rows.filter_map(|(group, row)| Some((group, row, results.get(group.name)?.get(&row.name)?)))
}

/// The measurements on a terminal.
fn text(groups: &[Group], results: &Results) -> String {
    let mut text = String::new();
    for group in groups {
        let head = ["work", "cycles", "OU", "roof", "of roof", "bound by", "bar", ""];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (_, row, measured) in each(std::slice::from_ref(group), results) {
            rows.push(vec![
                row.name.clone(),
                grouped(measured.cycles),
                format!("{:.2} %", 100.0 * measured.utilisation()),
                grouped(measured.roof),
                format!("{:.2} %", 100.0 * measured.of_roof()),
                measured.bound.to_owned(),
                page::bar(row.bar),
                page::verdict(measured.reaches(row.bar)).trim_matches('*').to_owned(),
            ]);
        }
        text.push_str(&format!("{} ({})\n{}\n", group.title, group.name, table(&rows)));
    }
    let verdicts: Vec<bool> =
        each(groups, results).filter_map(|(_, row, measured)| measured.reaches(row.bar)).collect();
    let met = verdicts.iter().filter(|met| **met).count();
    text.push_str(&format!("{met} of {} bars met\n", verdicts.len()));
    text
}
