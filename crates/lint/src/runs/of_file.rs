//! Runs of files that know no limit: images, scripts, `package.json`, options of JVMs.

use super::walk::{Walk, package_script};
use super::{Run, node};
use crate::document::dockerfile::{self, Instruction};
use crate::document::text::Text;
use crate::document::{Node, shell, yaml};
use crate::kind::Kind;
use crate::source::{Source, Span};

/// What a file runs, or sets for what runs.
pub fn of_file(sources: &[Source], file: usize, kind: Kind) -> Vec<Run> {
    let source = &sources[file];
    let whole = Text::plain(Span { file, start: 0, end: source.text.len() }, &source.text);
    let folder = source.name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let what = match kind {
        Kind::Dockerfile => "the image",
        Kind::Gradle => "Gradle",
        Kind::Jvm => "the JVM",
        _ => "the script",
    };
    let mut walk = Walk::new(sources, what.to_string(), folder);
    match kind {
        Kind::Shell => walk.commands(shell::commands(&whole)),
        Kind::Dockerfile => {
            dockerfile::parse(file, &source.text).iter().for_each(|line| instruction(&mut walk, line));
        }
        Kind::Package => return scripts(sources, file, &walk.folder),
        Kind::Jvm | Kind::Gradle => options(&mut walk, file, kind),
        _ => {}
    }
    vec![walk.done()]
}

/// Options of JVMs that a file holds, set under the name of where they are from.
pub fn options(walk: &mut Walk, file: usize, kind: Kind) {
    let text = &walk.sources[file].text;
    let whole = Text::plain(Span { file, start: 0, end: text.len() }, text);
    match kind {
        Kind::Jvm => walk.set("jvm.config", &without_comments(&whole), false),
        _ => properties(walk, &whole),
    }
}

fn scripts(sources: &[Source], file: usize, folder: &str) -> Vec<Run> {
    let (documents, _) = yaml::parse(file, &sources[file].text);
    let scripts =
        documents.first().and_then(|tree| tree.get("scripts")).map(Node::entries).unwrap_or_default();
    let run = |(key, _): &(Node, Node)| {
        let name = key.text()?;
        let mut walk = Walk::new(sources, format!("script {name}"), folder.to_string());
        walk.commands(shell::commands(&package_script(sources, file, name)?));
        Some(walk.done())
    };
    scripts.iter().filter_map(run).collect()
}

/// One line of a Dockerfile: what it sets holds for those after it.
fn instruction(walk: &mut Walk, line: &Instruction) {
    match line.keyword.as_str() {
        "FROM" => walk.run.node_major = node::major_of_image(line.rest.as_str()),
        "ENV" => env(walk, &line.rest),
        "RUN" | "CMD" | "ENTRYPOINT" => {
            let rest = line.rest.as_str();
            let words = if rest.trim_start().starts_with('[') { words(&line.rest) } else { None };
            walk.commands(words.map_or_else(|| shell::commands(&without_flags(&line.rest)), shell::of_words));
        }
        _ => {}
    }
}

/// `--mount=...` before a command is Docker's.
fn without_flags(rest: &Text) -> Text {
    let words = rest.words();
    let first = words.iter().find(|(_, word)| !word.starts_with("--"));
    let at = first.map_or(rest.as_str().len(), |(at, _)| *at);
    rest.slice(at..rest.as_str().len())
}

/// `ENV A=1 B="2"` or `ENV A 1`.
fn env(walk: &mut Walk, rest: &Text) {
    let commands = shell::commands(rest);
    match commands.iter().flat_map(|command| &command.assignments).next() {
        Some(_) => commands.iter().flat_map(|command| &command.assignments).for_each(|(name, value)| {
            walk.set(name, value, false);
        }),
        None => {
            if let Some((at, name)) = rest.words().first() {
                let end = at + name.len();
                let value = rest.slice(end..rest.as_str().len());
                let blanks = value.as_str().len() - value.as_str().trim_start().len();
                walk.set(
                    name,
                    &rest.slice(end + blanks..rest.as_str().trim_end().len().max(end + blanks)),
                    false,
                );
            }
        }
    }
}

/// `["a", "b"]`; `None` where it is no such list.
fn words(rest: &Text) -> Option<Vec<Text>> {
    let (documents, error) = yaml::parse(rest.file(), rest.as_str());
    let list = documents.into_iter().next().filter(|_| error.is_none())?;
    let word = |node: &Node| {
        let raw = rest.as_str().get(node.span.start..node.span.end)?;
        let inner =
            Text::aligned(Span { file: 0, start: node.span.start, end: node.span.end }, node.text()?, raw);
        let mut word = Text::empty(rest.file(), rest.offset(node.span.start));
        for (at, letter) in inner.as_str().char_indices() {
            let from = inner.offset(at);
            word.push_at(letter, rest.offset(from), rest.offset(from + letter.len_utf8()));
        }
        Some(word)
    };
    list.elements().iter().map(word).collect()
}

/// Lines that begin with `#` say nothing; their letters become blanks.
fn without_comments(text: &Text) -> Text {
    let mut done = Text::empty(text.file(), text.offset(0));
    let mut is_comment = false;
    let mut is_start = true;
    for (at, letter) in text.as_str().char_indices() {
        is_comment = (is_comment || (is_start && letter == '#')) && letter != '\n';
        is_start = letter == '\n' || (is_start && letter.is_whitespace());
        let shown = if is_comment && letter.is_ascii() { ' ' } else { letter };
        done.push(shown, text, at);
    }
    done
}

/// `org.gradle.jvmargs=...`
fn properties(walk: &mut Walk, text: &Text) {
    let mut at = 0;
    for line in text.as_str().split_inclusive('\n') {
        let content = line.trim_end();
        if let Some((key, _)) = content.split_once('=')
            && key.trim() == "org.gradle.jvmargs"
        {
            walk.set(key.trim(), &text.slice(at + key.len() + 1..at + content.len()), false);
        }
        at += line.len();
    }
}
