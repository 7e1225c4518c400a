//! Cuts the bytes of a CSV file into records; decides what is a header, a comment or a blank line.
//! Source: Spark 3.5, `CSVExprUtils`.

use std::sync::Arc;

use super::CsvOptions;
use super::fields::Fields;
use super::table::Table;

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// What the bytes so far amount to.
#[derive(Debug)]
pub enum Decoded {
    /// More bytes are needed.
    Hungry,
    /// Some records.
    Records(Table),
    /// A record, or what looks like one, is longer than any should be.
    Endless {
        /// The lines before it.
        line: u64,
    },
    /// Nothing more comes.
    End,
}

/// A batch is complete at this size, however few records it has.
const BATCH_BYTES: usize = 8 << 20;

/// No record is longer.
pub const RECORD_BYTES: usize = 256 << 20;

/// The first record of a file, where it is a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The lines before it.
    pub line: u64,
    /// Its names.
    pub names: Vec<String>,
}

/// Reads one file, or a part of it that begins and ends with a line.
#[derive(Debug)]
pub struct Decoder {
    options: Arc<CsvOptions>,
    /// How many records are handed out at once.
    most: usize,
    /// Whether the whole text of records is wanted.
    texts: bool,
    /// Whether nothing of the file was read yet.
    start: bool,
    /// Whether the next record is the header.
    header_next: bool,
    header: Option<Header>,
    bytes: Vec<u8>,
    /// How many of them were read.
    at: usize,
    ended: bool,
    /// Fewer unread bytes than this hold no whole record: they were looked through already.
    hungry_below: usize,
    line: u64,
    records: Records,
}

/// Records on their way into a table.
#[derive(Debug, Default)]
pub struct Records {
    /// The fields of all of them.
    pub fields: Fields,
    /// Where the fields of each begin.
    pub firsts: Vec<usize>,
    /// The lines before each.
    pub lines: Vec<u64>,
    /// The whole text of each, if it is wanted.
    pub texts: Vec<String>,
}

