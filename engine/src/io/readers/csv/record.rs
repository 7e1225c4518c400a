//! Decides where the fields of a CSV record begin and end, and what stands in them.
//!
//! The rules are those of Spark 3.5's parser (univocity 2.9 with `unescapedQuoteHandling` STOP_AT_DELIMITER): a quote that is
//! neither doubled by the escape nor followed by a separator turns its whole field into plain text.

/// The characters of a CSV file and what empty fields stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between two fields; one byte or several.
    pub separator: Vec<u8>,
    /// Around a field.
    pub quote: Option<u8>,
    /// Before a quote in a quoted field.
    pub escape: Option<u8>,
    /// Before an escape in a quoted field.
    pub escape_of_escape: Option<u8>,
    /// What an empty field without quotes stands for; a field with this text is NULL.
    pub null_value: Vec<u8>,
    /// What an empty field in quotes stands for.
    pub empty_value: Vec<u8>,
    /// Whether white space before an unquoted field is no part of it.
    pub trim_start: bool,
    /// Whether white space after an unquoted field is no part of it.
    pub trim_end: bool,
    /// Whether a quoted field may have ends of lines in it.
    pub multi_line: bool,
}

/// A place between two records.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    /// How many fields are before it.
    pub ends: usize,
}

/// The fields of records, one after the other.
#[derive(Debug, Default)]
pub struct Fields {
    /// Their text without quotes and escapes.
    pub bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    pub ends: Vec<usize>,
}

impl Fields {
    fn start(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Where the next record will begin.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), ends: self.ends.len() }
    }

    /// Forgets what was read since.
    pub fn go_back(&mut self, to: Mark) {
        self.bytes.truncate(to.bytes);
        self.ends.truncate(to.ends);
    }

    /// The text of each field.
    pub fn texts(&self) -> Vec<String> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(start, end)| String::from_utf8_lossy(&self.bytes[*start..*end]).into_owned())
            .collect()
    }

    /// All fields in one text, and where each ends in it. Bytes that are no UTF-8 become U+FFFD, as in Spark, and `invalid` is told in which fields.
    pub fn into_text(self, mut invalid: impl FnMut(usize)) -> (String, Vec<usize>) {
        let bytes = match String::from_utf8(self.bytes) {
            Ok(text) if self.ends.iter().all(|end| text.is_char_boundary(*end)) => return (text, self.ends),
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let (mut text, mut ends, mut start) = (String::with_capacity(bytes.len()), self.ends, 0);
        for (field, end) in ends.iter_mut().enumerate() {
            let read = String::from_utf8_lossy(&bytes[start..*end]);
            if matches!(read, std::borrow::Cow::Owned(_)) {
                invalid(field);
            }
            text.push_str(&read);
            start = std::mem::replace(end, text.len());
        }
        (text, ends)
    }
}

impl Dialect {
    /// Reads one record from the start of `bytes` into `fields`; returns how many bytes it took, with the end of its line.
    /// Where lines are records, `bytes` is one line.
    pub fn read(&self, bytes: &[u8], fields: &mut Fields) -> usize {
        let mut reader = Reader { dialect: self, bytes, at: 0, fields };
        reader.record();
        reader.at
    }
}

struct Reader<'a> {
    dialect: &'a Dialect,
    bytes: &'a [u8],
    at: usize,
    fields: &'a mut Fields,
}

