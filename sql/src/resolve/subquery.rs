//! Subqueries within expressions. What refers to the query around is left to DataFusion to make joins of.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Spans};
use datafusion::functions::core::expr_fn::nullif;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Aggregate, Expr as Plan, Filter, LogicalPlan, Projection, Subquery, ident, lit};
use paceline_functions::{DataType, Error, Result, Typed, single_value};
use paceline_syntax::tree::Query;

use super::coerce::widest;
use super::correlation::is_simple;
use super::scope::{Relation, Scope, column};
use super::{Names, Outer, Resolver, cast};

impl Resolver<'_> {
    /// Resolves a query within an expression; also what it uses of the query around.
    fn inner(&mut self, query: &Query, names: Names<'_>) -> Result<(Relation, Vec<Plan>)> {
        self.outer.push(Outer { scope: names.scope.clone(), used: Vec::new() });
        let lambdas = std::mem::take(&mut self.lambdas);
        let in_filter = std::mem::replace(&mut self.in_filter, false);
        let windows = std::mem::take(&mut self.windows);
        self.starts = true;
        let relation = self.query(query);
        (self.lambdas, self.in_filter, self.windows) = (lambdas, in_filter, windows);
        let used = self.outer.pop().map_or_else(Vec::new, |outer| outer.used);
        self.shown_outer = outer_names(&used, names);
        Ok((relation?, unique(used)))
    }

    /// `(query)`: the value of its one column in its one row.
    pub(crate) fn scalar_subquery(&mut self, query: &Query, names: Names<'_>) -> Result<Typed> {
        let (relation, used) = self.inner(query, names)?;
        let fields = relation.scope.fields();
        let [field] = fields.as_slice() else {
            return Err(Error::new(
                "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                format!("Scalar subquery must return only one column, but got {}.", fields.len()),
            ));
        };
        if !used.is_empty() && !single_row(&relation.plan) {
            return Err(Error::new(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.MUST_AGGREGATE_CORRELATED_SCALAR_SUBQUERY",
                "Correlated scalar subqueries must be aggregated to return at most one row.",
            ));
        }
        let field = field.clone();
        let name = format!("scalarsubquery({})", self.shown_outer);
        let checked = used.is_empty() && !at_most_one_row(&relation.plan);
        let mut plan = self.only(relation)?;
        if checked {
            let id = self.id();
            let [value]: [Column; 1] =
                plan.schema().columns().try_into().map_err(|_| Error::unsupported("this subquery"))?;
            let value = column(&value.name, field.data_type.clone(), true, &field.name);
            let single = single_value(value, &self.settings).expr.alias(id);
            plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan), Vec::new(), vec![single])?);
        }
        let expr = Plan::ScalarSubquery(subquery(plan, used));
        Ok(Typed { expr, data_type: field.data_type, nullable: true, name, foldable: false })
    }

    /// `EXISTS (query)`
    pub(crate) fn exists(&mut self, query: &Query, names: Names<'_>) -> Result<Typed> {
        let (relation, used) = self.inner(query, names)?;
        let name = format!("exists({})", self.shown_outer);
        let typed = |expr| Typed { expr, data_type: DataType::Boolean, nullable: false, name, foldable: false };
        if self.in_filter {
            let plan =
                if relation.plan.schema().fields().is_empty() { self.one(relation.plan)? } else { relation.plan };
            return Ok(typed(Plan::Exists(Exists::new(subquery(plan, used), false))));
        }
        if !used.is_empty() {
            let plan =
                if relation.plan.schema().fields().is_empty() { self.one(relation.plan)? } else { relation.plan };
            return Ok(typed(Plan::Exists(Exists::new(subquery(plan, used), false))));
        }
        let some = self.some(relation.plan)?;
        Ok(typed(some))
    }

    /// `operands [NOT] IN (query)`
    pub(crate) fn in_subquery(
        &mut self,
        operands: Vec<Typed>,
        query: &Query,
        negated: bool,
        names: Names<'_>,
    ) -> Result<Typed> {
        let (relation, used) = self.inner(query, names)?;
        let shown_outer = self.shown_outer.clone();
        let columns: Vec<Typed> = relation.scope.visible().map(|it| it.column.clone()).collect();
        let operands = match operands.as_slice() {
            [Typed { data_type: DataType::Struct(fields), .. }]
                if fields.len() == columns.len() && fields.len() > 1 =>
            {
                let base = operands[0].clone();
                fields.clone().iter().map(|field| self.field(base.clone(), &field.name)).collect::<Result<_>>()?
            }
            _ => operands,
        };
        if columns.len() != operands.len() {
            return Err(Error::new(
                "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
                format!(
                    "The number of columns in the left hand side of an IN subquery ({}) does not match the number of columns in the output of subquery ({}).",
                    operands.len(),
                    columns.len()
                ),
            ));
        }
        let shown = match operands.as_slice() {
            [one] => one.name.clone(),
            many => {
                let parts: Vec<String> = many.iter().map(|it| format!("{}, {}", it.name, it.name)).collect();
                format!("(named_struct({}))", parts.join(", "))
            }
        };
        let name = format!("({shown} IN (listquery({shown_outer})))");
        let name = if negated { format!("(NOT {name})") } else { name };
        let typed = |expr| Typed { expr, data_type: DataType::Boolean, nullable: true, name, foldable: false };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (operand, column) in operands.into_iter().zip(columns) {
            let Some(to) = widest(&operand.data_type, &column.data_type, &self.settings) else {
                return Err(Error::new(
                    "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH",
                    format!(
                        "The data type of one or more elements in the left hand side of an IN subquery is not compatible with the data type of the output of the subquery. Mismatched columns: [\"{}\" (\"{}\"), \"{}\" (\"{}\")].",
                        operand.name,
                        operand.data_type.sql(),
                        column.name,
                        column.data_type.sql()
                    ),
                ));
            };
            left.push(cast(operand, &to, &self.settings)?);
            right.push(cast(column, &to, &self.settings)?);
        }
        let (plan, right) = self.project(relation.plan, right)?;
        // What DataFusion's own joins do not answer as Spark does is left to ours.
        let own = used.is_empty() || (!negated && is_simple(&plan, false));
        if let ([left], true, true) = (left.as_slice(), self.in_filter, own) {
            let plan = match right.as_slice() {
                [one] => LogicalPlan::Projection(Projection::try_new(
                    vec![one.expr.clone().alias(self.id())],
                    Arc::new(plan),
                )?),
                _ => plan,
            };
            let test = InSubquery::new(Box::new(left.expr.clone()), subquery(plan, used), negated);
            return Ok(typed(Plan::InSubquery(test)));
        }
        if !self.in_filter
            && left.iter().any(|it| it.as_literal().is_some_and(datafusion::scalar::ScalarValue::is_null))
        {
            return Ok(typed(Plan::Literal(datafusion::scalar::ScalarValue::Boolean(None), None)));
        }
        let mut used = used;
        let mut equal: Option<Plan> = None;
        for (left, right) in left.into_iter().zip(right) {
            let left = outward(left.expr, names.scope, &mut used)?;
            let one = left.eq(right.expr);
            equal = Some(match equal {
                None => one,
                Some(before) => before.and(one),
            });
        }
        let Some(equal) = equal else { return Err(Error::new("INTERNAL_ERROR", "IN of no columns.")) };
        if self.in_filter {
            let condition = if negated { equal.is_not_false() } else { equal };
            let plan = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?);
            return Ok(typed(Plan::Exists(Exists::new(subquery(plan, used), negated))));
        }
        // TRUE if some row is equal. Where some row may be, Spark, which makes a join of it, says FALSE, also to NOT IN.
        let unsure = Plan::Literal(datafusion::scalar::ScalarValue::Boolean(Some(false)), None);
        let equals = LogicalPlan::Filter(Filter::try_new(equal.clone(), Arc::new(plan.clone()))?);
        let unknown = LogicalPlan::Filter(Filter::try_new(equal.is_null(), Arc::new(plan))?);
        if used.is_empty() {
            // The operands are constants.
            let expr = datafusion::logical_expr::when(self.some(equals)?, lit(!negated))
                .when(self.some(unknown)?, unsure)
                .otherwise(lit(negated))?;
            return Ok(typed(expr));
        }
        let some = |plan, used: &Vec<Plan>| Plan::Exists(Exists::new(subquery(plan, used.clone()), false));
        let expr = datafusion::logical_expr::when(some(equals, &used), lit(!negated))
            .when(some(unknown, &used), unsure)
            .otherwise(lit(negated))?;
        Ok(typed(expr))
    }

    /// The plan with its one visible column alone.
    fn only(&mut self, relation: Relation) -> Result<LogicalPlan> {
        let id = self.id();
        let exprs: Vec<Plan> = relation.scope.visible().map(|it| it.column.expr.clone().alias(id.clone())).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(relation.plan))?))
    }

    /// One column of any value, for plans without columns.
    fn one(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let id = self.id();
        Ok(LogicalPlan::Projection(Projection::try_new(vec![lit(1i32).alias(id)], Arc::new(plan))?))
    }

    /// Whether a plan has rows. On a cluster its count becomes a join, hence one that may be NULL, and of all that is said of
    /// such a value only IS NOT NULL is never NULL to DataFusion.
    fn some(&mut self, plan: LogicalPlan) -> Result<Plan> {
        let (id, some) = (self.id(), self.id());
        let plan = if plan.schema().fields().is_empty() { self.one(plan)? } else { plan };
        let count = count(lit(1i64)).alias(&id);
        let counted = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan), Vec::new(), vec![count])?);
        let some = nullif(ident(id), lit(0i64)).alias(some);
        let plan = LogicalPlan::Projection(Projection::try_new(vec![some], Arc::new(counted))?);
        Ok(Plan::ScalarSubquery(subquery(plan, Vec::new())).is_not_null())
    }
}

