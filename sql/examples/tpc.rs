//! Runs queries over folders of Parquet files, and prints a line of JSON for each.
#![expect(clippy::print_stdout, reason = "the lines are what it is for")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use paceline_functions::{DataType, StructField, hive_row};
use paceline_sql::catalog::{Column, Object, Session, Table};
use paceline_sql::commands::{Action, plan_statement};

fn main() -> Result<(), Box<dyn Error>> {
    let worker = std::thread::Builder::new().stack_size(512 << 20).spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_stack_size(256 << 20)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run()).unwrap();
    })?;
    worker.join().unwrap();
    Ok(())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap();
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().execution.parquet.schema_force_view_types = false;
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    let context = SessionContext::new_with_state(state);
    let mut session = Session::default();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        context.register_parquet(&name, path.to_str().unwrap(), ParquetReadOptions::default()).await?;
        let provider = context.table_provider(&name).await?;
        let mut columns = Vec::new();
        for field in provider.schema().fields() {
            let field = StructField { name: field.name().clone(), data_type: DataType::of(field)?, nullable: true };
            columns.push(Column { field, comment: None, default: None });
        }
        let table = Table {
            name: name.clone(),
            columns,
            provider: "parquet".into(),
            partitioned_by: vec![],
            buckets: None,
            properties: Default::default(),
            options: Default::default(),
            comment: None,
            location: None,
            source: Some(provider_as_source(provider)),
        };
        session.catalog.database_mut("default")?.objects.insert(name, Object::Table(table));
    }
    let explain = std::env::var_os("EXPLAIN").is_some();
    for path in arguments {
        let name = Path::new(&path).file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path)?;
        let mut text = text.trim().trim_end_matches(';').to_owned();
        if std::env::var_os("UNLIMITED").is_some() {
            if let Some(at) = text.to_lowercase().rfind("limit") {
                if text[at..].split_whitespace().count() == 2 && !text[at..].contains(')') {
                    text.truncate(at);
                }
            }
        }
        let start = Instant::now();
        let query = one(&mut session, &context, &text, explain);
        let line = match tokio::time::timeout(Duration::from_secs(180), query).await {
            Err(_) => format!("\"error\": \"too long\""),
            Ok(Err(error)) => format!("\"error\": {}", quote(&error.to_string())),
            Ok(Ok((schema, rows))) => format!(
                "\"schema\": {}, \"rows\": [{}]",
                quote(&schema),
                rows.iter().map(|it| quote(it)).collect::<Vec<_>>().join(", ")
            ),
        };
        println!("{{\"query\": {}, {line}, \"seconds\": {:.2}}}", quote(&name), start.elapsed().as_secs_f64());
    }
    Ok(())
}

async fn one(
    session: &mut Session,
    context: &SessionContext,
    text: &str,
    explain: bool,
) -> Result<(String, Vec<String>), Box<dyn Error>> {
    let Action::Query(resolved) = plan_statement(session, text)? else { return Err("no query".into()) };
    let frame = context.execute_logical_plan(resolved.plan.clone()).await?;
    if explain {
        eprintln!("{}\n{}", resolved.plan.display_indent(), frame.clone().into_optimized_plan()?.display_indent());
        return Ok((String::new(), vec![]));
    }
    let batches = frame.collect().await?;
    let types: Vec<DataType> = resolved.output.iter().map(|it| it.data_type.clone()).collect();
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            rows.push(hive_row(batch, row, &types, &session.settings)?);
        }
    }
    let schema: Vec<String> =
        resolved.output.iter().map(|it| format!("{}:{}", it.name, it.data_type.catalog())).collect();
    Ok((format!("struct<{}>", schema.join(",")), rows))
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for it in text.chars() {
        match it {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            it if (it as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", it as u32)),
            it => out.push(it),
        }
    }
    out.push('"');
    out
}
