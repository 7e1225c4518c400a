//! Asks Paceline: the one place that knows how statements reach it.

use paceline_engine::job::JobId;
use paceline_engine::observe::rows;
use paceline_engine::{Session, Settings};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::file::Answer;

/// What runs sessions. Plans of deeply nested expressions need more stack than a thread has.
pub struct Program(Runtime);

impl Program {
    /// Starts it.
    pub fn start() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        Program(runtime.worker_threads(2).thread_stack_size(64 << 20).enable_all().build().unwrap())
    }

    /// What it answers to the statements in a session of their own.
    pub fn answers<'a>(&self, statements: impl IntoIterator<Item = &'a str>) -> Vec<Answer> {
        let session = Session::new(Settings::default()).unwrap();
        let job = JobId::generate();
        let asked = async {
            let mut answers = Vec::new();
            for statement in statements {
                let outcome = session.sql(statement, job.as_str()).await;
                answers.push(answer(&serde_json::from_str(&rows::answer(&outcome, &session)).unwrap()));
            }
            answers
        };
        self.0.block_on(asked)
    }
}

fn answer(line: &Value) -> Answer {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match line.get("error") {
        Some(error) => {
            let message = text(&error["message"]);
            let lines: Vec<_> = message.trim_end().lines().map(str::trim_end).collect();
            Answer::Error { class: text(&error["class"]), message: lines.join("\n") }
        }
        None => {
            let rows = line["rows"].as_array().into_iter().flatten();
            Answer::Rows { schema: text(&line["schema"]), rows: rows.map(text).collect() }
        }
    }
}
