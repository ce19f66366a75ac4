//! Programs: what is known in advance about the compilers, runtimes and runners a build starts.

mod table;
mod words;
mod workers;

pub use workers::{with_workers, workers_asked};

use serde::{Deserialize, Serialize};

/// A runtime with a heap of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// V8 in Node.
    Node,
    /// A Java virtual machine.
    Jvm,
    /// No heap limit of its own (compilers, linkers, Python, ...).
    Native,
}

/// What a command looks like before it has run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The tool that was recognised (`tsc`, `webpack`, `make`, `mvn`, ...).
    pub tool: Option<&'static str>,
    /// The runtime of its main process.
    pub runtime: Option<Runtime>,
    /// Whether that process starts workers with heaps of their own.
    pub workers: bool,
    /// Whether that process only hands out work: its heap is small and its workers' are not.
    pub light_main: bool,
    /// Whether it starts one worker fewer than the cores it is told of, so that with one core it does all the work
    /// itself.
    pub one_fewer: bool,
}

impl Shape {
    /// Whether the command is known to do all its work in the main thread of one process. `node script.js` may do
    /// anything.
    pub fn is_lone(&self) -> bool {
        self.tool.is_some_and(|tool| tool != "node") && self.runtime == Some(Runtime::Node) && !self.workers
    }
}

/// How deep wrappers are followed: `sh -c 'env time npx ...'`.
const WRAPPERS_MAX: usize = 8;

/// What `argv` is going to run. `scripts` are the texts it resolves to, read at the rim: the bodies of the
/// `package.json` scripts behind `npm run build`, or the shell script it names.
///
/// Of several commands (`tsc && vite build`) the one that is hardest to fit counts: one with workers before one
/// with a heap, before one without.
pub fn recognise(argv: &[String], scripts: &[String]) -> Shape {
    let mut found = Vec::new();
    collect(argv, WRAPPERS_MAX, &mut found);
    for script in scripts {
        collect_script(script, WRAPPERS_MAX, &mut found);
    }
    let mut hardest = Shape::default();
    for shape in found {
        if weight(&shape) > weight(&hardest) {
            hardest = shape;
        }
    }
    hardest
}

/// Names of the `package.json` scripts this command line runs: `npm run build` runs `build`, and so does
/// `sh -c 'npm ci && npm run build'`.
pub fn package_scripts(argv: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    walk(argv, WRAPPERS_MAX, &mut |command| {
        names.extend(words::package_script(command).map(str::to_string));
    });
    names
}

/// [`package_scripts`] of a script's own text: scripts call scripts.
pub fn package_scripts_of(script: &str) -> Vec<String> {
    words::commands(script).iter().flat_map(|command| package_scripts(command)).collect()
}

fn weight(shape: &Shape) -> u8 {
    let heap = matches!(shape.runtime, Some(Runtime::Node | Runtime::Jvm));
    match shape.tool {
        None => 0,
        // A runtime without a known script says least of all.
        Some("node" | "java") => 2,
        Some(_) if heap && shape.workers => 4,
        Some(_) if heap => 3,
        Some(_) => 1,
    }
}

fn collect(argv: &[String], depth: usize, found: &mut Vec<Shape>) {
    walk(argv, depth, &mut |command| found.extend(table::shape(command)));
}

fn collect_script(script: &str, depth: usize, found: &mut Vec<Shape>) {
    for command in words::commands(script) {
        collect(&command, depth, found);
    }
}

/// Calls `visit` with every command behind the wrappers of `argv`, the wrappers taken off.
fn walk(argv: &[String], depth: usize, visit: &mut dyn FnMut(&[String])) {
    let argv = words::without_assignments(argv);
    if argv.is_empty() {
        return;
    }
    visit(argv);
    let Some(depth) = depth.checked_sub(1) else { return };
    match words::unwrap(argv) {
        words::Inner::Itself => {}
        words::Inner::Command(inner) => walk(inner, depth, visit),
        words::Inner::Script(text) => {
            for command in words::commands(text) {
                walk(&command, depth, visit);
            }
        }
    }
}

#[cfg(test)]
mod tests;
