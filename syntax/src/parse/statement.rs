//! Which statement it is, by its first words.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{ExplainMode, Query, Reference, Span, Statement, TableAlias};

impl Parser<'_> {
    /// A statement, and semicolons behind it.
    pub fn single_statement(&mut self) -> Parsed<Statement> {
        let statement = self.statement()?;
        while self.take(Kind::Semicolon) {}
        Ok(statement)
    }

    /// Whether nothing but semicolons is left.
    pub fn statement_end(&mut self) -> Parsed<()> {
        let mut ahead = 0;
        while self.peek(ahead).kind == Kind::Semicolon {
            ahead += 1;
        }
        if self.peek(ahead).kind == Kind::End { Ok(()) } else { self.wrong() }
    }

    pub fn statement(&mut self) -> Parsed<Statement> {
        let start = self.span();
        if self.is(Kind::LeftParen) {
            return self.query_statement();
        }
        if self.kind() != Kind::Word {
            return self.wrong();
        }
        match self.text_of(start).to_ascii_uppercase().as_str() {
            "SELECT" | "VALUES" | "TABLE" | "MAP" | "REDUCE" => self.query_statement(),
            "WITH" | "FROM" | "INSERT" | "DELETE" | "UPDATE" | "MERGE" => self.writing_statement(),
            "CREATE" => self.create(),
            "REPLACE" => self.replace(),
            "DROP" => self.drop_statement(),
            "ALTER" => self.alter(),
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            "EXPLAIN" => self.explain(),
            "USE" => self.use_statement(),
            "SET" => self.set(),
            "RESET" => self.reset(),
            "ADD" | "LIST" => self.resource(),
            "REFRESH" => self.refresh(),
            "CACHE" | "UNCACHE" | "CLEAR" => self.cache(),
            "ANALYZE" => self.analyze(),
            "COMMENT" => self.comment_on(),
            "LOAD" => self.load(),
            "TRUNCATE" => {
                self.advance();
                self.expect_word("TABLE")?;
                let name = self.reference()?;
                Ok(Statement::TruncateTable { name, partition: self.valued_partition()? })
            }
            "MSCK" | "REPAIR" => self.repair(),
            _ => self.native_statement(start),
        }
    }

    fn query_statement(&mut self) -> Parsed<Statement> {
        self.query().map(|query| Statement::Query(Box::new(query)))
    }

    /// What Hive has and Spark refuses; anything may follow.
    pub fn native(&mut self, command: &str, start: Span) -> Parsed<Statement> {
        self.not_allowed(command, start);
        self.skip_statement();
        let nothing = crate::tree::Literal::Null;
        let value = super::expression::expr(crate::tree::ExprKind::Literal(nothing), start);
        let body = crate::tree::QueryBody::Values(vec![value], TableAlias::default());
        Ok(Statement::Query(Box::new(Query::of(body, start))))
    }

    /// To the end, but for semicolons there.
    pub fn skip_statement(&mut self) -> &str {
        let start = self.at;
        while self.statement_end().is_err() {
            self.advance();
        }
        if self.at == start {
            return "";
        }
        self.text_of(self.tokens[start].span.to(self.last_span()))
    }

    fn native_statement(&mut self, start: Span) -> Parsed<Statement> {
        let commands: &[&[&str]] = &[
            &["GRANT", "ROLE"],
            &["GRANT"],
            &["REVOKE", "ROLE"],
            &["REVOKE"],
            &["EXPORT", "TABLE"],
            &["IMPORT", "TABLE"],
            &["LOCK", "TABLE"],
            &["LOCK", "DATABASE"],
            &["UNLOCK", "TABLE"],
            &["UNLOCK", "DATABASE"],
            &["START", "TRANSACTION"],
            &["COMMIT"],
            &["ROLLBACK"],
            &["DFS"],
        ];
        match commands.iter().find(|command| self.is_words(command)) {
            Some(command) => self.native(&command.join(" "), start),
            None => self.wrong(),
        }
    }

    fn drop_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        if self.take_namespace() {
            let if_exists = self.if_exists();
            let name = self.reference()?;
            let cascade = self.take_word("CASCADE");
            if !cascade {
                self.take_word("RESTRICT");
            }
            return Ok(Statement::DropNamespace { name, if_exists, cascade });
        }
        if self.take_word("TABLE") {
            let if_exists = self.if_exists();
            let name = self.reference()?;
            return Ok(Statement::DropTable { name, if_exists, purge: self.take_word("PURGE") });
        }
        if self.take_word("VIEW") {
            let if_exists = self.if_exists();
            return Ok(Statement::DropView { if_exists, name: self.reference()? });
        }
        if self.is_word("INDEX") {
            let found = self.attempt(|parser| {
                parser.advance();
                let if_exists = parser.if_exists();
                let name = parser.identifier()?;
                parser.expect_word("ON")?;
                if parser.is_word("TABLE") && parser.identifier_at(1) {
                    parser.advance();
                }
                let table = parser.reference()?;
                parser.statement_end()?;
                Ok(Statement::DropIndex { name, if_exists, table })
            });
            return found.map_or_else(|| self.native("DROP INDEX", start), Ok);
        }
        for command in ["ROLE", "TEMPORARY MACRO"] {
            if self.is_words(&command.split(' ').collect::<Vec<_>>()) {
                return self.native(&format!("DROP {command}"), start);
            }
        }
        let temporary = self.take_word("TEMPORARY");
        self.expect_word("FUNCTION")?;
        let if_exists = self.if_exists();
        let name = self.reference()?;
        if let (true, Reference::Named(name)) = (temporary, &name)
            && name.parts.len() > 1
        {
            {
                let parts: Vec<_> = name.parts.iter().map(|part| format!("`{}`", part.value)).collect();
                let message = format!(
                    "Invalid SQL syntax: DROP TEMPORARY FUNCTION with multiple part function name({}) is not allowed.",
                    parts.join(".")
                );
                self.refuse("INVALID_SQL_SYNTAX.MULTI_PART_NAME", message, start);
            }
        }
        Ok(Statement::DropFunction { name, temporary, if_exists })
    }

    fn explain(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        let modes = [
            ("FORMATTED", ExplainMode::Formatted),
            ("EXTENDED", ExplainMode::Extended),
            ("CODEGEN", ExplainMode::Codegen),
            ("COST", ExplainMode::Cost),
        ];
        let mode = modes.into_iter().find(|(keyword, _)| self.take_word(keyword)).map(|(_, mode)| mode);
        if mode.is_none() && self.take_word("LOGICAL") {
            self.not_allowed("EXPLAIN LOGICAL", start);
        }
        let statement = Box::new(self.nested(Self::statement)?);
        Ok(Statement::Explain { mode: mode.unwrap_or(ExplainMode::Simple), statement })
    }

    fn comment_on(&mut self) -> Parsed<Statement> {
        self.advance();
        self.expect_word("ON")?;
        let on_table = !self.take_namespace();
        if on_table {
            self.expect_word("TABLE")?;
        }
        let name = self.reference()?;
        self.expect_word("IS")?;
        let comment = if self.take_word("NULL") { None } else { Some(self.string()?) };
        Ok(match on_table {
            true => Statement::CommentOnTable { name, comment },
            false => Statement::CommentOnNamespace { name, comment },
        })
    }
}
