//! Reads all statements of the conformance cases and counts what is taken and refused as Spark does.
//! Without the cases (a folder `shared/spark-sql` beside the workspace or its parents) there is nothing to count.

use std::path::{Path, PathBuf};

use paceline_syntax::{Settings, parse_statement};
use serde_json::Value;

/// Classes that only Spark's parser has.
const PARSER_CLASSES: &[&str] = &[
    "PARSE_SYNTAX_ERROR",
    "PARSE_EMPTY_STATEMENT",
    "INVALID_TYPED_LITERAL",
    "INVALID_PARAMETER_VALUE.DATETIME_UNIT",
    "INVALID_SQL_SYNTAX.INVALID_TABLE_VALUED_FUNC_NAME",
    "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION",
    "UNSUPPORTED_DATATYPE",
    "INVALID_SET_SYNTAX",
    "INVALID_NUMERIC_LITERAL_RANGE",
    "UNSUPPORTED_TYPED_LITERAL",
    "INVALID_ESC",
    "INVALID_IDENTIFIER",
    "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING",
    "INCOMPATIBLE_JOIN_TYPES",
    "_LEGACY_ERROR_TEMP_0029",
    "_LEGACY_ERROR_TEMP_0035",
    "_LEGACY_ERROR_TEMP_0064",
];

/// Of all cases.
const TAKEN: f64 = 0.995;

fn cases() -> Option<PathBuf> {
    let given = std::env::var_os("SPARK_SQL_CASES").map(PathBuf::from);
    let beside = || {
        let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        folders.map(|folder| folder.join("shared/spark-sql")).find(|folder| folder.is_dir())
    };
    given.or_else(beside)
}

fn statements(folder: &Path) -> Vec<Value> {
    let mut files = Vec::new();
    for suite in ["golden", "functions"] {
        let listed = std::fs::read_dir(folder.join(suite)).unwrap();
        files.extend(listed.map(|file| file.unwrap().path()));
    }
    files.sort();
    let lines = files.iter().flat_map(|file| {
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    });
    lines.collect()
}

#[test]
fn what_spark_takes_is_taken_and_what_it_refuses_is_refused() {
    let Some(folder) = cases() else {
        println!("no conformance cases: nothing is counted");
        return;
    };
    let (mut taken, mut takeable, mut refused, mut refusable) = (0, 0, 0, 0);
    let mut report = String::new();
    for case in statements(&folder) {
        let sql = case["sql"].as_str().unwrap();
        let class = case["error"].as_str().filter(|class| PARSER_CLASSES.contains(class));
        let ours = parse_statement(sql, Settings::default()).err();
        let same = ours.as_ref().map(|error| error.class()) == class;
        match class {
            None => (takeable, taken) = (takeable + 1, taken + usize::from(ours.is_none())),
            Some(_) => (refusable, refused) = (refusable + 1, refused + usize::from(same)),
        }
        if class.is_none() && ours.is_some() || !same {
            let ours =
                ours.map_or_else(|| "taken".to_owned(), |error| format!("{} {}", error.class(), error.message()));
            report += &format!("{sql}\n    Spark: {:?} {:?}\n    ours: {ours}\n", case["error"], case["message"]);
        }
    }
    println!("{report}\ntaken: {taken} of {takeable}; refused with the same class: {refused} of {refusable}");
    assert!(f64::from(taken as u32) >= TAKEN * f64::from(takeable as u32), "too few statements are taken");
}
