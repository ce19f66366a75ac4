//! Recordings in OpenMetrics, as `promtool tsdb create-blocks-from openmetrics` takes them.

use super::write::Series;
use std::collections::HashMap;

/// All series of a recording whose lines are `metric{label="value",...} value time`, the time in seconds; values of labels
/// have neither quotes nor commas in them.
pub fn series(text: &str) -> Vec<Series> {
    let mut indexes: HashMap<&str, usize> = HashMap::new();
    let mut all: Vec<Series> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, reading) = line.rsplit_once("} ").unwrap_or_else(|| panic!("no reading: {line}"));
        let index = *indexes.entry(name).or_insert_with(|| {
            all.push(named(name));
            all.len() - 1
        });
        let sample = reading
            .split_once(' ')
            .and_then(|(value, at_s)| Some((at_s.parse::<i64>().ok()? * 1000, value.parse::<f64>().ok()?)));
        all[index].samples.push(sample.unwrap_or_else(|| panic!("no sample: {line}")));
    }
    all
}

/// From `metric{label="value",...`.
fn named(name: &str) -> Series {
    let (metric, labels) = name.split_once('{').unwrap_or((name, ""));
    let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    let labels: Vec<(&str, &str)> = pairs.map(|(name, value)| (name, value.trim_matches('"'))).collect();
    Series::new(metric, &labels, Vec::new())
}
