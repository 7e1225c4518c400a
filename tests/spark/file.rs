//! A file of statements with Spark's answers, in the form that `tests/slt/spark.py` writes.

use std::path::Path;

/// What a file says, in order.
pub enum Piece {
    /// A heading, or an empty line.
    Text(String),
    /// A statement with its answers.
    Statement(Statement),
}

/// A statement, what Spark answers, and what Paceline answers where that is something else.
pub struct Statement {
    pub sql: String,
    pub spark: Answer,
    pub ours: Option<Answer>,
}

/// Rows or an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Rows { schema: String, rows: Vec<String> },
    Error { class: String, message: String },
}

impl Answer {
    /// In the lines of a file.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Answer::Rows { schema, rows } => {
                let mut lines = vec![format!("= {}", escaped(schema))];
                lines.extend(rows.iter().map(|row| format!("| {}", escaped(row))));
                lines
            }
            Answer::Error { class, message } => {
                let mut lines = vec![format!("! {class}")];
                lines.extend(message.split('\n').map(|line| format!("| {line}").trim_end().to_owned()));
                lines
            }
        }
    }

    /// Of the lines of a file; `None` where there are none.
    fn of(lines: &[&str]) -> Option<Self> {
        let (first, rest) = lines.split_first()?;
        let rest = rest.iter().map(|line| line.strip_prefix("| ").unwrap_or_default());
        if let Some(schema) = first.strip_prefix("= ") {
            return Some(Answer::Rows { schema: plain(schema), rows: rest.map(plain).collect() });
        }
        let class = first.strip_prefix("! ")?.to_owned();
        Some(Answer::Error { class, message: rest.collect::<Vec<_>>().join("\n") })
    }
}

/// Reads a file.
pub fn read(path: &Path) -> Vec<Piece> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut pieces = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            pieces.push(Piece::Text(line.to_owned()));
            continue;
        }
        let mut sql = line.to_owned();
        while !sql.ends_with(';') {
            let next = lines.next().unwrap_or_else(|| panic!("{}: a statement without an end: {sql}", path.display()));
            sql = format!("{sql}\n{next}");
        }
        sql.pop();
        let mut answers = Vec::new();
        while let Some(line) = lines.next_if(|it| it.starts_with(['=', '!', '|'])) {
            answers.push(line);
        }
        let mut ours = Vec::new();
        while let Some(line) = lines.next_if(|it| it.starts_with("~ ")) {
            ours.push(&line[2..]);
        }
        let spark = Answer::of(&answers).unwrap_or_else(|| panic!("{}: Spark was not asked: {sql}", path.display()));
        pieces.push(Piece::Statement(Statement { sql, spark, ours: Answer::of(&ours) }));
    }
    pieces
}

/// Writes a file back.
pub fn write(path: &Path, pieces: &[Piece]) {
    let mut text = String::new();
    for piece in pieces {
        let lines = match piece {
            Piece::Text(line) => vec![line.clone()],
            Piece::Statement(statement) => {
                let ours = statement.ours.iter().flat_map(Answer::lines).map(|line| format!("~ {line}"));
                std::iter::once(format!("{};", statement.sql)).chain(statement.spark.lines()).chain(ours).collect()
            }
        };
        lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    }
    std::fs::write(path, text).unwrap();
}

fn escaped(row: &str) -> String {
    row.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\0', "\\0")
}

fn plain(row: &str) -> String {
    let mut text = String::new();
    let mut letters = row.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('0') => text.push('\0'),
                Some(other) => text.push(other),
                None => {}
            },
            _ => text.push(letter),
        }
    }
    text
}
