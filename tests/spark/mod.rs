//! Statements of Spark's SQL with what Spark 3.5.4 answers to them, asked of Paceline.
//!
//! The files are `tests/slt/spark/*.test`; `tests/slt/spark.py` writes Spark's answers into them. Where Paceline answers
//! something else, the file holds that too, in lines `~ `, so that nothing changes unseen. `UPDATE_EXPECT=1` writes these
//! lines, and `docs/spark-compatibility.md`, which is made of them.

mod file;
mod program;
mod table;
mod tpch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;

use file::{Answer, Piece, Statement};
use program::Program;

#[test]
fn paceline_answers_as_the_files_say() {
    let program = Program::start();
    let mut wrong = String::new();
    for path in files() {
        let mut pieces = file::read(&path);
        let answers = program.answers(setup().iter().map(String::as_str).chain(statements(&pieces)));
        let statements: Vec<&mut Statement> = pieces.iter_mut().filter_map(statement_of).collect();
        assert_eq!(answers.len(), setup().len() + statements.len(), "{}: it stopped", path.display());
        let mut changed = false;
        for (statement, came) in statements.into_iter().zip(answers.into_iter().skip(setup().len())) {
            let came = (!same(&statement.sql, &statement.spark, &came)).then_some(came);
            if came == statement.ours {
                continue;
            }
            let shown = came.as_ref().unwrap_or(&statement.spark).lines().join("\n");
            wrong.push_str(&format!("{}\n{};\n{shown}\n\n", path.display(), statement.sql));
            (statement.ours, changed) = (came, true);
        }
        if changed && updates() {
            file::write(&path, &pieces);
        }
    }
    assert!(wrong.is_empty() || updates(), "these answers are new (UPDATE_EXPECT=1 writes them):\n\n{wrong}");
}

#[test]
fn every_function_has_statements() {
    let sections: BTreeSet<String> = files().iter().flat_map(|path| sections(&file::read(path))).collect();
    let answers = Program::start().answers(["SHOW FUNCTIONS"]);
    let Some(Answer::Rows { rows, .. }) = answers.first() else { panic!("{answers:?}") };
    assert!(rows.len() > 400, "{rows:?}");
    let missing: Vec<_> = rows.iter().filter(|name| !sections.contains(*name)).collect();
    assert!(missing.is_empty(), "tests/slt/spark/ says nothing of {missing:?}");
}

#[test]
fn the_table_of_compatibility_is_made_of_the_files() {
    let score = std::fs::read_to_string(folder().join("score.txt")).unwrap();
    let chapters: Vec<_> = files().iter().map(|path| file::read(path)).collect();
    let book = folder().parent().unwrap().parent().unwrap().parent().unwrap().join("docs/spark-compatibility.md");
    expect_file![book].assert_eq(&table::of(&chapters, &score));
}

fn updates() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Asked for when it runs, as several checkouts may share this binary.
fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("slt/spark")
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "test")).collect();
    files.sort_unstable();
    assert!(files.len() > 20, "the files were not found");
    files
}

/// What runs before every file.
fn setup() -> Vec<String> {
    let text = std::fs::read_to_string(folder().join("setup.sql")).unwrap();
    text.split(";\n").map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

fn statements(pieces: &[Piece]) -> impl Iterator<Item = &str> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Statement(statement) => Some(statement.sql.as_str()),
        Piece::Text(_) => None,
    })
}

fn statement_of(piece: &mut Piece) -> Option<&mut Statement> {
    match piece {
        Piece::Statement(statement) => Some(statement),
        Piece::Text(_) => None,
    }
}

fn sections(pieces: &[Piece]) -> Vec<String> {
    let name = |piece: &Piece| match piece {
        Piece::Text(line) => line.strip_prefix("## ").map(str::to_owned),
        Piece::Statement(_) => None,
    };
    pieces.iter().filter_map(name).collect()
}

/// Rows without a sort at the end of the query come in any order; the class stands before some messages.
fn same(sql: &str, spark: &Answer, ours: &Answer) -> bool {
    match (spark, ours) {
        (Answer::Rows { schema, rows }, Answer::Rows { schema: our_schema, rows: our_rows }) => {
            let equal = if is_ordered(sql) { rows == our_rows } else { sorted(rows) == sorted(our_rows) };
            schema == our_schema && equal
        }
        (Answer::Error { class, message }, Answer::Error { class: our_class, message: our_message }) => {
            class == our_class && words(class, message) == words(class, our_message)
        }
        _ => false,
    }
}

fn is_ordered(sql: &str) -> bool {
    let sql = sql.to_uppercase();
    let sort = sql.rfind("ORDER BY").is_some_and(|at| {
        let depth = sql[at..].chars().try_fold(0_i32, |depth, it| match it {
            '(' => Some(depth + 1),
            ')' => (depth > 0).then_some(depth - 1),
            _ => Some(depth),
        });
        depth.is_some()
    });
    sort || ["SHOW", "DESC", "EXPLAIN"].iter().any(|word| sql.starts_with(word))
}

fn sorted(rows: &[String]) -> Vec<&String> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_unstable();
    rows
}

fn words(class: &str, message: &str) -> String {
    let message = message.trim();
    let lines = message.strip_prefix(&format!("[{class}] ")).unwrap_or(message).lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}
