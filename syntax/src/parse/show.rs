//! `SHOW` and `DESCRIBE`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{DescribeFunctionName, Limits, Show, Span, Statement};

impl Parser<'_> {
    pub fn show(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        if let Some(found) = self.attempt(|parser| {
            let found = parser.known_show()?;
            parser.statement_end().map(|()| found)
        }) {
            return Ok(Statement::Show(found));
        }
        let native: &[&[&str]] = &[
            &["GRANT"],
            &["ROLE", "GRANT"],
            &["ROLE"],
            &["PRINCIPALS"],
            &["ROLES"],
            &["CURRENT", "ROLES"],
            &["COMPACTIONS"],
            &["CREATE", "TABLE"],
            &["TRANSACTIONS"],
            &["INDEXES"],
            &["LOCKS"],
        ];
        match native.iter().find(|command| self.is_words(command)) {
            Some(command) => self.native(&format!("SHOW {}", command.join(" ")), start),
            None => self.wrong(),
        }
    }

    fn known_show(&mut self) -> Parsed<Show> {
        if self.take_any(&["NAMESPACES", "DATABASES", "SCHEMAS"]) {
            return self.limits().map(Show::Namespaces);
        }
        if self.take_word("TABLES") {
            return self.limits().map(Show::Tables);
        }
        if self.take_words(&["TABLE", "EXTENDED"]) {
            let limits = self.limits()?;
            if limits.pattern.is_none() {
                return self.wrong();
            }
            return Ok(Show::TableExtended { limits, partition: self.valued_partition()? });
        }
        if self.take_word("TBLPROPERTIES") {
            let table = self.reference()?;
            let keyed = self.is(Kind::LeftParen);
            let key = if keyed { Some(self.parenthesized(Self::property_key)?) } else { None };
            return Ok(Show::TableProperties { table, key });
        }
        if self.is_word("COLUMNS") && !self.word_at(1, "FUNCTIONS") {
            self.advance();
            if !self.take_any(&["FROM", "IN"]) {
                return self.wrong();
            }
            let table = self.reference()?;
            let namespace = if self.take_any(&["FROM", "IN"]) { Some(self.multipart_identifier()?) } else { None };
            return Ok(Show::Columns { table, namespace });
        }
        if self.take_word("VIEWS") {
            return self.limits().map(Show::Views);
        }
        if self.take_word("PARTITIONS") {
            let table = self.reference()?;
            return Ok(Show::Partitions { table, partition: self.valued_partition()? });
        }
        if self.take_words(&["CREATE", "TABLE"]) {
            let table = self.reference()?;
            return Ok(Show::CreateTable { table, as_serde: self.take_words(&["AS", "SERDE"]) });
        }
        if self.take_word("CURRENT") {
            return if self.take_namespace() { Ok(Show::CurrentNamespace) } else { self.wrong() };
        }
        if self.take_word("CATALOGS") {
            return Ok(Show::Catalogs { pattern: self.pattern()? });
        }
        self.show_functions()
    }

    /// `[IN namespace] [[LIKE] 'pattern']`
    fn limits(&mut self) -> Parsed<Limits> {
        let namespace = if self.take_any(&["FROM", "IN"]) { Some(self.reference()?) } else { None };
        Ok(Limits { namespace, pattern: self.pattern()? })
    }

    fn pattern(&mut self) -> Parsed<Option<String>> {
        if self.take_word("LIKE") { self.string().map(Some) } else { self.optional_string() }
    }

    fn show_functions(&mut self) -> Parsed<Show> {
        let scoped = self.word_at(1, "FUNCTIONS");
        let scope = if scoped { Some(self.identifier()?) } else { None };
        self.expect_word("FUNCTIONS")?;
        let (mut user, mut system) = (true, true);
        if let Some(scope) = scope {
            match scope.value.to_ascii_lowercase().as_str() {
                "all" => {}
                "system" => user = false,
                "user" => system = false,
                other => {
                    let message = format!("Invalid SQL syntax: SHOW `{other}` FUNCTIONS not supported.");
                    self.refuse("INVALID_SQL_SYNTAX.SHOW_FUNCTIONS_INVALID_SCOPE", message, scope.span);
                }
            }
        }
        let namespace = if self.take_any(&["FROM", "IN"]) { Some(self.reference()?) } else { None };
        self.take_word("LIKE");
        let pattern = self.optional_string()?;
        let span = self.span();
        let named = pattern.is_none() && self.identifier_at(0);
        let name = if named { Some(self.multipart_identifier()?) } else { None };
        if let (Some(name), Some(_)) = (&name, &namespace) {
            let parts: Vec<_> = name.parts.iter().map(|part| format!("`{}`", part.value)).collect();
            let message = format!(
                "Invalid SQL syntax: Invalid pattern in SHOW FUNCTIONS: {}. It must be a \"STRING\" literal.",
                parts.join(".")
            );
            self.refuse("INVALID_SQL_SYNTAX.SHOW_FUNCTIONS_INVALID_PATTERN", message, span);
        }
        Ok(Show::Functions { user, system, limits: Limits { namespace, pattern }, name })
    }

    pub fn describe(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        let readings = [Self::describe_function, Self::describe_namespace, Self::describe_table, Self::describe_query];
        for read in readings {
            let found = self.attempt(|parser| {
                let found = read(parser, start)?;
                parser.statement_end().map(|()| found)
            });
            if let Some(found) = found {
                return Ok(found);
            }
        }
        self.wrong()
    }

    fn describe_function(&mut self, _start: Span) -> Parsed<Statement> {
        self.expect_word("FUNCTION")?;
        let extended = self.is_word("EXTENDED") && self.statement_end_at(1).is_none();
        if extended {
            self.advance();
        }
        if self.string_at(0) {
            let name = DescribeFunctionName::Text(self.string()?);
            return Ok(Statement::DescribeFunction { name, extended });
        }
        let name = if self.identifier_at(0) {
            DescribeFunctionName::Function(self.reference()?)
        } else if self.operator_symbol() {
            let span = self.advance().span;
            DescribeFunctionName::Text(self.text_of(span).to_owned())
        } else {
            return self.wrong();
        };
        Ok(Statement::DescribeFunction { name, extended })
    }

    fn statement_end_at(&self, ahead: usize) -> Option<()> {
        matches!(self.peek(ahead).kind, Kind::End | Kind::Semicolon).then_some(())
    }

    fn operator_symbol(&self) -> bool {
        use Kind::{Ampersand, Asterisk, Bang, BangEq, Concat, Eq, Gt, GtEq, Hat, Lt, LtEq, Minus, NotEq, NullSafeEq};
        use Kind::{Percent, Pipe, Plus, Slash, Tilde};
        let kind = self.kind();
        let keyword = self.is_any(&["DIV", "OR", "AND", "IN", "NOT"]);
        keyword
            || matches!(kind, Ampersand | Asterisk | Bang | BangEq | Concat | Eq | Gt | GtEq | Hat | Lt | LtEq | Minus)
            || matches!(kind, NotEq | NullSafeEq | Percent | Pipe | Plus | Slash | Tilde)
    }

    fn describe_namespace(&mut self, _start: Span) -> Parsed<Statement> {
        if !self.take_namespace() {
            return self.wrong();
        }
        let extended = self.is_word("EXTENDED") && self.identifier_at(1);
        if extended {
            self.advance();
        }
        Ok(Statement::DescribeNamespace { name: self.reference()?, extended })
    }

    /// A table that is named after a keyword of this statement is still a table.
    fn describe_table(&mut self, start: Span) -> Parsed<Statement> {
        if self.is_word("TABLE") && self.identifier_at(1) {
            self.advance();
        }
        let extended = self.is_any(&["EXTENDED", "FORMATTED"]) && self.identifier_at(1);
        if extended {
            self.advance();
        }
        let name = self.reference()?;
        let partition = self.valued_partition()?;
        let column = if self.identifier_at(0) { Some(self.qualified_name()?.parts) } else { None };
        if partition.is_some() && column.is_some() {
            let message = "The feature is not supported: DESC TABLE COLUMN for a specific partition.";
            self.refuse("UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_PARTITION", message, start);
        }
        Ok(Statement::DescribeTable { name, partition, extended, column })
    }

    fn describe_query(&mut self, _start: Span) -> Parsed<Statement> {
        self.take_word("QUERY");
        let (query, text) = self.query_text()?;
        Ok(Statement::DescribeQuery { query, text })
    }
}
