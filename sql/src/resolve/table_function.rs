//! Functions in FROM: range, and generators.

use std::sync::Arc;

use datafusion::arrow::array::Int64Array;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, Projection, TableScanBuilder};
use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, Error, Resolve, Result, Typed, find};
use paceline_syntax::tree::{Reference, TableAlias, TableArgument};

use super::call::unknown_function;
use super::generator::plain_arguments;
use super::relation::aliased;
use super::scope::{Relation, Scope, column};
use super::{Names, Resolver, cast, evaluate};

/// More rows than these are refused.
const MOST_ROWS: i64 = 50_000_000;

impl Resolver<'_> {
    pub(crate) fn table_function(
        &mut self,
        name: &Reference,
        arguments: &[TableArgument],
        alias: &TableAlias,
    ) -> Result<Relation> {
        let name = self.reference(name)?;
        let parts: Vec<&str> = name.parts.iter().map(|it| it.value.as_str()).collect();
        let [written] = parts.as_slice() else { return Err(unknown_table_function(&parts)) };
        let plain = plain_arguments(arguments)?;
        let scope = Scope::default();
        let lower = written.to_lowercase();
        let relation = match lower.as_str() {
            "range" => {
                let arguments = self.arguments("range", &plain, Names::of(&scope))?;
                self.range(arguments)?
            }
            "sql_keywords" => {
                let arguments = self.arguments("sql_keywords", &plain, Names::of(&scope))?;
                self.keywords(&arguments)?
            }
            _ => match find(&lower) {
                Some(function) if matches!(function.resolve, Resolve::Generator(_)) => {
                    let arguments = self.arguments(function.name, &plain, Names::of(&scope))?;
                    let one = self.one_row();
                    let (plan, columns) =
                        self.generate(one.plan, &scope, function, arguments, lower.ends_with("_outer"))?;
                    Relation { plan, scope: Self::scope_of(columns) }
                }
                Some(function) if matches!(function.resolve, Resolve::Refused) => return Err(unknown_function(&parts)),
                _ => return Err(unknown_table_function(&parts)),
            },
        };
        let count = relation.scope.columns.len();
        if !alias.columns.is_empty() && alias.columns.len() != count {
            return Err(Error::new(
                "NUM_TABLE_VALUE_ALIASES_MISMATCH",
                format!(
                    "Number of given aliases does not match number of output columns. Function name: `{lower}`; number of aliases: {}; number of output columns: {count}.",
                    alias.columns.len()
                ),
            ));
        }
        match &alias.name {
            Some(_) => aliased(relation, alias),
            None => Ok(relation),
        }
    }

    /// `range([start,] end [, step [, partitions]])`
    fn range(&mut self, arguments: Vec<Typed>) -> Result<Relation> {
        if arguments.is_empty() || arguments.len() > 4 {
            return Err(Error::new(
                "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                format!("The `range` requires [1, 2, 3, 4] parameters but the actual number is {}.", arguments.len()),
            ));
        }
        let mut values = Vec::new();
        for argument in arguments {
            let name = argument.name.clone();
            let wrong = || {
                Error::new(
                    "UNEXPECTED_INPUT_TYPE",
                    format!(
                        "Parameter of function `range` requires the \"BIGINT\" type, however \"{name}\" does not fit."
                    ),
                )
            };
            if !argument.foldable || !(argument.data_type.is_numeric() || argument.data_type == DataType::String) {
                return Err(wrong());
            }
            match evaluate(&cast(argument, &DataType::Long, &self.settings)?)? {
                ScalarValue::Int64(Some(value)) => values.push(value),
                _ => return Err(wrong()),
            }
        }
        let (start, end, step) = match values.as_slice() {
            [end] => (0, *end, 1),
            [start, end] => (*start, *end, 1),
            [start, end, step, ..] => (*start, *end, *step),
            [] => (0, 0, 1),
        };
        if step == 0 {
            return Err(Error::new(
                "FAILED_FUNCTION_CALL",
                "Failed preparing of the function `range` for call: step cannot be 0.",
            ));
        }
        let span = if step > 0 { i128::from(end) - i128::from(start) } else { i128::from(start) - i128::from(end) };
        let width = i128::from(step).abs();
        let count = if span <= 0 { 0 } else { (span + width - 1) / width };
        if count > i128::from(MOST_ROWS) {
            return Err(Error::unsupported(format!("a range of more than {MOST_ROWS} rows")));
        }
        let rows: Int64Array = (0..count as i64).map(|at| start.wrapping_add(at.wrapping_mul(step))).collect();
        let name = self.id();
        let field = DataType::Long.to_field(&name, false);
        let schema = Arc::new(datafusion::arrow::datatypes::Schema::new(vec![field]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(rows)])
            .map_err(|error| Error::new("INTERNAL_ERROR", error.to_string()))?;
        let table = MemTable::try_new(schema, vec![vec![batch]])?;
        let scan = TableScanBuilder::new("range", provider_as_source(Arc::new(table))).build()?;
        let id = self.id();
        let from = datafusion::common::Column::new(Some("range"), name);
        let exprs = vec![datafusion::logical_expr::Expr::Column(from).alias(id.clone())];
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(LogicalPlan::TableScan(scan)))?);
        Ok(Relation { plan, scope: Self::scope_of(vec![column(&id, DataType::Long, false, "id")]) })
    }
}

fn unknown_table_function(parts: &[&str]) -> Error {
    Error::new(
        "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
        format!("Could not resolve `{}` to a table-valued function.", parts.join("`.`")),
    )
}
