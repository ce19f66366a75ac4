//! Inputs: what a process works on, read off its arguments, so that the next process with the same work is known.

/// Longest input kept, in bytes; of a longer one the end, which names the file.
const INPUT_BYTES_MAX: usize = 160;

/// How a program's arguments name its work.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The value of this option.
    Option(&'static str),
    /// The first argument that ends like source code.
    Source,
    /// The first argument that is no option: a script, a main class. The value of one of these options counts
    /// instead where it is given, and the values of the others are passed over.
    Script { instead: &'static [&'static str], skip: &'static [&'static str] },
}

const RULES: &[(&[&str], Rule)] = &[
    (&["cc1", "cc1plus", "cc1obj", "cc1objplus", "f951", "clang", "clang++"], Rule::Source),
    (&["rustc", "rustdoc"], Rule::Option("--crate-name")),
    (&["compile"], Rule::Option("-p")),
    (&["as", "ld", "ld.bfd", "ld.gold", "ld.lld", "lld", "mold", "lto1"], Rule::Option("-o")),
    (
        &["java"],
        Rule::Script {
            instead: &["-jar", "-m", "--module"],
            skip: &["-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules"],
        },
    ),
    (
        &["node", "nodejs"],
        Rule::Script {
            instead: &[],
            skip: &["-r", "--require", "--import", "--loader", "-C", "--conditions"],
        },
    ),
    (&["python", "python3"], Rule::Script { instead: &["-m", "-c"], skip: &["-W", "-X"] }),
];

/// Endings of source files, as compilers are given them.
const SOURCES: &[&str] = &[
    "c", "cc", "cp", "cpp", "cxx", "c++", "C", "CPP", "m", "mm", "i", "ii", "f", "F", "f90", "F90", "f95",
    "cu",
];

/// What a process works on, from its arguments without the program itself. `None` where they do not say, or name
/// a temporary file that no second run will see.
pub fn input_of(program: &str, arguments: &[&str]) -> Option<String> {
    let (_, rule) = RULES.iter().find(|(programs, _)| programs.contains(&program))?;
    let input = match rule {
        Rule::Option(option) => value_of(arguments, option),
        Rule::Source => arguments.iter().copied().find(|argument| is_source(argument)),
        Rule::Script { instead, skip } => script(arguments, instead, skip),
    };
    let input = input.filter(|input| !input.starts_with("/tmp/") && !input.is_empty())?;
    // A crate's tests are another piece of work than the crate.
    let suffix = if program == "rustc" && arguments.contains(&"--test") { " --test" } else { "" };
    Some(format!("{}{suffix}", tail(input)))
}

fn value_of<'a>(arguments: &[&'a str], option: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| *argument == option)?;
    arguments.get(at + 1).copied()
}

fn is_source(argument: &str) -> bool {
    !argument.starts_with('-')
        && argument
            .rsplit_once('.')
            .is_some_and(|(stem, ending)| !stem.is_empty() && SOURCES.contains(&ending))
}

fn script<'a>(arguments: &[&'a str], instead: &[&str], skip: &[&str]) -> Option<&'a str> {
    let mut arguments = arguments.iter().copied();
    while let Some(argument) = arguments.next() {
        if instead.contains(&argument) {
            return arguments.next();
        }
        if skip.contains(&argument) {
            arguments.next();
        } else if !argument.starts_with('-') {
            return Some(argument);
        }
    }
    None
}

fn tail(input: &str) -> &str {
    let mut from = input.len().saturating_sub(INPUT_BYTES_MAX);
    while !input.is_char_boundary(from) {
        from += 1;
    }
    &input[from..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_arguments_say() {
        let check = |line: &str, expect: Option<&str>| {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(input_of(words[0], &words[1..]).as_deref(), expect, "{line}");
        };
        check(
            "cc1plus -quiet -I inc -D_GNU_SOURCE src/a.cc -quiet -dumpbase a.cc -o /tmp/ccX.s",
            Some("src/a.cc"),
        );
        check("cc1 -E -lang-asm -quiet start.S -o /tmp/x.s", None);
        check("clang -cc1 -triple x86_64 -main-file-name a.cpp -x c++ lib/b.cpp", Some("a.cpp"));
        check("rustc --crate-name serde --edition=2021 src/lib.rs", Some("serde"));
        check("rustc --crate-name app --test src/main.rs", Some("app --test"));
        check("rustc -vV", None);
        check("compile -o /tmp/go-build1/b002/_pkg_.a -p net/http -complete", Some("net/http"));
        check("ld -plugin lto.so -o target/debug/app a.o", Some("target/debug/app"));
        check("as --64 -o a.o /tmp/ccX.s", Some("a.o"));
        check("ld -o /tmp/conftest", None);
        check("java -Xmx1g -cp a.jar:b.jar org.Main arg", Some("org.Main"));
        check("java -jar /b/surefire.jar x", Some("/b/surefire.jar"));
        check(
            "node --max-old-space-size=512 -r ./pre.js node_modules/.bin/tsc -p .",
            Some("node_modules/.bin/tsc"),
        );
        check("python3 -X utf8 -m pytest -n 16", Some("pytest"));
        check("sh -c true", None);
        check("cc1plus -quiet", None);
        check("ld -o", None);
    }

    #[test]
    fn a_long_input_keeps_its_end() {
        let path = format!("/{}ä/deep/a.cc", "x".repeat(400));
        let input = input_of("cc1plus", &[&path]).unwrap();
        assert!(input.len() <= INPUT_BYTES_MAX && input.ends_with("ä/deep/a.cc"), "{input}");
    }

    proptest! {
        #[test]
        fn never_panics(program in "(cc1|rustc|java|node|python3|ld)", arguments in prop::collection::vec(".{0,200}", 0..6)) {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let _ = input_of(&program, &arguments);
        }
    }
}
