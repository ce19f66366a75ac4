//! Words: what a command line really starts, behind shells, `env`, `npx` and their like.

/// What is inside a wrapper.
pub enum Inner<'a> {
    /// It is no wrapper.
    Itself,
    /// Another command line.
    Command(&'a [String]),
    /// A shell's text.
    Script(&'a str),
}

/// The program's name without its folder and without the endings launchers have.
pub fn name(word: &str) -> &str {
    let base = word.rsplit('/').next().unwrap_or(word);
    [".cmd", ".exe", ".js", ".cjs", ".mjs"]
        .iter()
        .find_map(|ending| base.strip_suffix(ending))
        .unwrap_or(base)
}

/// The words after leading `NAME=value`s.
pub fn without_assignments(argv: &[String]) -> &[String] {
    let is_assignment = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    &argv[argv.iter().take_while(|word| is_assignment(word)).count()..]
}

/// Takes one wrapper off.
pub fn unwrap(argv: &[String]) -> Inner<'_> {
    let rest = &argv[1..];
    match name(&argv[0]) {
        "sh" | "bash" | "dash" | "zsh" | "ash" | "ksh" => match shell_text(rest) {
            Some(text) => Inner::Script(text),
            None => Inner::Itself,
        },
        "env" => {
            Inner::Command(without_assignments(after_options(rest, &["-u", "-C", "--unset", "--chdir"])))
        }
        "time" => Inner::Command(after_options(rest, &["-f", "-o", "--format", "--output"])),
        "nice" => Inner::Command(after_options(rest, &["-n"])),
        "ionice" => Inner::Command(after_options(rest, &["-c", "-n"])),
        "timeout" => Inner::Command(after_options(rest, &["-s", "-k"]).get(1..).unwrap_or(&[])),
        "xargs" => Inner::Command(after_options(rest, &["-n", "-P", "-I", "-L", "-d", "-a", "-s", "-E"])),
        "stdbuf" | "exec" | "command" | "nohup" | "setsid" | "sudo" | "cross-env" | "ccache" => {
            Inner::Command(without_assignments(after_options(rest, &["-i", "-o", "-e", "-u", "-E"])))
        }
        "cross-env-shell" => rest.last().map_or(Inner::Itself, |text| Inner::Script(text)),
        "npx" | "pnpx" | "bunx" => Inner::Command(after_options(rest, &["-p", "--package", "-c"])),
        "corepack" => Inner::Command(rest),
        "npm" | "pnpm" | "yarn" => package_command(rest),
        "poetry" | "pipenv" | "uv" | "pdm" | "hatch" if rest.first().is_some_and(|word| word == "run") => {
            Inner::Command(after_options(&rest[1..], &[]))
        }
        "coverage" if rest.first().is_some_and(|word| word == "run") => python_module(&rest[1..]),
        program if is_python(program) => python_module(rest),
        "node" | "nodejs" | "tsx" | "ts-node" | "c8" | "nyc" => {
            Inner::Command(after_options(rest, &["-r", "--require", "--import", "--loader"]))
        }
        _ => Inner::Itself,
    }
}

/// The script behind `npm run build`, `yarn build`, `pnpm -r build`, `npm test`.
pub fn package_script(argv: &[String]) -> Option<&str> {
    let tool = name(&argv[0]);
    if !matches!(tool, "npm" | "pnpm" | "yarn") {
        return None;
    }
    let mut words = after_options(&argv[1..], PACKAGE_OPTIONS);
    while words.first().is_some_and(|word| matches!(word.as_str(), "recursive" | "workspace" | "workspaces"))
    {
        words = after_options(&words[if words[0] == "workspace" { 2.min(words.len()) } else { 1 }..], &[]);
    }
    match words.first()?.as_str() {
        "run" | "run-script" | "rum" => {
            after_options(&words[1..], PACKAGE_OPTIONS).first().map(String::as_str)
        }
        "test" | "t" | "tst" => Some("test"),
        "start" => Some("start"),
        word if tool != "npm" && !PACKAGE_VERBS.contains(&word) => Some(word),
        _ => None,
    }
}

/// Options of npm, pnpm and yarn that take a word.
const PACKAGE_OPTIONS: &[&str] =
    &["-w", "--workspace", "--prefix", "-C", "--dir", "--filter", "-F", "--cwd", "--workspace-concurrency"];
/// What pnpm and yarn do themselves; any other word is a script or a tool.
const PACKAGE_VERBS: &[&str] = &[
    "add", "audit", "cache", "config", "create", "dlx", "exec", "install", "i", "link", "node", "pack",
    "publish", "rebuild", "remove", "store", "up", "update", "upgrade", "why",
];

fn package_command(rest: &[String]) -> Inner<'_> {
    let words = after_options(rest, PACKAGE_OPTIONS);
    match words.first().map(String::as_str) {
        Some("exec" | "x" | "dlx") => Inner::Command(after_options(&words[1..], &["-p", "--package", "-c"])),
        // `yarn tsc`, `pnpm vitest`: a tool, where it is no script.
        Some(word) if !PACKAGE_VERBS.contains(&word) => Inner::Command(words),
        _ => Inner::Itself,
    }
}

fn shell_text(rest: &[String]) -> Option<&str> {
    let at = rest
        .iter()
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))?;
    rest[..at].iter().all(|word| word.starts_with('-') || word == "pipefail").then_some(())?;
    rest.get(at + 1).map(String::as_str)
}

fn is_python(program: &str) -> bool {
    program.strip_prefix("python").is_some_and(|v| v.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn python_module(rest: &[String]) -> Inner<'_> {
    match rest.iter().position(|word| word == "-m") {
        Some(at) if rest[..at].iter().all(|word| word.starts_with('-')) => Inner::Command(&rest[at + 1..]),
        _ => Inner::Itself,
    }
}

/// The words after options; those in `takes_word` take the next word too.
fn after_options<'a>(mut words: &'a [String], takes_word: &[&str]) -> &'a [String] {
    while let Some(word) = words.first() {
        if word == "--" {
            return &words[1..];
        }
        if !word.starts_with('-') {
            break;
        }
        let taken = if takes_word.contains(&word.as_str()) { 2 } else { 1 };
        words = &words[taken.min(words.len())..];
    }
    words
}

/// The simple commands of a shell text, in order. Quotes and backslashes are read as a shell does; nothing is
/// expanded, so `$(...)` and variables stay words that match no tool.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(c),
            (_, '\\') => match chars.next() {
                Some('\n') | None => {}
                Some(next) => word.get_or_insert_default().push(next),
            },
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, ' ' | '\t' | '\r') => push_word(&mut commands, &mut word),
            (None, ';' | '&' | '|' | '\n' | '(' | ')' | '{' | '}') => {
                push_word(&mut commands, &mut word);
                commands.push(Vec::new());
            }
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    push_word(&mut commands, &mut word);
    commands.retain(|command| !command.is_empty());
    commands
}

fn push_word(commands: &mut [Vec<String>], word: &mut Option<String>) {
    const KEYWORDS: [&str; 8] = ["if", "then", "else", "do", "while", "!", "time", "exec"];
    let Some(command) = commands.last_mut() else { return };
    match word.take() {
        Some(word) if command.is_empty() && KEYWORDS.contains(&word.as_str()) => {}
        Some(word) => command.push(word),
        None => {}
    }
}
