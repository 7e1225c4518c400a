//! Options as text: the rows of the table, and how values are read.

use std::collections::BTreeMap;
use std::time::Duration;

/// One row of the table of options.
#[derive(Debug)]
pub struct OptionRow {
    /// Its name in `OPTIONS (...)`.
    pub key: &'static str,
    /// What is taken when it is not given; `None` where it must be given, or where `meaning` says what holds.
    pub default: Option<&'static str>,
    /// What it does, with its unit.
    pub meaning: &'static str,
}

impl OptionRow {
    /// Whether functions may give it that are declared DETERMINISTIC, or those that are not.
    pub fn applies_to(&self, deterministic: bool) -> bool {
        deterministic || !super::answers::DETERMINISTIC_ONLY.contains(&self.key)
    }
}

pub(super) const fn row(key: &'static str, default: Option<&'static str>, meaning: &'static str) -> OptionRow {
    OptionRow { key, default, meaning }
}

/// The options of one declaration: what was given, and defaults for the rest.
pub(super) struct Values<'a> {
    values: BTreeMap<&'static str, &'a str>,
    given: Vec<&'static str>,
}

impl<'a> Values<'a> {
    /// Finds each given option in `table`, without regard to case.
    pub fn new(
        table: impl Iterator<Item = &'static OptionRow> + Clone,
        given: &'a [(String, String)],
    ) -> Result<Self, String> {
        let mut values: BTreeMap<&str, &str> = table.clone().filter_map(|row| Some((row.key, row.default?))).collect();
        let mut seen = Vec::new();
        for (key, value) in given {
            let Some(row) = table.clone().find(|row| row.key.eq_ignore_ascii_case(key)) else {
                let valid: Vec<_> = table.map(|row| row.key).collect();
                return Err(format!("unknown option '{key}'; the options are {}", valid.join(", ")));
            };
            if seen.contains(&row.key) {
                return Err(format!("option '{}' is given twice", row.key));
            }
            seen.push(row.key);
            values.insert(row.key, value.trim());
        }
        Ok(Values { values, given: seen })
    }

    /// Whether the declaration itself has this option.
    pub fn is_given(&self, key: &str) -> bool {
        self.given.contains(&key)
    }

    /// The text of an option, given or by default.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).copied()
    }

    /// Reads a required option. The reader returns what it expected when the text is not that.
    pub fn read<T>(&self, key: &str, reader: fn(&str) -> Result<T, &'static str>) -> Result<T, String> {
        let value = self.read_if_given(key, reader)?;
        value.ok_or_else(|| format!("option '{key}' is missing; it must be given"))
    }

    /// Reads an option that may be absent.
    pub fn read_if_given<T>(
        &self,
        key: &str,
        reader: fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let shown = if may_be_secret(key, text) { "(not shown)" } else { text };
        reader(text).map(Some).map_err(|expected| format!("option '{key}' is '{shown}', expected {expected}"))
    }
}

/// Whether a malformed value may be a secret that somebody wrote there; errors go to logs and reports.
fn may_be_secret(key: &str, text: &str) -> bool {
    match key {
        // What stands before an @ in a URL may be a password.
        "endpoint" | "oauth2_token_url" => text.contains('@'),
        "oauth2_client_secret" => true,
        _ => key == "auth" || key.starts_with("auth_") || key.starts_with("tls_"),
    }
}

pub(super) fn flag(text: &str) -> Result<bool, &'static str> {
    text.to_lowercase().parse().map_err(|_| "true or false")
}

pub(super) fn percent(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|percent| *percent <= 100).ok_or("a whole number from 0 to 100")
}

pub(super) fn percent_above_zero(text: &str) -> Result<u8, &'static str> {
    percent(text).ok().filter(|percent| *percent > 0).ok_or("a whole number from 1 to 100")
}

pub(super) fn count(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "a whole number")
}

pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a whole number above zero")
}

/// A time such as `500 ms`, `1 second` or `2 minutes`; a bare number is seconds, as Spark's settings have it.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let expected = "a time above zero such as '500 ms', '1 second' or '2 minutes'";
    let bare = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = bare.map_or_else(|| humantime::parse_duration(text).map_err(|_| expected), Ok)?;
    if time.is_zero() { Err(expected) } else { Ok(time) }
}
