//! Sniff: what the project's own files and programs say before anything is set: what `npm run build` really
//! runs, what the project sets itself, and which of our flags its Node and Java accept.

mod settled;

use crate::homes;
use plimsoll_core::knobs::{KnobInput, NodeFlags, ProjectFlags, plan};
use plimsoll_core::program::{Runtime, package_scripts, package_scripts_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Most bytes read of one of the project's files.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most package.json scripts followed: they call each other.
const SCRIPTS_MAX: usize = 32;
/// How long a program may take to say whether it accepts our flags; starting Node takes 40 ms (measured).
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// "Invalid command line argument". <https://nodejs.org/api/process.html#exit-codes>
const NODE_BAD_OPTION: i32 = 9;
const CHECK_TICK: Duration = Duration::from_millis(2);

/// The texts this command resolves to: package.json scripts with those they call, `pre` and `post` included, or
/// the shell script it names. Empty where there are none or they cannot be read.
pub fn scripts(dir: &Path, argv: &[String]) -> Vec<String> {
    let named = argv.iter().take(2).filter_map(|word| shell_script(&dir.join(word)));
    let mut texts: Vec<String> = named.take(1).collect();
    let mut names = package_scripts(argv);
    names.extend(texts.iter().flat_map(|text| package_scripts_of(text)));
    if names.is_empty() {
        return texts;
    }
    let bodies = package_json_scripts(dir);
    let mut seen = BTreeSet::new();
    while let Some(name) = names.pop() {
        for name in [format!("pre{name}"), name.clone(), format!("post{name}")] {
            if let Some(body) = bodies.get(&name).filter(|_| seen.len() < SCRIPTS_MAX && seen.insert(name)) {
                names.extend(package_scripts_of(body));
                texts.push(body.clone());
            }
        }
    }
    texts
}

fn package_json_scripts(dir: &Path) -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Package {
        #[serde(default)]
        scripts: BTreeMap<String, String>,
    }
    let package =
        read(&dir.join("package.json")).and_then(|text| serde_json::from_str::<Package>(&text).ok());
    package.map(|package| package.scripts).unwrap_or_default()
}

fn shell_script(path: &Path) -> Option<String> {
    let text = read(path)?;
    let first = text.lines().next()?;
    (first.starts_with("#!") && first.trim_end().ends_with("sh") || path.extension()? == "sh").then_some(text)
}

/// A text file of the project, up to [`FILE_BYTES_MAX`].
fn read(path: &Path) -> Option<String> {
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The texts of those files that are there.
fn texts(paths: impl IntoIterator<Item = PathBuf>) -> Vec<String> {
    paths.into_iter().filter_map(|path| read(&path)).collect()
}

/// What files of the project and the user set for the tools we would set too. `ninja_is_client`: the ninja found
/// speaks to a jobserver.
pub fn project_flags(
    dir: &Path,
    argv: &[String],
    env: &BTreeMap<String, String>,
    ninja_is_client: bool,
) -> ProjectFlags {
    let build_dir = argv.iter().position(|word| word == "--build").and_then(|at| argv.get(at + 1));
    let cache = build_dir.and_then(|build| read(&dir.join(build).join("CMakeCache.txt")));
    ProjectFlags {
        maven_jvm_config: read(&dir.join(".mvn/jvm.config")),
        gradle_properties: texts(
            homes::gradle_properties(env).into_iter().chain([dir.join("gradle.properties")]),
        ),
        go_env: texts(homes::go_env(env)),
        cargo_configs: texts(homes::cargo_configs(dir, env)),
        buildkitd_configs: texts(homes::buildkitd_configs(env)),
        cmake_ninja: cache.is_some_and(|text| text.contains("\nCMAKE_GENERATOR:INTERNAL=Ninja")),
        ninja_is_client,
        settled: settled::settled(dir),
    }
}

/// Which of our flags the project's Node accepts, found by starting it with them: all, then without those that
/// other versions refuse. Nothing where Node plays no part: the command is none of its tools and there is no
/// package.json, or there is no `node`.
pub fn node_flags(input: &KnobInput, dir: &Path) -> NodeFlags {
    let Some(node) = node(input, dir) else { return NodeFlags::NONE };
    let tries = [
        NodeFlags::ALL,
        NodeFlags { report: false, ..NodeFlags::ALL },
        NodeFlags { heap: true, ..NodeFlags::NONE },
        NodeFlags { preload: true, ..NodeFlags::NONE },
    ];
    let deadline = Instant::now() + CHECK_TIMEOUT;
    let passes = |flags: &NodeFlags| {
        starts(
            Command::new(&node).args(["-e", "0"]).current_dir(dir),
            &KnobInput { node: *flags, ..input.clone() },
            deadline,
        )
    };
    tries.into_iter().find(passes).unwrap_or(NodeFlags::NONE)
}

/// The `node` that plays a part: the command is one of its tools, or there is a package.json.
fn node(input: &KnobInput, dir: &Path) -> Option<PathBuf> {
    let is_relevant = input.shape.runtime == Some(Runtime::Node) || dir.join("package.json").is_file();
    is_relevant.then(|| program(input.env, "node")).flatten()
}

/// What Node says where the user's own `NODE_OPTIONS` keep it from starting (`--optimize-for-size` and `--gc-interval`
/// do: exit 9), and so every build of this job.
pub fn node_refusal(input: &KnobInput, dir: &Path) -> Option<String> {
    input.env.get("NODE_OPTIONS")?;
    let mut command = Command::new(node(input, dir)?);
    command.args(["-e", "0"]).current_dir(dir).env_clear().envs(input.env);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let status = ended(&mut child, Instant::now() + CHECK_TIMEOUT);
    status.filter(|status| status.code() == Some(NODE_BAD_OPTION))?;
    let mut said = String::new();
    child.stderr.take()?.take(FILE_BYTES_MAX).read_to_string(&mut said).ok()?;
    let line = said.lines().find(|line| !line.is_empty())?;
    Some(format!(
        "NODE_OPTIONS keep every Node from starting: {}",
        line.rsplit("node: ").next().unwrap_or(line)
    ))
}

/// Whether the project's Java starts with our `JAVA_TOOL_OPTIONS`; asked only where the command is a JVM's.
pub fn java_tool_options(input: &KnobInput, dir: &Path) -> bool {
    let home =
        input.env.get("JAVA_HOME").map(|home| Path::new(home).join("bin/java")).filter(|path| path.is_file());
    let java =
        (input.shape.runtime == Some(Runtime::Jvm)).then(|| home.or_else(|| program(input.env, "java")));
    let Some(java) = java.flatten() else { return false };
    let deadline = Instant::now() + CHECK_TIMEOUT;
    let input = KnobInput { java_tool_options: true, ..input.clone() };
    starts(Command::new(java).arg("-version").current_dir(dir), &input, deadline)
}

/// Where the user's `PATH` finds a program.
fn program(env: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    std::env::split_paths(env.get("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// Whether the program ends well with these knobs before the deadline. What it prints is dropped.
fn starts(command: &mut Command, input: &KnobInput, deadline: Instant) -> bool {
    command.env_clear().envs(input.env).envs(plan(input).into_iter().map(|knob| (knob.name, knob.value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn();
    child.is_ok_and(|mut child| ended(&mut child, deadline).is_some_and(|status| status.success()))
}

/// How it ended; `None`, and killed, when it had not by the deadline.
fn ended(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(CHECK_TICK),
            _ => {
                // It may have ended meanwhile; either way it is reaped.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
