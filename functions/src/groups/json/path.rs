//! `get_json_object`: a path through a JSON value, with Hive's ways of giving several matches.

use super::text::Json;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
    /// `[*]`
    Each,
    /// `.*`, which finds nothing.
    Any,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// A string without its quotes.
    Raw,
    Quoted,
    /// Arrays give their elements.
    Flatten,
}

/// The steps of `$.a['b'][0][*]`; none if it is no path.
pub(super) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(".*").or_else(|| rest.strip_prefix("['*']")) {
            steps.push(Step::Any);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("['") {
            let (name, after) = after.split_once("']")?;
            if name.is_empty() || name.contains(['\'', '?']) {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(if inside == "*" { Step::Each } else { Step::Index(inside.parse().ok()?) });
            rest = after;
        }
    }
    Some(steps)
}

/// What the path finds.
pub(super) fn find(value: &Json, steps: &[Step]) -> Option<String> {
    let mut found = Vec::new();
    walk(value, steps, Style::Raw, &mut found).then(|| found.concat())
}

fn walk(value: &Json, steps: &[Step], style: Style, to: &mut Vec<String>) -> bool {
    match (value, steps) {
        (Json::Text(text), []) if style == Style::Raw => {
            to.push(text.clone());
            true
        }
        (Json::Array(items), []) if style == Style::Flatten => {
            items.iter().fold(false, |found, item| walk(item, &[], style, to) | found)
        }
        (value, []) => {
            to.push(value.to_text());
            true
        }
        (Json::Object(fields), [Step::Name(want), rest @ ..]) => {
            fields.iter().any(|(name, value)| name == want && *value != Json::Null && walk(value, rest, style, to))
        }
        (Json::Array(items), [Step::Each, Step::Each, rest @ ..]) => {
            let mut inner = Vec::new();
            let found = items.iter().fold(false, |found, item| walk(item, rest, Style::Flatten, &mut inner) | found);
            to.push(format!("[{}]", inner.join(",")));
            found
        }
        (Json::Array(items), [Step::Each, rest @ ..]) if style != Style::Quoted => {
            let next = if style == Style::Raw { Style::Quoted } else { Style::Flatten };
            let mut inner = Vec::new();
            let count = items.iter().filter(|item| walk(item, rest, next, &mut inner)).count();
            match count {
                0 => {}
                1 => to.push(inner.join(",")),
                _ => to.push(format!("[{}]", inner.join(","))),
            }
            count > 0
        }
        (Json::Array(items), [Step::Each, rest @ ..]) => {
            let mut inner = Vec::new();
            let found = items.iter().fold(false, |found, item| walk(item, rest, Style::Quoted, &mut inner) | found);
            to.push(format!("[{}]", inner.join(",")));
            found
        }
        (Json::Array(items), [Step::Index(at), rest @ ..]) => {
            let next = if rest.first() == Some(&Step::Each) { Style::Quoted } else { style };
            items.get(*at).is_some_and(|item| *item != Json::Null && walk(item, rest, next, to))
        }
        _ => false,
    }
}
