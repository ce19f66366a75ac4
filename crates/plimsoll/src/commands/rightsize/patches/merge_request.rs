//! The text of a merge request, which is the guide to the folder too.

use super::super::forms::{change, component, cost, pair};
use super::super::report::{ContainerReport, RightsizeReport};
use super::changes::{Changes, RESTART_WORTH};
use plimsoll_core::rightsize::reason::span;
use plimsoll_core::size::human;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) const FILE: &str = "merge-request.md";
/// A line of ours: a folder with it may be replaced.
pub(super) const MARK: &str = "<!-- written by plimsoll rightsize --patches -->";
/// Containers named where many are left for one reason.
const NAMES_SHOWN: usize = 10;

pub(super) fn text(report: &RightsizeReport, changes: &Changes) -> String {
    let mut text = format!("# {}\n\n{MARK}\n", title(changes));
    if !changes.workloads.is_empty() {
        text += &sums(changes);
        text += &patched(changes);
    }
    text += &by_hand(changes);
    text += &warnings(report);
    text += &left(report, changes);
    if !changes.workloads.is_empty() {
        text += HOW;
    }
    text + &found(report)
}

fn title(changes: &Changes) -> String {
    match (changes.patched().count(), changes.by_hand.len()) {
        (0, 0) => "Memory: nothing to change".into(),
        (0, by_hand) => format!("Memory: {} to change by hand", count(by_hand, "container")),
        (patched, _) => format!(
            "Memory of {} in {}, by what they have used",
            count(patched, "container"),
            count(changes.workloads.len(), "workload")
        ),
    }
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// What the patches come to, over all pods. What has none now is counted apart: it saves nothing by getting one.
fn sums(changes: &Changes) -> String {
    let sum = |what: &str, sizes: &dyn Fn(&ContainerReport) -> (Option<u64>, u64)| {
        let (mut now, mut then, mut added, mut without) = (0, 0, 0, 0);
        for one in changes.patched() {
            let pods = u64::from(one.pods);
            match sizes(one) {
                (Some(before), after) => (now, then) = (now + before * pods, then + after * pods),
                (None, after) => (added, without) = (added + after * pods, without + 1),
            }
        }
        let ratio = (now > 0).then(|| then as f64 / now as f64 - 1.0);
        let mut line = format!("- {what}: {} now, then {}", human(now), human(then));
        let _ =
            write!(line, "{}", ratio.map_or(String::new(), |ratio| format!(" ({})", change(Some(ratio)))));
        if without > 0 {
            let _ = write!(line, ", and {} where {} had none", human(added), count(without, "container"));
        }
        line + "\n"
    };
    let pods: u64 = changes.patched().map(|one| u64::from(one.pods)).sum();
    format!("\nOver {} of these containers:\n\n", count(pods as usize, "pod"))
        + &sum("requests", &|one| (one.request_bytes, one.recommended_request_bytes))
        + &sum("limits", &|one| (one.limit_bytes, one.recommended_limit_bytes))
}

fn patched(changes: &Changes) -> String {
    let head = ["component", "kind", "pods", "request / limit", "becomes", "request", "limit", "why"];
    let rows = changes.patched().map(|one| {
        let why = [&*one.limit_reason, &*one.request_reason].join("; ");
        sizes(
            one,
            [one.pods.to_string()],
            [change(one.request_change_ratio), change(one.limit_change_ratio), why],
        )
    });
    format!("\n## What changes\n\n{}", table(&head, rows))
}

fn by_hand(changes: &Changes) -> String {
    if changes.by_hand.is_empty() {
        return String::new();
    }
    let head = ["component", "kind", "request / limit", "to become", "why by hand"];
    let rows = changes.by_hand.iter().map(|(one, why)| sizes(one, [], [why.clone()]));
    format!("\n## To change by hand\n\n{}", table(&head, rows))
}

/// Component and kind, some cells, the sizes before and after, more cells.
fn sizes<const M: usize, const N: usize>(
    one: &ContainerReport,
    before: [String; M],
    after: [String; N],
) -> Vec<String> {
    let sizes = [
        pair(one.request_bytes, one.limit_bytes),
        pair(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes)),
    ];
    [component(one), one.kind.clone()].into_iter().chain(before).chain(sizes).chain(after).collect()
}

