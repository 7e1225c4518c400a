//! Decides where the fields of a CSV record begin and end, and what stands in them.
//!
//! The rules are those of Spark 3.5's parser (univocity 2.9 with `unescapedQuoteHandling` STOP_AT_DELIMITER): a quote that is
//! neither doubled by the escape nor followed by a separator turns its whole field into plain text.

use super::fields::Fields;

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
    /// What ends a line; `\n`, `\r` or `\r\n` where nothing is said.
    pub line_end: Option<Vec<u8>>,
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
        self.take_to_end_of_field();
        self.fields.end_field();
    }

    fn quoted(&mut self) {
        let open = self.at;
        let start = self.fields.start();
        self.at += 1;
        if self.at == self.bytes.len() {
            self.fields.bytes.push(self.bytes[open]);
        } else if !self.closed() {
            // A quote that closes nothing: the field goes on to the separator, quotes and all.
            let read = self.fields.bytes.split_off(start);
            self.fields.bytes.push(self.bytes[open]);
            self.fields.bytes.extend(read);
            self.take_to_end_of_field();
        } else if self.fields.bytes.len() == start {
            self.fields.bytes.extend_from_slice(&self.dialect.empty_value);
        }
        self.fields.end_field();
    }

    /// Takes what stands before the next separator or the end of the record as it is.
    fn take_to_end_of_field(&mut self) {
        let start = self.at;
        self.skip_to_end_of_field();
        let mut text = &self.bytes[start..self.at];
        if self.dialect.trim_end {
            let end = text.iter().rposition(|byte| *byte > b' ').map_or(0, |last| last + 1);
            text = &text[..end];
        }
        self.fields.bytes.extend_from_slice(text);
    }

    /// Reads up to what follows the closing quote, or says that what looked like one was none.
    fn closed(&mut self) -> bool {
        let Dialect { quote, escape, escape_of_escape, .. } = *self.dialect;
        // The quote or escape just before; none where it has had its effect.
        let mut before: Option<u8> = None;
        let mut escape_after_quote = false;
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
                escape_after_quote = false;
                continue;
            }
            let mut next = this;
            escape_after_quote = after_quote && this == escape && escape != quote;
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
        // At the very end an escape is dropped, unless it follows a quote.
        if escape_after_quote {
            self.fields.bytes.extend(escape);
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
                self.fields.bytes.push(*byte);
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
            line_end: None,
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
        check(
            &spark(),
            &records,
            expect![[r#"
            "\"x \"\"y\"\" z\",1" = ["\"x \"\"y\"\" z\"", "1"]
            "\"x \\\"y\\\" z\",2" = ["x \"y\" z", "2"]
            "\"a,b\",3" = ["a,b", "3"]
            "ab\"c,4" = ["ab\"c", "4"]
            "\"ab\"c,5" = ["\"ab\"c", "5"]
            "\"abc\"\"\",6" = ["abc\"\"", "6"]
            "\"a\\\\b\",1" = ["a\\b", "1"]
            "a\\b,2" = ["a\\b", "2"]
            "\"a\\nb\",3" = ["a\\nb", "3"]
            "\"a\\\",4" = ["a\",4"]
            "\"a\\\\\",5" = ["a\\", "5"]
            "a\\,b,6" = ["a\\", "b", "6"]
            "\"x,1" = ["x,1"]
            "1," = ["1", ""]
            ",," = ["", "", ""]
        "#]],
        );
    }

    #[test]
    fn a_quote_may_be_its_own_escape() {
        let dialect = Dialect { escape: Some(b'"'), escape_of_escape: None, ..spark() };
        check(
            &dialect,
            &[r#""x ""y"" z",1"#, r#""x \"y\" z",2"#, r#""""#, r#""""""#],
            expect![[r#"
            "\"x \"\"y\"\" z\",1" = ["x \"y\" z", "1"]
            "\"x \\\"y\\\" z\",2" = ["\"x \\\"y\\\" z\"", "2"]
            "\"\"" = [""]
            "\"\"\"\"" = ["\""]
        "#]],
        );
    }

    #[test]
    fn blanks_around_fields_stay_unless_they_are_to_go() {
        let records = [" a , b ", r#" "a" ,"b" "#, r#""a" x,b"#];
        check(
            &spark(),
            &records,
            expect![[r#"
            " a , b " = [" a ", " b "]
            " \"a\" ,\"b\" " = [" \"a\" ", "b"]
            "\"a\" x,b" = ["\"a\" x", "b"]
        "#]],
        );
        check(
            &Dialect { trim_start: true, trim_end: true, ..spark() },
            &records,
            expect![[r#"
            " a , b " = ["a", "b"]
            " \"a\" ,\"b\" " = ["a", "b"]
            "\"a\" x,b" = ["\"a\" x", "b"]
        "#]],
        );
    }

    #[test]
    fn separators_may_be_long_and_records_may_have_several_lines() {
        check(
            &Dialect { separator: b"||".to_vec(), ..spark() },
            &["1||2|3", r#""1||2"||3"#],
            expect![[r#"
            "1||2|3" = ["1", "2|3"]
            "\"1||2\"||3" = ["1||2", "3"]
        "#]],
        );
        let several = Dialect { multi_line: true, ..spark() };
        check(
            &several,
            &["\"x\ny\",1\r\nz,\n2"],
            expect![[r#"
            "\"x\ny\",1\r\nz,\n2" = ["x\ny", "1", "z", "", "2"]
        "#]],
        );
    }

    #[test]
    fn empty_fields_are_what_the_options_say() {
        let dialect = Dialect { null_value: b"NA".to_vec(), empty_value: b"EMPTY".to_vec(), ..spark() };
        check(
            &dialect,
            &[r#","",x"#],
            expect![[r#"
            ",\"\",x" = ["NA", "EMPTY", "x"]
        "#]],
        );
    }
}
