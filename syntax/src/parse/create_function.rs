//! `CREATE FUNCTION`, Spark's and Paceline's own, and `CREATE INDEX`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{CreateFunction, Ident, Name, Reference, ResourceKind, Span, Statement};

impl Parser<'_> {
    pub fn create_function(&mut self, start: Span, or_replace: bool, temporary: bool) -> Parsed<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.reference()?;
        let both = "Invalid SQL syntax: CREATE FUNCTION with both IF NOT EXISTS and REPLACE is not allowed.";
        let conditional = "Invalid SQL syntax: CREATE TEMPORARY FUNCTION with IF NOT EXISTS is not allowed.";
        if if_not_exists && or_replace {
            self.refuse("INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_IF_NOT_EXISTS_AND_REPLACE", both, start);
        } else if if_not_exists && temporary {
            self.refuse("INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS", conditional, start);
        }
        if let (true, Reference::Named(name)) = (temporary, &name) {
            self.check_function_name(name, start);
        }
        if let (true, true, Reference::Named(name)) = (temporary, self.is(Kind::LeftParen), &name) {
            let name = name.parts.last().cloned();
            return self.create_api_function(name, or_replace);
        }
        self.expect_word("AS")?;
        let class = self.string()?;
        let resource = |parser: &mut Self| {
            let kind = parser.identifier()?;
            let kind = parser.resource_kind(&kind, "CREATE FUNCTION", start);
            Ok((kind, parser.string()?))
        };
        let resources = if self.take_word("USING") { self.list(resource)? } else { Vec::new() };
        let function = CreateFunction::Class { name, or_replace, temporary, if_not_exists, class, resources };
        Ok(Statement::CreateFunction(Box::new(function)))
    }

    fn check_function_name(&mut self, name: &Name, start: Span) {
        match &name.parts[..] {
            [_] => {}
            [database, _] => {
                let message = format!(
                    "Invalid SQL syntax: CREATE TEMPORARY FUNCTION with specifying a database(`{}`) is not allowed.",
                    database.value
                );
                self.refuse("INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_DATABASE", message, start);
            }
            _ => {
                let message = "Unsupported function name.";
                self.refuse("INVALID_SQL_SYNTAX.MULTI_PART_NAME", message, start);
            }
        }
    }

    /// Paceline's own: a function that calls an API.
    fn create_api_function(&mut self, name: Option<Ident>, or_replace: bool) -> Parsed<Statement> {
        let Some(name) = name else { return self.wrong() };
        let arguments = |parser: &mut Self| match parser.is(Kind::RightParen) {
            true => Ok(Vec::new()),
            false => parser.columns(),
        };
        let arguments = self.parenthesized(arguments)?;
        self.expect_word("RETURNS")?;
        let returns = self.data_type()?;
        let deterministic = self.take_word("DETERMINISTIC");
        if !deterministic {
            self.take_words(&["NOT", "DETERMINISTIC"]);
        }
        self.expect_words(&["USING", "API"])?;
        let options = self.options()?;
        let function = CreateFunction::Api { name, or_replace, arguments, returns, deterministic, options };
        Ok(Statement::CreateFunction(Box::new(function)))
    }

    pub fn resource_kind(&mut self, word: &Ident, statement: &str, start: Span) -> ResourceKind {
        let lower = word.value.to_lowercase();
        match lower.strip_suffix('s').filter(|_| statement != "CREATE FUNCTION").unwrap_or(&lower) {
            "jar" => ResourceKind::Jar,
            "file" => ResourceKind::File,
            "archive" => ResourceKind::Archive,
            _ => {
                self.not_allowed(&format!("{statement} with resource type '{lower}'"), start);
                ResourceKind::File
            }
        }
    }

    pub fn create_index(&mut self) -> Parsed<Statement> {
        self.expect_word("INDEX")?;
        let if_not_exists = self.if_not_exists();
        let name = self.identifier()?;
        self.expect_word("ON")?;
        if self.is_word("TABLE") && self.identifier_at(1) {
            self.advance();
        }
        let table = self.reference()?;
        let kind = if self.take_word("USING") { Some(self.identifier()?) } else { None };
        let column = |parser: &mut Self| {
            let name = parser.multipart_identifier()?;
            Ok((name, parser.options()?))
        };
        let columns = self.parenthesized(|parser| parser.list(column))?;
        let options = self.options()?;
        Ok(Statement::CreateIndex { name, if_not_exists, table, kind, columns, options })
    }
}
