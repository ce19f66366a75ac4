//! What `plimsoll render runner` writes, as texts: values of GitLab Runner's chart, variables and retries of jobs, BuildKit's parallelism;
//! and the same as they were before. There is no clock in them, and their order is that of names.

pub mod buildkit;
pub mod ci;
pub mod json;
pub mod now;
#[cfg(test)]
mod tests;
pub mod values;
mod yaml;

/// Values of the chart, laid over one's own.
pub const VALUES_FILE: &str = "runner-values.yaml";
/// What a pipeline includes.
pub const CI_FILE: &str = "plimsoll.gitlab-ci.yml";
/// BuildKit's daemon.
pub const BUILDKIT_FILE: &str = "buildkitd.toml";

/// A text that may stand in a comment, of YAML or TOML, and in what Helm takes for a template.
fn comment(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    text.replace("{{", "{ {")
}

/// How many there are of something.
fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
