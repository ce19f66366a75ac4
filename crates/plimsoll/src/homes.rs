//! Homes: files in which a user has set a tool for good, outside the project. A variable of ours would beat them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

type Env = BTreeMap<String, String>;

/// The folder a variable names, else one below another variable's.
fn folder(env: &Env, name: &str, otherwise: (&str, &str)) -> Option<PathBuf> {
    let set = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(name).or_else(|| Some(set(otherwise.0)?.join(otherwise.1)))
}

fn config(env: &Env) -> Option<PathBuf> {
    folder(env, "XDG_CONFIG_HOME", ("HOME", ".config"))
}

/// `gradle.properties` of the user, which beats the project's.
pub fn gradle_properties(env: &Env) -> Option<PathBuf> {
    Some(folder(env, "GRADLE_USER_HOME", ("HOME", ".gradle"))?.join("gradle.properties"))
}

/// The file `go env -w` writes; `GOENV=off` is a file that is not there.
pub fn go_env(env: &Env) -> Option<PathBuf> {
    let named = env.get("GOENV").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(config(env)?.join("go/env")))
}

/// Where cargo looks when it is started in `dir`.
pub fn cargo_configs(dir: &Path, env: &Env) -> Vec<PathBuf> {
    let above = dir.ancestors().map(|folder| folder.join(".cargo"));
    let folders = above.chain(folder(env, "CARGO_HOME", ("HOME", ".cargo")));
    folders.flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name))).collect()
}

/// The configuration of `buildkitd`, of the user's and of root's.
pub fn buildkitd_configs(env: &Env) -> Vec<PathBuf> {
    let user = config(env).map(|folder| folder.join("buildkit/buildkitd.toml"));
    user.into_iter().chain([PathBuf::from("/etc/buildkit/buildkitd.toml")]).collect()
}
