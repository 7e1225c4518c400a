//! A session: the catalog, and settings by key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use paceline_functions::{Settings, TimestampType};

use super::{Catalog, Declared, Table};

/// Filled while a session is only read.
#[derive(Debug, Default)]
struct Wanted(Mutex<BTreeSet<(String, String)>>);

impl Clone for Wanted {
    fn clone(&self) -> Self {
        Wanted::default()
    }
}

/// What statements of one session share.
#[derive(Clone, Debug)]
pub struct Session {
    /// Tables and views.
    pub catalog: Catalog,
    /// Settings as they were set, by key.
    pub set: BTreeMap<String, String>,
    /// What of them changes the meaning of expressions.
    pub settings: Arc<Settings>,
    /// Functions that it was told of, by name in lower case.
    pub functions: BTreeMap<String, Declared>,
    /// Files that queries name themselves, as ``csv.`path` ``: format and path.
    pub files: BTreeMap<(String, String), Table>,
    /// Such files that a query names and that are not open.
    wanted: Wanted,
    defaults: Settings,
    /// Settings that it began with, by key.
    given: BTreeMap<String, String>,
}

impl Default for Session {
    fn default() -> Self {
        Session::new(Settings::default())
    }
}

impl Session {
    /// A session of these settings.
    pub fn new(defaults: Settings) -> Self {
        Session {
            catalog: Catalog::default(),
            set: BTreeMap::new(),
            settings: Arc::new(defaults.clone()),
            functions: BTreeMap::new(),
            files: BTreeMap::new(),
            wanted: Wanted::default(),
            defaults,
            given: BTreeMap::new(),
        }
    }

    /// The session, which begins with these settings and to which RESET goes back.
    pub fn with(mut self, given: BTreeMap<String, String>) -> Self {
        self.set.clone_from(&given);
        self.given = given;
        self.apply();
        self
    }

    /// Notes that files have to be opened before a query can be resolved.
    pub(crate) fn want(&self, format: &str, path: &str) {
        let mut wanted = self.wanted.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.insert((format.to_owned(), path.to_owned()));
    }

    /// Wants the files that another wants, too.
    pub fn want_as(&self, other: &Session) {
        let wanted = other.take_wanted();
        self.wanted.0.lock().unwrap_or_else(PoisonError::into_inner).extend(wanted);
    }

    /// Formats and paths of files that the last statement names and that are not open.
    pub fn take_wanted(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut self.wanted.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: &str) {
        self.set.insert(key.to_owned(), value.to_owned());
        self.apply();
    }

    /// Resets a key, or all, to what it was in the beginning.
    pub fn reset(&mut self, key: Option<&str>) {
        match key.map(|key| (key, self.given.get(key))) {
            Some((key, Some(value))) => drop(self.set.insert(key.to_owned(), value.clone())),
            Some((key, None)) => drop(self.set.remove(key)),
            None => self.set.clone_from(&self.given),
        }
        self.apply();
    }

    /// The value of a key, if it was set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.set.get(key).map(String::as_str)
    }

    /// Whether a key was set to true.
    pub fn is_on(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// What of the settings changes the grammar.
    pub fn grammar(&self) -> paceline_syntax::Settings {
        let ansi = self.settings.ansi;
        paceline_syntax::Settings {
            reserved_keywords: ansi && self.is_on("spark.sql.ansi.enforceReservedKeywords"),
            double_quoted_identifiers: ansi && self.is_on("spark.sql.ansi.doubleQuotedIdentifiers"),
            exponent_as_decimal: self.is_on("spark.sql.legacy.exponentLiteralAsDecimal.enabled"),
            set_operations_in_order: self.is_on("spark.sql.legacy.setopsPrecedence.enabled"),
            literal_backslashes: self.is_on("spark.sql.parser.escapedStringLiterals"),
        }
    }

    fn apply(&mut self) {
        let mut settings = self.defaults.clone();
        for (key, value) in &self.set {
            let value = value.trim();
            let on = value.eq_ignore_ascii_case("true");
            match key.as_str() {
                "spark.sql.ansi.enabled" => settings.ansi = on,
                "spark.sql.session.timeZone" => settings.time_zone = value.to_owned(),
                "spark.sql.caseSensitive" => settings.case_sensitive = on,
                "spark.sql.timestampType" => {
                    let ntz = value.eq_ignore_ascii_case("TIMESTAMP_NTZ");
                    settings.timestamp_type = if ntz { TimestampType::Ntz } else { TimestampType::Ltz };
                }
                "spark.sql.legacy.timeParserPolicy" => {
                    settings.legacy_time_parser = value.eq_ignore_ascii_case("LEGACY");
                    settings.others.insert(key.to_lowercase(), value.to_owned());
                }
                _ => drop(settings.others.insert(key.to_lowercase(), value.to_owned())),
            }
        }
        self.settings = Arc::new(settings);
    }
}
