//! Where the store is.

use std::path::{Path, PathBuf};

/// The folder of what is remembered: `--store`, else `PLIMSOLL_STORE`; in CI `.plimsoll` in the project, which the
/// CI cache can keep; else the user's cache. `folder` is where the build runs.
pub fn folder(flag: Option<&Path>, env: impl Fn(&str) -> Option<String>, folder: &Path) -> PathBuf {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(given) = flag.map(Path::to_path_buf).or_else(|| set("PLIMSOLL_STORE").map(PathBuf::from)) {
        return folder.join(given);
    }
    let in_project = || {
        let project = set("CI_PROJECT_DIR").or_else(|| set("GITHUB_WORKSPACE"));
        project.map_or_else(|| folder.to_path_buf(), PathBuf::from).join(".plimsoll")
    };
    if set("CI").is_some_and(|ci| ci != "false") {
        return in_project();
    }
    // The XDG specification ignores relative paths.
    let absolute = |name: &str| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map_or_else(in_project, |cache| cache.join("plimsoll"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_then_variable_then_ci_then_cache() {
        let check = |flag: Option<&str>, vars: &[(&str, &str)], expect: &str| {
            let env =
                |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
            assert_eq!(
                folder(flag.map(Path::new), env, Path::new("/src")),
                Path::new(expect),
                "{flag:?} {vars:?}"
            );
        };
        check(Some("/s"), &[("PLIMSOLL_STORE", "/v"), ("CI", "true")], "/s");
        check(Some("s"), &[], "/src/s");
        check(None, &[("PLIMSOLL_STORE", "/v"), ("CI", "true")], "/v");
        check(None, &[("CI", "true"), ("HOME", "/h")], "/src/.plimsoll");
        check(None, &[("CI", "true"), ("CI_PROJECT_DIR", "/p")], "/p/.plimsoll");
        check(None, &[("CI", "false"), ("HOME", "/h")], "/h/.cache/plimsoll");
        check(None, &[("PLIMSOLL_STORE", ""), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], "/x/plimsoll");
        check(None, &[("XDG_CACHE_HOME", "x"), ("HOME", "/h")], "/h/.cache/plimsoll");
        check(None, &[], "/src/.plimsoll");
    }
}
