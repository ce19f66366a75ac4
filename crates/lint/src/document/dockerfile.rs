//! Dockerfiles: instructions, their continuation lines put together.

use super::text::Text;
use crate::source::Span;

/// Most instructions that are looked at.
const INSTRUCTIONS_MAX: usize = 2_000;

/// A line, or several that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// `RUN`, `ENV`, in capitals.
    pub keyword: String,
    /// What is behind it; comments between its lines are left out, and so are the backslashes that join them.
    pub rest: Text,
    /// Where it begins.
    pub span: Span,
}

/// The instructions of a text.
pub fn parse(file: usize, text: &str) -> Vec<Instruction> {
    let mut instructions: Vec<Instruction> = Vec::new();
    let mut open: Option<Instruction> = None;
    let mut here: Option<String> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim_end_matches(['\n', '\r']);
        if let (Some(end), Some(instruction)) = (&here, instructions.last_mut()) {
            if content.trim() == end {
                here = None;
            } else {
                append(&mut instruction.rest, content, start, '\n');
            }
            continue;
        }
        if content.trim_start().starts_with('#') || (content.trim().is_empty() && open.is_some()) {
            continue;
        }
        let (content, goes_on) = match content.trim_end().strip_suffix('\\') {
            Some(content) => (content, true),
            None => (content, false),
        };
        match &mut open {
            Some(instruction) => append(&mut instruction.rest, content, start, ' '),
            None => open = begin(file, content, start),
        }
        if goes_on || instructions.len() >= INSTRUCTIONS_MAX {
            continue;
        }
        if let Some(mut instruction) = open.take() {
            here = here_word(&mut instruction);
            instructions.push(instruction);
        }
    }
    instructions.extend(open);
    instructions
}

fn begin(file: usize, line: &str, start: usize) -> Option<Instruction> {
    let word = line.trim_start();
    let at = start + line.len() - word.len();
    let keyword: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
    if keyword.is_empty() {
        return None;
    }
    let rest_at = at + keyword.len();
    let rest = Text::plain(Span { file, start: rest_at, end: start + line.len() }, &word[keyword.len()..]);
    let span = Span { file, start: at, end: start + line.len() };
    Some(Instruction { keyword: keyword.to_ascii_uppercase(), rest, span })
}

fn append(rest: &mut Text, line: &str, start: usize, between: char) {
    rest.push_at(between, start, start);
    for (at, letter) in line.char_indices() {
        rest.push_at(letter, start + at, start + at + letter.len_utf8());
    }
}

/// The word that ends `RUN <<EOF`; what is before it is no part of the script.
fn here_word(instruction: &mut Instruction) -> Option<String> {
    let rest = instruction.rest.as_str();
    let word = rest.trim_start().strip_prefix("<<")?.trim_start_matches('-').trim().trim_matches(['"', '\'']);
    let is_word =
        !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let word = is_word.then(|| word.to_string())?;
    let end = rest.len();
    instruction.rest = instruction.rest.slice(end..end);
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_of_a_text() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let all = parse(0, text);
            let shown: Vec<(&str, &str)> =
                all.iter().map(|one| (one.keyword.as_str(), one.rest.as_str().trim())).collect();
            assert_eq!(shown, expect, "{text}");
        };
        check("FROM node:20\n# c\nrun a \\\n # no\n  && b\n", &[("FROM", "node:20"), ("RUN", "a    && b")]);
        check("RUN <<EOF\na\nb\nEOF\nCMD [\"x\"]", &[("RUN", "a\nb"), ("CMD", "[\"x\"]")]);
        check("\\\n", &[]);
        check("RUN a \\", &[("RUN", "a")]);
    }

    #[test]
    fn places_over_lines() {
        let text = "RUN a \\\n  # no\n  make -j8\n";
        let rest = &parse(0, text)[0].rest;
        let at = rest.as_str().find("-j8").expect("a flag");
        let span = rest.span(at..at + 3);
        assert_eq!(&text[span.start..span.end], "-j8");
    }
}
