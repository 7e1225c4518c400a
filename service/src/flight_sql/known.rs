//! Catalogs, schemas, tables and types of tables, as a session knows them, and keys, of which there are none.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::error::Result;
use arrow_flight::sql::{CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables};
use paceline_engine::Session;
use paceline_engine::session::KnownKind;

/// GetCatalogs
pub fn catalogs(query: CommandGetCatalogs) -> Result<RecordBatch> {
    let mut rows = query.into_builder();
    rows.append(Session::CATALOG);
    rows.build()
}

/// GetDbSchemas
pub fn schemas(session: &Session, query: CommandGetDbSchemas) -> Result<RecordBatch> {
    let mut rows = query.into_builder();
    // Temporary views are in no schema, and tools list tables by schema.
    let temporary = session.known().iter().any(|known| known.database.is_none());
    let names: BTreeSet<String> = session.databases().into_iter().chain(temporary.then(String::new)).collect();
    names.iter().for_each(|name| rows.append(Session::CATALOG, name));
    rows.build()
}

/// GetTables
pub fn tables(session: &Session, query: CommandGetTables) -> Result<RecordBatch> {
    let mut rows = query.into_builder();
    for known in session.known() {
        let database = known.database.unwrap_or_default();
        rows.append(Session::CATALOG, database, known.name, known.kind.name(), &Schema::new(known.columns))?;
    }
    rows.build()
}

/// GetTableTypes
pub fn table_types(query: CommandGetTableTypes) -> Result<RecordBatch> {
    let mut rows = query.into_builder();
    KnownKind::ALL.iter().for_each(|kind| rows.append(kind.name()));
    rows.build()
}

/// GetPrimaryKeys: tables have none.
pub fn primary_keys() -> RecordBatch {
    none(&[
        ("catalog_name", DataType::Utf8, true),
        ("db_schema_name", DataType::Utf8, true),
        ("table_name", DataType::Utf8, false),
        ("column_name", DataType::Utf8, false),
        ("key_name", DataType::Utf8, true),
        ("key_sequence", DataType::Int32, false),
    ])
}

/// GetExportedKeys, GetImportedKeys and GetCrossReference: tables have none.
pub fn foreign_keys() -> RecordBatch {
    none(&[
        ("pk_catalog_name", DataType::Utf8, true),
        ("pk_db_schema_name", DataType::Utf8, true),
        ("pk_table_name", DataType::Utf8, false),
        ("pk_column_name", DataType::Utf8, false),
        ("fk_catalog_name", DataType::Utf8, true),
        ("fk_db_schema_name", DataType::Utf8, true),
        ("fk_table_name", DataType::Utf8, false),
        ("fk_column_name", DataType::Utf8, false),
        ("key_sequence", DataType::Int32, false),
        ("fk_key_name", DataType::Utf8, true),
        ("pk_key_name", DataType::Utf8, true),
        ("update_rule", DataType::UInt8, false),
        ("delete_rule", DataType::UInt8, false),
    ])
}

/// No rows of these columns: their names, types, and whether they may be NULL.
fn none(columns: &[(&str, DataType, bool)]) -> RecordBatch {
    let field = |(name, kind, nullable): &(&str, DataType, bool)| Field::new(*name, kind.clone(), *nullable);
    RecordBatch::new_empty(Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())))
}
