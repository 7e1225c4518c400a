//! `CREATE VIEW`, of a query or of files.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Name, Query, Reference, Span, Statement, TableClauses};

impl Parser<'_> {
    pub fn create_view(&mut self, start: Span, or_replace: bool, temporary: bool, global: bool) -> Parsed<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.reference()?;
        if let (true, false, Reference::Named(name)) = (temporary, if_not_exists, &name) {
            let using = self.is_word("USING")
                || (self.is(Kind::LeftParen) && self.kind_behind_parens(0) == Kind::Word && self.using_behind_parens());
            if using {
                return self.create_view_using(name.clone(), or_replace, global);
            }
        }
        let column = |parser: &mut Self| {
            let name = parser.identifier()?;
            Ok((name, parser.comment()?))
        };
        let columns =
            if self.is(Kind::LeftParen) { self.parenthesized(|parser| parser.list(column))? } else { Vec::new() };
        let mut clauses = TableClauses::default();
        let mut partitioned = false;
        self.view_clauses(&mut clauses, &mut partitioned, start)?;
        self.expect_word("AS")?;
        let (query, text) = self.query_text()?;
        if if_not_exists && or_replace {
            let message = "CREATE VIEW with both IF NOT EXISTS and REPLACE is not allowed.";
            self.refuse("_LEGACY_ERROR_TEMP_0052", message, start);
        } else if if_not_exists && temporary {
            let message = "It is not allowed to define a TEMPORARY view with IF NOT EXISTS.";
            self.refuse("_LEGACY_ERROR_TEMP_0053", message, start);
        }
        if temporary && !clauses.properties.is_empty() {
            self.not_allowed("TBLPROPERTIES can't coexist with CREATE TEMPORARY VIEW", start);
        }
        if let (true, Reference::Named(name)) = (temporary, &name)
            && name.parts.len() > 1
        {
            {
                let parts: Vec<_> = name.parts.iter().map(|part| format!("`{}`", part.value)).collect();
                let message = format!(
                    "CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but got: {}.",
                    parts.join(".")
                );
                self.refuse("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", message, start);
            }
        }
        let (comment, properties) = (clauses.comment, clauses.properties);
        Ok(Statement::CreateView {
            name,
            or_replace,
            temporary,
            global,
            if_not_exists,
            columns,
            comment,
            properties,
            query,
            text,
        })
    }

    fn view_clauses(&mut self, clauses: &mut TableClauses, partitioned: &mut bool, start: Span) -> Parsed<()> {
        loop {
            let again = if self.is_word("COMMENT") {
                let again = clauses.comment.is_some();
                self.advance();
                clauses.comment = Some(self.string()?);
                again.then_some("COMMENT")
            } else if self.take_words(&["PARTITIONED", "ON"]) {
                self.identifier_list()?;
                self.not_allowed("CREATE VIEW ... PARTITIONED ON", start);
                std::mem::replace(partitioned, true).then_some("PARTITIONED ON")
            } else if self.take_word("TBLPROPERTIES") {
                let again = !clauses.properties.is_empty();
                clauses.properties = self.properties()?;
                again.then_some("TBLPROPERTIES")
            } else {
                return Ok(());
            };
            if let Some(clause) = again {
                self.duplicate_clause(clause, start);
            }
        }
    }

    fn using_behind_parens(&self) -> bool {
        let behind = self.closing[self.at] as usize + 1 - self.at;
        self.word_at(behind, "USING")
    }

    fn create_view_using(&mut self, name: Name, or_replace: bool, global: bool) -> Parsed<Statement> {
        if let [database, view] = &name.parts[..] {
            let message =
                format!("Temporary view '`{}`.`{}`' should not have specified a database.", database.value, view.value);
            self.refuse("_LEGACY_ERROR_TEMP_1292", message, name.span);
        } else if name.parts.len() > 2 {
            return self.wrong();
        }
        let columns = if self.is(Kind::LeftParen) { self.parenthesized(Self::columns)? } else { Vec::new() };
        self.expect_word("USING")?;
        let provider = self.multipart_identifier()?;
        let options = self.options()?;
        Ok(Statement::CreateViewUsing { name, or_replace, global, columns, provider, options })
    }

    pub fn query_text(&mut self) -> Parsed<(Box<Query>, String)> {
        let start = self.span();
        let query = Box::new(self.query()?);
        let text = self.text_of(self.span_from(start)).to_owned();
        Ok((query, text))
    }
}
