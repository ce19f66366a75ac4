//! Shell text: the simple commands of a script, each word where it was written.
//!
//! Quotes and backslashes are read as a shell does. Nothing is run: `$(...)` and `${...}` stay in their words.

mod words;

pub use words::of_words;

use super::text::Text;
use words::finished;

/// Most commands of a text; what comes later is not looked at.
const COMMANDS_MAX: usize = 5_000;

/// A simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Its words, assignments before them taken off.
    pub words: Vec<Text>,
    /// `NAME=value` before the words, behind `export`, `env` and `cross-env`.
    pub assignments: Vec<(String, Text)>,
    /// Files that `>` and `>>` write to.
    pub redirects: Vec<Text>,
    /// What `<<EOF` hands it.
    pub here: Option<Text>,
    /// It may not be reached: inside of `if`, `case` or a loop, behind `||`, or behind a test and `&&`.
    pub is_conditional: bool,
    /// Its assignments hold for what comes after it.
    pub is_lasting: bool,
}

/// The commands of a text, in order.
pub fn commands(text: &Text) -> Vec<Command> {
    let letters: Vec<(usize, char)> = text.as_str().char_indices().collect();
    let mut reader = Reader { text, letters, ..Reader::new(text) };
    reader.read();
    reader.commands.into_iter().map(finished).collect()
}

