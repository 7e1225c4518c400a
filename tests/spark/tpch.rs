//! TPC-H at scale 0.01 beside Spark's answers in `tests/tpc/tpch-0.01.jsonl`, which `tests/tpc/spark_answers.py` wrote of the
//! same tables. `make tpc-check` does the same at scale 1, and with TPC-DS.

use std::path::Path;

use paceline_engine::demo;
use serde_json::Value;

use super::file::Answer;
use super::program::Program;
use super::sorted;

#[test]
fn tpch_answers_as_spark_does() {
    let folder = tempfile::tempdir().unwrap();
    demo::tpch(folder.path(), 0.01).unwrap();
    let view = |table: &&str| {
        let path = folder.path().join(table);
        format!("CREATE TEMPORARY VIEW {table} USING parquet OPTIONS (path '{}')", path.display())
    };
    let views: Vec<String> = demo::TPCH_TABLES.iter().map(view).collect();
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let spark = std::fs::read_to_string(Path::new(&here).join("tpc/tpch-0.01.jsonl")).unwrap();
    let program = Program::start();
    let mut count = 0;
    for line in spark.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let name = line["query"].as_str().unwrap();
        let query = Path::new(&here).join(format!("../benches/tpch/queries/{name}.sql"));
        let query = std::fs::read_to_string(query).unwrap();
        let statements = views.iter().map(String::as_str).chain([query.trim().trim_end_matches(';')]);
        let Some(Answer::Rows { schema, rows }) = program.answers(statements).pop() else {
            panic!("{name} has no rows");
        };
        let expected: Vec<String> =
            line["rows"].as_array().unwrap().iter().map(|row| row.as_str().unwrap().to_owned()).collect();
        assert_eq!(schema, line["schema"].as_str().unwrap(), "{name}");
        assert_eq!(sorted(&rows), sorted(&expected), "{name}");
        count += 1;
    }
    assert_eq!(count, 22);
}
