//! Patterns of paths as Hadoop has them: `*`, `?`, `[a-z]`, `[^a]`, `{one,two}`, and `\` before what stands for itself.

/// No pattern stands for more.
const MOST_ALTERNATIVES: usize = 1024;

/// Whether a path is a pattern.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{', '\\'])
}

/// The patterns without braces that one with braces stands for.
pub(super) fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(next) = open.pop() {
        match first_braces(&next) {
            Some((start, end)) if open.len() + done.len() < MOST_ALTERNATIVES => {
                let (before, after) = (next.get(..start).unwrap_or_default(), next.get(end + 1..).unwrap_or_default());
                let parts = parts(next.get(start + 1..end).unwrap_or_default());
                open.extend(parts.iter().rev().map(|part| format!("{before}{part}{after}")));
            }
            _ => done.push(next),
        }
    }
    done
}

/// Where the first braces begin and end.
fn first_braces(pattern: &str) -> Option<(usize, usize)> {
    let (mut start, mut depth, mut escaped) = (None, 0_usize, false);
    for (at, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => {
                start = start.or(Some(at));
                depth += 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return start.map(|start| (start, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// What stands between the commas that are not within braces.
fn parts(inner: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(inner.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(inner.get(from..));
    parts
}

/// Whether a name is one of those that a pattern without braces stands for.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star stands, and up to where it has reached.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(next) = one(&pattern, p, name[n]) {
            p = next;
            n += 1;
        } else if let Some((at, reached)) = star {
            star = Some((at, reached + 1));
            p = at + 1;
            n = reached + 1;
        } else {
            return false;
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// Where the pattern goes on behind what takes this character.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '\\' => (pattern.get(at + 1) == Some(&c)).then_some(at + 2),
        '[' => {
            let end = at + 2 + pattern.get(at + 2..)?.iter().position(|c| *c == ']')?;
            let set = pattern.get(at + 1..end)?;
            let (negated, set) = match set.split_first() {
                Some(('^' | '!', rest)) => (true, rest),
                _ => (false, set),
            };
            let mut found = false;
            let mut rest = set;
            while let Some(first) = rest.first() {
                match rest {
                    [low, '-', high, after @ ..] => {
                        found |= (*low..=*high).contains(&c);
                        rest = after;
                    }
                    _ => {
                        found |= *first == c;
                        rest = rest.get(1..).unwrap_or_default();
                    }
                }
            }
            (found != negated).then_some(end + 1)
        }
        other => (*other == c).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_hadoop() {
        for (pattern, name, expected) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("part-*-c0?0*", "part-1-c000.csv", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[!ab]", "c", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("", "", true),
            ("[a", "[a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert_eq!(alternatives("x{a,b{1,2}}y"), ["xay", "xb1y", "xb2y"]);
        assert_eq!(alternatives("plain"), ["plain"]);
    }
}
