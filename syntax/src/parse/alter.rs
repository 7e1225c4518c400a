//! `ALTER`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{AlterColumn, AlterTable, ColumnOption, NewColumn, PartitionSpec, Reference, Span, Statement};

/// What Hive can do with a table; some behind a partition.
const NATIVE: &[&[&str]] = &[
    &["NOT", "CLUSTERED"],
    &["CLUSTERED", "BY"],
    &["NOT", "SORTED"],
    &["SKEWED", "BY"],
    &["NOT", "SKEWED"],
    &["NOT", "STORED", "AS", "DIRECTORIES"],
    &["SET", "SKEWED", "LOCATION"],
    &["EXCHANGE", "PARTITION"],
    &["ARCHIVE", "PARTITION"],
    &["UNARCHIVE", "PARTITION"],
    &["TOUCH"],
    &["COMPACT"],
    &["CONCATENATE"],
    &["SET", "FILEFORMAT"],
    &["REPLACE", "COLUMNS"],
];

impl Parser<'_> {
    pub fn alter(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        if self.take_namespace() {
            return self.alter_namespace(start);
        }
        if self.is_word("INDEX") {
            return self.native("ALTER INDEX", start);
        }
        let is_view = self.is_word("VIEW");
        if !is_view && !self.is_word("TABLE") {
            return self.wrong();
        }
        self.advance();
        let name = self.reference()?;
        if is_view && (self.is_word("AS") || self.query_at(0)) {
            self.take_word("AS");
            let (query, text) = self.query_text()?;
            return Ok(Statement::AlterView { name, query, text });
        }
        let found = self.attempt(|parser| {
            let action = parser.alter_action(is_view, start)?;
            parser.statement_end().map(|()| action)
        });
        if let Some(action) = found {
            return Ok(Statement::AlterTable { name, is_view, action: Box::new(action) });
        }
        let short = !matches!(&name, Reference::Named(name) if name.parts.len() > 2);
        let native = self.attempt(|parser| {
            parser.optional_partition()?;
            let command = NATIVE.iter().find(|command| parser.is_words(command));
            match command.filter(|_| short && !is_view) {
                Some(command) => Ok(command.join(" ")),
                _ => parser.wrong(),
            }
        });
        match native {
            Some(command) => self.native(&format!("ALTER TABLE {command}"), start),
            None => self.wrong(),
        }
    }

    fn alter_namespace(&mut self, start: Span) -> Parsed<Statement> {
        let name = self.reference()?;
        self.expect_word("SET")?;
        if let Some(location) = self.location()? {
            return Ok(Statement::SetNamespaceLocation { name, location });
        }
        if !self.take_any(&["DBPROPERTIES", "PROPERTIES"]) {
            return self.wrong();
        }
        Ok(Statement::SetNamespaceProperties { name, properties: self.namespace_properties(start)? })
    }

    fn alter_action(&mut self, is_view: bool, start: Span) -> Parsed<AlterTable> {
        if self.take_words(&["RENAME", "TO"]) {
            return self.multipart_identifier().map(AlterTable::Rename);
        }
        if self.take_words(&["SET", "TBLPROPERTIES"]) {
            let properties = self.properties()?;
            self.check_table_keys(properties.iter().map(|property| property.key.as_str()), start);
            return Ok(AlterTable::SetProperties(properties));
        }
        if self.take_words(&["UNSET", "TBLPROPERTIES"]) {
            let if_exists = self.if_exists();
            return Ok(AlterTable::UnsetProperties { keys: self.property_keys()?, if_exists });
        }
        if self.is_word("ADD") && (self.word_at(1, "PARTITION") || self.word_at(1, "IF")) {
            return self.add_partitions(is_view, start);
        }
        if self.is_word("DROP") && (self.word_at(1, "PARTITION") || self.word_at(1, "IF")) {
            return self.drop_partitions(is_view, start);
        }
        if is_view {
            return self.wrong();
        }
        if self.is_word("ADD") || self.is_word("DROP") || self.is_words(&["RENAME", "COLUMN"]) {
            return self.alter_columns();
        }
        if self.take_words(&["RECOVER", "PARTITIONS"]) {
            return Ok(AlterTable::RecoverPartitions);
        }
        let keyword = self.span();
        let partition = self.optional_partition()?;
        if self.is_any(&["ALTER", "CHANGE"]) {
            return self.alter_column(partition, start);
        }
        self.alter_partition(partition, keyword, start)
    }

    fn alter_columns(&mut self) -> Parsed<AlterTable> {
        if self.take_words(&["RENAME", "COLUMN"]) {
            let from = self.multipart_identifier()?;
            self.expect_word("TO")?;
            return Ok(AlterTable::RenameColumn { from, to: self.name_part()? });
        }
        let adds = self.take_word("ADD");
        if !adds {
            self.expect_word("DROP")?;
        }
        if !self.take_any(&["COLUMN", "COLUMNS"]) {
            return self.wrong();
        }
        let if_exists = !adds && self.if_exists();
        let listed = self.is(Kind::LeftParen);
        if adds {
            let columns = if listed { self.parenthesized(Self::new_columns)? } else { self.new_columns()? };
            return Ok(AlterTable::AddColumns(columns));
        }
        let names = |parser: &mut Self| parser.list(Self::multipart_identifier);
        let columns = if listed { self.parenthesized(names)? } else { names(self)? };
        Ok(AlterTable::DropColumns { columns, if_exists })
    }

    fn alter_column(&mut self, partition: Option<PartitionSpec>, start: Span) -> Parsed<AlterTable> {
        let alters = self.is_word("ALTER");
        self.advance();
        if self.is_word("COLUMN") && self.identifier_at(1) {
            self.advance();
        }
        let column = self.multipart_identifier()?;
        if partition.is_none() {
            let change = self.attempt(|parser| {
                let change = parser.column_change()?;
                parser.statement_end().map(|()| change)
            });
            if let Some(change) = change {
                return Ok(AlterTable::AlterColumn { column, change });
            }
            if self.statement_end().is_ok() {
                let verb = if alters { "ALTER" } else { "CHANGE" };
                let what =
                    format!("ALTER TABLE table {verb} COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER");
                self.not_allowed(&what, start);
                let change = AlterColumn::DropDefault;
                return Ok(AlterTable::AlterColumn { column, change });
            }
        }
        if alters {
            return self.wrong();
        }
        let definition = self.column()?;
        let position = self.column_position(true)?;
        if partition.is_some() {
            self.not_allowed("ALTER TABLE table PARTITION partition_spec CHANGE COLUMN", start);
        } else if column
            .parts
            .last()
            .is_some_and(|part| part.value.to_lowercase() != definition.name.value.to_lowercase())
        {
            let message =
                "Renaming column is not supported in Hive-style ALTER COLUMN, please run RENAME COLUMN instead.";
            self.refuse("_LEGACY_ERROR_TEMP_0034", message, start);
        }
        Ok(AlterTable::ChangeColumn { column, definition, position })
    }

    fn column_change(&mut self) -> Parsed<AlterColumn> {
        if self.take_word("TYPE") {
            return self.data_type().map(AlterColumn::Type);
        }
        if let Some(comment) = self.comment()? {
            return Ok(AlterColumn::Comment(comment));
        }
        if let Some(position) = self.column_position(true)? {
            return Ok(AlterColumn::Position(position));
        }
        if self.take_words(&["SET", "NOT", "NULL"]) {
            return Ok(AlterColumn::SetNotNull);
        }
        if self.take_words(&["DROP", "NOT", "NULL"]) {
            return Ok(AlterColumn::DropNotNull);
        }
        if self.take_words(&["DROP", "DEFAULT"]) {
            return Ok(AlterColumn::DropDefault);
        }
        self.expect_words(&["SET", "DEFAULT"])?;
        self.expression_text().map(|(value, text)| AlterColumn::SetDefault(value, text))
    }

    fn alter_partition(&mut self, partition: Option<PartitionSpec>, keyword: Span, start: Span) -> Parsed<AlterTable> {
        if self.take_words(&["REPLACE", "COLUMNS"]) {
            let columns = self.parenthesized(Self::new_columns)?;
            self.check_replaced(&columns, start);
            if partition.is_some() {
                self.not_allowed("ALTER TABLE table PARTITION partition_spec REPLACE COLUMNS", start);
            }
            return Ok(AlterTable::ReplaceColumns(columns));
        }
        if let (Some(from), true) = (&partition, self.is_words(&["RENAME", "TO"])) {
            self.advance();
            self.advance();
            return Ok(AlterTable::RenamePartition { from: from.clone(), to: self.partition()? });
        }
        self.expect_word("SET")?;
        self.check_values(partition.as_ref(), keyword);
        if let Some(location) = self.location()? {
            return Ok(AlterTable::SetLocation { partition, location });
        }
        if self.take_word("SERDE") {
            let serde = Some(self.string()?);
            return Ok(AlterTable::SetSerde { partition, serde, properties: self.serde_properties()? });
        }
        self.expect_word("SERDEPROPERTIES")?;
        Ok(AlterTable::SetSerde { partition, serde: None, properties: self.properties()? })
    }

    /// What Hive's way of replacing columns can't say.
    fn check_replaced(&mut self, columns: &[NewColumn], start: Span) {
        for column in columns {
            let what = |option: &ColumnOption| match option {
                ColumnOption::NotNull => Some("NOT NULL is"),
                ColumnOption::Position(_) => Some("Column position is"),
                _ => None,
            };
            if column.name.parts.len() > 1 {
                let message = "Replacing with a nested column is not supported in Hive-style REPLACE COLUMNS.";
                self.refuse("_LEGACY_ERROR_TEMP_0034", message, start);
            } else if let Some(what) = column.options.iter().find_map(what) {
                let message = format!("{what} not supported in Hive-style REPLACE COLUMNS.");
                self.refuse("_LEGACY_ERROR_TEMP_0034", message, start);
            } else if column.options.iter().any(|option| matches!(option, ColumnOption::Default(..))) {
                let message = "DEFAULT column values is not supported.";
                self.refuse("UNSUPPORTED_DEFAULT_VALUE.WITHOUT_SUGGESTION", message, start);
            }
        }
    }

    fn add_partitions(&mut self, is_view: bool, start: Span) -> Parsed<AlterTable> {
        self.expect_word("ADD")?;
        let if_not_exists = self.if_not_exists();
        let mut partitions = Vec::new();
        while partitions.is_empty() || self.is_word("PARTITION") {
            let Some(spec) = self.valued_partition()? else { return self.wrong() };
            partitions.push((spec, self.location()?));
        }
        if is_view {
            self.not_allowed("ALTER VIEW ... ADD PARTITION", start);
        }
        Ok(AlterTable::AddPartitions { partitions, if_not_exists })
    }

    fn drop_partitions(&mut self, is_view: bool, start: Span) -> Parsed<AlterTable> {
        self.expect_word("DROP")?;
        let if_exists = self.if_exists();
        let partition = |parser: &mut Self| match parser.valued_partition()? {
            Some(spec) => Ok(spec),
            None => parser.wrong(),
        };
        let partitions = self.list(partition)?;
        let purge = self.take_word("PURGE");
        if is_view {
            self.not_allowed("ALTER VIEW ... DROP PARTITION", start);
        }
        Ok(AlterTable::DropPartitions { partitions, if_exists, purge })
    }
}
