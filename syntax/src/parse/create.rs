//! `CREATE`, `REPLACE` and `DROP`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{
    ColumnOption, CreateFunction, CreateTable, FileFormat, Ident, PartitionField, Property, Reference, ResourceKind,
    RowFormat, Span, Statement, TableClauses,
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
        let reference = self.span();
        table.name = self.reference()?;
        if plain && self.is_word("LIKE") {
            return self.create_table_like(start, table);
        }
        let _ = reference;
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
        let statement = if table.replace { "REPLACE" } else { "CREATE" };
        if table.temporary {
            if table.if_not_exists {
                self.not_allowed("CREATE TEMPORARY TABLE IF NOT EXISTS", start);
            }
            if table.query.is_some() {
                self.not_allowed("CREATE TEMPORARY TABLE ... AS ..., use CREATE TEMPORARY VIEW instead", start);
            } else if table.clauses.provider.is_none() {
                self.not_allowed("CREATE TEMPORARY TABLE without a provider", start);
            }
        }
        self.check_formats(&table.clauses, start);
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
        let _ = statement;
        let generated = table.columns.iter().any(|column| {
            let has = |kind: fn(&ColumnOption) -> bool| column.options.iter().any(kind);
            has(|option| matches!(option, ColumnOption::Generated(..)))
                && has(|option| matches!(option, ColumnOption::Default(..)))
        });
        if generated {
            let message = "A column cannot have both a default value and a generation expression.";
            self.refuse("GENERATED_COLUMN_WITH_DEFAULT_VALUE", message, start);
        }
    }

    fn check_formats(&mut self, clauses: &TableClauses, start: Span) {
        let hive = clauses.row_format.is_some() || clauses.file_format.is_some();
        if let (Some(provider), true) = (&clauses.provider, hive) {
            let what = format!("CREATE TABLE ... USING {} ... with a Hive format", provider.parts.len());
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
        let mut clauses = TableClauses { provider: self.provider()?, ..TableClauses::default() };
        self.table_clauses(&mut clauses)?;
        if clauses.provider.is_none() {
            clauses.provider = self.provider()?;
            self.table_clauses(&mut clauses)?;
        }
        if clauses.row_format.is_some() && clauses.file_format.is_none() {
            self.refuse("_LEGACY_ERROR_TEMP_0047", "'ROW FORMAT' must be used with 'STORED AS'.", start);
        }
        self.check_formats(&clauses, start);
        let if_not_exists = table.if_not_exists;
        Ok(Statement::CreateTableLike { target, source, if_not_exists, clauses: Box::new(clauses) })
    }

    fn create_view(&mut self, start: Span, or_replace: bool, temporary: bool, global: bool) -> Parsed<Statement> {
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
        if if_not_exists && temporary {
            let message = "It is not allowed to define a TEMPORARY view with IF NOT EXISTS.";
            self.refuse("_LEGACY_ERROR_TEMP_0053", message, start);
        } else if if_not_exists && or_replace {
            let message = "CREATE VIEW with both IF NOT EXISTS and REPLACE is not allowed.";
            self.refuse("_LEGACY_ERROR_TEMP_0052", message, start);
        }
        if temporary && !clauses.properties.is_empty() {
            self.not_allowed("TBLPROPERTIES can't coexist with CREATE TEMPORARY VIEW", start);
        }
        if let (true, Reference::Named(name)) = (temporary && !global || global, &name) {
            if name.parts.len() > 1 {
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

    fn create_view_using(&mut self, name: crate::tree::Name, or_replace: bool, global: bool) -> Parsed<Statement> {
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

    pub fn query_text(&mut self) -> Parsed<(Box<crate::tree::Query>, String)> {
        let start = self.span();
        let query = Box::new(self.query()?);
        let text = self.text_of(self.span_from(start)).to_owned();
        Ok((query, text))
    }

    fn create_function(&mut self, start: Span, or_replace: bool, temporary: bool) -> Parsed<Statement> {
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

    fn check_function_name(&mut self, name: &crate::tree::Name, start: Span) {
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

    fn create_index(&mut self) -> Parsed<Statement> {
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
