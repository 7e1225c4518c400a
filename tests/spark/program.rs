//! Asks Paceline: the one place that knows how statements reach it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::file::Answer;

/// A program that reads paths of scripts and prints a line of JSON for each of their statements.
pub struct Program {
    child: Child,
    paths: ChildStdin,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// The one beside this test.
    pub fn start() -> Self {
        let here = std::env::current_exe().unwrap();
        let program: PathBuf = here.parent().unwrap().parent().unwrap().join("examples/spark_sql");
        let mut child = Command::new(program)
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (paths, lines) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        Program { child, paths, lines }
    }

    /// What it answers to the statements in a session of their own.
    pub fn answers<'a>(&mut self, statements: impl IntoIterator<Item = &'a str>) -> Vec<Answer> {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script.sql");
        let text: String = statements.into_iter().map(|statement| format!("{statement};\n")).collect();
        std::fs::write(&script, text).unwrap();
        writeln!(self.paths, "{}", script.display()).unwrap();
        self.paths.flush().unwrap();
        let mut answers = Vec::new();
        for line in self.lines.by_ref() {
            let line: Value = match serde_json::from_str(&line.unwrap()) {
                Ok(line) => line,
                Err(_) => continue,
            };
            if line.get("end").is_some() {
                break;
            }
            answers.push(answer(&line));
        }
        answers
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(line: &Value) -> Answer {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match line.get("error") {
        Some(error) => {
            let message = text(&error["message"]);
            Answer::Error { class: text(&error["class"]), message: message.trim_end_matches('\n').to_owned() }
        }
        None => {
            let rows = line["rows"].as_array().into_iter().flatten();
            Answer::Rows { schema: text(&line["schema"]), rows: rows.map(text).collect() }
        }
    }
}
