//! A plan whose rows say which file they are from: the scan has the columns, and what stands on it hands them up as long as
//! rows are taken one by one. Behind a shuffle no row is of a file any more, as in Spark.

use std::sync::Arc;

use datafusion::common::{Column, JoinType, Result};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::logical_plan::TableScanBuilder;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, Projection, TableScan, Union, lit};
use paceline_functions::{Error, Position};

use super::Positions;
use crate::api_call::ApiCall;
use crate::io::readers::{self, FILE_COLUMNS};

/// The plan with the columns, which [`column`] finds; `None` where its rows are of no file.
pub(super) fn with_files(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    if column_of(plan, FILE_COLUMNS[0]).is_some() {
        return Ok(Some(plan.clone()));
    }
    let rebuilt = |inputs: Vec<LogicalPlan>| plan.with_new_exprs(plan.expressions(), inputs).map(Some);
    match plan {
        LogicalPlan::TableScan(scan) => scan_with_files(scan),
        LogicalPlan::Projection(projection) => {
            let Some(input) = with_files(&projection.input)? else { return Ok(None) };
            let added = FILE_COLUMNS.iter().filter_map(|name| column_of(&input, name));
            let exprs = projection.expr.iter().cloned().chain(added).collect();
            Ok(Some(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)))
        }
        LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Unnest(_) => {
            let Some(input) = with_files(plan.inputs()[0])? else { return Ok(None) };
            rebuilt(vec![input])
        }
        LogicalPlan::Extension(Extension { node }) if is_row_by_row(node.as_any()) => {
            let Some(input) = with_files(plan.inputs()[0])? else { return Ok(None) };
            rebuilt(vec![input])
        }
        LogicalPlan::Join(join) => {
            let (left, right) = (join.left.as_ref(), join.right.as_ref());
            let of_left = matches!(
                join.join_type,
                JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
            );
            if of_left && let Some(left) = with_files(left)? {
                return rebuilt(vec![left, right.clone()]);
            }
            let of_right = matches!(join.join_type, JoinType::Inner | JoinType::Right);
            match if of_right { with_files(right)? } else { None } {
                Some(right) => rebuilt(vec![left.clone(), right]),
                None => Ok(None),
            }
        }
        LogicalPlan::Union(union) => {
            let inputs = union.inputs.iter().map(|input| with_files(input)).collect::<Result<Vec<_>>>()?;
            if inputs.iter().all(Option::is_none) {
                return Ok(None);
            }
            let inputs = inputs.into_iter().zip(&union.inputs);
            let inputs = inputs.map(|(found, input)| in_order(found, input).map(Arc::new)).collect::<Result<_>>()?;
            Ok(Some(LogicalPlan::Union(Union::try_new(inputs)?)))
        }
        _ => Ok(None),
    }
}

/// What a function of files is over a plan of [`with_files`].
pub(super) fn column(plan: &LogicalPlan, position: Position) -> Expr {
    let at = match position {
        Position::BlockStart => 1,
        Position::BlockLength => 2,
        _ => 0,
    };
    column_of(plan, FILE_COLUMNS[at]).unwrap_or_else(|| of_no_file(at))
}

/// As Spark has it for rows that are of no file.
fn of_no_file(at: usize) -> Expr {
    if at == 0 { lit("") } else { lit(-1i64) }
}

fn column_of(plan: &LogicalPlan, name: &str) -> Option<Expr> {
    let mut columns = plan.schema().iter().filter(|(_, field)| field.name() == name);
    columns.next().map(|(qualifier, field)| Expr::Column(Column::new(qualifier.cloned(), field.name())))
}

/// A side of a union: its own columns, and then those of files.
fn in_order(found: Option<LogicalPlan>, input: &LogicalPlan) -> Result<LogicalPlan> {
    let own = input.schema().columns().into_iter().map(Expr::Column);
    let plan = found.unwrap_or_else(|| input.clone());
    let of_files = FILE_COLUMNS.iter().enumerate().map(|(at, name)| {
        let value = column_of(&plan, name).unwrap_or_else(|| of_no_file(at));
        value.alias(*name)
    });
    let exprs = own.chain(of_files).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
}

fn is_row_by_row(node: &dyn std::any::Any) -> bool {
    node.is::<ApiCall>() || node.is::<Positions>()
}

fn scan_with_files(scan: &TableScan) -> Result<Option<LogicalPlan>> {
    let files = readers::with_file_columns(&source_as_provider(&scan.source)?);
    let Some(source) = files.map(provider_as_source) else { return Ok(None) };
    let own = scan.source.schema().fields().len();
    let projection = scan.projection.clone().map(|mut projection| {
        projection.extend(own..source.schema().fields().len());
        projection
    });
    let scan = TableScanBuilder::new(scan.table_name.clone(), source)
        .with_projection(projection)
        .with_filters(scan.filters.clone())
        .with_fetch(scan.fetch);
    Ok(Some(LogicalPlan::TableScan(scan.build()?)))
}

/// How many sources of files the rows of a plan are from at a time.
///
/// # Errors
/// There is more than one, and `function` cannot say which.
pub(super) fn sources(plan: &LogicalPlan, function: Position) -> Result<usize> {
    match plan {
        LogicalPlan::TableScan(scan) => Ok(usize::from(readers::is_of_files(&source_as_provider(&scan.source)?))),
        LogicalPlan::Union(union) => {
            let mut most = 0;
            for input in &union.inputs {
                most = most.max(sources(input, function)?);
            }
            Ok(most)
        }
        other => {
            let mut all = 0;
            for input in other.inputs() {
                all += sources(input, function)?;
            }
            if all > 1 {
                return Err(Error::new(
                    "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION",
                    format!("The expression \"{}()\" does not support more than one source.", function.name()),
                )
                .into());
            }
            Ok(all)
        }
    }
}
