//! Answers as tables.

use crate::render::table::table;
use plimsoll_core::capacity::formula::terms::Refusal;
use serde_json::Value;

/// What there is.
pub fn status(of: &Value) -> String {
    let mut text = format!(
        "as of {}, by what is {}: {} MB, reservations {}\n\n",
        word(&of["as_of"]),
        word(&of["profile"]),
        number(&of["capacity_mb"]),
        counts(&of["reservations"])
    );
    let mut rows = vec![row(["region", "pods", "most", "binds", "rooms that fit", "of them now"])];
    for region in of["regions"].as_array().into_iter().flatten() {
        let name = dashed(&region["name"]);
        let rooms = &region["available_rooms"];
        let cells =
            [&region["pods"], &region["most_pods"], &region["binds"], &rooms["most"], &rooms["ready"]];
        rows.push(std::iter::once(name).chain(cells.map(word)).collect());
    }
    text += &table(&rows);
    let mut rows = vec![row(["role", "fit", "of them now"])];
    for (role, slots) in of["available_slots"].as_object().into_iter().flatten() {
        rows.push(vec![role.clone(), word(&slots["most"]), word(&slots["ready"])]);
    }
    format!("{text}\n{}{}", table(&rows), used(&of["used"]))
}

/// What is used now, pod by pod, where that was observed.
fn used(of: &Value) -> String {
    let mut rows = vec![row(["pod", "version", "uses", "by", "seen"])];
    for pod in of["pods"].as_array().into_iter().flatten() {
        let mb = if pod["memory_mb"].is_null() {
            "-".to_string()
        } else {
            format!("{} MB", number(&pod["memory_mb"]))
        };
        rows.push(vec![
            word(&pod["pod"]),
            word(&pod["version"]),
            mb,
            counts(&pod["roles"]),
            word(&pod["at"]),
        ]);
    }
    if rows.len() == 1 { String::new() } else { format!("\n{}", table(&rows)) }
}

/// How much memory.
pub fn projection(of: &Value) -> String {
    let line = |key: &str| number(&of["memory_mb"][key]);
    let rows = [
        row(["formula", "p50", "p95", "p99", "pods", "to start", "cost", "binds"]),
        vec![
            format!("{} MB", number(&of["formula_mb"])),
            line("p50"),
            line("p95"),
            line("p99"),
            word(&of["pods"]),
            word(&of["more_pods"]),
            money(&of["estimated_cost"]),
            word(&of["binding"]),
        ],
    ];
    let assumed =
        if of["profile"]["is_assumed"] == true { "nothing was observed yet: published values\n" } else { "" };
    table(&rows) + assumed
}

/// What is known.
pub fn profiling(of: &Value) -> String {
    let mut rows = vec![row(["version", "what", "MB", "between", "why not"])];
    for profile in of["profiles"].as_array().into_iter().flatten() {
        let version = dashed(&profile["app_version"]);
        let base = [("base", &profile["base"])];
        let roles = profile["roles"].as_object().into_iter().flatten().map(|(role, it)| (role.as_str(), it));
        for (what, it) in base.into_iter().chain(roles) {
            let between = match it["interval_mb"].as_array().map(Vec::as_slice) {
                Some([low, high]) => format!("{} to {}", number(low), number(high)),
                _ => "-".to_string(),
            };
            let why: Option<Refusal> = serde_json::from_value(it["refused"].clone()).ok().flatten();
            let why = why.map_or(String::new(), |why| why.to_string());
            rows.push(vec![version.clone(), what.to_string(), number(&it["mb"]), between, why]);
        }
    }
    table(&rows)
}

/// What is wanted, and what was done about it.
pub fn scaling(of: &Value) -> String {
    let via = of["via"].as_str().unwrap_or("nothing");
    let dry = if of["dry_run"] == true { ", a dry run" } else { "" };
    let mut rows = vec![row(["region", "pods wanted", "now", "nodes", "for"])];
    for target in of["targets"].as_array().into_iter().flatten() {
        let ids: Vec<String> = target["for_ids"].as_array().into_iter().flatten().map(word).collect();
        let cells = [&target["region"], &target["pods"], &target["pods_now"], &target["nodes"]];
        rows.push(cells.map(dashed).into_iter().chain([ids.join(", ")]).collect());
    }
    let wanted = table(&rows);
    let mut rows = vec![row(["at", "region", "reservation", "step", "outcome", "detail"])];
    for entry in of["log"].as_array().into_iter().flatten() {
        let keys = ["at", "region", "reservation_id", "step", "outcome", "detail"];
        rows.push(keys.map(|key| dashed(&entry[key])).to_vec());
    }
    format!("by {via}{dry}\n\n{wanted}\n{}", table(&rows))
}

/// A decision.
pub fn decision(of: &Value) -> String {
    let details = &of["capacity_details"];
    format!(
        "{} {}: {}\ncost {}, {} MB left of {}\n{}",
        word(&of["reservation"]["id"]),
        word(&of["reservation"]["state"]),
        word(&of["explain"]["why"]),
        money(&of["estimated_cost"]),
        number(&details["available"]),
        number(&details["total"]),
        if of["scaling_required"] == true { "pods have to be started for it\n" } else { "" }
    )
}

/// A page of reservations.
pub fn list(of: &Value) -> String {
    let mut rows = vec![row(["id", "state", "owner", "start", "end", "who", "title"])];
    for one in of["reservations"].as_array().into_iter().flatten() {
        rows.push(vec![
            word(&one["id"]),
            word(&one["state"]),
            word(&one["owner"]),
            word(&one["scheduled"]["start"]),
            word(&one["scheduled"]["end"]),
            counts(&one["roles"]),
            word(&one["title"]),
        ]);
    }
    table(&rows)
}

/// One reservation.
pub fn reservation(of: &Value) -> String {
    list(&serde_json::json!({"reservations": [of]}))
}

/// What went wrong, and what to do.
pub fn problem(status: u16, of: &Value) -> String {
    let detail =
        of["detail"].as_str().map_or_else(|| format!("the server answered {status}"), str::to_string);
    let mut text = detail;
    if let Some(slot) = of["explain"]["earliest_free_slot"]["start"].as_str() {
        text += &format!("; there would be a place from {slot} on");
    }
    if of["explain"]["smaller_count_that_fits"].is_object() {
        text += &format!("; {} would fit", counts(&of["explain"]["smaller_count_that_fits"]));
    }
    format!("{text}\n{}", of["next"].as_str().unwrap_or("check --server"))
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(String::from).to_vec()
}

/// A value in a cell; nothing for null.
fn word(of: &Value) -> String {
    match of {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The same, with a dash for what is empty.
fn dashed(of: &Value) -> String {
    let word = word(of);
    if word.is_empty() { "-".to_string() } else { word }
}

/// Of megabytes: whole ones from 100 on.
fn number(of: &Value) -> String {
    match of.as_f64() {
        Some(number) if number.abs() >= 100.0 => format!("{number:.0}"),
        Some(number) => format!("{number:.1}"),
        None => "-".to_string(),
    }
}

fn money(of: &Value) -> String {
    if of.is_null() { "-".to_string() } else { format!("{} {}", word(&of["amount"]), word(&of["currency"])) }
}

/// `3 of one, 5 of another`, without those of which there is none.
fn counts(of: &Value) -> String {
    let some = of.as_object().into_iter().flatten().filter(|(_, count)| **count != 0);
    let all: Vec<String> = some.map(|(name, count)| format!("{count} {name}")).collect();
    if all.is_empty() { "none".to_string() } else { all.join(", ") }
}
