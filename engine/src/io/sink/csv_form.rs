//! A row as a line of CSV.
//! Source: Spark 3.5, `UnivocityGenerator` with univocity 2.9's writer, and what Spark 3.5.4 writes.

use super::format::Given;
use crate::EngineError;

/// How values stand in a line.
#[derive(Clone, Debug)]
pub struct CsvForm {
    /// Whether each file begins with the names of the columns.
    pub header: bool,
    separator: String,
    quote: Option<char>,
    escape: Option<char>,
    /// Before an escape.
    escape_of_escape: Option<char>,
    /// A line does not begin with it.
    comment: char,
    escapes_quotes: bool,
    quotes_all: bool,
    null: String,
    empty: String,
    trims_start: bool,
    trims_end: bool,
}

impl CsvForm {
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, EngineError> {
        let one = |key: &str, default: Option<char>| match given.get(key) {
            None => Ok(default),
            Some("" | "\0" | "\\0") => Ok(None),
            Some("\\t") => Ok(Some('\t')),
            Some(text) => match text.chars().collect::<Vec<_>>().as_slice() {
                [one] => Ok(Some(*one)),
                _ => Err(given.wrong(key, text, "one character")),
            },
        };
        let separator = given.get("sep").or(given.get("delimiter")).unwrap_or(",").replace("\\t", "\t");
        if separator.is_empty() {
            return Err(given.wrong("sep", "", "at least one character"));
        }
        let quote = one("quote", Some('"'))?;
        let escape = one("escape", Some('\\'))?;
        Ok(CsvForm {
            header: given.flag("header", false)?,
            separator,
            quote,
            escape,
            escape_of_escape: one("charToEscapeQuoteEscaping", escape.filter(|_| escape != quote))?,
            comment: one("comment", None)?.unwrap_or('#'),
            escapes_quotes: given.flag("escapeQuotes", true)?,
            quotes_all: given.flag("quoteAll", false)?,
            null: given.get("nullValue").unwrap_or_default().to_owned(),
            empty: given.get("emptyValue").unwrap_or("\"\"").to_owned(),
            trims_start: given.flag("ignoreLeadingWhiteSpace", true)?,
            trims_end: given.flag("ignoreTrailingWhiteSpace", true)?,
        })
    }

    /// Adds a value, without the end of the line behind the last.
    pub(super) fn push(&self, line: &mut String, at: usize, value: Option<&str>) {
        if at > 0 {
            line.push_str(&self.separator);
        }
        let (text, stands_for) = match value {
            None => (self.null.as_str(), true),
            Some("") => (self.empty.as_str(), true),
            Some(text) => (text, false),
        };
        let text = if self.trims_start { text.trim_start_matches(|c| c <= ' ') } else { text };
        let text = if self.trims_end { text.trim_end_matches(|c| c <= ' ') } else { text };
        let Some(quote) = self.quote else {
            line.push_str(text);
            return;
        };
        let in_quotes = text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
        if stands_for && in_quotes {
            line.push_str(text);
            return;
        }
        let breaks = text.contains(&self.separator) || text.contains(['\n', '\r']);
        let needs = self.quotes_all
            || breaks
            || text.starts_with(quote)
            || self.escapes_quotes && text.contains(quote)
            || at == 0 && text.starts_with(self.comment);
        if !needs {
            line.push_str(text);
            return;
        }
        line.push(quote);
        for c in text.chars() {
            if c == quote {
                line.extend(self.escape);
            } else if Some(c) == self.escape {
                line.extend(self.escape_of_escape);
            }
            line.push(c);
        }
        line.push(quote);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::format::{Form, Lines, OutputFormat};

    fn check(options: &[(&str, &str)], values: &[Option<&str>], expected: Expect) {
        let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (OutputFormat::Lines(Lines { form: Form::Csv(form), .. }), _) =
            OutputFormat::parse("csv", &options).unwrap()
        else {
            panic!("no CSV")
        };
        let mut line = String::new();
        values.iter().enumerate().for_each(|(at, value)| form.push(&mut line, at, *value));
        expected.assert_eq(&line);
    }

    #[test]
    fn values_stand_as_spark_writes_them() {
        let values = [Some("a"), Some(" b "), None, Some(""), Some("x,y"), Some("q\"q"), Some("l\nl"), Some("b\\")];
        check(
            &[],
            &values,
            expect![[r#"a,b,,"","x,y","q\"q","l
l",b\"#]],
        );
        check(
            &[("quoteAll", "true")],
            &values,
            expect![[r#""a","b","","","x,y","q\"q","l
l","b\\""#]],
        );
        check(&[("escapeQuotes", "false")], &[Some("q\"q")], expect![[r#"q"q"#]]);
        check(&[("escape", "\"")], &[Some("q\"q"), Some("b\\")], expect![[r#""q""q",b\"#]]);
        check(
            &[("nullValue", "NA"), ("emptyValue", "E"), ("sep", "||")],
            &values,
            expect![[r#"a||b||NA||E||x,y||"q\"q"||"l
l"||b\"#]],
        );
        check(&[], &[Some("#x"), Some("#y")], expect![[r##""#x",#y"##]]);
    }
}