impl Reader<'_> {
    fn record(&mut self) {
        loop {
            if self.dialect.trim_start {
                self.skip_blanks();
            }
            match self.bytes.get(self.at) {
                None => self.empty(),
                Some(_) if self.at_newline() || self.at_separator() => self.empty(),
                Some(byte) if Some(*byte) == self.dialect.quote => self.quoted(),
                Some(_) => self.plain(),
            }
            if self.at_separator() {
                self.at += self.dialect.separator.len();
                continue;
            }
            self.at += self.newline().unwrap_or(0);
            return;
        }
    }

    /// What stands there if nothing does.
    fn empty(&mut self) {
        self.fields.bytes.extend_from_slice(&self.dialect.null_value);
        self.fields.end_field();
    }

    fn plain(&mut self) {
        let start = self.at;
        self.skip_to_end_of_field();
        let mut text = &self.bytes[start..self.at];
        if self.dialect.trim_end {
            let end = text.iter().rposition(|byte| *byte > b' ').map_or(0, |last| last + 1);
            text = &text[..end];
        }
        self.fields.bytes.extend_from_slice(text);
        self.fields.end_field();
    }

    fn quoted(&mut self) {
        let open = self.at;
        let start = self.fields.start();
        self.at += 1;
        if !self.closed() {
            // A quote that closes nothing: the field goes on to the separator, quotes and all.
            let read = self.fields.bytes.split_off(start);
            self.fields.bytes.push(self.bytes[open]);
            self.fields.bytes.extend(read);
            let rest = self.at;
            self.skip_to_end_of_field();
            self.fields.bytes.extend_from_slice(&self.bytes[rest..self.at]);
        } else if self.fields.bytes.len() == start {
            self.fields.bytes.extend_from_slice(&self.dialect.empty_value);
        }
        self.fields.end_field();
    }

    /// Reads up to what follows the closing quote, or says that what looked like one was none.
    fn closed(&mut self) -> bool {
        let Dialect { quote, escape, escape_of_escape, .. } = *self.dialect;
        // The quote or escape just before; none where it has had its effect.
        let mut before: Option<u8> = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            let after_quote = before.is_some() && before == quote;
            let after_escape = before.is_some() && before == escape;
            let this = Some(byte);
            if after_quote && (byte <= b' ' || self.at_separator()) {
                return self.only_blanks_follow();
            }
            if this != quote && this != escape {
                if after_quote {
                    self.fields.bytes.extend(quote);
                    return false;
                }
                if after_escape {
                    self.fields.bytes.extend(escape);
                }
                before = self.take_until_special();
                continue;
            }
            let mut next = this;
            let escape_escaped = this == escape && before.is_some() && before == escape_of_escape;
            if escape_escaped || after_escape && this == quote {
                self.fields.bytes.push(byte);
                next = None;
            } else if after_escape {
                self.fields.bytes.extend(escape);
            } else if after_quote {
                self.fields.bytes.extend(quote);
            }
            before = next;
            self.at += 1;
        }
        true
    }

    /// Takes text up to the next quote or escape, and steps over that.
    fn take_until_special(&mut self) -> Option<u8> {
        let Dialect { quote, escape, escape_of_escape, .. } = *self.dialect;
        let rest = &self.bytes[self.at..];
        let special = |byte: &u8| [quote, escape, escape_of_escape].contains(&Some(*byte));
        let length = rest.iter().position(special).unwrap_or(rest.len());
        self.fields.bytes.extend_from_slice(&rest[..length]);
        self.at += (length + 1).min(rest.len());
        rest.get(length).copied()
    }

    /// Behind a closing quote blanks are no part of the field; with more than blanks there it was no closing quote.
    fn only_blanks_follow(&mut self) -> bool {
        let blanks = self.at;
        self.skip_blanks();
        match self.bytes.get(self.at) {
            Some(byte) if !self.at_separator() && !self.at_newline() => {
                self.fields.bytes.extend(self.dialect.quote);
                self.fields.bytes.extend_from_slice(&self.bytes[blanks..self.at]);
                if ![self.dialect.quote, self.dialect.escape].contains(&Some(*byte)) {
                    self.fields.bytes.push(*byte);
                }
                self.at += 1;
                false
            }
            _ => true,
        }
    }

    fn skip_blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| *byte <= b' ') && !self.at_separator() && !self.at_newline() {
            self.at += 1;
        }
    }

    fn skip_to_end_of_field(&mut self) {
        let first = self.dialect.separator.first();
        while let Some(byte) = self.bytes.get(self.at) {
            if Some(byte) == first && self.at_separator() || self.at_newline() {
                return;
            }
            self.at += 1;
        }
    }

    fn at_separator(&self) -> bool {
        self.bytes[self.at..].starts_with(&self.dialect.separator)
    }

    fn at_newline(&self) -> bool {
        self.dialect.multi_line && matches!(self.bytes.get(self.at), Some(b'\n' | b'\r'))
    }

    /// The length of the end of line that stands here.
    fn newline(&self) -> Option<usize> {
        match &self.bytes[self.at..] {
            [b'\r', b'\n', ..] => Some(2),
            [b'\r' | b'\n', ..] => Some(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(dialect: &Dialect, records: &[&str], expected: Expect) {
        let mut shown = String::new();
        for record in records {
            let mut fields = Fields::default();
            let mut rest = record.as_bytes();
            while !rest.is_empty() {
                rest = &rest[dialect.read(rest, &mut fields)..];
            }
            shown.push_str(&format!("{record:?} = {:?}\n", fields.texts()));
        }
        expected.assert_eq(&shown);
    }

    fn spark() -> Dialect {
        Dialect {
            separator: b",".to_vec(),
            quote: Some(b'"'),
            escape: Some(b'\\'),
            escape_of_escape: Some(b'\\'),
            null_value: Vec::new(),
            empty_value: Vec::new(),
            trim_start: false,
            trim_end: false,
            multi_line: false,
        }
    }

    /// Each answer is Spark 3.5.4's.
    #[test]
    fn quotes_and_escapes_are_those_of_spark() {
        let records = [
            r#""x ""y"" z",1"#,
            r#""x \"y\" z",2"#,
            r#""a,b",3"#,
            r#"ab"c,4"#,
            r#""ab"c,5"#,
            r#""abc""",6"#,
            r#""a\\b",1"#,
            r"a\b,2",
            r#""a\nb",3"#,
            r#""a\",4"#,
            r#""a\\",5"#,
            r"a\,b,6",
            r#""x,1"#,
            "1,",
            ",,",
        ];
        check(&spark(), &records, expect![[r#""#]]);
    }

    #[test]
    fn a_quote_may_be_its_own_escape() {
        let dialect = Dialect { escape: Some(b'"'), escape_of_escape: None, ..spark() };
        check(&dialect, &[r#""x ""y"" z",1"#, r#""x \"y\" z",2"#, r#""""#, r#""""""#], expect![[r#""#]]);
    }

    #[test]
    fn blanks_around_fields_stay_unless_they_are_to_go() {
        let records = [" a , b ", r#" "a" ,"b" "#, r#""a" x,b"#];
        check(&spark(), &records, expect![[r#""#]]);
        check(&Dialect { trim_start: true, trim_end: true, ..spark() }, &records, expect![[r#""#]]);
    }

    #[test]
    fn separators_may_be_long_and_records_may_have_several_lines() {
        check(&Dialect { separator: b"||".to_vec(), ..spark() }, &["1||2|3", r#""1||2"||3"#], expect![[r#""#]]);
        let several = Dialect { multi_line: true, ..spark() };
        check(&several, &["\"x\ny\",1\r\nz,\n2"], expect![[r#""#]]);
    }

    #[test]
    fn empty_fields_are_what_the_options_say() {
        let dialect = Dialect { null_value: b"NA".to_vec(), empty_value: b"EMPTY".to_vec(), ..spark() };
        check(&dialect, &[r#","",x"#], expect![[r#""#]]);
    }
}