fn warnings(report: &RightsizeReport) -> String {
    let mut text = String::new();
    for one in &report.containers {
        for warning in &one.warnings {
            let _ = writeln!(text, "- {}: {}", plain(&component(one)), plain(warning));
        }
    }
    section("Warnings", &text)
}

/// What nothing is done about, by reason.
fn left(report: &RightsizeReport, changes: &Changes) -> String {
    let near = format!("no more than {:.0} % off, and not limited too low", RESTART_WORTH * 100.0);
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in &changes.left {
        by_reason.entry(&near).or_default().push(component(one));
    }
    for one in &report.skipped {
        let name = format!("{}/{}/{}", one.namespace, one.workload, one.container);
        by_reason.entry(&one.reason).or_default().push(name);
    }
    let mut text = String::new();
    for (reason, names) in by_reason {
        let shown = names.iter().take(NAMES_SHOWN).map(|name| plain(name)).collect::<Vec<_>>().join(", ");
        let more = match names.len().saturating_sub(NAMES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(text, "- {}: {}: {shown}{more}", count(names.len(), "container"), plain(reason));
    }
    section("What stays", &text)
}

/// Commands are as they stand in a POSIX shell, in the folder.
const HOW: &str = "
## How to apply

Pods are replaced as their workloads' update strategies have it. Take one of these ways; where Argo CD or Flux applies
what is in Git, it has to be there: what kubectl changes they change back.

- kustomize: in the overlay that deploys a namespace, `components: [<path to>/kustomize/<namespace>]`, then see that
  the difference of `kustomize build` is what stands above; the containers of a pod may change places
- Helm: move the values of `helm/values-<namespace>.yaml` to where each chart has them
- kubectl: each file of `kustomize/` but the `kustomization.yaml` is a patch by itself

      for file in kustomize/*/*-*.yaml; do kubectl patch -f \"$file\" --patch-file \"$file\"; done

- VPA: the objects of `vpa/` only recommend; the commands are in the files. Whoever reads recommendations finds these.
  Karpenter's design for in-place resizing regards an object only once its `updateMode` is another than `Off`; from then
  on VPA's admission controller sets requests as pods start

## How to undo

Revert the commit, or with kubectl put back what is there now, and nothing where there was nothing:

    for file in undo/*/*.yaml; do kubectl patch -f \"$file\" --patch-file \"$file\"; done
";

fn found(report: &RightsizeReport) -> String {
    let seconds = |seconds: f64| span((seconds * 1000.0) as i64);
    let mut lines = vec![
        format!("history of {}", public(&report.source)),
        format!("{} of it, up to {}", seconds(report.window_seconds), report.as_of),
        format!("policy {}, for the next {}", report.policy, seconds(report.horizon_seconds)),
    ];
    lines.extend(cost(report));
    lines.extend(report.remarks.iter().cloned());
    let lines: String = lines.iter().map(|line| format!("- {}\n", plain(line))).collect();
    section("How the sizes were found", &lines)
}

/// An address may carry a key behind the `?`.
fn public(source: &str) -> &str {
    if source.contains("://") { source.split(['?', '#']).next().unwrap_or_default() } else { source }
}

fn section(title: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n## {title}\n\n{text}") }
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head =
        line(head.iter().map(|cell| cell.to_string()).collect()) + &"| --- ".repeat(head.len()) + "|\n";
    rows.fold(head, |text, row| text + &line(row.iter().map(|cell| plain(cell)).collect()))
}

/// Names and reasons as they are: one line, nothing of it Markdown or HTML.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => plain += "&lt;",
            '|' | '\\' | '`' | '*' | '[' | ']' | '#' => plain.extend(['\\', letter]),
            letter if letter.is_control() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_markdown() {
        let check = |text: &str, expect: &str| assert_eq!(plain(text), expect);
        check("shop/web: 12 % above", "shop/web: 12 % above");
        check("a|b\n# c", "a\\|b \\# c");
        check("<img src=x> `x` [y](z)", "&lt;img src=x> \\`x\\` \\[y\\](z)");
    }

    #[test]
    fn no_keys() {
        let check = |source: &str, expect: &str| assert_eq!(public(source), expect);
        check("https://mimir/prometheus?token=secret", "https://mimir/prometheus");
        check("https://mimir/#secret", "https://mimir/");
        check("what?.csv", "what?.csv");
    }
}
