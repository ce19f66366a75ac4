//! PromQL, to compare with.

use super::Server;
use serde_json::Value;
use std::collections::BTreeMap;

/// The answer to an instant query at a time in seconds: labels and value of each series.
pub fn instant(server: &Server, query: &str, at_s: i64) -> Vec<(BTreeMap<String, String>, f64)> {
    let mut answer = ureq::get(format!("{}/api/v1/query", server.url))
        .query("query", query)
        .query("time", at_s.to_string())
        .call()
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let text = answer.body_mut().with_config().limit(1 << 30).read_to_string().expect("an answer");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let result = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{query}: {answer}"));
    let labels = |series: &Value| {
        let pairs = series["metric"].as_object().into_iter().flatten();
        pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_string())).collect()
    };
    let value =
        |series: &Value| series["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    result.iter().map(|series| (labels(series), value(series))).collect()
}
