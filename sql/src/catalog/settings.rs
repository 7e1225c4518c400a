//! Settings of Spark's that change what a statement means or writes: those that are honoured, each with what its values are,
//! and those that are refused.

use paceline_functions::{Error, Result, is_zone};

mod unmet;

use unmet::UNMET;

/// A setting that is honoured.
#[derive(Debug)]
pub struct Setting {
    /// Its key.
    pub key: &'static str,
    /// Its value where nobody set it.
    pub default: &'static str,
    /// What it changes.
    pub meaning: &'static str,
    expects: Expects,
}

/// What values there are.
#[derive(Debug)]
enum Expects {
    Flag,
    Whole,
    Zone,
    Text,
    OneOf(&'static [&'static str]),
}

const fn flag(key: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { key, default, meaning, expects: Expects::Flag }
}

const fn choice(
    key: &'static str,
    default: &'static str,
    values: &'static [&'static str],
    meaning: &'static str,
) -> Setting {
    Setting { key, default, meaning, expects: Expects::OneOf(values) }
}

/// Which rows and files there are in an output.
pub const OVERWRITE_MODE: &str = "spark.sql.sources.partitionOverwriteMode";

/// Every one of them, sorted.
pub const SETTINGS: &[Setting] = &[
    flag("spark.sql.ansi.doubleQuotedIdentifiers", "false", "in ANSI mode, what stands in double quotes is a name"),
    flag("spark.sql.ansi.enabled", "false", "overflow, bad casts and division by zero are errors"),
    flag("spark.sql.ansi.enforceReservedKeywords", "false", "in ANSI mode, reserved words are no names"),
    choice(
        "spark.sql.avro.compression.codec",
        "snappy",
        &["bzip2", "deflate", "snappy", "uncompressed", "xz", "zstandard"],
        "how Avro files are compressed, unless they have the option compression",
    ),
    flag("spark.sql.caseSensitive", "false", "names of columns differ by case"),
    Setting {
        key: "spark.sql.columnNameOfCorruptRecord",
        default: "_corrupt_record",
        meaning: "the column of a malformed record's text in CSV and JSON, unless the option of that name says otherwise",
        expects: Expects::Text,
    },
    flag(
        "spark.sql.decimalOperations.allowPrecisionLoss",
        "true",
        "decimals too long for 38 digits lose digits behind the point",
    ),
    Setting {
        key: "spark.sql.files.maxRecordsPerFile",
        default: "0",
        meaning: "rows in a file of an output at most, unless it has the option maxRecordsPerFile; 0 or less is no limit",
        expects: Expects::Whole,
    },
    flag("spark.sql.function.concatBinaryAsString", "false", "concat() of bytes is a text"),
    flag("spark.sql.function.eltOutputAsString", "false", "elt() of bytes is a text"),
    flag("spark.sql.groupByAliases", "true", "GROUP BY knows the names of the select list"),
    flag("spark.sql.groupByOrdinal", "true", "GROUP BY 1 is the first column"),
    flag("spark.sql.legacy.allowParameterlessCount", "false", "count() is allowed"),
    flag("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount", "false", "count(t.*) is allowed"),
    choice(
        "spark.sql.legacy.ctePrecedencePolicy",
        "EXCEPTION",
        &["CORRECTED", "EXCEPTION"],
        "which of two common table expressions of one name is meant",
    ),
    flag("spark.sql.legacy.exponentLiteralAsDecimal.enabled", "false", "1E3 is a decimal"),
    flag("spark.sql.legacy.followThreeValuedLogicInArrayExists", "true", "exists() may be NULL"),
    flag("spark.sql.legacy.interval.enabled", "false", "differences of dates and times are calendar intervals"),
    flag("spark.sql.legacy.negativeIndexInArrayInsert", "false", "-1 in array_insert is before the last element"),
    flag("spark.sql.legacy.percentileDiscCalculation", "false", "percentile_disc as before Spark 3.5.4"),
    flag("spark.sql.legacy.setopsPrecedence.enabled", "false", "set operations are done in the order they are written"),
    flag("spark.sql.legacy.sizeOfNull", "true", "size(NULL) is -1"),
    flag("spark.sql.legacy.statisticalAggregate", "false", "variances of one value are NaN"),
    choice(
        "spark.sql.legacy.timeParserPolicy",
        "EXCEPTION",
        &["CORRECTED", "EXCEPTION", "LEGACY"],
        "how patterns of dates are read; LEGACY is refused where it would be used",
    ),
    choice(
        "spark.sql.mapKeyDedupPolicy",
        "EXCEPTION",
        &["EXCEPTION", "LAST_WIN"],
        "what becomes of a key that a map has twice",
    ),
    choice(
        "spark.sql.orc.compression.codec",
        "snappy",
        &["lz4", "none", "snappy", "uncompressed", "zlib", "zstd"],
        "how ORC files are compressed, unless they have the option compression",
    ),
    flag(
        "spark.sql.orc.mergeSchema",
        "false",
        "the columns of all ORC files are read, unless the option mergeSchema says",
    ),
    flag("spark.sql.orderByOrdinal", "true", "ORDER BY 1 is the first column"),
    choice(
        "spark.sql.parquet.compression.codec",
        "snappy",
        &["gzip", "lz4", "lz4_raw", "lz4raw", "none", "snappy", "uncompressed", "zstd"],
        "how Parquet files are compressed, unless they have the option compression",
    ),
    flag(
        "spark.sql.parquet.mergeSchema",
        "false",
        "the columns of all Parquet files are read, unless the option mergeSchema says",
    ),
    flag("spark.sql.parser.escapedStringLiterals", "false", "a backslash in a string is a backslash"),
    flag("spark.sql.parser.quotedRegexColumnNames", "false", "names in backquotes are patterns of columns"),
    Setting {
        key: "spark.sql.session.timeZone",
        default: "UTC",
        meaning: "the zone that times are shown and read in",
        expects: Expects::Zone,
    },
    flag(
        "spark.sql.sources.partitionColumnTypeInference.enabled",
        "true",
        "columns that are folders of an input have the types of their values, or are strings",
    ),
    choice(
        OVERWRITE_MODE,
        "STATIC",
        &["DYNAMIC", "STATIC"],
        "what an overwrite with partitions replaces: everything (STATIC) or the partitions that its result has (DYNAMIC)",
    ),
    choice("spark.sql.timestampType", "TIMESTAMP_LTZ", &["TIMESTAMP_LTZ", "TIMESTAMP_NTZ"], "which type TIMESTAMP is"),
];

