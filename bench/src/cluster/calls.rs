//! Calls to the API server, from its own audit log. A watch counts when it ends.

use crate::Failure;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Has an API server write down what these users ask for: the arguments for that.
pub fn audit<'a>(folder: &Path, users: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Failure> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [{"level": "Metadata", "users": users.collect::<Vec<_>>()}, {"level": "None"}],
    });
    let file = folder.join("audit-policy.json");
    std::fs::write(&file, policy.to_string())?;
    Ok(vec![
        format!("--audit-policy-file={}", file.display()),
        format!("--audit-log-path={}", log(folder).display()),
    ])
}

fn log(folder: &Path) -> PathBuf {
    folder.join("audit.log")
}

/// A log that is followed.
pub struct Calls {
    log: BufReader<File>,
    /// Of a line that is not written to its end yet.
    begun: String,
}

impl Calls {
    pub fn open(folder: &Path) -> Result<Calls, Failure> {
        Ok(Calls { log: BufReader::new(File::open(log(folder))?), begun: String::new() })
    }

    /// How many there were since this was asked last, by user, and by verb and kind.
    pub fn since_last(&mut self) -> Result<BTreeMap<String, BTreeMap<String, f64>>, Failure> {
        let mut counts: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        while self.log.read_line(&mut self.begun)? > 0 && self.begun.ends_with('\n') {
            let event: Event = serde_json::from_str(&self.begun)?;
            self.begun.clear();
            let of_user = counts.entry(event.user.username).or_default();
            let kind = event.object.map_or(event.path, |object| match object.subresource {
                Some(sub) => format!("{}/{sub}", object.resource),
                None => object.resource,
            });
            *of_user.entry(format!("{} {kind}", event.verb)).or_default() += 1.0;
        }
        Ok(counts)
    }
}

#[derive(Deserialize)]
struct Event {
    verb: String,
    user: Name,
    #[serde(rename = "requestURI")]
    path: String,
    #[serde(rename = "objectRef")]
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Name {
    username: String,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    resource: String,
    subresource: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn calls_count_once_their_line_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        audit(folder.path(), ["one", "other"].into_iter()).unwrap();
        let mut file = File::create(log(folder.path())).unwrap();
        let mut calls = Calls::open(folder.path()).unwrap();
        let mut check = |text: &str, expect: &[(&str, &str, f64)]| {
            file.write_all(text.as_bytes()).unwrap();
            let made = calls.since_last().unwrap();
            let made: Vec<(&str, &str, f64)> = made
                .iter()
                .flat_map(|(user, kinds)| {
                    kinds.iter().map(|(kind, count)| (user.as_str(), kind.as_str(), *count))
                })
                .collect();
            assert_eq!(made, expect);
        };
        let line = |user: &str, verb: &str, rest: &str| {
            format!(r#"{{"verb":"{verb}","user":{{"username":"{user}"}},"requestURI":"/readyz"{rest}}}"#)
                + "\n"
        };
        let status = r#","objectRef":{"resource":"pods","subresource":"eviction"}"#;
        let get = line("one", "get", "");
        let (begun, rest) = get.split_at(20);
        check(
            &(line("one", "create", status) + &line("one", "create", status) + begun),
            &[("one", "create pods/eviction", 2.0)],
        );
        check("", &[]);
        check(
            &(rest.to_string() + &line("other", "list", r#","objectRef":{"resource":"pods"}"#)),
            &[("one", "get /readyz", 1.0), ("other", "list pods", 1.0)],
        );
    }
}
