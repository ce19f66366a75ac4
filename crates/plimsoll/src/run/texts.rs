//! Texts of the user's `retry:` rules, looked for in what the build prints.

use aho_corasick::AhoCorasick;

/// Looks for a few texts in a stream that comes in pieces.
#[derive(Debug, Clone)]
pub struct Texts {
    texts: Vec<String>,
    automaton: Option<AhoCorasick>,
    found: Vec<bool>,
    /// The end of what was seen, one byte shorter than the longest text: where a text may have begun.
    tail: Vec<u8>,
    tail_max: usize,
}

impl Texts {
    /// Nothing found yet. Without a text, looking costs nothing.
    pub fn new(texts: Vec<String>) -> Texts {
        let automaton =
            Some(&texts).filter(|texts| !texts.is_empty()).and_then(|texts| AhoCorasick::new(texts).ok());
        let tail_max = texts.iter().map(String::len).max().unwrap_or(0).saturating_sub(1);
        Texts { found: vec![false; texts.len()], texts, automaton, tail: Vec::new(), tail_max }
    }

    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        let Some(automaton) = &self.automaton else { return };
        self.tail.extend_from_slice(piece);
        for hit in automaton.find_overlapping_iter(&self.tail) {
            self.found[hit.pattern().as_usize()] = true;
        }
        let seen = self.tail.len().saturating_sub(self.tail_max);
        self.tail.drain(..seen);
    }

    /// Those that were found.
    pub fn finish(self) -> Vec<String> {
        self.texts.into_iter().zip(self.found).filter_map(|(text, found)| found.then_some(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_across_pieces() {
        let check = |pieces: &[&str], expect: &[&str]| {
            let mut texts = Texts::new(vec!["ECONNRESET".into(), "reset by peer".into(), "set".into()]);
            pieces.iter().for_each(|piece| texts.feed(piece.as_bytes()));
            assert_eq!(texts.finish(), expect, "{pieces:?}");
        };
        check(&[], &[]);
        check(&["read ECONN", "RESET\n"], &["ECONNRESET"]);
        check(&["E", "C", "O", "N", "N", "R", "E", "S", "E", "T"], &["ECONNRESET"]);
        check(&["ECONN", "-RESET"], &[]);
        check(&["re", "set by pe", "er"], &["reset by peer", "set"]);
    }
}
