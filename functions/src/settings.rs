//! What of a session's settings changes what an expression means.

/// Which type `TIMESTAMP` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// With local time zone.
    #[default]
    Ltz,
    /// Without.
    Ntz,
}

/// Settings at the time when an expression was resolved. They travel with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// `spark.sql.ansi.enabled`
    pub ansi: bool,
    /// `spark.sql.session.timeZone`, a name or an offset as Spark takes it.
    pub time_zone: String,
    /// `spark.sql.timestampType`
    pub timestamp_type: TimestampType,
    /// `spark.sql.caseSensitive`
    pub case_sensitive: bool,
    /// `spark.sql.legacy.timeParserPolicy` is LEGACY.
    pub legacy_time_parser: bool,
    /// Every other `spark.sql.` setting that was set, in lower case, for the few that one function alone asks for.
    pub others: std::collections::BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            ansi: false,
            time_zone: "UTC".to_owned(),
            timestamp_type: TimestampType::Ltz,
            case_sensitive: false,
            legacy_time_parser: false,
            others: Default::default(),
        }
    }
}

impl Settings {
    /// One of the others, a true or false.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.others.get(key).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}
