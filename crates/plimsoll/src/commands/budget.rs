//! `plimsoll budget`: every limit that could bind, what it leaves, and which one does bind.

use super::CommandError;
use super::form::Form;
use crate::render::table::table;
use clap::Args;
use plimsoll_core::budget::{Budget, Candidate};
use plimsoll_core::size::{human, parse_size};
use plimsoll_probe::cgroup::Layout;
use plimsoll_probe::gauge;
use std::io::Write;
use std::path::Path;

/// `plimsoll budget`
#[derive(Debug, Args)]
pub struct BudgetArgs {
    /// A limit of your own, such as 2GiB, 2Gi or 2048M
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    limit: Option<u64>,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// Reads this machine and shows it.
pub fn run(args: &BudgetArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let root = Path::new("/");
    let budget = gauge::collect(root, &Layout::detect(root, std::process::id()), args.limit);
    let text = args.output.text(&budget, shown)?;
    Ok(out.write_all(text.as_bytes())?)
}

fn shown(budget: &Budget) -> String {
    let mut binds_seen = false;
    let mut rows =
        vec![["", "candidate", "limit", "used by others", "leaves", "remark"].map(String::from).to_vec()];
    rows.extend(budget.candidates.iter().map(|candidate| {
        let binds = !binds_seen
            && Some(&candidate.name) == budget.binding.as_ref()
            && candidate.available_bytes() == budget.bytes;
        binds_seen |= binds;
        row(candidate, binds)
    }));
    let verdict = match (budget.bytes, &budget.binding) {
        (Some(bytes), Some(binding)) => {
            format!("\nA build may use {}: {binding} leaves least.\n", human(bytes))
        }
        _ => "\nNothing was readable; a build runs without a budget.\nGive one with --limit.\n".to_string(),
    };
    table(&rows) + &verdict
}

fn row(candidate: &Candidate, binds: bool) -> Vec<String> {
    let known = candidate.limit_bytes.is_some();
    let amount = |bytes: Option<u64>| bytes.map_or("-".to_string(), human);
    vec![
        if binds { "*" } else { "" }.to_string(),
        candidate.name.clone(),
        amount(candidate.limit_bytes),
        amount(known.then_some(candidate.others_bytes)),
        amount(candidate.available_bytes()),
        candidate.reason.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::budget::{Source, decide};
    use plimsoll_core::size::{GIB, MIB};

    fn candidate(name: &str, limit_bytes: Option<u64>, reason: Option<&str>) -> Candidate {
        let reason = reason.map(String::from);
        Candidate { source: Source::Cgroup, name: name.into(), limit_bytes, others_bytes: 512 * MIB, reason }
    }

    #[test]
    fn the_one_that_binds_is_marked_once() {
        let same = candidate("memory.max", Some(2 * GIB), None);
        let budget = decide(vec![candidate("RLIMIT_AS", None, Some("unlimited")), same.clone(), same]);
        let expect = "   candidate   limit    used by others  leaves   remark
   RLIMIT_AS   -        -               -        unlimited
*  memory.max  2.0 GiB  512 MiB         1.5 GiB
   memory.max  2.0 GiB  512 MiB         1.5 GiB

A build may use 1.5 GiB: memory.max leaves least.
";
        assert_eq!(shown(&budget), expect);
        assert!(shown(&decide(Vec::new())).contains("Give one with --limit"));
    }

    #[test]
    fn json_has_the_contract_and_no_more() {
        let mut out = Vec::new();
        run(&BudgetArgs { limit: Some(64 * MIB), output: Form::Json }, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["binding", "bytes", "candidates"]);
        assert_eq!((&json["binding"], &json["bytes"]), (&"--limit".into(), &(64 * MIB).into()));
    }
}
