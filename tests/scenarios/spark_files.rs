//! Files that Spark 3.5.4 wrote or read, as tests/matrix/matrix.py made them: the same types and rows come out here.

use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use paceline_engine::Outcome;
use paceline_tests::{QUICK, Stage};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_as_spark_reads_them() {
    let corpus = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("matrix/corpus");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 30, "the corpus is not complete");
    let stage = Stage::set(QUICK).await;
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let name = case.file_name().unwrap().to_str().unwrap();
        if let Err(why) = compare(&stage, case, number).await {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Texts are the same byte for byte, and the name of every file ends as Spark's does.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_as_spark_writes_them() {
    let corpus = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("matrix/corpus");
    let stage = Stage::set(QUICK).await;
    let mut wrong = Vec::new();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    for (number, home) in cases.iter().enumerate() {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(home.join("case.json")).unwrap()).unwrap();
        let Some(options) = case["written"]["options"].as_object() else { continue };
        let options: Vec<String> =
            options.iter().map(|(key, value)| format!("{key} '{}'", value.as_str().unwrap())).collect();
        let options = if options.is_empty() { String::new() } else { format!("OPTIONS ({})", options.join(", ")) };
        let columns: Vec<&str> =
            case["written"]["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let (format, all) = (case["format"].as_str().unwrap(), corpus.join("written-00-parquet/files"));
        let script = format!(
            "CREATE OR REPLACE TEMPORARY VIEW v USING parquet OPTIONS (path '{}');
             INSERT OVERWRITE DIRECTORY '{{folder}}/out{number}' USING {format} {options} SELECT {} FROM v",
            all.display(),
            columns.join(", ")
        );
        let name = home.file_name().unwrap().display();
        if let Err(error) = stage.run(&script).await.1 {
            wrong.push(format!("{name}: {error}"));
            continue;
        }
        let (spark, ours) = (part(&home.join("files")), part(&stage.folder.path().join(format!("out{number}"))));
        let ending = |path: &Path| path.display().to_string().split_once("-c000").unwrap().1.to_owned();
        let is_text = ["csv", "json", "text"].contains(&format);
        if ending(&spark) != ending(&ours) {
            wrong.push(format!("{name}: {} and {}", spark.display(), ours.display()));
        } else if is_text && !ending(&spark).ends_with("z") && !ending(&spark).ends_with("2") {
            let (spark, ours) = (std::fs::read_to_string(spark).unwrap(), std::fs::read_to_string(ours).unwrap());
            if spark != ours {
                wrong.push(format!("{name}:\n{spark}\n{ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The only file of rows in a folder.
fn part(folder: &Path) -> PathBuf {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut parts = paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("part-"));
    parts.next().unwrap()
}

async fn compare(stage: &Stage, home: &Path, number: usize) -> Result<(), String> {
    let case: Value = serde_json::from_str(&std::fs::read_to_string(home.join("case.json")).unwrap()).unwrap();
    let text = |key: &str| case[key].as_str().unwrap().to_owned();
    let mut options = vec![format!("path '{}'", home.join("files").display())];
    for (key, value) in case["options"].as_object().unwrap() {
        options.push(format!("{key} '{}'", value.as_str().unwrap()));
    }
    let declared = if text("declared").is_empty() { String::new() } else { format!("({})", text("declared")) };
    let script = format!(
        "CREATE OR REPLACE TEMPORARY VIEW v {declared} USING {} OPTIONS ({});
         INSERT OVERWRITE DIRECTORY '{{folder}}/out{number}' USING json OPTIONS (ignoreNullFields 'false') SELECT * FROM v;
         SELECT * FROM v",
        text("format"),
        options.join(", ")
    );
    let outcomes = stage.run(&script).await.1.map_err(|error| error.to_string())?;
    let Some(Outcome::Rows { schema, .. }) = outcomes.last() else { return Err("no rows".to_owned()) };
    let columns: Vec<String> =
        schema.fields().iter().map(|field| format!("{}:{}", field.name(), name(field))).collect();
    let found = format!("struct<{}>", columns.join(","));
    if found != text("schema") {
        return Err(format!("\n    Spark {}\n    found {found}", text("schema")));
    }
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(stage.folder.path().join(format!("out{number}"))).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            lines.extend(std::fs::read_to_string(path).unwrap().lines().map(str::to_owned));
        }
    }
    lines.sort();
    let expected = std::fs::read_to_string(home.join("rows.jsonl")).unwrap();
    let expected: Vec<&str> = expected.lines().collect();
    match expected.iter().zip(&lines).find(|(one, other)| *one != other) {
        Some((one, other)) => Err(format!("\n    Spark {one}\n    found {other}")),
        None if expected.len() != lines.len() => Err(format!("{} rows, Spark has {}", lines.len(), expected.len())),
        None => Ok(()),
    }
}

/// The name that Spark gives the type of a column.
fn name(field: &Field) -> String {
    match field.data_type() {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 => "string".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp_ntz".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::Duration(TimeUnit::Microsecond) => "interval day to second".to_owned(),
        DataType::List(element) => format!("array<{}>", name(element)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => format!("map<{},{}>", name(&pair[0]), name(&pair[1])),
            other => other.to_string(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|field| format!("{}:{}", field.name(), name(field))).collect();
            format!("struct<{}>", fields.join(","))
        }
        other => other.to_string(),
    }
}
