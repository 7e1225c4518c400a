//! What tables are made of: columns, and the clauses that stand in any order.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{BucketSpec, FileFormat, RowFormat, SkewSpec, Span, TableClauses};

impl Parser<'_> {
    /// `USING format`, if it comes next.
    pub fn provider(&mut self) -> Parsed<Option<crate::tree::Name>> {
        if self.take_word("USING") { self.multipart_identifier().map(Some) } else { Ok(None) }
    }

    pub fn table_clauses(&mut self, clauses: &mut TableClauses) -> Parsed<()> {
        let start = self.span();
        self.read_clauses(clauses, start)?;
        self.check_table_keys(clauses.properties.iter().map(|property| property.key.as_str()), start);
        self.check_paths(clauses, start);
        self.check_formats(clauses, start);
        Ok(())
    }

    fn read_clauses(&mut self, clauses: &mut TableClauses, start: Span) -> Parsed<()> {
        let mut seen: Vec<&str> = Vec::new();
        loop {
            let clause = match () {
                () if self.is_word("OPTIONS") => {
                    self.advance();
                    clauses.options = self.expression_properties()?;
                    "OPTIONS"
                }
                () if self.take_words(&["PARTITIONED", "BY"]) => {
                    clauses.partitioned_by = self.parenthesized(|parser| parser.list(Self::partition_field))?;
                    "PARTITIONED BY"
                }
                () if self.is_words(&["SKEWED", "BY"]) => {
                    clauses.skew = Some(self.skew()?);
                    "SKEWED BY"
                }
                () if self.is_words(&["CLUSTERED", "BY"]) => {
                    clauses.buckets = Some(self.buckets()?);
                    "CLUSTERED BY"
                }
                () if self.is_words(&["ROW", "FORMAT"]) => {
                    clauses.row_format = self.row_format()?;
                    "ROW FORMAT"
                }
                () if self.is_word("STORED") => {
                    clauses.file_format = self.file_format()?;
                    "STORED AS/BY"
                }
                () if self.is_word("LOCATION") => {
                    clauses.location = self.location()?;
                    "LOCATION"
                }
                () if self.is_word("COMMENT") => {
                    self.advance();
                    clauses.comment = Some(self.string()?);
                    "COMMENT"
                }
                () if self.take_word("TBLPROPERTIES") => {
                    clauses.properties = self.properties()?;
                    "TBLPROPERTIES"
                }
                () => return Ok(()),
            };
            if seen.contains(&clause) {
                self.duplicate_clause(clause, start);
            }
            seen.push(clause);
        }
    }

    fn check_paths(&mut self, clauses: &TableClauses, start: Span) {
        let path = clauses.options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path"));
        if let (Some(location), Some(_)) = (&clauses.location, path) {
            let message = format!(
                "Duplicated table paths found: '{location}' and the option 'path'. LOCATION and the case insensitive \
                 key 'path' in OPTIONS are all used to indicate the custom table path, you can only specify one of them."
            );
            self.refuse("_LEGACY_ERROR_TEMP_0032", message, start);
        }
    }

    pub fn location(&mut self) -> Parsed<Option<String>> {
        if self.take_word("LOCATION") { self.string().map(Some) } else { Ok(None) }
    }

    fn skew(&mut self) -> Parsed<SkewSpec> {
        let start = self.span();
        self.expect_words(&["SKEWED", "BY"])?;
        let columns = self.identifier_list()?;
        self.expect_word("ON")?;
        let constant = |parser: &mut Self| parser.constant().map(drop);
        let constants = |parser: &mut Self| match parser.is(Kind::LeftParen) {
            true => parser.parenthesized(|parser| parser.list(constant)).map(drop),
            false => parser.constant().map(drop),
        };
        self.parenthesized(|parser| parser.list(constants))?;
        if self.take_words(&["STORED", "AS"]) {
            self.expect_word("DIRECTORIES")?;
        }
        self.not_allowed("CREATE TABLE ... SKEWED BY", start);
        Ok(SkewSpec { columns })
    }

    fn buckets(&mut self) -> Parsed<BucketSpec> {
        let start = self.span();
        self.expect_words(&["CLUSTERED", "BY"])?;
        let clustered_by = self.identifier_list()?;
        let mut sorted_by = Vec::new();
        if self.take_words(&["SORTED", "BY"]) {
            let sorted = |parser: &mut Self| {
                let name = parser.name_part()?;
                let descending = parser.is_word("DESC");
                if descending {
                    parser.not_allowed("Column ordering must be ASC, was 'desc'", start);
                }
                if descending || parser.is_word("ASC") {
                    parser.advance();
                }
                Ok(name)
            };
            sorted_by = self.parenthesized(|parser| parser.list(sorted))?;
        }
        self.expect_word("INTO")?;
        let count = self.expect(Kind::Integer)?.span;
        self.expect_word("BUCKETS")?;
        let buckets = self.text_of(count).parse().unwrap_or(u32::MAX);
        if !(1..=100_000).contains(&buckets) {
            let message = format!(
                "Number of buckets should be greater than 0 but less than or equal to bucketing.maxBuckets (`100000`). Got `{}`.",
                self.text_of(count)
            );
            self.refuse("_LEGACY_ERROR_TEMP_1083", message, start);
        }
        Ok(BucketSpec { clustered_by, sorted_by, buckets })
    }

    /// `ROW FORMAT …`, if it comes next.
    pub fn row_format(&mut self) -> Parsed<Option<RowFormat>> {
        let start = self.span();
        if !self.take_words(&["ROW", "FORMAT"]) {
            return Ok(None);
        }
        if self.take_word("SERDE") {
            let name = self.string()?;
            return Ok(Some(RowFormat::Serde { name, properties: self.serde_properties()? }));
        }
        self.expect_word("DELIMITED")?;
        let fields = self.terminated(&["FIELDS", "TERMINATED", "BY"])?;
        let escape = if fields.is_some() { self.terminated(&["ESCAPED", "BY"])? } else { None };
        let items = self.terminated(&["COLLECTION", "ITEMS", "TERMINATED", "BY"])?;
        let keys = self.terminated(&["MAP", "KEYS", "TERMINATED", "BY"])?;
        let lines = self.terminated(&["LINES", "TERMINATED", "BY"])?;
        let null = self.terminated(&["NULL", "DEFINED", "AS"])?;
        if let Some(lines) = lines.as_ref().filter(|lines| *lines != "\n") {
            let message = format!("LINES TERMINATED BY only supports newline '\\n' right now: {lines}.");
            self.refuse("_LEGACY_ERROR_TEMP_0064", message, start);
        }
        Ok(Some(RowFormat::Delimited { fields, escape, items, keys, lines, null }))
    }

    fn terminated(&mut self, keywords: &[&str]) -> Parsed<Option<String>> {
        if self.take_words(keywords) { self.string().map(Some) } else { Ok(None) }
    }

    /// `WITH SERDEPROPERTIES (…)`, if it comes next.
    pub fn serde_properties(&mut self) -> Parsed<Vec<crate::tree::Property>> {
        if self.take_words(&["WITH", "SERDEPROPERTIES"]) { self.properties() } else { Ok(Vec::new()) }
    }

    /// `STORED AS …`, if it comes next.
    pub fn file_format(&mut self) -> Parsed<Option<FileFormat>> {
        let start = self.span();
        if !self.take_word("STORED") {
            return Ok(None);
        }
        if self.take_word("BY") {
            let handler = self.string()?;
            self.serde_properties()?;
            self.not_allowed("STORED BY", start);
            return Ok(Some(FileFormat::Handler(handler)));
        }
        self.expect_word("AS")?;
        if self.is_word("INPUTFORMAT") && self.string_at(1) {
            self.advance();
            let input = self.string()?;
            self.expect_word("OUTPUTFORMAT")?;
            return Ok(Some(FileFormat::Classes(input, self.string()?)));
        }
        self.identifier().map(FileFormat::Named).map(Some)
    }
}
