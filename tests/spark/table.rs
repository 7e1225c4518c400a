//! `docs/spark-compatibility.md`: what answers as Spark does, what differs and how, what is refused.

use super::file::{Answer, Piece, Statement};

const BEGINNING: &str = "\
# Spark's SQL in Paceline: what is the same

The tables below are made by `UPDATE_EXPECT=1 cargo nextest run -p paceline-tests -E 'test(spark)'` of the statements in
`tests/slt/spark/`; a test compares them. To each statement the file has the answer of Spark 3.5.4: the names and types of the
columns, the rows as Spark's command line shows them, or the class and the message of the error. `make spark-check` asks Spark
again. Where Paceline answers otherwise, its answer stands there too.

*Same* means all of it, to the last letter. *Words* counts errors of Spark's class that are told in other words. Everything else
is listed with its statement.

What depends on where a row is read, such as `monotonically_increasing_id()`, `rand()` with a seed and TABLESAMPLE of a fraction,
counts within partitions as Spark does; which rows share a partition is Paceline's own choice, as it is each cluster's in Spark.
";

/// The page.
pub fn of(chapters: &[Vec<Piece>], score: &str) -> String {
    let chapters: Vec<Chapter> = chapters.iter().map(|pieces| Chapter::of(pieces)).collect();
    let mut page = format!("{BEGINNING}\n## Spark's own statements\n\n{}\n## At a glance\n\n", score.trim_start());
    page.push_str("| | statements | same | words | differ | refused |\n|---|---:|---:|---:|---:|---:|\n");
    let mut all = Counts::default();
    for chapter in &chapters {
        let counts = chapter.counts();
        page.push_str(&format!("| {} {}\n", chapter.title, counts.cells()));
        all.add(&counts);
    }
    page.push_str(&format!("| **all** {}\n", all.cells()));
    chapters.iter().for_each(|chapter| chapter.write(&mut page));
    page
}

struct Chapter<'a> {
    title: &'a str,
    sections: Vec<(&'a str, Vec<&'a Statement>)>,
}

impl<'a> Chapter<'a> {
    fn of(pieces: &'a [Piece]) -> Self {
        let (mut title, mut sections) = ("", Vec::<(&str, Vec<&Statement>)>::new());
        for piece in pieces {
            match piece {
                Piece::Text(line) => match (line.strip_prefix("# "), line.strip_prefix("## ")) {
                    (Some(it), _) => title = it,
                    (_, Some(name)) => sections.push((name, Vec::new())),
                    _ => {}
                },
                Piece::Statement(statement) => {
                    let section = sections.last_mut().unwrap_or_else(|| panic!("{title}: a statement of no section"));
                    section.1.push(statement);
                }
            }
        }
        Chapter { title, sections }
    }

    fn counts(&self) -> Counts {
        Counts::of(self.sections.iter().flat_map(|(_, statements)| statements.iter().copied()))
    }

    fn write(&self, page: &mut String) {
        page.push_str(&format!("\n## {}\n\n| | statements | |\n|---|---:|---|\n", self.title));
        for (name, statements) in &self.sections {
            let verdict = Counts::of(statements.iter().copied()).verdict();
            let how: Vec<_> = statements.iter().filter_map(|it| how(it)).collect();
            let how = if how.is_empty() { String::new() } else { format!("<br>{}", how.join("<br>")) };
            page.push_str(&format!("| {} | {} | {verdict}{how} |\n", code(name), statements.len()));
        }
    }
}

#[derive(Default)]
struct Counts {
    same: usize,
    words: usize,
    differ: usize,
    refused: usize,
}

impl Counts {
    fn of<'a>(statements: impl Iterator<Item = &'a Statement>) -> Self {
        let mut counts = Counts::default();
        for statement in statements {
            match Kind::of(statement) {
                Kind::Same => counts.same += 1,
                Kind::Words => counts.words += 1,
                Kind::Refused => counts.refused += 1,
                Kind::Differs => counts.differ += 1,
            }
        }
        counts
    }

    fn add(&mut self, other: &Counts) {
        self.same += other.same;
        self.words += other.words;
        self.differ += other.differ;
        self.refused += other.refused;
    }

    fn cells(&self) -> String {
        let Counts { same, words, differ, refused } = self;
        format!("| {} | {same} | {words} | {differ} | {refused} |", same + words + differ + refused)
    }

    fn verdict(&self) -> String {
        let Counts { same, words, differ, refused } = self;
        match (same + words, *differ, *refused) {
            (_, 0, 0) => "same".to_owned(),
            (0, 0, _) => "refused".to_owned(),
            (_, differ, 0) => format!("{differ} differ"),
            (_, 0, refused) => format!("{refused} refused"),
            (_, differ, refused) => format!("{differ} differ, {refused} refused"),
        }
    }
}

#[derive(PartialEq)]
enum Kind {
    Same,
    Words,
    Refused,
    Differs,
}

impl Kind {
    fn of(statement: &Statement) -> Self {
        match (&statement.spark, &statement.ours) {
            (_, None) => Kind::Same,
            (Answer::Error { class, .. }, Some(Answer::Error { class: ours, .. })) if class == ours => Kind::Words,
            (Answer::Rows { .. }, Some(Answer::Error { .. })) => Kind::Refused,
            _ => Kind::Differs,
        }
    }
}

/// How a statement's answer differs; nothing where it does not, or only in words.
fn how(statement: &Statement) -> Option<String> {
    if matches!(Kind::of(statement), Kind::Same | Kind::Words) {
        return None;
    }
    let told = match (&statement.spark, statement.ours.as_ref()?) {
        (Answer::Rows { .. }, Answer::Error { class, message }) => {
            format!("{}: {}", code(class), plain(message.lines().next().unwrap_or_default()))
        }
        (Answer::Error { class, .. }, Answer::Rows { rows, .. }) => {
            format!("Spark: error {}, here {}", code(class), shown(rows))
        }
        (Answer::Error { class, .. }, Answer::Error { class: ours, .. }) => {
            format!("Spark: error {}, here {}", code(class), code(ours))
        }
        (Answer::Rows { schema, rows }, Answer::Rows { schema: ours, rows: our_rows }) if rows == our_rows => {
            format!("Spark: {}, here {}", code(schema), code(ours))
        }
        (Answer::Rows { rows, .. }, Answer::Rows { rows: ours, .. }) => {
            format!("Spark: {}, here {}", shown(rows), shown(ours))
        }
    };
    Some(format!("{} {told}", code(&statement.sql)))
}

fn shown(rows: &[String]) -> String {
    match rows {
        [] => "no rows".to_owned(),
        [row] => code(row),
        rows => {
            let more = if rows.len() > 4 { format!(" … ({} rows)", rows.len()) } else { String::new() };
            format!("{}{more}", rows.iter().take(4).map(|row| code(row)).collect::<Vec<_>>().join(" "))
        }
    }
}

/// As code in a cell of a table.
fn code(text: &str) -> String {
    let text = cut(text).replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn plain(text: &str) -> String {
    cut(text).replace('|', "\\|").replace('<', "&lt;")
}

fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
