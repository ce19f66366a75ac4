//! `buildkitd.toml`: how many steps BuildKit runs at once, which is all that bounds their memory.

use super::comment;
use plimsoll_core::runner::buildkit_steps;
use plimsoll_core::size::human;
use plimsoll_lint::document::Node;
use plimsoll_lint::fix::toml;

const KEY: &str = "max-parallelism";

/// The file for a daemon with so much memory, over what it says now. One of both workers is meant, the one that is there.
pub fn file(now: Option<&str>, memory_bytes: u64) -> Result<String, String> {
    let text = now.unwrap_or("[worker.oci]\n");
    let tree = toml::parse(text)?;
    let has =
        |name| tree.at(&["worker", name]).is_some_and(|worker| worker.text_at(&["enabled"]) != Some("false"));
    let worker = if !has("oci") && has("containerd") { "containerd" } else { "oci" };
    let text = match tree.at(&["worker", worker]) {
        Some(_) => text.to_string(),
        None => format!(
            "{}{}[worker.{worker}]\n",
            text,
            if text.is_empty() || text.ends_with('\n') { "" } else { "\n" }
        ),
    };
    let was = tree.at(&["worker", worker, KEY]).and_then(Node::text).unwrap_or("unset");
    let was = if was == "unset" { was.to_string() } else { format!("{was} before") };
    let reason = format!(
        "{was}; one step for each 2 GiB of {}: BuildKit limits the memory of none",
        human(memory_bytes)
    );
    let set = toml::Set {
        key: KEY.into(),
        value: buildkit_steps(memory_bytes).to_string(),
        reason: comment(&reason),
    };
    toml::set(&text, &[("worker", 0), (worker, 0)], &[set])
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::size::GIB;

    #[test]
    fn steps_by_memory_and_the_rest_as_it_was() {
        let check =
            |now: Option<&str>, gib: u64, expect: &str| assert_eq!(file(now, gib * GIB).unwrap(), expect);
        let why = "one step for each 2 GiB of 8.0 GiB: BuildKit limits the memory of none";
        check(None, 8, &format!("[worker.oci]\n# plimsoll: unset; {why}\nmax-parallelism = 4\n"));
        let now = "debug = true\n[worker.oci]\n  gc = true\n  max-parallelism = 9 # ours\n";
        let then = format!(
            "debug = true\n[worker.oci]\n  gc = true\n  # plimsoll: 9 before; {why}\n  max-parallelism = 4 # ours\n"
        );
        check(Some(now), 8, &then);
        let now = "[worker.oci]\nenabled = false\n[worker.containerd]\nenabled = true\n";
        check(Some(now), 8, &format!("{now}# plimsoll: unset; {why}\nmax-parallelism = 4\n"));
        check(
            Some("debug = true"),
            8,
            &format!("debug = true\n[worker.oci]\n# plimsoll: unset; {why}\nmax-parallelism = 4\n"),
        );
        assert!(file(None, GIB).unwrap().contains("max-parallelism = 1\n"));
        assert!(file(Some("[worker"), GIB).unwrap_err().starts_with("line 1: "));
    }
}