fn subquery(plan: LogicalPlan, used: Vec<Plan>) -> Subquery {
    Subquery { subquery: Arc::new(plan), outer_ref_columns: used, spans: Spans::new() }
}

/// Columns of the query around, as a query within it refers to them.
pub(crate) fn outward(expr: Plan, scope: &Scope, used: &mut Vec<Plan>) -> Result<Plan> {
    let changed = expr.transform_up(|expr| {
        let Plan::Column(Column { name, .. }) = &expr else { return Ok(Transformed::no(expr)) };
        let known = scope.columns.iter().find(|it| it.column.expr == expr);
        let field = match known {
            Some(it) => it.column.data_type.to_field(name, it.column.nullable),
            None => DataType::Void.to_field(name, true),
        };
        let outer = Plan::OuterReferenceColumn(field.into(), Column::new_unqualified(name.clone()));
        if !used.contains(&outer) {
            used.push(outer.clone());
        }
        Ok(Transformed::yes(outer))
    })?;
    Ok(changed.data)
}

pub(crate) fn unique(used: Vec<Plan>) -> Vec<Plan> {
    let mut unique: Vec<Plan> = Vec::new();
    for it in used {
        if !unique.contains(&it) {
            unique.push(it);
        }
    }
    unique
}

/// Names of the outer columns that a subquery uses, as Spark shows them.
fn outer_names(used: &[Plan], names: Names<'_>) -> String {
    let name = |expr: &Plan| {
        let Plan::OuterReferenceColumn(_, column) = expr else { return String::new() };
        let found =
            names.scope.columns.iter().find(|it| matches!(&it.column.expr, Plan::Column(it) if it.name == column.name));
        found.map_or_else(String::new, |it| it.column.name.clone())
    };
    used.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Whether a plan cannot give more rows than one, whatever it reads.
fn at_most_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(it) => at_most_one_row(&it.input),
        LogicalPlan::Filter(it) => at_most_one_row(&it.input),
        LogicalPlan::Sort(it) => at_most_one_row(&it.input),
        LogicalPlan::SubqueryAlias(it) => at_most_one_row(&it.input),
        LogicalPlan::Aggregate(it) => it.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    }
}

