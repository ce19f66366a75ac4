use super::*;
use crate::source::Span;

fn read(script: &str) -> Vec<Command> {
    commands(&Text::plain(Span { file: 0, start: 0, end: script.len() }, script))
}

fn shown(command: &Command) -> String {
    let mut all: Vec<String> =
        command.assignments.iter().map(|(name, value)| format!("{name}:={}", value.as_str())).collect();
    all.extend(command.words.iter().map(|word| word.as_str().to_string()));
    all.extend(command.redirects.iter().map(|word| format!(">{}", word.as_str())));
    let mark = if command.is_conditional { "?" } else { "" };
    format!("{mark}{}", all.join(" "))
}

#[test]
fn commands_of_a_script() {
    let check = |script: &str, expect: &[&str]| {
        let all: Vec<String> = read(script).iter().map(shown).collect();
        assert_eq!(all, expect, "{script}");
    };
    check("a b; c && d | e", &["a b", "c", "d", "e"]);
    check("make -j$(nproc --all) x", &["make -j$(nproc --all) x"]);
    check("make -j\"$(nproc)\"", &["make -j$(nproc)"]);
    check("A=1 B='2 3' tool -x C=4", &["A:=1 B:=2 3 tool -x C=4"]);
    check("export A=\"1 2\" B=3", &["A:=1 2 B:=3 export"]);
    check("env -u X A=1 tool", &["env -u X A=1 tool"]);
    check("cross-env NODE_OPTIONS=--x webpack", &["NODE_OPTIONS:=--x cross-env webpack"]);
    check(
        "if [ $M -ge 6 ]; then\n  export A=6\nelse\n  export A=2\nfi\ntool",
        &["?[ $M -ge 6 ]", "?A:=6 export", "?A:=2 export", "tool"],
    );
    check("[ -f x ] && a\nb || c\ncd d && e", &["[ -f x ]", "?a", "b", "?c", "cd d", "e"]);
    check("a > out 2>&1 # not b\nc >> 'o 2'", &["a >out >1", "c >o 2"]);
    check("a \\\n  b\n", &["a b"]);
    check("cat > m <<EOF\nx $(date)\nEOF\nb", &["cat >m", "b"]);
    check("a ${B:-c d} `e f`", &["a ${B:-c d} `e f`"]);
    check("'open", &["open"]);
}

#[test]
fn words_are_where_they_were_written() {
    let script = "export NODE_OPTIONS=\"--a=1 --optimize-for-size\"\n";
    let (_, value) = &read(script)[0].assignments[0];
    let at = value.as_str().find("--optimize").expect("a flag");
    let span = value.span(at..value.as_str().len());
    assert_eq!(&script[span.start..span.end], "--optimize-for-size");
}

#[test]
fn lists_as_kubernetes_has_them() {
    let words = |list: &[&str]| {
        let span = Span { file: 0, start: 0, end: 0 };
        list.iter().map(|word| Text::plain(span, word)).collect::<Vec<_>>()
    };
    let shown_all = |list: &[&str]| of_words(words(list)).iter().map(shown).collect::<Vec<_>>();
    assert_eq!(shown_all(&["/bin/sh", "-c", "A=1 node x; y"]), ["A:=1 node x", "y"]);
    assert_eq!(shown_all(&["node", "--max-old-space-size=9"]), ["node --max-old-space-size=9"]);
    assert!(shown_all(&[]).is_empty());
}
