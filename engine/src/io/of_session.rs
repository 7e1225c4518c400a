//! What a session's settings say of the options of files. It stands before the options that were given, which win; all of them
//! go to executors, which know no session.

use paceline_functions::Settings;

/// An option, the setting it has its value from, and the formats it is of.
type Row = (&'static str, &'static str, &'static [&'static str]);

const READ: &[Row] = &[
    ("columnNameOfCorruptRecord", "spark.sql.columnNameOfCorruptRecord", &["csv", "json"]),
    ("mergeSchema", "spark.sql.orc.mergeSchema", &["orc"]),
    ("mergeSchema", "spark.sql.parquet.mergeSchema", &["parquet"]),
];

const WRITTEN: &[Row] = &[
    ("compression", "spark.sql.avro.compression.codec", &["avro"]),
    ("compression", "spark.sql.orc.compression.codec", &["orc"]),
    ("compression", "spark.sql.parquet.compression.codec", &["parquet"]),
    ("maxRecordsPerFile", "spark.sql.files.maxRecordsPerFile", &[]),
    ("partitionOverwriteMode", "spark.sql.sources.partitionOverwriteMode", &[]),
];

/// Options of an input, and before them what the session says of the same.
pub(crate) fn read(format: &str, options: &[(String, String)], settings: &Settings) -> Vec<(String, String)> {
    chained(READ, format, options, settings)
}

/// Options of an output, and before them what the session says of the same.
pub(crate) fn written(format: &str, options: &[(String, String)], settings: &Settings) -> Vec<(String, String)> {
    chained(WRITTEN, format, options, settings)
}

/// Whether columns that are folders have the types of their values; otherwise they are strings.
pub(crate) fn infers_partitions(settings: &Settings) -> bool {
    settings.flag("spark.sql.sources.partitioncolumntypeinference.enabled", true)
}

fn chained(rows: &[Row], format: &str, options: &[(String, String)], settings: &Settings) -> Vec<(String, String)> {
    let of_format = rows
        .iter()
        .filter(|(.., formats)| formats.is_empty() || formats.iter().any(|known| known.eq_ignore_ascii_case(format)));
    let set = of_format.filter_map(|(option, key, _)| {
        let value = settings.others.get(&key.to_lowercase())?;
        Some(((*option).to_owned(), value.clone()))
    });
    let zone = ("timeZone".to_owned(), settings.time_zone.clone());
    std::iter::once(zone).chain(set).chain(options.iter().cloned()).collect()
}
