//! `CREATE`, `REPLACE` and `DROP`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{
    CreateTable, FileFormat, PartitionField, Property, Reference, RowFormat, Span, Statement, TableClauses,
};

const NAMESPACE: &[&str] = &["NAMESPACE", "DATABASE", "SCHEMA"];

impl Parser<'_> {
    /// `DATABASE`, `SCHEMA` or `NAMESPACE`
    pub fn take_namespace(&mut self) -> bool {
        self.take_any(NAMESPACE)
    }

    pub fn if_exists(&mut self) -> bool {
        self.take_words(&["IF", "EXISTS"])
    }

    pub fn if_not_exists(&mut self) -> bool {
        self.take_words(&["IF", "NOT", "EXISTS"])
    }

    pub fn create(&mut self) -> Parsed<Statement> {
        let start = self.expect_word("CREATE")?;
        for command in [&["ROLE"][..], &["TEMPORARY", "MACRO"]] {
            if self.is_words(command) {
                return self.native(&["CREATE", &command.join(" ")].join(" "), start);
            }
        }
        let or_replace = self.take_words(&["OR", "REPLACE"]);
        if !or_replace && self.take_namespace() {
            return self.create_namespace(start);
        }
        if !or_replace && self.is_word("INDEX") {
            let found = self.attempt(|parser| {
                let found = parser.create_index()?;
                parser.statement_end().map(|()| found)
            });
            return found.map_or_else(|| self.native("CREATE INDEX", start), Ok);
        }
        let global = self.is_words(&["GLOBAL", "TEMPORARY"]);
        if global {
            self.advance();
        }
        let temporary = self.take_word("TEMPORARY");
        if self.take_word("VIEW") {
            return self.create_view(start, or_replace, temporary, global);
        }
        if !global && self.take_word("FUNCTION") {
            return self.create_function(start, or_replace, temporary);
        }
        if or_replace && !temporary {
            self.expect_word("TABLE")?;
            return self.create_table(start, CreateTable { replace: true, ..table(true) });
        }
        let external = !global && self.take_word("EXTERNAL");
        if global || or_replace {
            return self.wrong();
        }
        self.expect_word("TABLE")?;
        let if_not_exists = self.if_not_exists();
        self.create_table(start, CreateTable { temporary, external, if_not_exists, ..table(true) })
    }

    pub fn replace(&mut self) -> Parsed<Statement> {
        let start = self.span();
        self.expect_words(&["REPLACE", "TABLE"])?;
        self.create_table(start, CreateTable { replace: true, ..table(false) })
    }

    fn create_namespace(&mut self, start: Span) -> Parsed<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.reference()?;
        let (mut comment, mut location, mut properties) = (None, None, Vec::new());
        let mut seen: Vec<String> = Vec::new();
        loop {
            let clause = if self.is_word("COMMENT") {
                self.advance();
                comment = Some(self.string()?);
                "COMMENT".to_owned()
            } else if self.is_word("LOCATION") {
                location = self.location()?;
                "LOCATION".to_owned()
            } else if self.is_word("WITH") && self.word_at_any(1, &["DBPROPERTIES", "PROPERTIES"]) {
                self.advance();
                let keyword = self.any_word().value.to_ascii_uppercase();
                properties = self.namespace_properties(start)?;
                keyword
            } else {
                break;
            };
            if seen.contains(&clause) {
                self.duplicate_clause(&clause, start);
            }
            seen.push(clause);
        }
        if ["PROPERTIES", "DBPROPERTIES"].iter().all(|clause| seen.iter().any(|seen| seen == clause)) {
            let message = "The feature is not supported: set PROPERTIES and DBPROPERTIES at the same time.";
            self.refuse("UNSUPPORTED_FEATURE.SET_PROPERTIES_AND_DBPROPERTIES", message, start);
        }
        Ok(Statement::CreateNamespace { name, if_not_exists, comment, location, properties })
    }

    pub fn namespace_properties(&mut self, start: Span) -> Parsed<Vec<Property>> {
        let properties = self.properties()?;
        let reserved = [
            ("owner", "it will be set to the current user"),
            ("location", "please use the LOCATION clause to specify it"),
        ];
        for (key, instead) in reserved {
            if properties.iter().any(|property| property.key == key) {
                let message =
                    format!("The feature is not supported: {key} is a reserved namespace property, {instead}.");
                self.refuse("UNSUPPORTED_FEATURE.SET_NAMESPACE_PROPERTY", message, start);
            }
        }
        Ok(properties)
    }

    fn create_table(&mut self, start: Span, mut table: CreateTable) -> Parsed<Statement> {
        let plain = table.create && !table.replace && !table.temporary && !table.external;
        table.name = self.reference()?;
        if plain && self.is_word("LIKE") {
            return self.create_table_like(start, table);
        }
        if self.is(Kind::LeftParen) && !self.query_in_parens_at(0) {
            table.columns = self.table_columns()?;
        }
        table.clauses.provider = self.provider()?;
        self.table_clauses(&mut table.clauses)?;
        let as_query = self.take_word("AS");
        if as_query || self.query_at(0) {
            table.query = Some(Box::new(self.query()?));
        }
        self.check_table(&table, start);
        Ok(Statement::CreateTable(Box::new(table)))
    }

    fn check_table(&mut self, table: &CreateTable, start: Span) {
        if table.temporary {
            if table.if_not_exists {
                self.not_allowed("CREATE TEMPORARY TABLE IF NOT EXISTS", start);
            }
            if table.query.is_some() {
                self.not_allowed("CREATE TEMPORARY TABLE ... AS ..., use CREATE TEMPORARY VIEW instead", start);
            } else if table.clauses.provider.is_none() {
                let message = "CREATE TEMPORARY TABLE without a provider is not allowed.";
                self.refuse("_LEGACY_ERROR_TEMP_0046", message, start);
            } else if table.external {
                self.not_allowed("CREATE EXTERNAL TABLE ... USING", start);
            }
        }
        let partitions = &table.clauses.partitioned_by;
        let columns = partitions.iter().filter(|field| matches!(field, PartitionField::Column(_))).count();
        if columns > 0 && columns < partitions.len() {
            self.not_allowed("PARTITION BY: Cannot mix partition expressions and partition columns", start);
        }
        if table.query.is_some() {
            let short = if table.replace { "RTAS" } else { "CTAS" };
            let long = if table.replace { "Replace" } else { "Create" };
            if !table.columns.is_empty() {
                let what = format!("Schema may not be specified in a {long} Table As Select ({short}) statement");
                self.not_allowed(&what, start);
            } else if columns > 0 {
                let what = format!("Partition column types may not be specified in {long} Table As Select ({short})");
                self.not_allowed(&what, start);
            }
        }
    }

    pub fn check_formats(&mut self, clauses: &TableClauses, start: Span) {
        let hive = clauses.row_format.is_some() || clauses.file_format.is_some();
        if let (Some(provider), true) = (&clauses.provider, hive) {
            let parts: Vec<_> = provider.parts.iter().map(|part| part.value.as_str()).collect();
            let what = format!("CREATE TABLE ... USING {} with ROW FORMAT or STORED AS", parts.join("."));
            self.not_allowed(&what, start);
        }
        self.check_serde(clauses.row_format.as_ref(), clauses.file_format.as_ref(), start);
    }

    /// Whether rows and files are described in ways that go together.
    pub fn check_serde(&mut self, rows: Option<&RowFormat>, files: Option<&FileFormat>, start: Span) {
        let Some(FileFormat::Named(format)) = files else { return };
        let name = format.value.to_lowercase();
        match rows {
            Some(RowFormat::Serde { .. }) if !["sequencefile", "textfile", "rcfile"].contains(&name.as_str()) => {
                let what =
                    format!("ROW FORMAT SERDE is incompatible with format '{name}', which also specifies a serde");
                self.not_allowed(&what, start);
            }
            Some(RowFormat::Delimited { .. }) if name != "textfile" => {
                let what = format!("ROW FORMAT DELIMITED is only compatible with 'textfile', not '{name}'");
                self.not_allowed(&what, start);
            }
            _ => {}
        }
    }

    fn create_table_like(&mut self, start: Span, table: CreateTable) -> Parsed<Statement> {
        self.expect_word("LIKE")?;
        let Reference::Named(target) = table.name else { return self.wrong() };
        if target.parts.len() > 2 {
            return self.wrong();
        }
        let source = self.table_identifier()?;
        let mut clauses = TableClauses::default();
        while let Some(clause) =
            ["USING", "ROW", "STORED", "LOCATION", "TBLPROPERTIES"].into_iter().find(|c| self.is_word(c))
        {
            let again = match clause {
                "USING" => {
                    let provider = self.provider()?;
                    std::mem::replace(&mut clauses.provider, provider).is_some()
                }
                "ROW" => {
                    let Some(format) = self.row_format()? else { return self.wrong() };
                    clauses.row_format.replace(format).is_some()
                }
                "STORED" => {
                    let format = self.file_format()?;
                    std::mem::replace(&mut clauses.file_format, format).is_some()
                }
                "LOCATION" => {
                    let location = self.location()?;
                    std::mem::replace(&mut clauses.location, location).is_some()
                }
                _ => {
                    self.advance();
                    let properties = self.properties()?;
                    !std::mem::replace(&mut clauses.properties, properties).is_empty()
                }
            };
            if again {
                self.duplicate_clause(clause, start);
            }
        }
        self.check_table_keys(clauses.properties.iter().map(|property| property.key.as_str()), start);
        self.check_formats(&clauses, start);
        if clauses.row_format.is_some() && clauses.file_format.is_none() {
            self.refuse("_LEGACY_ERROR_TEMP_0047", "'ROW FORMAT' must be used with 'STORED AS'.", start);
        }
        let if_not_exists = table.if_not_exists;
        Ok(Statement::CreateTableLike { target, source, if_not_exists, clauses: Box::new(clauses) })
    }
}

fn table(create: bool) -> CreateTable {
    CreateTable {
        name: Reference::Named(crate::tree::Name { parts: Vec::new(), span: Span::default() }),
        create,
        replace: false,
        temporary: false,
        external: false,
        if_not_exists: false,
        columns: Vec::new(),
        clauses: TableClauses::default(),
        query: None,
    }
}