/// The setting of a key.
pub fn find_setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// Whether a key may have a value.
///
/// # Errors
/// It has no such value, as Spark says it, or the value would change answers in a way that is not honoured.
pub fn check_setting(key: &str, value: &str) -> Result<()> {
    if let Some(setting) = find_setting(key) {
        return setting.check(value.trim());
    }
    match UNMET.iter().find(|(unmet, _)| *unmet == key) {
        Some((_, only)) if !only.iter().any(|only| only.eq_ignore_ascii_case(value.trim())) => {
            Err(Error::unsupported(format!(
                "the setting {key} with the value '{value}' (it changes answers; only {} is honoured)",
                only.join(" or ")
            )))
        }
        _ => Ok(()),
    }
}

impl Setting {
    fn check(&self, value: &str) -> Result<()> {
        let key = self.key;
        let what = match &self.expects {
            Expects::Text => return Ok(()),
            Expects::Flag if ["true", "false"].iter().any(|it| it.eq_ignore_ascii_case(value)) => return Ok(()),
            Expects::Flag => format!("{key} should be boolean, but was {value}"),
            Expects::Whole if value.parse::<i64>().is_ok() => return Ok(()),
            Expects::Whole => format!("{key} should be long, but was {value}"),
            Expects::Zone if is_zone(value) => return Ok(()),
            Expects::Zone => format!(
                "'{value}' in {key} is invalid. Cannot resolve the given timezone with ZoneId.of(_, ZoneId.SHORT_IDS)"
            ),
            Expects::OneOf(values) if values.iter().any(|it| it.eq_ignore_ascii_case(value)) => return Ok(()),
            Expects::OneOf(values) => {
                format!("The value of {key} should be one of {}, but was {value}", values.join(", "))
            }
        };
        Err(Error::new("java.lang.IllegalArgumentException", what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn each_setting_is_there_once_and_its_default_is_one_of_its_values() {
        let keys: Vec<_> = SETTINGS.iter().map(|it| it.key).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
        for it in SETTINGS {
            it.check(it.default).unwrap();
        }
        assert!(UNMET.iter().all(|(key, only)| find_setting(key).is_none() && !only.is_empty()));
        assert!(UNMET.is_sorted_by_key(|(key, _)| *key));
    }

    #[test]
    fn what_a_setting_cannot_be_is_said() {
        let said = [
            ("spark.sql.ansi.enabled", "x"),
            ("spark.sql.files.maxRecordsPerFile", "1.5"),
            ("spark.sql.session.timeZone", "Mars/X"),
            (OVERWRITE_MODE, "x"),
            ("spark.sql.storeAssignmentPolicy", "LEGACY"),
        ]
        .map(|(key, value)| check_setting(key, value).unwrap_err().to_string());
        expect![[r#"
            [java.lang.IllegalArgumentException] spark.sql.ansi.enabled should be boolean, but was x
            [java.lang.IllegalArgumentException] spark.sql.files.maxRecordsPerFile should be long, but was 1.5
            [java.lang.IllegalArgumentException] 'Mars/X' in spark.sql.session.timeZone is invalid. Cannot resolve the given timezone with ZoneId.of(_, ZoneId.SHORT_IDS)
            [java.lang.IllegalArgumentException] The value of spark.sql.sources.partitionOverwriteMode should be one of DYNAMIC, STATIC, but was x
            [UNSUPPORTED_FEATURE] Paceline does not support the setting spark.sql.storeAssignmentPolicy with the value 'LEGACY' (it changes answers; only ANSI is honoured) yet."#]]
        .assert_eq(&said.join("\n"));
        for (key, value) in [("spark.sql.storeAssignmentPolicy", "ansi"), ("spark.sql.shuffle.partitions", "7")] {
            check_setting(key, value).unwrap();
        }
    }
}
