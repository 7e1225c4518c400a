//! Columns that are declared, with what is said of them.

use super::cursor::{Parsed, Parser};
use crate::tree::{ColumnOption, ColumnPosition, NewColumn, Span, TableColumn};

impl Parser<'_> {
    /// Columns of `CREATE TABLE`.
    pub fn table_columns(&mut self) -> Parsed<Vec<TableColumn>> {
        self.parenthesized(|parser| parser.list(Self::table_column))
    }

    fn table_column(&mut self) -> Parsed<TableColumn> {
        let start = self.span();
        let name = self.name_part()?;
        let data_type = self.data_type()?;
        let options = self.column_options(false)?;
        self.check_options("CREATE TABLE", "CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", &name.value, &options, start);
        Ok(TableColumn { name, data_type, options })
    }

    pub fn new_columns(&mut self) -> Parsed<Vec<NewColumn>> {
        self.list(Self::new_column)
    }

    fn new_column(&mut self) -> Parsed<NewColumn> {
        let start = self.span();
        let name = self.multipart_identifier()?;
        let data_type = self.data_type()?;
        let options = self.column_options(true)?;
        let shown = name.parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
        self.check_options("ALTER TABLE", "ALTER_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", &shown, &options, start);
        Ok(NewColumn { name, data_type, options })
    }

    fn column_options(&mut self, positioned: bool) -> Parsed<Vec<ColumnOption>> {
        let mut options = Vec::new();
        loop {
            options.push(if self.take_words(&["NOT", "NULL"]) {
                ColumnOption::NotNull
            } else if self.take_word("DEFAULT") {
                let (value, text) = self.expression_text()?;
                ColumnOption::Default(value, text)
            } else if !positioned && self.take_words(&["GENERATED", "ALWAYS", "AS"]) {
                let (value, text) = self.parenthesized(Self::expression_text)?;
                ColumnOption::Generated(value, text)
            } else if let Some(comment) = self.comment()? {
                ColumnOption::Comment(comment)
            } else if let Some(position) = self.column_position(positioned)? {
                ColumnOption::Position(position)
            } else {
                return Ok(options);
            });
        }
    }

    pub fn expression_text(&mut self) -> Parsed<(crate::tree::Expr, String)> {
        let start = self.span();
        let value = self.expression()?;
        let text = self.text_of(self.span_from(start)).to_owned();
        Ok((value, text))
    }

    pub fn column_position(&mut self, allowed: bool) -> Parsed<Option<ColumnPosition>> {
        if allowed && self.take_word("FIRST") {
            return Ok(Some(ColumnPosition::First));
        }
        if allowed && self.take_word("AFTER") {
            return self.name_part().map(|name| Some(ColumnPosition::After(name)));
        }
        Ok(None)
    }

    fn check_options(&mut self, what: &str, class: &'static str, column: &str, options: &[ColumnOption], start: Span) {
        let mut seen = Vec::new();
        for option in options {
            let name = match option {
                ColumnOption::NotNull => "NOT NULL",
                ColumnOption::Default(..) => "DEFAULT",
                ColumnOption::Generated(..) => "GENERATED ALWAYS AS",
                ColumnOption::Comment(_) => "COMMENT",
                ColumnOption::Position(_) => "FIRST|AFTER",
            };
            if seen.contains(&name) {
                let message =
                    format!("{what} column {column} specifies descriptor \"{name}\" more than once, which is invalid.");
                self.refuse(class, message, start);
            }
            seen.push(name);
        }
    }
}
