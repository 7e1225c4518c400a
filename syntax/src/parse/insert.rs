//! `INSERT`, with what may stand in front of it, and `DELETE` and `UPDATE`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Assignment, Cte, Insert, InsertColumns, InsertTarget, Span, Statement, TableAlias};

impl Parser<'_> {
    /// A statement that `WITH` or `FROM` may open, be it a query or not.
    pub fn writing_statement(&mut self) -> Parsed<Statement> {
        self.nested(Self::nestable_writing)
    }

    fn nestable_writing(&mut self) -> Parsed<Statement> {
        let ctes = self.ctes()?;
        let start = self.span();
        if self.is_word("INSERT") {
            let insert = self.insert_into()?;
            let query = Box::new(self.query()?);
            return Ok(Statement::Insert { ctes, insert, query });
        }
        if self.is_word("FROM") {
            return self.statement_with_from(ctes);
        }
        if self.take_word("DELETE") {
            self.expect_word("FROM")?;
            let table = self.reference()?;
            let alias = self.alias_without_columns("DELETE")?;
            let filter = if self.take_word("WHERE") { Some(self.expression()?) } else { None };
            return Ok(Statement::Delete { ctes, table, alias, filter });
        }
        if self.take_word("UPDATE") {
            let table = self.reference()?;
            let alias = self.alias_without_columns("UPDATE")?;
            self.expect_word("SET")?;
            let assignments = self.list(Self::assignment)?;
            let filter = if self.take_word("WHERE") { Some(self.expression()?) } else { None };
            return Ok(Statement::Update { ctes, table, alias, assignments, filter });
        }
        if self.is_word("MERGE") {
            let merge = Box::new(self.merge(start)?);
            return Ok(Statement::Merge { ctes, merge });
        }
        self.query_behind(ctes).map(|query| Statement::Query(Box::new(query)))
    }

    /// `FROM t INSERT …` or `FROM t SELECT …`
    fn statement_with_from(&mut self, ctes: Vec<Cte>) -> Parsed<Statement> {
        let start = self.span();
        let relations = self.attempt(|parser| {
            let relations = parser.read_from()?;
            if parser.is_word("INSERT") { Ok(relations) } else { parser.wrong() }
        });
        let Some((from, views)) = relations else {
            return self.query_behind(ctes).map(|query| Statement::Query(Box::new(query)));
        };
        let mut inserts = Vec::new();
        while self.is_word("INSERT") {
            let insert = self.insert_into()?;
            inserts.push((insert, self.behind_from(&from, &views, start)?));
        }
        Ok(Statement::MultiInsert { ctes, inserts })
    }

    pub fn alias_without_columns(&mut self, statement: &str) -> Parsed<TableAlias> {
        let span = self.span();
        let alias = self.table_alias()?;
        if !alias.columns.is_empty() {
            let message = format!("Columns aliases are not allowed in {statement}.");
            let behind = alias.columns.first().map_or(span, |column| column.span);
            let class = "COLUMN_ALIASES_IS_NOT_ALLOWED";
            self.refuse(class, message, Span { start: behind.start.saturating_sub(1), end: behind.end });
        }
        Ok(alias)
    }

    pub fn assignment(&mut self) -> Parsed<Assignment> {
        let column = self.multipart_identifier()?;
        self.expect(Kind::Eq)?;
        Ok(Assignment { column, value: self.expression()? })
    }

    /// `INSERT … t`, without the query.
    fn insert_into(&mut self) -> Parsed<Insert> {
        let start = self.expect_word("INSERT")?;
        let overwrite = self.is_word("OVERWRITE");
        if !overwrite && !self.is_word("INTO") {
            return self.wrong();
        }
        self.advance();
        let local = usize::from(self.is_word("LOCAL"));
        let directory = overwrite && self.word_at(local, "DIRECTORY");
        if directory && (self.string_at(local + 1) || self.word_at(local + 1, "USING")) {
            self.skip(local + 1);
            let target = self.directory(local > 0, start)?;
            return Ok(Insert { target, overwrite, span: self.span_from(start) });
        }
        if self.is_word("TABLE") && self.identifier_at(1) && !self.query_at(1) {
            self.advance();
        }
        let target = self.insert_table(overwrite, start)?;
        Ok(Insert { target, overwrite, span: self.span_from(start) })
    }

    fn insert_table(&mut self, overwrite: bool, start: Span) -> Parsed<InsertTarget> {
        let name = self.reference()?;
        if !overwrite && self.is_words(&["REPLACE", "WHERE"]) {
            self.advance();
            self.advance();
            return Ok(InsertTarget::Where { name, condition: self.expression()? });
        }
        let partition = self.optional_partition()?;
        let if_not_exists = (!overwrite || partition.is_some()) && self.if_not_exists();
        if if_not_exists && !overwrite {
            self.not_allowed("INSERT INTO ... IF NOT EXISTS", start);
        }
        let dynamic = partition.iter().flatten().filter(|value| value.value.is_none());
        let dynamic: Vec<_> = dynamic.map(|value| value.name.value.as_str()).collect();
        if if_not_exists && !dynamic.is_empty() {
            let what = format!("IF NOT EXISTS with dynamic partitions: {}", dynamic.join(","));
            self.not_allowed(&what, start);
        }
        let columns = if self.take_words(&["BY", "NAME"]) {
            InsertColumns::ByName
        } else if self.is(Kind::LeftParen) && !self.query_in_parens_at(0) {
            InsertColumns::Listed(self.identifier_list()?)
        } else {
            InsertColumns::All
        };
        Ok(InsertTarget::Table { name, partition, if_not_exists, columns })
    }

    fn directory(&mut self, local: bool, start: Span) -> Parsed<InsertTarget> {
        let path = self.optional_string()?;
        if !self.is_word("USING") {
            let Some(path) = path else { return self.wrong() };
            let row_format = self.row_format()?;
            let file_format = self.file_format()?;
            self.check_serde(row_format.as_ref(), file_format.as_ref(), start);
            return Ok(InsertTarget::HiveDirectory { local, path, row_format, file_format });
        }
        self.advance();
        let format = self.multipart_identifier()?;
        let options = self.options()?;
        let option = options.iter().find(|option| option.key.eq_ignore_ascii_case("path"));
        if path.is_some() == option.is_some() {
            let message = "Directory path and 'path' in OPTIONS should be specified one, but not both.";
            self.refuse("_LEGACY_ERROR_TEMP_0049", message, start);
        }
        let place = path.as_deref().or(option.map(|option| option.value.as_str())).unwrap_or_default();
        let scheme = place.split_once(':').map(|(scheme, _)| scheme);
        if let Some(scheme) = scheme.filter(|scheme| local && *scheme != "file" && !scheme.contains('/')) {
            let message = format!("LOCAL must be used together with the schema of `file`, but got: `{scheme}`.");
            self.refuse("LOCAL_MUST_WITH_SCHEMA_FILE", message, start);
        }
        Ok(InsertTarget::Directory { local, path, format, options })
    }
}