impl Decoder {
    /// `start` says that the bytes begin where the file begins, `header` that a header is still to come; `texts`, that the
    /// whole text of records is wanted too.
    pub fn new(options: Arc<CsvOptions>, start: bool, header: bool, texts: bool, most: usize) -> Self {
        Decoder {
            header_next: header,
            options,
            most,
            texts,
            start,
            header: None,
            bytes: Vec::new(),
            at: 0,
            ended: false,
            hungry_below: 0,
            line: 0,
            records: Records::default(),
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// No bytes come any more.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The header, once, when it was read.
    pub fn take_header(&mut self) -> Option<Header> {
        self.header.take()
    }

    /// The next records, as far as there are bytes for them.
    pub fn next(&mut self) -> Decoded {
        while !self.full() && self.read() {}
        match self.records.firsts.len() {
            _ if self.full() => Decoded::Records(Table::new(std::mem::take(&mut self.records))),
            _ if self.bytes.len() - self.at > RECORD_BYTES => Decoded::Endless { line: self.line },
            _ if !self.ended => Decoded::Hungry,
            0 => Decoded::End,
            _ => Decoded::Records(Table::new(std::mem::take(&mut self.records))),
        }
    }

    fn full(&self) -> bool {
        self.records.firsts.len() >= self.most || self.records.fields.bytes.len() >= BATCH_BYTES
    }

    /// Takes one record, or a line that is none; false says that its end has not come yet.
    fn read(&mut self) -> bool {
        if self.start && !self.skip_byte_order_mark() {
            return false;
        }
        let unread = self.bytes.len() - self.at;
        if unread < self.hungry_below && !self.ended {
            return false;
        }
        let found = self.read_next();
        // Looking again only when there is twice as much keeps the work in proportion to the bytes.
        self.hungry_below = if found { 0 } else { unread * 2 };
        found
    }

    fn read_next(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let Some(line) = Line::find(rest, self.ended, self.options.dialect.line_end.as_deref()) else {
            return false;
        };
        let (dialect, text) = (&self.options.dialect, &rest[..line.text]);
        let blank = if dialect.multi_line { text.is_empty() } else { text.iter().all(|byte| *byte <= b' ') };
        if blank || self.options.comment.is_some_and(|comment| text.first() == Some(&comment)) {
            self.at += line.whole;
            self.line += 1;
            return true;
        }
        let before = self.records.fields.mark();
        let read = dialect.read(if dialect.multi_line { rest } else { text }, &mut self.records.fields);
        let taken = if dialect.multi_line { read } else { line.whole };
        if dialect.multi_line && taken == rest.len() && !self.ended {
            // What looks like the end may be the middle of a quoted field.
            self.records.fields.go_back(before);
            return false;
        }
        if self.header_next {
            self.header_next = false;
            let names = self.options.names(&self.records.fields.texts());
            self.header = Some(Header { line: self.line, names });
            self.records.fields.go_back(before);
        } else {
            self.records.firsts.push(before.ends);
            self.records.lines.push(self.line);
            if self.texts {
                let text = if dialect.multi_line { without_line_end(&rest[..taken]) } else { text };
                self.records.texts.push(String::from_utf8_lossy(text).into_owned());
            }
        }
        self.line += if dialect.multi_line { lines(&rest[..taken]) } else { 1 };
        self.at += taken;
        true
    }

    /// False where more bytes are needed to see whether there is one.
    fn skip_byte_order_mark(&mut self) -> bool {
        if self.bytes.len() < BYTE_ORDER_MARK.len() && !self.ended {
            return false;
        }
        self.at += if self.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        self.start = false;
        true
    }
}

/// Whether a record begins in these bytes, which are the first of a file.
pub fn has_record(options: &CsvOptions, bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.any(|line| {
        options.comment.is_none_or(|comment| line.first() != Some(&comment)) && !line.trim_ascii().is_empty()
    })
}

/// The first line of some bytes.
struct Line {
    /// Its length.
    text: usize,
    /// Its length with its end.
    whole: usize,
}

impl Line {
    /// Lines end with what the options say, or else with `\n`, `\r` or `\r\n`, and where the file ends.
    fn find(bytes: &[u8], ended: bool, end: Option<&[u8]>) -> Option<Line> {
        if let Some(end) = end {
            let text = bytes.windows(end.len().max(1)).position(|window| window == end);
            let last = || (ended && !bytes.is_empty()).then_some(Line { text: bytes.len(), whole: bytes.len() });
            return text.map(|text| Line { text, whole: text + end.len() }).or_else(last);
        }
        let Some(text) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return (ended && !bytes.is_empty()).then_some(Line { text: bytes.len(), whole: bytes.len() });
        };
        match &bytes[text..] {
            [b'\r', b'\n', ..] => Some(Line { text, whole: text + 2 }),
            [b'\r'] if !ended => None,
            _ => Some(Line { text, whole: text + 1 }),
        }
    }
}

fn without_line_end(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

fn lines(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.count() as u64
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;
    use expect_test::{Expect, expect};

    /// The records are the same however the bytes are cut into pieces.
    fn check(options: &[(&str, &str)], file: &str, expected: Expect) {
        let given: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let options = Arc::new(CsvOptions::parse(&Options { format: "csv", given: &given }).unwrap());
        let read = |size: usize| {
            let mut decoder = Decoder::new(Arc::clone(&options), true, options.header, true, 2);
            let mut pieces = file.as_bytes().chunks(size);
            let mut shown = String::new();
            loop {
                let decoded = decoder.next();
                if let Some(header) = decoder.take_header() {
                    shown.push_str(&format!("{}: header {:?}\n", header.line, header.names));
                }
                match decoded {
                    Decoded::Hungry => match pieces.next() {
                        Some(piece) => decoder.push(piece),
                        None => decoder.end(),
                    },
                    Decoded::End => return shown,
                    Decoded::Endless { line } => panic!("the record after line {line} has no end"),
                    Decoded::Records(table) => {
                        for row in 0..table.rows() {
                            let cells: Vec<_> = (0..table.width(row)).map(|field| table.cell(row, field)).collect();
                            shown.push_str(&format!("{}: {cells:?} of {:?}\n", table.line(row), table.texts()[row]));
                        }
                    }
                }
            }
        };
        for size in 1..=file.len() {
            assert_eq!(read(size), read(file.len()), "in pieces of {size} bytes");
        }
        expected.assert_eq(&read(file.len()));
    }

    #[test]
    fn a_line_is_a_record() {
        check(
            &[("header", "true")],
            "a,b\n1,2\r\n\n   \n3,\"x\ny\",z\r5\n",
            expect![[r#"
            0: header ["a", "b"]
            1: [Some("1"), Some("2")] of "1,2"
            4: [Some("3"), Some("x")] of "3,\"x"
            5: [Some("y\""), Some("z")] of "y\",z"
            6: [Some("5")] of "5"
        "#]],
        );
    }

    #[test]
    fn a_record_may_have_several_lines_if_the_options_say_so() {
        check(
            &[("multiLine", "true")],
            "a,\"x\n\ny\"\r\n\nc,d\n   \n\"e",
            expect![[r#"
                0: [Some("a"), Some("x\n\ny")] of "a,\"x\n\ny\""
                4: [Some("c"), Some("d")] of "c,d"
                5: [Some("   ")] of "   "
                6: [Some("e")] of "\"e"
            "#]],
        );
    }

    #[test]
    fn comments_and_a_byte_order_mark_are_no_data() {
        check(
            &[("header", "true"), ("comment", "#")],
            "\u{feff}#x\na\n#y\n1#\n",
            expect![[r#"
            1: header ["a"]
            3: [Some("1#")] of "1#"
        "#]],
        );
    }
}
