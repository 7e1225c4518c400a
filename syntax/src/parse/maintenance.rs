//! Statements that look after tables: caches, statistics, files, partitions.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Reference, Statement, Statistics};

impl Parser<'_> {
    pub fn cache(&mut self) -> Parsed<Statement> {
        let start = self.span();
        if self.take_words(&["CLEAR", "CACHE"]) {
            return Ok(Statement::ClearCache);
        }
        if self.take_word("UNCACHE") {
            self.expect_word("TABLE")?;
            let if_exists = self.if_exists();
            return Ok(Statement::Uncache { if_exists, name: self.reference()? });
        }
        self.expect_word("CACHE")?;
        let lazy = self.take_word("LAZY");
        self.expect_word("TABLE")?;
        let name = self.reference()?;
        let options = self.options()?;
        let as_query = self.take_word("AS");
        let query = if as_query || self.query_at(0) { Some(Box::new(self.query()?)) } else { None };
        if let (Some(_), Reference::Named(name)) = (&query, &name)
            && let Some((_, prefix)) = name.parts.split_last().filter(|(_, prefix)| !prefix.is_empty())
        {
            {
                let prefix: Vec<_> = prefix.iter().map(|part| part.value.as_str()).collect();
                let message = format!(
                    "It is not allowed to add catalog/namespace prefix {} to the table name in CACHE TABLE AS SELECT.",
                    prefix.join(".")
                );
                self.refuse("_LEGACY_ERROR_TEMP_0037", message, start);
            }
        }
        Ok(Statement::Cache { name, lazy, options, query })
    }

    pub fn analyze(&mut self) -> Parsed<Statement> {
        self.advance();
        if self.take_word("TABLES") {
            let namespace = if self.take_any(&["FROM", "IN"]) { Some(self.reference()?) } else { None };
            self.expect_words(&["COMPUTE", "STATISTICS"])?;
            let no_scan = self.no_scan()?;
            return Ok(Statement::AnalyzeTables { namespace, no_scan });
        }
        self.expect_word("TABLE")?;
        let name = self.reference()?;
        let partition = self.optional_partition()?;
        self.expect_words(&["COMPUTE", "STATISTICS"])?;
        let statistics = if self.is_words(&["FOR", "COLUMNS"]) {
            self.advance();
            self.advance();
            Statistics::Columns(self.list(Self::name_part)?)
        } else if self.take_words(&["FOR", "ALL", "COLUMNS"]) {
            Statistics::AllColumns
        } else if self.no_scan()? {
            Statistics::NoScan
        } else {
            Statistics::Table
        };
        Ok(Statement::AnalyzeTable { name, partition, statistics })
    }

    fn no_scan(&mut self) -> Parsed<bool> {
        if !self.identifier_at(0) {
            return Ok(false);
        }
        let start = self.span();
        let word = self.any_word().value.to_ascii_uppercase();
        if word != "NOSCAN" {
            let message = format!(
                "Invalid SQL syntax: ANALYZE TABLE(S) ... COMPUTE STATISTICS ... {word} must be either NOSCAN or empty."
            );
            self.refuse("INVALID_SQL_SYNTAX.ANALYZE_TABLE_UNEXPECTED_NOSCAN", message, start);
        }
        Ok(true)
    }

    pub fn load(&mut self) -> Parsed<Statement> {
        self.expect_words(&["LOAD", "DATA"])?;
        let local = self.take_word("LOCAL");
        self.expect_word("INPATH")?;
        let path = self.string()?;
        let overwrite = self.take_word("OVERWRITE");
        self.expect_words(&["INTO", "TABLE"])?;
        let table = self.reference()?;
        Ok(Statement::LoadData { path, local, overwrite, table, partition: self.valued_partition()? })
    }

    pub fn repair(&mut self) -> Parsed<Statement> {
        self.take_word("MSCK");
        self.expect_words(&["REPAIR", "TABLE"])?;
        let name = self.reference()?;
        let add = self.take_word("ADD");
        let drop = !add && self.take_word("DROP");
        let sync = !add && !drop && self.take_word("SYNC");
        if add || drop || sync {
            self.expect_word("PARTITIONS")?;
        }
        Ok(Statement::RepairTable { name, add: add || !drop, drop: drop || sync })
    }

    pub fn refresh(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        let next = self.peek(1).kind != Kind::End;
        if next && self.is_word("TABLE") {
            self.advance();
            return self.reference().map(Statement::RefreshTable);
        }
        if next && self.is_word("FUNCTION") {
            self.advance();
            return self.reference().map(Statement::RefreshFunction);
        }
        if self.string_at(0) && matches!(self.peek(1).kind, Kind::End | Kind::Semicolon) {
            return self.string().map(Statement::RefreshResource);
        }
        let path = self.skip_statement().to_owned();
        let class = "_LEGACY_ERROR_TEMP_0064";
        if path.is_empty() {
            let message = "Resource paths cannot be empty in REFRESH statements. Use / to match everything.";
            self.refuse(class, message, start);
        } else if path.contains([' ', '\n', '\r', '\t']) {
            let message = "REFRESH statements cannot contain ' ', '\\n', '\\r', '\\t' inside unquoted resource paths.";
            self.refuse(class, message, start);
        }
        Ok(Statement::RefreshResource(path))
    }
}
