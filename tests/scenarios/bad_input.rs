//! Mistakes get an error that says what, where and what to do.

use expect_test::{Expect, expect};
use paceline_tests::{QUICK, Stage};

const DECLARED: &str = "CREATE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
CREATE TEMP FUNCTION enrich(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{api}', rate_limit_calls '10');
";

async fn check(script: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    stage.file("in.csv", "id,email\n1,a@example.com\n");
    let (report, result) = stage.run(script).await;
    let error = result.unwrap_err().to_string();
    assert_eq!(report.error.as_deref(), Some(error.as_str()));
    let error = error.replace(stage.folder.path().to_str().unwrap(), "{folder}");
    expected.assert_eq(&error);
    assert_eq!(stage.api.stats().requests, 0);
}

async fn check_declared(script: &str, expected: Expect) {
    check(&format!("{DECLARED}{script}"), expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_are_not_known_are_named() {
    check("", expect!["the job has no statement"]).await;
    check("DELETE FROM t", expect![[r#"
        statement 1 (line 1): [TABLE_OR_VIEW_NOT_FOUND] The table or view `t` cannot be found. Verify the spelling and correctness of the schema and catalog.
        If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog.
        To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS."#]]).await;
    check(
        "LOAD DATA INPATH 'x' INTO TABLE t",
        expect!["statement 1 (line 1): [UNSUPPORTED_FEATURE] Paceline does not support LOAD DATA yet."],
    )
    .await;
    check("INSERT INTO t VALUES (1)", expect![[r#"
        statement 1 (line 1): [TABLE_OR_VIEW_NOT_FOUND] The table or view `t` cannot be found. Verify the spelling and correctness of the schema and catalog.
        If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog.
        To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS."#]]).await;
    check(
        "SELECT 1;\nGRANT ALL",
        expect![[r#"
        statement 2 (line 2): 
        Operation not allowed: GRANT.(line 1, pos 0)

        == SQL ==
        GRANT ALL
        ^^^
    "#]],
    )
    .await;
    check("SELECT '${day}'", expect!["the variable '${day}' has no value; give it with --var day=…"]).await;
    check("SELECT FROM WHERE", expect!["statement 1 (line 1): [UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] A column or function parameter with name `FROM` cannot be resolved. ; line 1 pos 7"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_need_files_and_known_options() {
    check(
        "CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/none.csv')",
        expect!["statement 1 (line 1): there is no file at 'file://{folder}/none.csv'"],
    )
    .await;
    check(
        "CREATE TEMP VIEW v USING csv OPTIONS (path 's3://no-such-bucket/x.csv')",
        expect!["statement 1 (line 1): cannot read 's3://no-such-bucket/x.csv': there is no bucket 'no-such-bucket'"],
    )
    .await;
    check(
        "CREATE TEMP VIEW v USING csv OPTIONS (header 'true')",
        expect!["statement 1 (line 1): the csv option 'path' is missing"],
    )
    .await;
    check("CREATE TEMP VIEW v USING csv OPTIONS (path 'x', heading 'true')", expect!["statement 1 (line 1): unknown csv option 'heading'; the options are path, header, inferSchema, sep, delimiter, quote, escape, charToEscapeQuoteEscaping, comment, multiLine, mode, columnNameOfCorruptRecord, enforceSchema, nullValue, emptyValue, nanValue, positiveInf, negativeInf, ignoreLeadingWhiteSpace, ignoreTrailingWhiteSpace, prefersDate, encoding, charset, dateFormat, timestampFormat, timestampNTZFormat, lineSep, samplingRatio, locale, maxColumns, maxCharsPerColumn, unescapedQuoteHandling, enableDateTimeParsingFallback, paths, basePath, recursiveFileLookup, pathGlobFilter, modifiedBefore, modifiedAfter, ignoreCorruptFiles, ignoreMissingFiles, timeZone"]).await;
    check(
        "CREATE TEMP VIEW v USING parquet OPTIONS (path 'x', header true)",
        expect!["statement 1 (line 1): unknown parquet option 'header'; the options are path, mergeSchema, datetimeRebaseMode, int96RebaseMode, compression, paths, basePath, recursiveFileLookup, pathGlobFilter, modifiedBefore, modifiedAfter, ignoreCorruptFiles, ignoreMissingFiles, timeZone"],
    )
    .await;
    check(
        "CREATE TEMP VIEW v USING delta OPTIONS (path 'x')",
        expect!["statement 1 (line 1): a view USING delta is not supported; use avro, binaryFile, csv, json, orc, parquet or text"],
    )
    .await;
    check_declared(
        "CREATE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv')",
        expect!["statement 3 (line 3): [TEMP_TABLE_OR_VIEW_ALREADY_EXISTS] Cannot create the temporary view `records` because it already exists. Choose a different name, drop or replace the existing view, or add the IF NOT EXISTS clause to tolerate pre-existing views."],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_checked_when_they_are_declared() {
    let declare =
        |options: &str| format!("CREATE TEMP FUNCTION f(id BIGINT) RETURNS DOUBLE USING API OPTIONS ({options})");
    check(
        &declare("endpoint '{api}'"),
        expect!["statement 1 (line 1): API function 'f': option 'rate_limit_calls' is missing; it must be given"],
    )
    .await;
    check(
        &declare("rate_limit_calls '1'"),
        expect!["statement 1 (line 1): API function 'f': option 'endpoint' is missing; it must be given"],
    )
    .await;
    check(
        "CREATE TEMP FUNCTION f(id BIGINT) RETURNS MONEY USING API OPTIONS (endpoint 'http://a/')",
        expect![[r#"
            statement 1 (line 1): 
            [UNSUPPORTED_DATATYPE] Unsupported data type "MONEY".(line 1, pos 42)

            == SQL ==
            CREATE TEMP FUNCTION f(id BIGINT) RETURNS MONEY USING API OPTIONS (endpoint 'http://a/')
            ------------------------------------------^^^
        "#]],
    )
    .await;
    check("CREATE TEMPORARY FUNCTION f AS 'com.example.F'", expect!["statement 1 (line 1): [UNSUPPORTED_FEATURE] Paceline does not support functions of Java classes; Paceline creates TEMPORARY FUNCTION … RETURNS … USING API OPTIONS (…) yet."]).await;
    check_declared(
        "CREATE TEMP FUNCTION enrich(id INT) RETURNS INT USING API OPTIONS (endpoint '{api}', rate_limit_calls '1')",
        expect!["statement 3 (line 3): [ROUTINE_ALREADY_EXISTS] Cannot create the function `enrich` because it already exists. Choose a different name, drop or replace the existing function, or add the IF NOT EXISTS clause to tolerate a pre-existing function."],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_carried_out_are_refused_before_any_is_made() {
    check_declared("SELECT a.id FROM records a JOIN records b ON enrich(a.id + b.id).score > 0.5", expect!["statement 3 (line 3): the API function 'enrich' is called in a join condition and does not take its columns from one side alone, so there is no side to call it for; join first and call then: SELECT … FROM (SELECT *, enrich(…) AS answer FROM a JOIN b ON …) WHERE answer …"]).await;
    check_declared("SELECT CASE WHEN uuid() > '8' THEN enrich(id) END FROM records", expect![[r#"statement 3 (line 3): an API function is called under the condition 'uuid() > Utf8("8") IS TRUE', which may differ each time it is looked at; compute it in a subquery first: SELECT … FROM (SELECT *, uuid() > Utf8("8") IS TRUE AS chosen FROM …)"#]]).await;
    check_declared(
        "SELECT enrich(id, email) FROM records",
        expect!["statement 3 (line 3): [WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `enrich` requires 1 parameters but the actual number is 2.; line 1 pos 7"],
    )
    .await;
    check_declared("SELECT enrich(named_struct('a', 1)) FROM records", expect![[r#"statement 3 (line 3): [DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] Cannot resolve "named_struct(a, 1)" due to data type mismatch: cannot cast "STRUCT<a: INT NOT NULL>" to "BIGINT".; line 1 pos 7"#]]).await;
    check_declared(
        "SELECT enrich('x') FROM records WHERE nope = 1",
        expect!["statement 3 (line 3): [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name `nope` cannot be resolved. Did you mean one of the following? [`id`, `email`].; line 1 pos 38"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_may_only_leave_where_nobody_counts_on_it() {
    let insert = |query: &str| format!("INSERT OVERWRITE DIRECTORY '{{folder}}/out' USING parquet {query}");
    let totals = "SELECT count(*) AS n FROM (SELECT enrich(id).score AS score FROM records) WHERE score > 0";
    check_declared(&insert(totals), expect!["statement 3 (line 3): the API function 'enrich' has on_error 'dead_letter', which takes rows out of the output, but 'Aggregate: groupBy=[[]], aggr=[[count(Int32(1)) AS c5]]' stands between the call and the output and needs all rows; declare it with on_error 'null' or 'fail', or write the answers first and read them back"]).await;
    check_declared(&insert("SELECT enrich(id).score AS score FROM records ORDER BY 1"), expect!["statement 3 (line 3): the API function 'enrich' has on_error 'dead_letter', which takes rows out of the output, but 'Sort: c4 ASC NULLS FIRST' stands between the call and the output and needs all rows; declare it with on_error 'null' or 'fail', or write the answers first and read them back"]).await;
    let subquery = "SELECT * FROM records WHERE id IN (SELECT enrich(id).score FROM records)";
    check_declared(&insert(subquery), expect!["statement 3 (line 3): the API function 'enrich' has on_error 'dead_letter' and is called in a subquery, whose rows do not reach the output; declare it with on_error 'null' or 'fail'"]).await;
    check_declared(&insert("SELECT id, id FROM records"), expect!["statement 3 (line 3): [COLUMN_ALREADY_EXISTS] The column `id` already exists. Consider to choose another name or rename the existing column."]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_named_with_the_line() {
    let read = async |name: &str, bytes: &[u8], options: &str, expected: Expect| {
        let stage = Stage::set(QUICK).await;
        let path = stage.file(name, bytes);
        let script =
            format!("CREATE TEMP VIEW v USING csv OPTIONS (path '{path}', header true {options}); SELECT * FROM v");
        let error = stage.run(&script).await.1.unwrap_err().to_string();
        expected.assert_eq(&error.replace(stage.folder.path().to_str().unwrap(), "{folder}"));
    };
    let strict = ", inferSchema true, mode 'FAILFAST'";
    read("ragged.csv", b"id,email\n1,a\n2,b,c\n", strict, expect!["statement 2 (line 1): cannot read 'file://{folder}/ragged.csv', line 3, the record has 3 fields, the view has 2 columns"]).await;
    read("short.csv", b"id,email\n\n1,a\n2\n", strict, expect!["statement 2 (line 1): cannot read 'file://{folder}/short.csv', line 4, the record has 1 fields, the view has 2 columns"]).await;
    read("utf8.csv", b"id,email\n1,\xff\xfe\n", strict, expect!["statement 2 (line 1): cannot read 'file://{folder}/utf8.csv', line 2, column 2 'email': the text is not UTF-8"]).await;
    read("empty.csv", b"", "", expect!["statement 1 (line 1): there is no file at 'file://{folder}/empty.csv'"]).await;
    read("cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x4c", "", expect!["statement 1 (line 1): cannot read the columns of 'file://{folder}/cut.csv.gz': IO error: incomplete deflate stream"]).await;
}

/// The lines before a part of a file are counted when one of its records is malformed.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_has_its_number_in_the_file_whatever_part_it_is_read_in() {
    let stage = Stage::set(QUICK).await;
    let mut csv: String = (2..=5000).map(|line| format!("{line},x\n")).collect();
    csv = format!("id,text\n{}", csv.replace("\n4711,x\n", "\nfour,x\n"));
    stage.file("in.csv", &csv);
    let script = "CREATE TEMP VIEW v (id INT, text STRING) USING csv OPTIONS (path '{folder}/in.csv', header true, mode 'FAILFAST');
        CREATE TEMP FUNCTION f(id INT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
        INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT *, f(id) AS answer FROM v";
    let error = stage.run(script).await.1.unwrap_err().to_string();
    assert!(error.ends_with("in.csv', line 4711, column 1 'id': 'four' is not of type int"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_records_are_counted() {
    let stage = Stage::set(QUICK).await;
    stage.file("in.csv", "id,text\n1,a\nx,b\n3\n4,d\n");
    for (mode, counted) in [("PERMISSIVE", (4, 2, 0, 4)), ("DROPMALFORMED", (2, 0, 2, 2))] {
        let script = format!(
            "CREATE OR REPLACE TEMP VIEW v (id INT, text STRING) USING csv
               OPTIONS (path '{{folder}}/in.csv', header true, mode '{mode}');
             INSERT OVERWRITE DIRECTORY '{{folder}}/out' USING json SELECT * FROM v"
        );
        let (report, result) = stage.run(&script).await;
        result.unwrap();
        let found = (report.records_read, report.records_malformed, report.records_dropped, report.records_written);
        assert_eq!(found, counted, "{mode}");
    }
}
