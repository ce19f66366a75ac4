//! Settled: numbers of tasks that the project's own files hold, where the tool lets our variable beat its file.

use super::read;
use std::collections::BTreeSet;
use std::path::Path;

/// A variable, a file that holds the same setting, and how it is written there. Seen with turbo 2.11, nx 24, pnpm 10
/// (for `.npmrc`) and pnpm 12 (for its own file).
const PLACES: [(&str, &str, &str); 5] = [
    ("TURBO_CONCURRENCY", "turbo.json", "\"concurrency\""),
    ("TURBO_CONCURRENCY", "turbo.jsonc", "\"concurrency\""),
    ("NX_PARALLEL", "nx.json", "\"parallel\""),
    ("npm_config_workspace_concurrency", ".npmrc", "workspace-concurrency"),
    ("pnpm_config_workspace_concurrency", "pnpm-workspace.yaml", "workspaceConcurrency"),
];
/// How far up a workspace's root is looked for.
const FOLDERS_MAX: usize = 16;

/// The variables whose setting is in a file of this folder or of one above: the tools look for their root likewise.
pub fn settled(dir: &Path) -> BTreeSet<&'static str> {
    let holds = |file: &str, word: &str| {
        let mut texts = dir.ancestors().take(FOLDERS_MAX).filter_map(|folder| read(&folder.join(file)));
        texts.any(|text| text.contains(word))
    };
    PLACES.iter().filter(|(_, file, word)| holds(file, word)).map(|(name, ..)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_file_is_found_from_below() {
        let check = |file: &str, text: &str, expect: Option<&'static str>| {
            let root = tempfile::tempdir().expect("a folder");
            let below = root.path().join("packages/a");
            std::fs::create_dir_all(&below).expect("a folder");
            std::fs::write(root.path().join(file), text).expect("a file");
            assert_eq!(settled(&below), BTreeSet::from_iter(expect), "{file} {text}");
        };
        check("turbo.json", r#"{"concurrency": "1"}"#, Some("TURBO_CONCURRENCY"));
        check("turbo.json", r#"{"tasks": {}}"#, None);
        check("nx.json", "{\n  // one database\n  \"parallel\": 1\n}", Some("NX_PARALLEL"));
        check("nx.json", r#"{"targetDefaults": {"e2e": {"parallelism": false}}}"#, None);
        check(".npmrc", "workspace-concurrency=1\n", Some("npm_config_workspace_concurrency"));
        check("pnpm-workspace.yaml", "workspaceConcurrency: 1\n", Some("pnpm_config_workspace_concurrency"));
        check("pnpm-workspace.yaml", "packages: [a]\n", None);
    }
}