struct Reader<'a> {
    text: &'a Text,
    letters: Vec<(usize, char)>,
    at: usize,
    commands: Vec<Command>,
    command: Command,
    word: Option<Text>,
    is_redirect: bool,
    /// `if`, `case` and loops that are open.
    depth: usize,
    /// What comes next is behind `||`, or a test and `&&`.
    is_doubtful: bool,
    /// Words that end texts handed on by `<<`.
    here: Vec<String>,
    is_here: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a Text) -> Reader<'a> {
        Reader {
            text,
            letters: Vec::new(),
            at: 0,
            commands: Vec::new(),
            command: Command::default(),
            word: None,
            is_redirect: false,
            depth: 0,
            is_doubtful: false,
            here: Vec::new(),
            is_here: false,
        }
    }

    fn read(&mut self) {
        while let Some((_, letter)) = self.letters.get(self.at).copied() {
            if self.commands.len() >= COMMANDS_MAX {
                return;
            }
            match letter {
                '\\' => self.escaped(),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '$' | '`' => self.expansion(),
                '#' if self.word.is_none() => self.comment(),
                ' ' | '\t' | '\r' => {
                    self.end_word();
                    self.at += 1;
                }
                '>' | '<' => self.redirect(letter),
                ';' | '&' | '|' | '\n' | '(' | ')' => self.operator(letter),
                _ => self.take(),
            }
        }
        self.end_command();
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).map(|(_, letter)| *letter)
    }

    /// The letter becomes part of the word.
    fn take(&mut self) {
        let (at, letter) = self.letters[self.at];
        let text = self.text;
        self.word.get_or_insert_with(|| Text::empty(text.file(), text.offset(at))).push(letter, text, at);
        self.at += 1;
    }

    /// There is a word, if only an empty one.
    fn begin_word(&mut self) {
        let at = self.letters.get(self.at).map_or(self.text.as_str().len(), |(at, _)| *at);
        let text = self.text;
        self.word.get_or_insert_with(|| Text::empty(text.file(), text.offset(at)));
    }

    fn escaped(&mut self) {
        self.at += 1;
        match self.peek(0) {
            Some('\n') => self.at += 1,
            Some(_) => self.take(),
            None => {}
        }
    }

    fn single_quoted(&mut self) {
        self.at += 1;
        self.begin_word();
        while self.peek(0).is_some_and(|letter| letter != '\'') {
            self.take();
        }
        self.at += 1;
    }

    fn double_quoted(&mut self) {
        self.at += 1;
        self.begin_word();
        while let Some(letter) = self.peek(0) {
            match letter {
                '"' => break,
                '\\' => self.escaped(),
                '$' | '`' => self.expansion(),
                _ => self.take(),
            }
        }
        self.at += 1;
    }

    /// `$(...)`, `${...}` and backquotes as they are written.
    fn expansion(&mut self) {
        let close = match (self.peek(0), self.peek(1)) {
            (Some('`'), _) => '`',
            (_, Some('(')) => ')',
            (_, Some('{')) => '}',
            _ => return self.take(),
        };
        let open = if close == '`' { None } else { self.peek(1) };
        let mut depth = 0_usize;
        self.take();
        while let Some(letter) = self.peek(0) {
            self.take();
            if Some(letter) == open {
                depth += 1;
            } else if letter == close {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return;
                }
            }
        }
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|letter| letter != '\n') {
            self.at += 1;
        }
    }

    fn redirect(&mut self, letter: char) {
        // The number of what is redirected is no word.
        if self.word.as_ref().is_some_and(|word| word.as_str().bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        let is_here = letter == '<' && self.peek(1) == Some('<');
        self.at += if is_here { 2 } else { 1 };
        while self.peek(0).is_some_and(|next| matches!(next, '>' | '<' | '&' | '|' | '-')) {
            self.at += 1;
        }
        while self.peek(0).is_some_and(|next| matches!(next, ' ' | '\t')) {
            self.at += 1;
        }
        (self.is_here, self.is_redirect) = (is_here, true);
    }

    fn operator(&mut self, letter: char) {
        let doubled = self.peek(1) == Some(letter);
        self.end_command();
        self.at += 1;
        match letter {
            '|' if doubled => self.is_doubtful = true,
            '&' if doubled => {
                self.is_doubtful = self.is_doubtful || self.commands.last().is_some_and(is_test);
            }
            '\n' | ';' => self.is_doubtful = false,
            _ => {}
        }
        self.at += usize::from(doubled && matches!(letter, '|' | '&'));
        if letter == '\n' && !self.here.is_empty() {
            self.skip_here();
        }
    }

    /// Lines up to the one that ends what `<<` hands on.
    fn skip_here(&mut self) {
        for end in std::mem::take(&mut self.here) {
            let mut body: Option<Text> = None;
            while self.at < self.letters.len() {
                let start = self.at;
                while self.peek(0).is_some_and(|letter| letter != '\n') {
                    self.at += 1;
                }
                let from = self.letters[start].0;
                let to = self.letters.get(self.at).map_or(self.text.as_str().len(), |(at, _)| *at);
                self.at += 1;
                if self.text.as_str()[from..to].trim() == end {
                    break;
                }
                let line = self.text.slice(from..to);
                let all = body.get_or_insert_with(|| Text::empty(self.text.file(), line.offset(0)));
                for (at, letter) in line.as_str().char_indices() {
                    all.push(letter, &line, at);
                }
                all.push('\n', &line, line.as_str().len());
            }
            if let Some(command) = self.commands.last_mut() {
                command.here = body;
            }
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if std::mem::take(&mut self.is_redirect) {
            match std::mem::take(&mut self.is_here) {
                true => self.here.push(word.as_str().to_string()),
                false => self.command.redirects.push(word),
            }
            return;
        }
        if self.command.words.is_empty() && self.keyword(word.as_str()) {
            return;
        }
        self.command.words.push(word);
    }

    /// Whether it is a word of the shell's own, which a command may follow.
    fn keyword(&mut self, word: &str) -> bool {
        match word {
            "if" | "while" | "until" | "for" | "case" => self.depth += 1,
            "fi" | "done" | "esac" => self.depth = self.depth.saturating_sub(1),
            "then" | "else" | "elif" | "do" | "!" | "{" | "}" => {}
            _ => return false,
        }
        true
    }

    fn end_command(&mut self) {
        self.end_word();
        let mut command = std::mem::take(&mut self.command);
        if command.words.is_empty() && command.redirects.is_empty() {
            return;
        }
        command.is_conditional = self.depth > 0 || self.is_doubtful;
        self.commands.push(command);
    }
}

fn is_test(command: &Command) -> bool {
    let is_quiet = |command: &Command| command.words.iter().any(|word| word.as_str() == "-q");
    match command.words.first().map(Text::as_str) {
        Some("[" | "[[" | "test" | "command" | "which") => true,
        Some("grep") => is_quiet(command),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
