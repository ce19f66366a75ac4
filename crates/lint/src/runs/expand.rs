//! `$NAME` and `${NAME}` put in where the value is known; what is not known stays as it is written.

use super::Env;
use crate::document::text::Text;

/// How often what was put in is looked at again.
const DEPTH_MAX: usize = 5;
/// A longer text is left as it is, in bytes.
const BYTES_MAX: usize = 1 << 16;

/// A text with variables put in. What is put in has the place of the variable's name.
pub fn expand(text: &Text, env: &Env) -> Text {
    expand_to(text, env, DEPTH_MAX)
}

fn expand_to(text: &Text, env: &Env, depth: usize) -> Text {
    if depth == 0 || !text.as_str().contains('$') || text.as_str().len() > BYTES_MAX {
        return text.clone();
    }
    let mut done = Text::empty(text.file(), text.offset(0));
    let mut at = 0;
    while let Some(letter) = text.as_str()[at..].chars().next() {
        let found = (letter == '$').then(|| reference(&text.as_str()[at..])).flatten();
        let value = found.as_ref().and_then(|found| {
            let known =
                env.get(found.name).map(|value| expand_to(value, env, depth - 1).as_str().to_string());
            known.or_else(|| found.default.map(String::from))
        });
        match (found, value) {
            (Some(found), Some(value)) if done.as_str().len() + value.len() <= BYTES_MAX => {
                let span = text.span(at..at + found.len);
                value.chars().for_each(|letter| done.push_at(letter, span.start, span.end));
                at += found.len;
            }
            _ => {
                done.push(letter, text, at);
                at += letter.len_utf8();
            }
        }
    }
    done
}

struct Reference<'a> {
    name: &'a str,
    default: Option<&'a str>,
    len: usize,
}

fn reference(text: &str) -> Option<Reference<'_>> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let rest = text.strip_prefix('$')?;
    if let Some(inner) = rest.strip_prefix('{') {
        let inner = &inner[..inner.find('}')?];
        let name = &inner[..inner.find(|letter| !is_name(letter)).unwrap_or(inner.len())];
        let behind = &inner[name.len()..];
        let default = behind.strip_prefix(":-").or_else(|| behind.strip_prefix('-'));
        let is_plain = behind.is_empty() || default.is_some();
        return (is_plain && !name.is_empty()).then_some(Reference { name, default, len: inner.len() + 3 });
    }
    let name = &rest[..rest.find(|letter| !is_name(letter)).unwrap_or(rest.len())];
    let is_variable = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    is_variable.then_some(Reference { name, default: None, len: name.len() + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    #[test]
    fn what_is_known_is_put_in() {
        let plain = |text: &str| Text::plain(Span { file: 0, start: 0, end: text.len() }, text);
        let of = [("A", "1"), ("B", "$A-$A"), ("C", "$C x")];
        let env: Env = Rc::new(BTreeMap::from(of.map(|(name, value)| (name.to_string(), plain(value)))));
        let check =
            |text: &str, expect: &str| assert_eq!(expand(&plain(text), &env).as_str(), expect, "{text}");
        check("x$A/${A}", "x1/1");
        check("$B", "1-1");
        check("${D:-2}${D}$D $ $(A)", "2${D}$D $ $(A)");
        check("$1$", "$1$");
        assert!(expand(&plain("$C"), &env).as_str().len() < 20);
        let text = plain("ab $A c");
        assert_eq!(expand(&text, &env).span(3..4), Span { file: 0, start: 3, end: 4 });
    }
}
