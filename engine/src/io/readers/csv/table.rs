//! Records as rows of text.

use super::decode::Records;

/// The fields of some records by row and number.
#[derive(Debug)]
pub struct Table {
    text: String,
    ends: Vec<usize>,
    firsts: Vec<usize>,
    lines: Vec<u64>,
    texts: Vec<String>,
    not_utf8: Vec<usize>,
}

impl Table {
    /// Bytes that are no UTF-8 become U+FFFD, as in Spark.
    pub fn new(records: Records) -> Self {
        let Records { fields, firsts, lines, texts } = records;
        let mut not_utf8 = Vec::new();
        let (text, ends) = fields.into_text(|field| not_utf8.push(field));
        Table { text, ends, firsts, lines, texts, not_utf8 }
    }

    /// How many records.
    pub fn rows(&self) -> usize {
        self.firsts.len()
    }

    /// How many fields a record has.
    pub fn width(&self, row: usize) -> usize {
        self.firsts.get(row + 1).copied().unwrap_or(self.ends.len()) - self.firsts[row]
    }

    /// A field; none where the record has not so many.
    pub fn cell(&self, row: usize, field: usize) -> Option<&str> {
        if field >= self.width(row) {
            return None;
        }
        let at = self.firsts[row] + field;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.text.get(start..self.ends[at])
    }

    /// The lines before a record.
    pub fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or(0)
    }

    /// The whole text of each record, if it was wanted.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The rows and fields that had bytes which are no UTF-8.
    pub fn not_utf8(&self) -> impl Iterator<Item = (usize, usize)> {
        self.not_utf8.iter().map(|at| {
            let row = self.firsts.partition_point(|first| first <= at) - 1;
            (row, at - self.firsts[row])
        })
    }
}
