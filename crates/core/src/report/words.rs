//! Words that sections share.

use super::seen::Whose;
use crate::rightsize::answer::Id;
use crate::size::human;

/// `shop/web`, and the container where it is called something else.
pub(super) fn component(id: &Id) -> String {
    let workload = workload(&id.namespace, &id.workload);
    if id.container == id.workload { workload } else { format!("{workload}/{}", id.container) }
}

/// `shop/web`.
pub(super) fn workload(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_string() } else { format!("{namespace}/{name}") }
}

/// `job build of group/app`.
pub(super) fn job(project: &str, job: &str) -> String {
    if project.is_empty() { format!("job {job}") } else { format!("job {job} of {project}") }
}

pub(super) fn whose(of: &Whose) -> String {
    match of {
        Whose::Workload { namespace, workload: name, .. } => workload(namespace, name),
        Whose::Job { project, job: name } => job(project, name),
        Whose::Container(name) => name.clone(),
    }
}

/// `512 MiB`, or `none`.
pub(super) fn size(bytes: Option<u64>) -> String {
    bytes.map_or("none".to_string(), human)
}

/// `2 pods`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `17 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A word of a command line as a shell takes it for what it is.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "_./:@%+=,-".contains(it);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// `plimsoll rightsize --source URL -n NAMESPACE -o wide`.
pub(super) fn rightsize(source: &str, namespace: &str) -> String {
    format!("plimsoll rightsize --source {}{} -o wide", quoted(source), of_namespace(namespace))
}

/// `plimsoll plan --source URL -n NAMESPACE --save plan.json`.
pub(super) fn plan(source: &str, namespace: &str) -> String {
    format!("plimsoll plan --source {}{} --save plan.json", quoted(source), of_namespace(namespace))
}

fn of_namespace(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" -n {}", quoted(namespace)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell() {
        let check = |word: &str, expect: &str| assert_eq!(quoted(word), expect);
        check("shop", "shop");
        check("http://localhost:9090", "http://localhost:9090");
        check("npx tsc -p .", "'npx tsc -p .'");
        check("$(rm -rf ~)", "'$(rm -rf ~)'");
        check("it's", r"'it'\''s'");
        check("", "''");
    }
}
