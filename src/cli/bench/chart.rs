// SPDX-License-Identifier: Apache-2.0
//! The roofline as a picture: multiply-accumulates per cycle over multiply-accumulates per byte that has to be moved, both logarithmic.

use super::measure::Results;
use super::rows::Group;
use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 48.0;

/// Multiply-accumulates per byte: from, to.
const X: [f64; 2] = [0.5, 1024.0];
/// Multiply-accumulates per cycle as a share of the peak: from, to.
const Y: [f64; 2] = [1.0 / 256.0, 1.5];

/// Colours of the groups, told apart by people who see red and green alike.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];

fn place(value: f64, [from, to]: [f64; 2]) -> f64 {
    (value.max(from) / from).ln() / (to / from).ln()
}

fn x(value: f64) -> f64 {
    LEFT + place(value, X) * (WIDTH - LEFT - RIGHT)
}

fn y(share: f64) -> f64 {
    HEIGHT - BOTTOM - place(share, Y) * (HEIGHT - TOP - BOTTOM)
}

/// The picture of the groups that run on `lite` behind the memory of the table, from global memory.
pub fn roofline(groups: &[Group], results: &Results) -> String {
    let mut svg = String::new();
    let mut put = |text: String| writeln!(svg, "{text}").expect("a String takes every write");
    put(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">"
    ));
    put("<title>Roofline of lite: measured points under the peak of the cube and the bytes per cycle of the memory</title>".to_owned());
    put(format!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"));
    let (peak, rate) = (256.0, 16.0);
    for macs in [1.0, 4.0, 16.0, 64.0, 256.0] {
        let at = y(macs / peak);
        put(format!(
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>",
            WIDTH - RIGHT
        ));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{macs}</text>", LEFT - 6.0, at + 4.0));
    }
    for per_byte in [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0] {
        let at = x(per_byte);
        put(format!(
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>",
            HEIGHT - BOTTOM
        ));
        put(format!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{per_byte}</text>",
            HEIGHT - BOTTOM + 16.0
        ));
    }
    put(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">multiply-accumulates per byte of the busier direction</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 10.0
    ));
    put(format!(
        "<text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\">multiply-accumulates per cycle</text>",
        (TOP + HEIGHT - BOTTOM) / 2.0
    ));
    let knee = peak / rate;
    put(format!(
        "<polyline points=\"{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}\" fill=\"none\" stroke=\"#333333\" stroke-width=\"2\"/>",
        x(X[0]),
        y(X[0] * rate / peak),
        x(knee),
        y(1.0),
        x(X[1]),
        y(1.0)
    ));
    let shown = ["cold", "gemv", "resnet-8", "ds-cnn", "mobilenet", "resnet-50", "projections"];
    let groups = groups.iter().filter(|group| shown.contains(&group.name) && results.contains_key(group.name));
    for (index, (group, colour)) in groups.zip(COLOURS).enumerate() {
        for row in &group.rows {
            let Some(measured) = results[group.name].get(&row.name) else { continue };
            let per_byte = measured.macs as f64 / (measured.memory_cycles as f64 * rate);
            let share = measured.utilisation();
            put(format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\" fill-opacity=\"0.75\"><title>{}: {} cycles, {:.1} per cycle</title></circle>",
                x(per_byte),
                y(share),
                row.name,
                measured.cycles,
                share * peak
            ));
        }
        let at = TOP + 20.0 * index as f64 + 8.0;
        put(format!("<circle cx=\"{:.1}\" cy=\"{at:.1}\" r=\"4\" fill=\"{colour}\"/>", WIDTH - RIGHT + 18.0));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", WIDTH - RIGHT + 28.0, at + 4.0, group.name));
    }
    put("</svg>".to_owned());
    svg
}
