//! A walk through commands: what they set for those after them, and the scripts they call.

use super::expand::expand;
use super::of_file::options;
use super::{Env, Run, Setting, Step};
use crate::document::shell::{self, Command};
use crate::document::text::Text;
use crate::document::yaml;
use crate::kind::{Kind, by_name};
use crate::source::{Source, Span};
use plimsoll_core::program::{package_scripts, recognise};
use std::rc::Rc;

/// Most commands of a run.
const STEPS_MAX: usize = 2_000;
/// How deep scripts that call scripts are followed.
const DEPTH_MAX: usize = 4;

/// What is being put together.
pub struct Walk<'a> {
    /// All files.
    pub sources: &'a [Source],
    /// The run so far.
    pub run: Run,
    env: Env,
    /// Where relative paths begin, below the root; ends with a slash or is empty.
    pub folder: String,
    depth: usize,
}

impl<'a> Walk<'a> {
    /// Nothing has run yet.
    pub fn new(sources: &'a [Source], what: String, folder: String) -> Walk<'a> {
        Walk { sources, run: Run { what, ..Run::default() }, env: Env::default(), folder, depth: 0 }
    }

    /// A variable that is there from the beginning.
    pub fn set(&mut self, name: &str, value: &Text, is_inherited: bool) {
        self.assign(name, value, is_inherited, false, true);
    }

    /// What a variable is by now.
    pub fn value(&self, name: &str) -> Option<&Text> {
        self.env.get(name)
    }

    fn assign(&mut self, name: &str, value: &Text, is_inherited: bool, is_conditional: bool, lasts: bool) {
        let value = expand(value, &self.env);
        if lasts {
            // What may not have been set is not known afterwards, which is what a variable that nobody knows says.
            let known = if is_conditional { unknown(name, &value) } else { value.clone() };
            Rc::make_mut(&mut self.env).insert(name.to_string(), known);
        }
        self.run.settings.push(Setting { name: name.to_string(), value, is_inherited, is_conditional });
    }

    /// Commands, one after the other.
    pub fn commands(&mut self, commands: Vec<Command>) {
        for command in commands {
            if self.run.steps.len() >= STEPS_MAX {
                return;
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: Command) {
        let before = self.env.clone();
        for (name, value) in &command.assignments {
            self.assign(name, value, false, command.is_conditional, true);
        }
        let argv: Vec<String> =
            command.words.iter().map(|word| expand(word, &self.env).as_str().to_string()).collect();
        let step = Step { shape: recognise(&argv, &[]), env: self.env.clone(), argv, command };
        self.read_options(step.shape.tool);
        self.change_folder(&step);
        let inner = self.called(&step);
        let (lasts, doubt) = (step.command.is_lasting, step.command.is_conditional);
        self.run.steps.push(step);
        if self.depth < DEPTH_MAX {
            self.depth += 1;
            for text in inner {
                let mut commands = shell::commands(&text);
                commands.iter_mut().for_each(|command| command.is_conditional |= doubt);
                self.commands(commands);
            }
            self.depth -= 1;
        }
        if !lasts {
            self.env = before;
        }
    }

    /// Options that a tool reads from a file of the project.
    fn read_options(&mut self, tool: Option<&str>) {
        let (path, kind) = match tool {
            Some("mvn") => (".mvn/jvm.config", Kind::Jvm),
            Some("gradle") => ("gradle.properties", Kind::Gradle),
            _ => return,
        };
        if let Some(file) = self.file(&format!("{}{path}", self.folder)) {
            options(self, file, kind);
        }
    }

    fn change_folder(&mut self, step: &Step) {
        if let [program, folder] = step.argv.as_slice()
            && program == "cd"
            && !step.command.is_conditional
            && !folder.contains(['$', '~'])
            && !folder.starts_with('/')
        {
            self.folder = join(&self.folder, folder) + "/";
            self.folder = self.folder.trim_start_matches('/').to_string();
        }
    }

    /// The texts that a command has run: scripts of `package.json`, shell scripts, `sh -c`.
    fn called(&self, step: &Step) -> Vec<Text> {
        let mut texts = Vec::new();
        if let Some(file) = self.file(&format!("{}package.json", self.folder)) {
            for name in package_scripts(&step.argv) {
                texts.extend(package_script(self.sources, file, &name));
            }
        }
        let words: Vec<&str> = step.argv.iter().map(String::as_str).collect();
        let script = match words.as_slice() {
            ["sh" | "bash" | "source" | "." | "dash", path, ..] if !path.starts_with('-') => Some(*path),
            [path, ..] if by_name(path) == Some(Kind::Shell) => Some(*path),
            _ => None,
        };
        if let Some(file) = script.and_then(|path| self.file(&join(&self.folder, path))) {
            let source = &self.sources[file];
            texts.push(Text::plain(Span { file, start: 0, end: source.text.len() }, &source.text));
        }
        if let ["sh" | "bash" | "dash", flag, ..] = words.as_slice()
            && flag.starts_with('-')
            && flag.ends_with('c')
        {
            texts.extend(step.command.words.get(2).cloned());
        }
        texts
    }

    fn file(&self, path: &str) -> Option<usize> {
        self.sources
            .iter()
            .position(|source| source.name.trim_start_matches("./") == path.trim_start_matches("./"))
    }

    /// It is over.
    pub fn done(mut self) -> Run {
        self.run.env = self.env;
        self.run
    }
}

fn unknown(name: &str, at: &Text) -> Text {
    let place = at.whole();
    Text::plain(Span { end: place.start, ..place }, &format!("${name}"))
}

/// A path below a folder, `.` and `..` taken out.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    // What was given as an absolute path stays one.
    if folder.starts_with('/') { format!("/{}", parts.join("/")) } else { parts.join("/") }
}

/// The text of a script of a `package.json`.
pub fn package_script(sources: &[Source], file: usize, name: &str) -> Option<Text> {
    let (documents, _) = yaml::parse(file, &sources[file].text);
    documents.first()?.at(&["scripts", name])?.located(sources)
}