/// Whether a plan gives one row at most for each row of the query around: an aggregate without groups.
fn single_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(it) => single_row(&it.input),
        LogicalPlan::Filter(it) => single_row(&it.input),
        LogicalPlan::Sort(it) => single_row(&it.input),
        LogicalPlan::SubqueryAlias(it) => single_row(&it.input),
        LogicalPlan::Limit(_) => true,
        LogicalPlan::Aggregate(it) => it.group_expr.is_empty() || groups_are_correlated(&it.group_expr, &it.input),
        LogicalPlan::Distinct(it) => single_row(it.input()),
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Window(it) => single_row(&it.input),
        _ => false,
    }
}

/// Whether each group is equal to something of the query around.
fn groups_are_correlated(groups: &[Plan], input: &LogicalPlan) -> bool {
    let mut fixed: Vec<Plan> = Vec::new();
    let mut plan = input;
    loop {
        match plan {
            LogicalPlan::Filter(filter) => {
                for part in datafusion::logical_expr::utils::split_conjunction(&filter.predicate) {
                    let Plan::BinaryExpr(binary) = part else { continue };
                    if binary.op != datafusion::logical_expr::Operator::Eq {
                        continue;
                    }
                    match (&*binary.left, &*binary.right) {
                        (Plan::OuterReferenceColumn(..), other) | (other, Plan::OuterReferenceColumn(..)) => {
                            fixed.push(other.clone());
                        }
                        _ => {}
                    }
                }
                plan = &filter.input;
            }
            LogicalPlan::Projection(projection) => plan = &projection.input,
            _ => break,
        }
    }
    groups.iter().all(|group| fixed.contains(group))
}
