//! Formats and options, known or named.

use expect_test::{Expect, expect};

use super::*;

fn check(name: &str, options: &[(&str, &str)], expected: Expect) {
    let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let parsed = OutputFormat::parse(name, &options);
    expected.assert_eq(&parsed.map_or_else(|error| error.to_string(), |(format, _)| format.ending()));
}

#[test]
fn formats_and_options_are_known_or_named() {
    check("parquet", &[("Compression", "ZSTD")], expect!["zstd.parquet"]);
    check("csv", &[("header", "TRUE"), ("sep", "\\t"), ("compression", "gzip")], expect!["csv.gz"]);
    check("orc", &[], expect!["snappy.orc"]);
    check("avro", &[], expect!["avro"]);
    check("text", &[("compression", "bzip2")], expect!["txt.bz2"]);
    check("xml", &[], expect!["output USING xml is not supported; use avro, csv, json, orc, parquet or text"]);
    check(
        "text",
        &[("quoteAll", "true")],
        expect![
            "unknown text output option 'quoteAll'; there are compression, lineSep, encoding, charset, partitionBy, maxRecordsPerFile, partitionOverwriteMode, timeZone"
        ],
    );
    check(
        "parquet",
        &[("compression", "lzo")],
        expect!["the parquet output option 'compression' is 'lzo', expected snappy, gzip, zstd, lz4, lz4_raw or none"],
    );
    check(
        "csv",
        &[("partitionBy", "a,,b")],
        expect!["the csv output option 'partitionBy' is 'a,,b', expected names of columns, as in 'day,region'"],
    );
    check(
        "json",
        &[("maxRecordsPerFile", "x")],
        expect!["the json output option 'maxRecordsPerFile' is 'x', expected a whole number, 0 for no limit"],
    );
    check(
        "json",
        &[("partitionOverwriteMode", "x")],
        expect!["the json output option 'partitionOverwriteMode' is 'x', expected static or dynamic"],
    );
    check(
        "csv",
        &[("encoding", "UTF-16")],
        expect!["the csv output option 'encoding' is 'UTF-16', expected UTF-8, the only encoding that is written"],
    );
}
