//! The guide as steps: each block of commands, and the block of what they answer where it shows that.

/// Commands, and what they say.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Where they begin in the guide.
    pub line: usize,
    pub commands: String,
    /// Lines of the answer, in their order; `...` stands for any text, in a line or as one.
    pub answer: Vec<String>,
}

impl Step {
    /// The first line of the answer that is not in what was said, after those before it.
    pub fn missing(&self, said: &str) -> Option<&str> {
        let mut lines = said.lines();
        let shown = self.answer.iter().filter(|line| line.trim() != "...");
        shown.map(String::as_str).find(|wanted| !lines.any(|line| is_like(line, wanted)))
    }
}

/// Spaces at the end do not count.
fn is_like(line: &str, wanted: &str) -> bool {
    let mut rest = line.trim_end();
    let pieces: Vec<&str> = wanted.trim_end().split("...").collect();
    for (at, piece) in pieces.iter().enumerate() {
        let found = match (at, at + 1 == pieces.len()) {
            (0, true) => return rest == *piece,
            (0, false) => rest.starts_with(piece).then_some(0),
            (_, true) => return rest.ends_with(piece),
            (_, false) => rest.find(piece),
        };
        let Some(found) = found else { return false };
        rest = &rest[found + piece.len()..];
    }
    true
}

/// All steps of a text. A block in a language that is neither `sh` nor, right after such a one, `text` is refused: nobody would run it.
pub fn of(text: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<(usize, &str, Vec<&str>)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(language) = line.strip_prefix("```") else {
            if let Some((_, _, lines)) = &mut block {
                lines.push(line);
            }
            continue;
        };
        match block.take() {
            None => block = Some((number + 1, language, Vec::new())),
            Some((begin, "sh", lines)) => {
                steps.push(Step { line: begin, commands: lines.join("\n"), answer: Vec::new() })
            }
            Some((begin, "text", lines)) => match steps.last_mut() {
                Some(step) if step.answer.is_empty() => {
                    step.answer = lines.into_iter().map(String::from).collect()
                }
                _ => return Err(format!("line {begin}: an answer without commands")),
            },
            Some((begin, language, _)) => return Err(format!("line {begin}: '{language}' is not run")),
        }
    }
    match block {
        Some((begin, ..)) => Err(format!("line {begin}: the block does not end")),
        None => Ok(steps),
    }
}

#[test]
fn blocks_are_steps() {
    let step = |line, commands: &str, answer: &[&str]| Step {
        line,
        commands: commands.into(),
        answer: answer.iter().map(|line| line.to_string()).collect(),
    };
    let check = |text: &str, expect: Result<Vec<Step>, &str>| {
        assert_eq!(of(text), expect.map_err(String::from), "{text}");
    };
    check(
        "# A\n```sh\na\nb\n```\n\n```text\nc\n```\n```sh\nd\n```\n",
        Ok(vec![step(3, "a\nb", &["c"]), step(11, "d", &[])]),
    );
    check("```console\n$ a\n```\n", Err("line 2: 'console' is not run"));
    check("```text\na\n```\n", Err("line 2: an answer without commands"));
    check("```sh\na\n", Err("line 2: the block does not end"));
}

#[test]
fn answers_are_found() {
    let check = |answer: &[&str], said: &str, expect: Option<&str>| {
        let answer = answer.iter().map(|line| line.to_string()).collect();
        let step = Step { line: 1, commands: String::new(), answer };
        assert_eq!(step.missing(said), expect, "{said}");
    };
    check(&["a", "...", "c"], "a\nb\nc\n", None);
    check(&["c", "a"], "a\nb\nc\n", Some("a"));
    check(&["a ... b ... c"], "a 1 b 2 c  \n", None);
    check(&["a ... b"], "a 1 b 2\n", Some("a ... b"));
    check(&["a"], "a 1\n", Some("a"));
    check(&["a..."], "a 1\n", None);
    check(&["...1"], "a 1\n", None);
}
