// SPDX-License-Identifier: Apache-2.0
//! Figures for scripts: JSON objects whose keys keep their order.

use super::output::Output;
use super::{Result, Target};
use host::{MemorySettings, Report};
use isa::Counter;
use serde_json::{Map, Value, json};

/// A JSON object under construction.
pub type Object = Map<String, Value>;

/// What every figure file begins with: program version, core, backend.
pub fn head(target: &Target) -> Object {
    let mut object = Object::new();
    object.insert("quader".into(), env!("CARGO_PKG_VERSION").into());
    object.insert("config".into(), target.config.name.clone().into());
    object.insert("backend".into(), target.backend.name().into());
    object
}

/// Cycles, utilisation and counters of a run; what a model does not know is null.
pub fn figures(object: &mut Object, report: &Report, seconds: f64) {
    let known = |counter| report.get(counter);
    object.insert("cycles".into(), json!(report.cycles()));
    object.insert("peak_macs_per_cycle".into(), json!(report.peak_macs_per_cycle()));
    let per_cycle = known(Counter::UsefulMacs).zip(report.cycles()).map(|(macs, cycles)| macs as f64 / cycles as f64);
    object.insert("macs_per_cycle".into(), json!(per_cycle));
    object.insert("su".into(), json!(report.su()));
    object.insert("tu".into(), json!(report.tu()));
    object.insert("ou".into(), json!(report.ou()));
    object.insert("bytes_read".into(), json!(known(Counter::BytesRead)));
    object.insert("bytes_written".into(), json!(known(Counter::BytesWritten)));
    object.insert("seconds".into(), json!(seconds));
    object.insert("cycles_per_second".into(), json!(report.cycles().map(|cycles| cycles as f64 / seconds)));
    let counters: Object = report.counters().map(|(counter, value)| (counter.name(), value.into())).collect();
    object.insert("counters".into(), counters.into());
}

/// The memory behind a simulated core; bytes per cycle are null where a bus word goes in every cycle.
pub fn memory(settings: &MemorySettings) -> Value {
    let bytes = Some(settings.bytes_per_cycle).filter(|bytes| bytes.is_finite());
    json!({
        "latency": settings.latency,
        "bytes_per_cycle": bytes,
        "shared": settings.shared,
        "stall": settings.stall,
    })
}

/// Writes the object, with a line end.
pub fn write(output: Output, object: Object) -> Result {
    let mut text = serde_json::to_string_pretty(&Value::Object(object)).expect("its keys are strings");
    text.push('\n');
    output.write(text.as_bytes())
}
