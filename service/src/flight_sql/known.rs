//! Catalogs, schemas, tables and types of tables, as a session knows them.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
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
