//! VALUES: inline tables.

use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{LogicalPlan, Values};
use paceline_functions::coercion::common_type_without_strings;
use paceline_functions::{DataType, Error, Result, Typed, is_nondeterministic};
use paceline_syntax::tree::{Expr, ExprKind, TableAlias};

use super::relation::aliased;
use super::scope::{Relation, Scope, column};
use super::select::has_aggregate;
use super::{Names, Resolver, cast};

impl Resolver<'_> {
    pub(crate) fn values(&mut self, rows: &[Expr], alias: &TableAlias) -> Result<Relation> {
        let scope = Scope::default();
        let mut table: Vec<Vec<Typed>> = Vec::new();
        for row in rows {
            let row: Vec<&Expr> = match &*row.kind {
                ExprKind::Row(fields) => fields.iter().map(|it| &it.value).collect(),
                ExprKind::Struct(fields) => fields.iter().map(|it| &it.value).collect(),
                _ => vec![row],
            };
            // Spark's inline tables see nothing around them.
            self.outer.push(super::Outer { scope: Scope::default(), used: Vec::new() });
            let row = self.exprs(row, Names::of(&scope));
            self.outer.pop();
            let row = row.map_err(|error| match error.class.as_str() {
                "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION" => {
                    invalid("CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", &error.message)
                }
                _ => error,
            })?;
            if row.iter().any(|it| has_aggregate(&it.expr)) {
                return Err(invalid(
                    "CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
                    "Cannot evaluate an aggregate function.",
                ));
            }
            for typed in &row {
                if is_nondeterministic(&typed.expr)? {
                    let why = format!("Cannot evaluate the expression \"{}\" in inline table definition.", typed.name);
                    return Err(invalid("CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", &why));
                }
            }
            table.push(row);
        }
        let width = table.first().map_or(0, Vec::len);
        if table.iter().any(|row| row.len() != width) {
            return Err(invalid("NUM_COLUMNS_MISMATCH", "Rows have different numbers of columns."));
        }
        if !alias.columns.is_empty() && alias.columns.len() != width {
            return Err(invalid(
                "NUM_COLUMNS_MISMATCH",
                &format!("Expected {} columns but found {width}.", alias.columns.len()),
            ));
        }
        self.inline(table, width).and_then(|relation| aliased(relation, alias))
    }

    /// Rows of constants.
    pub(crate) fn inline(&mut self, mut table: Vec<Vec<Typed>>, width: usize) -> Result<Relation> {
        let (mut fields, mut columns): (Vec<Field>, Vec<Typed>) = (Vec::new(), Vec::new());
        for at in 0..width {
            let mut data_type = DataType::Void;
            let mut nullable = false;
            for row in &table {
                nullable |= row[at].nullable;
                let types = [data_type, row[at].data_type.clone()];
                data_type = common_type_without_strings(&types, &self.settings).ok_or_else(|| {
                    invalid(
                        "INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
                        &format!("Found incompatible types in the column `col{}`.", at + 1),
                    )
                })?;
            }
            for row in &mut table {
                let value = std::mem::replace(
                    &mut row[at],
                    Typed::literal(datafusion::scalar::ScalarValue::Null, DataType::Void, ""),
                );
                row[at] = cast(value, &data_type, &self.settings)?;
            }
            let id = self.id();
            fields.push(data_type.to_field(&id, nullable));
            columns.push(column(&id, data_type, nullable, format!("col{}", at + 1)));
        }
        let schema = DFSchema::from_unqualified_fields(fields.into(), Default::default())?;
        let values = table.into_iter().map(|row| row.into_iter().map(|it| it.expr).collect()).collect();
        let plan = LogicalPlan::Values(Values { schema: Arc::new(schema), values });
        Ok(Relation { plan, scope: Self::scope_of(columns) })
    }
}

fn invalid(class: &str, why: &str) -> Error {
    Error::new(format!("INVALID_INLINE_TABLE.{class}"), format!("Invalid inline table. {why}"))
}
