//! SQL and what comes of it, as files: each has a session, a folder and an API to itself. `{folder}` and `{api}` stand for
//! them. `UPDATE_EXPECT=1` writes what came into the files, as it does for other snapshots.
//!
//! Beside the statements of Paceline a file may use three of the tests' own: `FILE name` with the content on the next lines
//! writes a file into the folder; `FILES name` lists what is in one of its folders; `REQUESTS` is the number of requests that
//! the API got since it was last asked.

mod hive;

use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::DataType;
use paceline_engine::Outcome;
use paceline_engine::job::JobId;
use paceline_tests::{QUICK, Stage};
use sqllogictest::{
    DB, DBOutput, DefaultColumnType, Runner, default_normalizer, default_validator, strict_column_validator,
};
use tokio::runtime::Runtime;

const FILES: &[&str] = &[
    "about_functions",
    "calls",
    "csv",
    "errors",
    "functions",
    "guards",
    "inserts",
    "partitions",
    "positions",
    "tables",
    "views",
];

#[test]
fn about_functions() {
    run("about_functions");
}

#[test]
fn calls() {
    run("calls");
}

#[test]
fn csv() {
    run("csv");
}

#[test]
fn errors() {
    run("errors");
}

#[test]
fn functions() {
    run("functions");
}

#[test]
fn guards() {
    run("guards");
}

#[test]
fn inserts() {
    run("inserts");
}

#[test]
fn partitions() {
    run("partitions");
}

#[test]
fn positions() {
    run("positions");
}

#[test]
fn tables() {
    run("tables");
}

#[test]
fn views() {
    run("views");
}

#[test]
fn every_file_is_run() {
    let mut found: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort_unstable();
    assert_eq!(found, FILES);
}

/// Asked for when it runs, as several checkouts may share this binary.
fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("slt")
}

fn run(name: &str) {
    let file = folder().join(format!("{name}.slt"));
    let mut runner = Runner::new(|| async { Ok(Paceline::start()) });
    runner.with_column_validator(strict_column_validator);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let update = runner.update_test_file(file, " ", default_validator, default_normalizer, strict_column_validator);
        futures::executor::block_on(update).unwrap();
    } else if let Err(error) = runner.run_file(file) {
        panic!("{}", error.display(false));
    }
}

/// A stage that takes one statement after the other.
struct Paceline {
    runtime: Runtime,
    stage: Stage,
    requests_before: usize,
}

/// A message, the same on every machine.
#[derive(Debug)]
struct Said(String);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

impl DB for Paceline {
    type Error = Said;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Said> {
        let (first, rest) = sql.split_once('\n').unwrap_or((sql, ""));
        match first.split_once(' ').unwrap_or((first, "")) {
            ("FILE", name) => {
                self.stage.file(name, rest);
                Ok(DBOutput::StatementComplete(0))
            }
            ("FILES", name) => Ok(self.files(name)),
            ("REQUESTS", "") => Ok(self.requests()),
            _ => self.sql(sql),
        }
    }
}

impl Paceline {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let stage = runtime.block_on(Stage::set(QUICK));
        Paceline { runtime, stage, requests_before: 0 }
    }

    fn sql(&self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Said> {
        let folder = self.stage.folder.path().to_str().unwrap();
        let api = self.stage.api.url();
        let sql = sql.replace("{folder}", folder).replace("{api}", &api);
        let outcome = self.runtime.block_on(self.stage.session.sql(&sql, JobId::generate().as_str()));
        let same_everywhere = |text: String| text.replace(folder, "{folder}").replace(&api, "{api}");
        match outcome.map_err(|error| Said(same_everywhere(error.to_string())))? {
            Outcome::Done | Outcome::DoneBefore(_) => Ok(DBOutput::StatementComplete(0)),
            Outcome::Written(written) => Ok(DBOutput::StatementComplete(written.records_written)),
            Outcome::Rows { schema, batches } => {
                let types = schema.fields().iter().map(|field| column_type(field.data_type())).collect();
                let rows = batches.iter().flat_map(hive::rows);
                let shown =
                    |value: String| if value.is_empty() { "(empty)".to_owned() } else { same_everywhere(value) };
                let rows = rows.map(|row| row.into_iter().map(shown).collect()).collect();
                Ok(DBOutput::Rows { types, rows })
            }
        }
    }

    /// Names of parts are new each time; their ending says what they are.
    fn files(&self, name: &str) -> DBOutput<DefaultColumnType> {
        let entries = std::fs::read_dir(self.stage.folder.path().join(name)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        for name in &mut names {
            if let Some((_, ending)) = name.split_once('.').filter(|_| name.starts_with("part-")) {
                *name = format!("part-….{ending}");
            }
        }
        names.sort_unstable();
        DBOutput::Rows {
            types: vec![DefaultColumnType::Text],
            rows: names.into_iter().map(|name| vec![name]).collect(),
        }
    }

    fn requests(&mut self) -> DBOutput<DefaultColumnType> {
        let requests = self.stage.api.stats().requests;
        let new = requests - std::mem::replace(&mut self.requests_before, requests);
        DBOutput::Rows { types: vec![DefaultColumnType::Integer], rows: vec![vec![new.to_string()]] }
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        data_type if data_type.is_integer() => DefaultColumnType::Integer,
        data_type if data_type.is_numeric() => DefaultColumnType::FloatingPoint,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    }
}
