//! Functions of collections, aggregates, windows and generators, checked against what Spark 3.5.4 gives.

mod aggregates;
mod collections;
mod lambdas;
mod maps;
mod reader;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Schema;
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;

use crate::constant::constant;
use crate::{DataType, Result, Settings, Typed, hive_row, over_window};
use reader::{Scope, read, resolve};

fn settings(ansi: bool) -> Arc<Settings> {
    Arc::new(Settings { ansi, time_zone: "America/Los_Angeles".to_owned(), ..Settings::default() })
}

/// The type (with `!` if it cannot be NULL) and the value of an expression, or its error.
fn evaluated(text: &str, ansi: bool) -> String {
    let settings = settings(ansi);
    let scope = Scope { columns: Vec::new(), variables: Vec::new(), settings: Arc::clone(&settings) };
    shown(resolve(&read(text), &scope), &settings)
}

fn shown(typed: Result<Typed>, settings: &Arc<Settings>) -> String {
    let value = |typed: &Typed| -> Result<String> {
        let array = constant(typed)?.to_array()?;
        let schema = Schema::new(vec![typed.field()]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![array])
            .map_err(|error| crate::Error::new("TYPE", error.to_string()))?;
        hive_row(&batch, 0, std::slice::from_ref(&typed.data_type), settings)
    };
    match typed.and_then(|typed| value(&typed).map(|value| (typed, value))) {
        Ok((typed, value)) => {
            let mark = if typed.nullable { "" } else { "!" };
            format!("{}: {}{mark} = {value}", typed.name, typed.data_type.catalog())
        }
        Err(error) => format!("{error}"),
    }
}

fn check(cases: &[&str], expected: expect_test::Expect) {
    let lines: Vec<_> = cases.iter().map(|case| evaluated(case, false)).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

fn check_ansi(cases: &[&str], expected: expect_test::Expect) {
    let lines: Vec<_> = cases.iter().map(|case| evaluated(case, true)).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

/// A table of columns a, b, …; each is given as the elements of an array. Its rows are in two partitions.
fn table(columns: &[&str], scope: &mut Scope) -> Vec<Vec<RecordBatch>> {
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let name = char::from(b'a' + u8::try_from(at).unwrap()).to_string();
        let typed = resolve(&read(&format!("(array {column})")), scope).unwrap();
        let DataType::Array(element, nullable) = typed.data_type.clone() else { panic!("no array") };
        let list = constant(&typed).unwrap().to_array().unwrap();
        arrays.push(list.as_list::<i32>().value(0));
        scope.columns.push((name, *element, nullable));
    }
    let fields: Vec<_> = scope.columns.iter().map(|(name, of, nullable)| of.to_field(name, *nullable)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let half = batch.num_rows() / 2;
    vec![vec![batch.slice(0, half)], vec![batch.slice(half, batch.num_rows() - half)]]
}

/// Aggregates of a table, one line each.
fn check_aggregates(columns: &[&str], calls: &[&str], expected: expect_test::Expect) {
    let mut scope = Scope { columns: Vec::new(), variables: Vec::new(), settings: settings(false) };
    let partitions = table(columns, &mut scope);
    let lines: Vec<_> = calls.iter().map(|call| rows_of(call, &partitions, &scope, Shape::Rows)).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

/// Aggregates of a table by its first column, one line each, the groups in order.
fn check_groups(columns: &[&str], calls: &[&str], expected: expect_test::Expect) {
    let mut scope = Scope { columns: Vec::new(), variables: Vec::new(), settings: settings(false) };
    let partitions = table(columns, &mut scope);
    let lines: Vec<_> = calls.iter().map(|call| rows_of(call, &partitions, &scope, Shape::Groups)).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Rows,
    Groups,
    Window,
}

/// Window functions over a table in the order of its first column, one line each.
fn check_windows(columns: &[&str], calls: &[&str], expected: expect_test::Expect) {
    let mut scope = Scope { columns: Vec::new(), variables: Vec::new(), settings: settings(false) };
    let partitions = table(columns, &mut scope);
    let lines: Vec<_> = calls.iter().map(|call| rows_of(call, &partitions, &scope, Shape::Window)).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[tokio::main(flavor = "current_thread")]
async fn rows_of(call: &str, partitions: &[Vec<RecordBatch>], scope: &Scope, shape: Shape) -> String {
    let typed = match resolve(&read(call), scope) {
        Ok(typed) => typed,
        Err(error) => return error.to_string(),
    };
    let run = async {
        let context = SessionContext::new();
        let schema = partitions[0][0].schema();
        let provider = datafusion::datasource::MemTable::try_new(schema, partitions.to_vec())?;
        let table = context.read_table(Arc::new(provider))?;
        let order = || vec![datafusion::prelude::col("a").sort(true, true)];
        let table = if shape == Shape::Groups {
            let groups = vec![datafusion::prelude::col("a")];
            table.aggregate(groups, vec![typed.expr.clone().alias("c_")])?.sort(order())?.select_columns(&["c_"])?
        } else if shape == Shape::Window {
            let mut typed = over_window(typed.clone())?;
            if let Expr::WindowFunction(function) = &mut typed.expr {
                function.params.order_by = order();
                function.params.window_frame = datafusion::logical_expr::WindowFrame::new(Some(false));
            }
            let sorted = table.window(vec![typed.expr.alias("c_")])?.sort(order())?;
            sorted.select_columns(&["c_"])?
        } else if matches!(typed.expr, Expr::AggregateFunction(_)) {
            table.aggregate(vec![], vec![typed.expr.clone().alias("c")])?
        } else {
            table.select(vec![typed.expr.clone().alias("c")])?
        };
        table.collect().await
    };
    match run.await {
        Ok(batches) => {
            let mut values = Vec::new();
            for batch in &batches {
                for row in 0..batch.num_rows() {
                    values.push(hive_row(batch, row, std::slice::from_ref(&typed.data_type), &scope.settings).unwrap());
                }
            }
            let mark = if typed.nullable { "" } else { "!" };
            format!("{}: {}{mark} = {}", typed.name, typed.data_type.catalog(), values.join(" | "))
        }
        Err(error) => crate::Error::from(error).to_string(),
    }
}
