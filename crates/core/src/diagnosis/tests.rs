use super::*;
use crate::signature::{Scanner, Sighting};

fn sightings(text: &str) -> Vec<Sighting> {
    let mut scanner = Scanner::new();
    scanner.feed(text.as_bytes());
    scanner.finish()
}

fn log(text: &str) -> Diagnosis {
    let end = text.lines().rev().find_map(|line| Some((line.to_string(), exit_code_in(line)?)));
    of_log(&Log { name: "build.log".to_string(), sightings: sightings(text), end })
}

#[test]
fn a_line_tells_an_exit_code_or_none() {
    let check = |line: &str, expect: Option<i32>| assert_eq!(exit_code_in(line), expect, "{line}");
    check("ERROR: Job failed: command terminated with exit code 137", Some(137));
    check(
        "ERROR: Job failed (system failure): Error in container build: exit code: 137, reason: 'OOMKilled'",
        Some(137),
    );
    check("npm ERR! errno 134", Some(134));
    check("The command '/bin/sh -c npm run build' returned a non-zero code: 137", Some(137));
    check("process exited with code 3", Some(3));
    check("exit status 1", Some(1));
    check("exit code 99999", None);
    check("exit code", None);
    check("ÄÖÜ exit code 2", Some(2));
    check("all is well", None);
}

#[test]
fn the_cause_decides_what_to_do() {
    let check = |text: &str, what: &str, why: &str| {
        let said = log(text);
        assert!(said.what.contains(what) && said.why.contains(why), "{text}\n{said:?}");
    };
    let heap = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n";
    check(heap, "build.log died of memory", "its own heap limit");
    check(&format!("{heap}ERROR: Job failed: exit code 137\n"), "died of memory", "together");
    check(
        "g++: fatal error: Killed signal terminated program cc1plus\n",
        "died of memory",
        "the kernel killed",
    );
    check(
        "ERROR: Job failed: command terminated with exit code 137\n",
        "died of memory",
        "the kernel killed",
    );
    check("worker 'gw3' crashed while running 'a.py::b'\n", "probably died", "the kernel killed");
    check("terminate called after throwing an instance of 'std::bad_alloc'\n", "died", "refused");
    check(
        "error TS2322: no\nERROR: Job failed: exit code 1\n",
        "nothing in build.log speaks of memory",
        "another reason",
    );
    check("npm ERR! errno 134\n", "probably died", "its own heap limit");
    check("", "nothing", "another reason");
}

#[test]
fn a_pod_is_read_by_its_best_evidence() {
    let end = |container: &str, reason: Option<&str>, exit_code: Option<i32>, limit_bytes: Option<u64>| {
        ContainerEnd {
            container: container.to_string(),
            reason: reason.map(str::to_string),
            exit_code,
            limit_bytes,
            ..ContainerEnd::default()
        }
    };
    let check = |ends: &[ContainerEnd], evicted: Option<&str>, what: &str, advice: &str| {
        let said = of_pod("shop/web-1", ends, evicted);
        assert!(said.what.contains(what) && said.advice.contains(advice), "{said:?}");
    };
    let fine = end("proxy", None, None, None);
    let oom = end("web", Some("OOMKilled"), Some(137), Some(2 << 30));
    check(
        &[fine.clone(), oom.clone()],
        None,
        "container web: died of memory",
        "a larger heap makes it worse",
    );
    check(&[end("web", Some("OOMKilled"), Some(137), None)], None, "web: died", "it has no limit of its own");
    check(&[end("web", Some("Error"), Some(137), Some(1))], None, "perhaps for memory", "fewer processes");
    check(&[end("web", Some("Error"), Some(134), Some(1))], None, "its own heap limit", "a larger heap, not");
    check(
        &[end("web", Some("Error"), Some(1), Some(1)), fine],
        None,
        "no container has died",
        "ask the agent",
    );
    check(&[oom], Some("The node was low on memory"), "was evicted", "request what it uses");
}
