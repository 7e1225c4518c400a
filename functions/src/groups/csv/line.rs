//! One record of CSV: its fields, read and written.

/// What parts fields.
pub(super) struct Marks {
    pub(super) separator: String,
    pub(super) quote: Option<char>,
    pub(super) escape: Option<char>,
    pub(super) trims_start: bool,
    pub(super) trims_end: bool,
}

/// The fields of a record; those that are empty without quotes are none.
pub(super) fn fields(line: &str, marks: &Marks) -> Vec<Option<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        if marks.trims_start {
            rest = rest.trim_start_matches([' ', '\t']);
        }
        let quoted = marks.quote.and_then(|quote| quoted(rest, quote, marks));
        let (field, after) = match quoted {
            Some((field, after)) => (Some(field), after),
            None => {
                let end = rest.find(&marks.separator).unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                let field = if marks.trims_end { field.trim_end_matches([' ', '\t']) } else { field };
                ((!field.is_empty()).then(|| field.to_owned()), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(&marks.separator) {
            Some(next) => rest = next,
            None => return fields,
        }
    }
}

/// A field in quotes and what follows it; none if a quote stands within without an escape.
fn quoted<'a>(text: &'a str, quote: char, marks: &Marks) -> Option<(String, &'a str)> {
    let mut field = String::new();
    let mut chars = text.strip_prefix(quote)?.chars();
    while let Some(c) = chars.next() {
        if marks.escape == Some(c) && chars.as_str().starts_with(quote) && !(c == quote && ends(chars.as_str(), marks))
        {
            field.push(quote);
            chars.next();
        } else if c == quote {
            return ends(chars.as_str(), marks).then_some((field, chars.as_str()));
        } else {
            field.push(c);
        }
    }
    None
}

fn ends(rest: &str, marks: &Marks) -> bool {
    rest.is_empty() || rest.starts_with(&marks.separator)
}

/// A field as it is written.
pub(super) fn written(field: &str, marks: &Marks, all: bool) -> String {
    let mut field = field;
    if marks.trims_start {
        field = field.trim_start_matches(|c| c <= ' ');
    }
    if marks.trims_end {
        field = field.trim_end_matches(|c| c <= ' ');
    }
    let Some(quote) = marks.quote else { return field.to_owned() };
    let needs =
        all || field.contains(&marks.separator) || field.contains(['\n', '\r', quote]) || field.starts_with('#');
    if !needs {
        return field.to_owned();
    }
    let mut to = String::from(quote);
    for c in field.chars() {
        if c == quote || marks.escape == Some(c) {
            to.extend(marks.escape);
        }
        to.push(c);
    }
    to.push(quote);
    to
}
