//! Patterns of paths as GitLab's `include: local` and `.gitignore` have them: `*`, `**`, `?` and `[...]`.

/// Whether a path of names and slashes is meant by the pattern. `**` may stand for any number of folders, also none; the
/// other wildcards never for a slash.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    folders(&pattern, &path)
}

/// By a table, so that many `**` do not take for ever.
fn folders(pattern: &[&str], path: &[&str]) -> bool {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        if *part == "**" {
            let mut any = false;
            for at in 0..=path.len() {
                any |= reached[at];
                next[at] = any;
            }
        } else {
            for at in 0..path.len() {
                next[at + 1] = reached[at] && name(part, path[at]);
            }
        }
        reached = next;
    }
    reached[path.len()]
}

/// One name, where `*` and `**` are any letters.
fn name(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut letter) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while letter < name.len() {
        match one(&pattern[at..], name[letter]) {
            Some(taken) => (at, letter) = (at + taken, letter + 1),
            None if pattern.get(at) == Some(&'*') => {
                star = Some((at, letter));
                at += 1;
            }
            None => match star {
                Some((from, taken)) => {
                    star = Some((from, taken + 1));
                    (at, letter) = (from + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// How much of the pattern stands for this letter; `None` where it does not.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern.first()? {
        '*' => None,
        '?' => Some(1),
        '[' => set(pattern, letter),
        '\\' => (pattern.get(1) == Some(&letter)).then_some(2),
        same => (*same == letter).then_some(1),
    }
}

fn set(pattern: &[char], letter: char) -> Option<usize> {
    let close = pattern.iter().skip(2).position(|c| *c == ']')? + 2;
    let (is_not, inside) = match pattern[1] {
        '!' | '^' => (true, &pattern[2..close]),
        _ => (false, &pattern[1..close]),
    };
    let mut is_in = false;
    let mut at = 0;
    while at < inside.len() {
        if at + 2 < inside.len() && inside[at + 1] == '-' {
            is_in |= (inside[at]..=inside[at + 2]).contains(&letter);
            at += 3;
        } else {
            is_in |= inside[at] == letter;
            at += 1;
        }
    }
    (is_in != is_not).then_some(close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, path: &str, expect: bool| {
            assert_eq!(matches(pattern, path), expect, "{pattern} {path}");
        };
        check("ci/*.yml", "ci/a.yml", true);
        check("ci/*.yml", "ci/b/a.yml", false);
        check("ci/**/*.yml", "ci/a.yml", true);
        check("ci/**/*.yml", "ci/b/c/a.yml", true);
        check("**/node_modules", "a/b/node_modules", true);
        check("a?c[0-9]*", "abc7x", true);
        check("a[!b]c", "abc", false);
        check("*.lo*g", "a.loog", true);
        check("", "a", false);
        check("[", "[", false);
    }
}
