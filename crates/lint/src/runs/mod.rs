//! What runs, and within which limit: a job, a container, a step of an image. Rules about heaps and workers look at these,
//! whatever file they come from.

pub mod expand;
pub mod jvm;
mod limit;
pub mod node;
mod of_container;
mod of_file;
mod of_job;
mod walk;

pub use of_container::of_container;
pub use of_file::of_file;
pub use of_job::{of_job, of_runner};

use crate::document::shell::Command;
use crate::document::text::Text;
use crate::source::Span;
use plimsoll_core::program::{Runtime, Shape};
use plimsoll_core::solver::heap_within;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Variables by name.
pub type Env = Rc<BTreeMap<String, Text>>;

/// Something that runs.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// As people say it: `job build`.
    pub what: String,
    /// The memory it may use, where that is known.
    pub limit: Option<Limit>,
    /// Node's major version, where an image names it.
    pub node_major: Option<u32>,
    /// What is set, in order; also what holds for single commands only.
    pub settings: Vec<Setting>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// All that holds at the end.
    pub env: Env,
}

/// A limit, and where it is from.
#[derive(Debug, Clone)]
pub struct Limit {
    /// In bytes.
    pub bytes: u64,
    /// As people say it: `2Gi (KUBERNETES_MEMORY_LIMIT)`.
    pub shown: String,
    /// Where it is written.
    pub span: Span,
}

/// Share of a limit that is left free, in percent, as the modes of a run have it.
const RESERVE_PERCENT: u64 = 5;

impl Limit {
    /// The heap of a process that is alone in it, in bytes.
    pub fn heap_bytes(&self, runtime: Runtime) -> u64 {
        heap_within(runtime, self.bytes / 100 * (100 - RESERVE_PERCENT))
    }
}

/// A variable that is set.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value, variables in it put in as far as they are known.
    pub value: Text,
    /// It is of the whole pipeline, and may be meant for other jobs.
    pub is_inherited: bool,
    /// It may not come to that.
    pub is_conditional: bool,
}

/// A command, and the variables it has.
#[derive(Debug, Clone)]
pub struct Step {
    /// The command.
    pub command: Command,
    /// What holds for it.
    pub env: Env,
    /// What core knows of it.
    pub shape: Shape,
    /// Its words.
    pub argv: Vec<String>,
}

impl Run {
    /// Whether something in it is known to be of this runtime.
    pub fn uses(&self, runtime: Runtime) -> bool {
        let launchers: &[&str] = match runtime {
            Runtime::Node => &["npm", "npx", "yarn", "pnpm", "node", "corepack"],
            Runtime::Jvm => &["java", "mvn", "mvnw", "gradle", "gradlew"],
            Runtime::Native => &[],
        };
        self.steps
            .iter()
            .any(|step| step.shape.runtime == Some(runtime) || launchers.contains(&step.program()))
    }

    /// Settings of these names that hold without doubt, for something that is there to obey them.
    pub fn effective<'a>(&'a self, names: &'a [&str], runtime: Runtime) -> impl Iterator<Item = &'a Setting> {
        let is_used = self.uses(runtime);
        self.settings.iter().filter(move |setting| {
            names.contains(&setting.name.as_str())
                && !setting.is_conditional
                && (is_used || !setting.is_inherited)
        })
    }
}

impl Step {
    /// The program's name without its folder.
    pub fn program(&self) -> &str {
        self.argv.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default()
    }

    /// Where the program's name is.
    pub fn span(&self) -> Option<Span> {
        self.command.words.first().map(Text::whole)
    }

    /// The value of a variable.
    pub fn value(&self, name: &str) -> Option<&Text> {
        self.env.get(name)
    }
}
