//! Runs scripts of Spark's SQL over tables in memory and prints a line of JSON for each statement, as the conformance kit reads it.
//!
//! `spark_sql SCRIPT`, or `spark_sql --serve` with paths on standard input.
#![expect(clippy::print_stdout, reason = "the lines are what it is for")]

use std::io::BufRead;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use paceline_functions::{DataType, Error, Result, StructField, hive_row};
use paceline_sql::catalog::{Object, Session, Table};
use paceline_sql::commands::{Action, Overwrite, plan_statement};
use paceline_sql::resolve::Resolved;

/// A statement that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(20);

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_default();
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(move || {
        std::panic::set_hook(Box::new(|_| {}));
        if argument == "--serve" {
            for path in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
                script(&path);
                println!("{{\"end\": true}}");
            }
        } else {
            script(&argument);
        }
    });
    if let Ok(worker) = worker {
        drop(worker.join());
    }
}

fn script(path: &str) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_stack_size(64 << 20).enable_all().build();
    let Ok(runtime) = runtime else { return };
    let mut session = Session::default();
    let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(1024);
    config.options_mut().execution.parquet.pushdown_filters = false;
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    let context = SessionContext::new_with_state(state);
    for piece in paceline_syntax::split(&text) {
        let run = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                match tokio::time::timeout(LIMIT, statement(&mut session, &context, piece.text)).await {
                    Ok(result) => result,
                    Err(_) => Err(Error::new("INTERNAL_ERROR", "The statement takes too long.")),
                }
            })
        }));
        let line = match run {
            Ok(Ok((fields, rows))) => answer(&fields, &rows),
            Ok(Err(error)) => failure(&error.class, &error.message),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
                failure("INTERNAL_ERROR", &format!("panic: {}", text.unwrap_or_default()))
            }
        };
        println!("{line}");
    }
}

type Answer = (Vec<StructField>, Vec<String>);

async fn statement(session: &mut Session, context: &SessionContext, text: &str) -> Result<Answer> {
    match plan_statement(session, text)? {
        Action::Nothing => {}
        Action::Query(resolved) => {
            let batches = collect(context, &resolved).await?;
            let rows = show(&batches, &resolved.output, session)?;
            return Ok((resolved.output, rows));
        }
        Action::CreateTable { database, mut table, query } => {
            let schema = schema(&table);
            let rows = match &query {
                Some(query) => vec![stored(&schema, collect(context, query).await?)?],
                None => Vec::new(),
            };
            put(&mut table, schema, rows)?;
            let key = table.name.to_lowercase();
            session.catalog.database_mut(&database)?.objects.insert(key, Object::Table(*table));
        }
        Action::Insert { database, table, query, overwrite } => {
            let Some(Object::Table(target)) = session.catalog.database(&database)?.objects.get(&table) else {
                return Err(Error::new("INTERNAL_ERROR", "The table is gone."));
            };
            let mut target = target.clone();
            let schema = schema(&target);
            let new = stored(&schema, collect(context, &query).await?)?;
            let mut rows = match overwrite {
                Overwrite::Nothing => current(context, &target).await?,
                Overwrite::Everything => Vec::new(),
                Overwrite::Partition(_) => return Err(Error::unsupported("INSERT OVERWRITE of a partition")),
            };
            rows.push(new);
            put(&mut target, schema, rows)?;
            session.catalog.database_mut(&database)?.objects.insert(table, Object::Table(target));
        }
        Action::OpenView(_)
        | Action::CreateFunction(_)
        | Action::DescribeFunction { .. }
        | Action::InsertDirectory(_)
        | Action::Explain { .. } => return Err(Error::unsupported("this statement here")),
        Action::Truncate { database, table } => {
            if let Some(Object::Table(target)) = session.catalog.database_mut(&database)?.objects.get_mut(&table) {
                let schema = schema(target);
                put(target, schema, Vec::new())?;
            }
        }
    }
    Ok((Vec::new(), Vec::new()))
}

async fn collect(context: &SessionContext, resolved: &Resolved) -> Result<Vec<RecordBatch>> {
    let frame = context.execute_logical_plan(resolved.plan.clone()).await?;
    Ok(frame.collect().await?)
}

fn schema(table: &Table) -> SchemaRef {
    let fields: Vec<Field> =
        table.columns.iter().map(|it| StructField { nullable: true, ..it.field.clone() }.to_arrow()).collect();
    Arc::new(Schema::new(fields))
}

fn stored(schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<RecordBatch> {
    let wrong = |error: datafusion::arrow::error::ArrowError| Error::new("INTERNAL_ERROR", error.to_string());
    let mut all = Vec::new();
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(column, field)| cast(column, field.data_type()))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(wrong)?;
        all.push(RecordBatch::try_new(Arc::clone(schema), columns).map_err(wrong)?);
    }
    concat_batches(schema, &all).map_err(wrong)
}

async fn current(context: &SessionContext, table: &Table) -> Result<Vec<RecordBatch>> {
    let Some(source) = &table.source else { return Ok(Vec::new()) };
    let provider = datafusion::datasource::source_as_provider(source)?;
    Ok(context.read_table(provider)?.collect().await?)
}

fn put(table: &mut Table, schema: SchemaRef, rows: Vec<RecordBatch>) -> Result<()> {
    let memory = MemTable::try_new(schema, vec![rows])?;
    table.source = Some(provider_as_source(Arc::new(memory)));
    Ok(())
}

fn show(batches: &[RecordBatch], fields: &[StructField], session: &Session) -> Result<Vec<String>> {
    let types: Vec<DataType> = fields.iter().map(|it| it.data_type.clone()).collect();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(hive_row(batch, row, &types, &session.settings)?);
        }
    }
    Ok(rows)
}

fn answer(fields: &[StructField], rows: &[String]) -> String {
    let schema: Vec<String> = fields.iter().map(|it| format!("{}:{}", it.name, it.data_type.catalog())).collect();
    let rows: Vec<String> = rows.iter().map(|it| quote(it)).collect();
    format!("{{\"schema\": {}, \"rows\": [{}]}}", quote(&format!("struct<{}>", schema.join(","))), rows.join(", "))
}

fn failure(class: &str, message: &str) -> String {
    format!("{{\"error\": {{\"class\": {}, \"message\": {}}}}}", quote(class), quote(message))
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for it in text.chars() {
        match it {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            it if (it as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", it as u32)),
            it => out.push(it),
        }
    }
    out.push('"');
    out
}
