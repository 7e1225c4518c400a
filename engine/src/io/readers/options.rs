//! `OPTIONS (…)` of a view: what they are called, and what several formats say the same way.

use crate::EngineError;

/// The options of every format.
pub(super) const GENERAL: &[&str] = &[
    "path",
    "paths",
    "basePath",
    "recursiveFileLookup",
    "pathGlobFilter",
    "modifiedBefore",
    "modifiedAfter",
    "ignoreCorruptFiles",
    "ignoreMissingFiles",
    "timeZone",
];

/// Keys are matched without regard to case, the last of two wins, as in Spark.
#[derive(Clone, Copy)]
pub(super) struct Options<'a> {
    pub format: &'a str,
    pub given: &'a [(String, String)],
}

/// What is done with a record that is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// What cannot be read is NULL.
    Permissive,
    /// It is left out.
    DropMalformed,
    /// It ends the query.
    FailFast,
}

impl<'a> Options<'a> {
    /// That all are known.
    pub fn check(&self, own: &[&str]) -> Result<(), EngineError> {
        let known = |key: &str| own.iter().chain(GENERAL).any(|name| name.eq_ignore_ascii_case(key));
        match self.given.iter().find(|(key, _)| !known(key)) {
            None => Ok(()),
            Some((key, _)) => {
                let (format, valid) = (self.format, [&GENERAL[..1], own, &GENERAL[1..]].concat().join(", "));
                Err(EngineError::Setting(format!("unknown {format} option '{key}'; the options are {valid}")))
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.given.iter().rev().find(|(given, _)| given.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    pub fn flag(&self, key: &str, default: bool) -> Result<bool, EngineError> {
        match self.get(key).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(self.wrong(key, other, "true or false")),
        }
    }

    /// No character where the text is empty.
    pub fn character(&self, key: &str, default: Option<u8>) -> Result<Option<u8>, EngineError> {
        match self.get(key) {
            None => Ok(default),
            Some("") => Ok(None),
            Some("\\t") => Ok(Some(b'\t')),
            Some(text) if text.len() == 1 && text.is_ascii() => Ok(Some(text.as_bytes()[0])),
            Some(text) => Err(self.wrong(key, text, "one ASCII character")),
        }
    }

    pub fn mode(&self) -> Result<Mode, EngineError> {
        match self.get("mode").unwrap_or("PERMISSIVE").to_uppercase().as_str() {
            "PERMISSIVE" => Ok(Mode::Permissive),
            "DROPMALFORMED" => Ok(Mode::DropMalformed),
            "FAILFAST" => Ok(Mode::FailFast),
            other => Err(self.wrong("mode", other, "PERMISSIVE, DROPMALFORMED or FAILFAST")),
        }
    }

    /// `samplingRatio`: which part of the records decides on the types.
    pub fn ratio(&self) -> Result<f64, EngineError> {
        let Some(text) = self.get("samplingRatio") else { return Ok(1.0) };
        match text.parse::<f64>() {
            Ok(ratio) if ratio > 0.0 && ratio <= 1.0 => Ok(ratio),
            _ => Err(self.wrong("samplingRatio", text, "a number above 0 and at most 1")),
        }
    }

    /// `lineSep`: what ends a line; nothing where lines end as usual.
    pub fn line_separator(&self) -> Result<Option<Vec<u8>>, EngineError> {
        match self.get("lineSep") {
            None => Ok(None),
            Some("") => Err(self.wrong("lineSep", "", "at least one character")),
            Some(text) => Ok(Some(text.as_bytes().to_vec())),
        }
    }

    pub fn only_utf8(&self) -> Result<(), EngineError> {
        for key in ["encoding", "charset"] {
            if let Some(other) = self.get(key).filter(|name| !["utf-8", "utf8"].contains(&name.to_lowercase().as_str()))
            {
                return Err(self.wrong(key, other, "UTF-8, the only encoding that is read"));
            }
        }
        Ok(())
    }

    /// That the names of months and the signs of numbers are those of en-US, Spark's default.
    pub fn no_locale(&self) -> Result<(), EngineError> {
        match self.get("locale").filter(|locale| !locale.eq_ignore_ascii_case("en-US")) {
            None => Ok(()),
            Some(other) => Err(self.wrong("locale", other, "en-US, the only one that is known")),
        }
    }

    /// That dates of before 1582 are read as they stand.
    pub fn no_rebase(&self, key: &str) -> Result<(), EngineError> {
        match self.get(key).map(str::to_uppercase).as_deref() {
            None | Some("CORRECTED" | "EXCEPTION") => Ok(()),
            Some(other) => {
                Err(self.wrong(key, other, "CORRECTED or EXCEPTION; nothing is read in the Julian calendar"))
            }
        }
    }

    /// What is only done where it is not asked for.
    pub fn refuse_true(&self, key: &str) -> Result<(), EngineError> {
        match self.flag(key, false)? {
            false => Ok(()),
            true => Err(self.wrong(key, "true", "false; this is not supported")),
        }
    }

    pub fn wrong(&self, key: &str, value: &str, expected: &str) -> EngineError {
        EngineError::Setting(format!("the {} option '{key}' is '{value}', expected {expected}", self.format))
    }
}

/// Which records decide on the types: always the same ones, in about this part of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SampledRows {
    ratio: f64,
    so_far: f64,
}

impl SampledRows {
    pub fn new(ratio: f64) -> Self {
        // The first record is always one, so that there are columns.
        SampledRows { ratio, so_far: 1.0 - ratio }
    }

    /// Whether the next record is one.
    pub fn next(&mut self) -> bool {
        self.so_far += self.ratio;
        let is_one = self.so_far >= 1.0;
        self.so_far -= if is_one { 1.0 } else { 0.0 };
        is_one
    }
}
