//! Java's regular expressions in the syntax of `fancy-regex`, and Java's way of finding matches. What cannot be said is refused.
//!
//! Java's `.`, `^` and `$` know more line ends than `\n`. A text without any line end needs none of that, so a pattern is kept
//! in two forms: the plain one, which is fast, and the exact one for texts that have a line end.

use datafusion::common::{Result, exec_err};
use fancy_regex::{Captures, Regex};

use super::java_pattern::{Refusal, Translation};
use crate::error::Error;

/// Steps that a match may backtrack before it fails with an error.
const MOST_STEPS: usize = 10_000_000;

/// A compiled pattern.
pub(crate) struct JavaRegex {
    plain: Regex,
    exact: Option<Regex>,
}

impl JavaRegex {
    /// Compiles a pattern of Java.
    ///
    /// # Errors
    /// Java would refuse it too, or it says what cannot be said here; both name the function.
    pub(crate) fn new(pattern: &str, function: &str) -> Result<Self> {
        let compile = |exact: bool| -> Result<(Regex, bool), Error> {
            let mut translation = Translation::new(pattern, exact);
            let translated = translation.pattern().map_err(|refusal| match refusal {
                Refusal::Java => invalid(pattern, function),
                Refusal::Ours(what) => Error::unsupported(format!("{what} in the regular expression '{pattern}'")),
            })?;
            let mut builder = fancy_regex::RegexBuilder::new(&translated);
            builder.backtrack_limit(MOST_STEPS);
            let regex = builder.build().map_err(|_| invalid(pattern, function))?;
            Ok((regex, translation.knows_lines))
        };
        let (plain, knows_lines) = compile(false)?;
        let exact = if knows_lines { Some(compile(true)?.0) } else { None };
        Ok(JavaRegex { plain, exact })
    }

    /// How many groups it has, the whole match not counted.
    pub(crate) fn groups(&self) -> usize {
        self.plain.captures_len().saturating_sub(1)
    }

    /// The group of a name.
    pub(crate) fn group_named(&self, name: &str) -> Option<usize> {
        self.plain.capture_names().position(|group| group == Some(name))
    }

    fn for_text(&self, text: &str) -> &Regex {
        let has_line_end = |text: &str| text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        match &self.exact {
            Some(exact) if has_line_end(text) => exact,
            _ => &self.plain,
        }
    }

    /// Whether it is found anywhere.
    pub(crate) fn found(&self, text: &str) -> Result<bool> {
        self.for_text(text).is_match(text).or_else(|error| exec_err!("{error}"))
    }

    /// Every match as Java's `find` goes on, until `see` says false.
    pub(crate) fn each<'t>(
        &self,
        text: &'t str,
        mut from: usize,
        mut see: impl FnMut(&Captures<'t, str>) -> bool,
    ) -> Result<()> {
        let regex = self.for_text(text);
        while from <= text.len() {
            let captures = match regex.captures_from_pos(text, from) {
                Ok(Some(captures)) => captures,
                Ok(None) => return Ok(()),
                Err(error) => return exec_err!("{error}"),
            };
            let Some(whole) = captures.get(0) else { return Ok(()) };
            if !see(&captures) {
                return Ok(());
            }
            let is_empty = whole.start() == whole.end();
            let step = text.get(whole.end()..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            from = whole.end() + if is_empty { step } else { 0 };
        }
        Ok(())
    }
}

fn invalid(pattern: &str, function: &str) -> Error {
    Error::new(
        "INVALID_PARAMETER_VALUE.PATTERN",
        format!("The value of parameter(s) `regexp` in `{function}` is invalid: '{pattern}'."),
    )
}
