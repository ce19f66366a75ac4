//! What the words of a command are: assignments before it, and texts for a shell in lists of words.

use super::{Command, commands};
use crate::document::text::Text;

/// The commands of words that no shell has read: a list as Kubernetes and Docker have it.
pub fn of_words(words: Vec<Text>) -> Vec<Command> {
    let names: Vec<&str> =
        words.iter().map(|word| word.as_str().rsplit('/').next().unwrap_or_default()).collect();
    let is_shell = names.first().is_some_and(|name| matches!(*name, "sh" | "bash" | "dash" | "ash" | "zsh"));
    let script = words.iter().position(|word| word.as_str().starts_with('-') && word.as_str().ends_with('c'));
    match script.filter(|_| is_shell).and_then(|at| words.get(at + 1)) {
        Some(script) => commands(script),
        None if words.is_empty() => Vec::new(),
        None => vec![finished(Command { words, ..Command::default() })],
    }
}

/// Takes the assignments off.
pub fn finished(mut command: Command) -> Command {
    let mut words = std::mem::take(&mut command.words).into_iter().peekable();
    let mut taken = Vec::new();
    let mut is_open = true;
    for word in words.by_ref() {
        match assignment(&word).filter(|_| is_open) {
            Some(assignment) => command.assignments.push(assignment),
            None => {
                let is_flag = word.as_str().starts_with('-') && !taken.is_empty();
                is_open = is_open && (is_flag || taken.is_empty() && takes_assignments(word.as_str()));
                taken.push(word);
            }
        }
    }
    let name = taken.first().map(Text::as_str);
    command.is_lasting = matches!(name, None | Some("export" | "declare" | "readonly"));
    command.words = taken;
    command
}

fn takes_assignments(word: &str) -> bool {
    matches!(word, "export" | "env" | "cross-env" | "cross-env-shell" | "declare" | "readonly" | "sudo")
}

fn assignment(word: &Text) -> Option<(String, Text)> {
    let (name, _) = word.as_str().split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| (name.to_string(), word.slice(name.len() + 1..word.as_str().len())))
}
