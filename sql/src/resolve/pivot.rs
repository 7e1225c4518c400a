//! PIVOT and UNPIVOT.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr as Plan, Filter, LogicalPlan, Union, lit, when};
use paceline_functions::coercion::common_type_without_strings;
use paceline_functions::operators::{BinaryOperator, binary};
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{ExprKind, Ident, NamedExpr, Pivot, Unpivot, WrittenAlias};

use super::call::each_aggregate;
use super::coerce::widest;
use super::grouping::Groups;
use super::scope::{Relation, Scope, column};
use super::select::has_aggregate;
use super::{Names, Resolver, cast};

impl Resolver<'_> {
    /// A column for each value: the aggregates over the rows that have it, grouped by the columns that are not named.
    pub(crate) fn pivot(&mut self, source: Relation, pivot: &Pivot) -> Result<Relation> {
        let names = Names::of(&source.scope);
        let mut columns = Vec::new();
        for name in &pivot.columns {
            columns.push(self.column(std::slice::from_ref(name), names)?);
        }
        let mut aggregates = Vec::new();
        for it in &pivot.aggregates {
            let typed = self.expr(&it.value, names)?;
            if !has_aggregate(&typed.expr) {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_1006",
                    format!(
                        "Aggregate expression required for pivot, but '{}' did not appear in any aggregate function.",
                        typed.name
                    ),
                ));
            }
            let name = match &it.alias {
                Some(WrittenAlias::Name(name)) => name.value.clone(),
                _ => typed.name.clone(),
            };
            aggregates.push((typed, name));
        }
        let mut used: Vec<Plan> = columns.iter().map(|it| it.expr.clone()).collect();
        for (typed, _) in &aggregates {
            used.extend(typed.expr.column_refs().into_iter().map(|it| Plan::Column(it.clone())));
        }
        let keys: Vec<Typed> =
            source.scope.visible().map(|it| it.column.clone()).filter(|it| !used.contains(&it.expr)).collect();
        // Spark groups by the values too and then turns rows into columns, if it has columns of all the types: what has no rows
        // is NULL then, also a count.
        let turns = |of: &DataType| of.is_numeric() || *of == DataType::Boolean;
        let rows_first = aggregates.iter().all(|(typed, _)| turns(&typed.data_type));
        let mut items = keys.clone();
        for value in &pivot.values {
            let (values, name) = self.pivot_value(&value.value, &columns)?;
            let name = value.alias.as_ref().map_or(name, |alias| alias.value.clone());
            let mut condition: Option<Typed> = None;
            for (column, value) in columns.iter().zip(values) {
                let one = binary(BinaryOperator::NullSafeEqual, column.clone(), value, &self.settings)?;
                condition = Some(match condition {
                    None => one,
                    Some(before) => binary(BinaryOperator::And, before, one, &self.settings)?,
                });
            }
            let Some(condition) = condition else { return Err(Error::new("INTERNAL_ERROR", "PIVOT without columns.")) };
            for (typed, aggregate) in &aggregates {
                let expr = each_aggregate(typed.expr.clone(), &mut |mut call| {
                    call.params.filter = Some(Box::new(match call.params.filter.take() {
                        None => condition.expr.clone(),
                        Some(filter) => filter.and(condition.expr.clone()),
                    }));
                    call
                })?;
                let expr =
                    if rows_first && !typed.nullable { self.where_there_are_rows(expr, &condition)? } else { expr };
                let name = if aggregates.len() == 1 { name.clone() } else { format!("{name}_{aggregate}") };
                items.push(Typed { expr, name, nullable: true, ..typed.clone() });
            }
        }
        let plan = self.aggregate(source.plan, Groups { keys, sets: None }, items.iter_mut().collect())?;
        let (plan, columns) = self.project(plan, items)?;
        Ok(Relation { plan, scope: Self::scope_of(columns) })
    }

    /// NULL unless there are rows for which the condition holds.
    fn where_there_are_rows(&mut self, aggregate: Plan, condition: &Typed) -> Result<Plan> {
        let one = Typed::literal(1_i32.into(), DataType::Int, "1");
        let count = self.call_named("count", vec![one])?;
        let count = each_aggregate(count.expr, &mut |mut call| {
            call.params.filter = Some(Box::new(condition.expr.clone()));
            call
        })?;
        Ok(when(count.gt(lit(0_i64)), aggregate).end()?)
    }

    /// A pivot's value, cast to its columns, and the name it gives to a column.
    fn pivot_value(&mut self, value: &paceline_syntax::tree::Expr, columns: &[Typed]) -> Result<(Vec<Typed>, String)> {
        let scope = Scope::default();
        let parts: Vec<&paceline_syntax::tree::Expr> = match &*value.kind {
            ExprKind::Row(fields) if columns.len() > 1 => fields.iter().map(|NamedExpr { value, .. }| value).collect(),
            _ => vec![value],
        };
        let typed = self.exprs(parts, Names::of(&scope)).map_err(|error| match error.class.as_str() {
            "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION" => {
                Error::new("NON_LITERAL_PIVOT_VALUES", "Literal expressions required for pivot values.")
            }
            _ => error,
        })?;
        if let Some(it) = typed.iter().find(|it| !it.foldable) {
            return Err(Error::new(
                "NON_LITERAL_PIVOT_VALUES",
                format!("Literal expressions required for pivot values, found \"{}\".", it.name),
            ));
        }
        let mismatch = |it: &str| {
            Error::new(
                "PIVOT_VALUE_DATA_TYPE_MISMATCH",
                format!("Invalid pivot value '{it}': value data type does not match pivot column data type."),
            )
        };
        if typed.len() != columns.len() {
            return Err(mismatch(&typed.iter().map(|it| it.name.clone()).collect::<Vec<_>>().join(", ")));
        }
        let mut shown = Vec::new();
        for it in &typed {
            shown.push(self.as_text(it)?.replace("NULL", "null"));
        }
        let name = if columns.len() > 1 { format!("{{{}}}", shown.join(", ")) } else { shown.concat() };
        let mut values = Vec::new();
        for (it, column) in typed.into_iter().zip(columns) {
            if widest(&it.data_type, &column.data_type, &self.settings).is_none() {
                return Err(mismatch(&it.name));
            }
            values.push(cast(it, &column.data_type, &self.settings)?);
        }
        Ok((values, name))
    }

    /// A row for each of the columns.
    pub(crate) fn unpivot(&mut self, source: Relation, unpivot: &Unpivot) -> Result<Relation> {
        let names = Names::of(&source.scope);
        let mut sets: Vec<(Vec<Typed>, String)> = Vec::new();
        for it in &unpivot.columns {
            let mut columns = Vec::new();
            for name in &it.columns {
                columns.push(self.column(&name.parts, names)?);
            }
            let name = match &it.alias {
                Some(alias) => alias.value.clone(),
                None => columns.iter().map(|it| it.name.clone()).collect::<Vec<_>>().join("_"),
            };
            sets.push((columns, name));
        }
        let width = unpivot.values.len();
        if sets.iter().any(|(columns, _)| columns.len() != width) {
            return Err(Error::new(
                "UNPIVOT_VALUE_SIZE_MISMATCH",
                "All unpivot value columns must have the same size as there are value column names.",
            ));
        }
        let mut types: Vec<DataType> = vec![DataType::Void; width];
        for (columns, _) in &sets {
            for (to, column) in types.iter_mut().zip(columns) {
                let types = [to.clone(), column.data_type.clone()];
                *to = common_type_without_strings(&types, &self.settings).ok_or_else(|| {
                    Error::new(
                        "UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
                        "Unpivot value columns must share a least common type, some types do not.",
                    )
                })?;
            }
        }
        let used: Vec<Plan> = sets.iter().flat_map(|(columns, _)| columns.iter().map(|it| it.expr.clone())).collect();
        let kept: Vec<Typed> =
            source.scope.visible().map(|it| it.column.clone()).filter(|it| !used.contains(&it.expr)).collect();
        let ids: Vec<String> = (0..kept.len() + 1 + width).map(|_| self.id()).collect();
        let mut inputs = Vec::new();
        for (columns, name) in &sets {
            let mut row = kept.clone();
            row.push(Typed::literal(name.as_str().into(), DataType::String, name.clone()));
            for (column, to) in columns.iter().zip(&types) {
                row.push(cast(column.clone(), to, &self.settings)?);
            }
            let exprs = row.into_iter().zip(&ids).map(|(it, id)| it.expr.alias(id.clone())).collect();
            let plan = datafusion::logical_expr::Projection::try_new(exprs, Arc::new(source.plan.clone()))?;
            inputs.push(Arc::new(LogicalPlan::Projection(plan)));
        }
        let mut plan = match inputs.as_slice() {
            [one] => one.as_ref().clone(),
            _ => LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?),
        };
        let id = |at: usize| Plan::Column(Column::new_unqualified(ids[at].clone()));
        if !unpivot.include_nulls {
            let some = (kept.len() + 1..ids.len()).map(|at| id(at).is_not_null());
            if let Some(some) = some.reduce(|a, b| a.or(b)) {
                plan = LogicalPlan::Filter(Filter::try_new(some, Arc::new(plan))?);
            }
        }
        let values = unpivot.values.iter().zip(types).map(|(name, it)| (name.value.clone(), it, true));
        let named = kept
            .into_iter()
            .map(|it| (it.name, it.data_type, it.nullable))
            .chain([(unpivot.name.value.clone(), DataType::String, false)])
            .chain(values);
        let columns: Vec<Typed> =
            named.zip(&ids).map(|((name, data_type, nullable), id)| column(id, data_type, nullable, name)).collect();
        let alias: Vec<String> = unpivot.alias.iter().map(|Ident { value, .. }| value.clone()).collect();
        let scope = Self::scope_of(columns).renamed(&alias, &[])?;
        Ok(Relation { plan, scope })
    }
}
