//! Workers asked for on the command line: found, and replaced when fewer have to do.

/// Flags of a tool that take the number of its jobs or workers, as their own documentation spells them.
const FLAGS: &[(&str, &[&str])] = &[
    ("pytest", &["-n", "--numprocesses"]),
    ("jest", &["-w", "--maxWorkers"]),
    ("vitest", &["--maxWorkers"]),
    ("playwright", &["-j", "--workers"]),
    ("mvn", &["-DforkCount"]),
    ("gradle", &["--max-workers"]),
    ("turbo", &["--concurrency"]),
    ("nx", &["--parallel"]),
    ("cmake", &["-j", "--parallel"]),
    ("ctest", &["-j", "--parallel"]),
    ("meson", &["-j", "--jobs", "--num-processes"]),
    ("go", &["-p"]),
];

/// Where a number stands in a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The word.
    word: usize,
    /// What stands before it in that word (`--maxWorkers=`).
    prefix: String,
    number: u32,
}

/// The number of workers the command asks for; `None` where it asks for none, or for `auto` or a percentage.
pub fn workers_asked(tool: &str, argv: &[String]) -> Option<u32> {
    place(tool, argv).map(|place| place.number)
}

/// The command with this number of workers in the place of the one it asks for.
pub fn with_workers(tool: &str, argv: &[String], workers: u32) -> Vec<String> {
    let mut argv = argv.to_vec();
    if let Some(place) = place(tool, &argv) {
        argv[place.word] = format!("{}{workers}", place.prefix);
    }
    argv
}

/// The last number counts, as it does for the tools.
fn place(tool: &str, argv: &[String]) -> Option<Place> {
    let (_, flags) = FLAGS.iter().find(|(name, _)| *name == tool)?;
    let end = argv.iter().position(|word| word == "--").unwrap_or(argv.len());
    let at = |word: usize| flags.iter().find_map(|flag| number_at(flag, argv, word, end));
    (0..end).rev().find_map(at)
}

/// `-n16`, `-n 16`, `--flag=16`, `--flag 16`; a flag of one letter takes no `=`.
fn number_at(flag: &str, argv: &[String], word: usize, end: usize) -> Option<Place> {
    let rest = argv[word].strip_prefix(flag)?;
    if rest.is_empty() {
        let next = argv[..end].get(word + 1)?;
        return Some(Place { word: word + 1, prefix: String::new(), number: number(next)? });
    }
    let is_short = flag.len() == 2;
    let value = if is_short { rest } else { rest.strip_prefix('=')? };
    let prefix = if is_short { flag.to_string() } else { format!("{flag}=") };
    Some(Place { word, prefix, number: number(value)? })
}

fn number(word: &str) -> Option<u32> {
    word.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_and_replaced() {
        let check = |tool: &str, line: &str, asked: Option<u32>, with_two: &str| {
            let argv: Vec<String> = line.split(' ').map(String::from).collect();
            assert_eq!(workers_asked(tool, &argv), asked, "{line}");
            assert_eq!(with_workers(tool, &argv, 2).join(" "), with_two, "{line}");
        };
        check("pytest", "pytest -q -n 16 tests", Some(16), "pytest -q -n 2 tests");
        check("pytest", "python -m pytest -n16", Some(16), "python -m pytest -n2");
        check("pytest", "pytest --numprocesses=4", Some(4), "pytest --numprocesses=2");
        check("pytest", "pytest -n auto", None, "pytest -n auto");
        check("pytest", "pytest --noconftest", None, "pytest --noconftest");
        check("jest", "npx jest --maxWorkers=4 -w 8", Some(8), "npx jest --maxWorkers=4 -w 2");
        check("jest", "jest --maxWorkers=50%", None, "jest --maxWorkers=50%");
        check("jest", "jest --watch", None, "jest --watch");
        check("mvn", "mvn -DforkCount=4 test", Some(4), "mvn -DforkCount=2 test");
        check("mvn", "mvn -DforkCount=0 test", None, "mvn -DforkCount=0 test");
        check("cmake", "cmake --build . -j 8", Some(8), "cmake --build . -j 2");
        check("cmake", "cmake --build . -- -j8", None, "cmake --build . -- -j8");
        check("meson", "meson compile -C b -j 8", Some(8), "meson compile -C b -j 2");
        check("meson", "meson test --num-processes=8", Some(8), "meson test --num-processes=2");
        check("tsc", "tsc -p .", None, "tsc -p .");
    }
}
