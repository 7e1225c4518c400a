//! Grouping: aggregate functions are taken out of expressions and put into a node below them.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Aggregate, Expr as Plan, Filter, GroupingSet, LogicalPlan, Projection, lit};
use paceline_functions::{Error, Result, Typed, may_be_null};
use paceline_syntax::tree::Expr;

use super::canonical::Keys;
use super::correlation::has_subquery;
use super::grouping::Groups;
use super::scope::Lookup;
use super::select::has_aggregate;
use super::{First, Names, Resolver};

impl Resolver<'_> {
    /// HAVING: a column of the relation, unless it is not grouped by and the select list has one of that name.
    pub(crate) fn having(&mut self, having: &Expr, names: Names<'_>, groups: Option<&Groups>) -> Result<Typed> {
        let grouped = |typed: &Typed| groups.is_some_and(|it| it.keys.iter().any(|key| key.expr == typed.expr));
        let shadowed = names.aliases.iter().any(|(name, _)| {
            matches!(names.scope.find(&[name], self.settings.case_sensitive), Lookup::Column(found, _) if !grouped(&found))
        });
        let typed = self.expr(having, names)?;
        if !shadowed || has_only_grouped(&typed.expr, groups) {
            return Ok(typed);
        }
        self.expr(having, Names { first: First::Alias, ..names })
    }

    /// Groups, and rewrites the expressions to columns of the groups.
    pub(crate) fn aggregate(
        &mut self,
        plan: LogicalPlan,
        groups: Groups,
        exprs: Vec<&mut Typed>,
    ) -> Result<LogicalPlan> {
        let (plan, columns) = self.with_columns(plan, groups.keys.iter().map(|key| key.expr.clone()).collect())?;
        let mut calls: Vec<(Plan, String)> = Vec::new();
        let is_sets = groups.sets.is_some();
        let empty = groups.sets.as_ref().map_or(0, |sets| sets.iter().filter(|set| set.is_empty()).count());
        let only_empty = groups.sets.as_ref().is_some_and(|sets| sets.len() == empty);
        if only_empty && empty > 1 {
            return Err(Error::unsupported("several empty grouping sets alone"));
        }
        let forms = Keys::new(&groups.keys)?;
        for typed in exprs {
            let expr = std::mem::take(&mut typed.expr);
            let name = typed.name.clone();
            let changed = expr.transform_down(|expr| {
                if let Some(at) = forms.place(&groups.keys, &expr)? {
                    let in_no_set = groups.sets.as_ref().is_some_and(|sets| !sets.iter().any(|set| set.contains(&at)));
                    let column = if in_no_set {
                        let null = datafusion::scalar::ScalarValue::try_from(&groups.keys[at].data_type.to_arrow())?;
                        Plan::Literal(null, None)
                    } else {
                        columns[at].clone()
                    };
                    return Ok(Transformed::new(column, true, TreeNodeRecursion::Jump));
                }
                match expr {
                    Plan::AggregateFunction(mut call) => {
                        if call.params.args.iter().any(has_aggregate) {
                            return Err(Error::new(
                                "NESTED_AGGREGATE_FUNCTION",
                                "It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query.",
                            )
                            .into());
                        }
                        if call.func.name() == "grouping" {
                            grouping_arguments(&mut call.params.args, &groups.keys, &columns, is_sets, &name)?;
                            if only_empty {
                                let bits = (1i64 << call.params.args.len().min(62)) - 1;
                                return Ok(Transformed::new(lit(bits as i32), true, TreeNodeRecursion::Jump));
                            }
                        }
                        let expr = Plan::AggregateFunction(call);
                        let known = calls.iter().find(|(it, _)| it == &expr).map(|(_, id)| id.clone());
                        let id = known.unwrap_or_else(|| {
                            let id = self.id();
                            calls.push((expr, id.clone()));
                            id
                        });
                        let column = Plan::Column(Column::new_unqualified(id));
                        Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
                    }
                    Plan::Column(_) if columns.contains(&expr) => Ok(Transformed::no(expr)),
                    Plan::Column(_) => Err(not_grouped(&name, groups.keys.is_empty()).into()),
                    other => Ok(Transformed::no(other)),
                }
            })?;
            typed.expr = changed.data;
            // Sets leave keys out, which are NULL then.
            if is_sets {
                typed.expr = may_be_null(std::mem::take(&mut typed.expr))?;
                typed.nullable = true;
            }
        }
        // Subqueries are made joins of in a projection, but not in the node of the groups.
        let subqueries: Vec<Plan> = calls
            .iter()
            .flat_map(|(call, _)| match call {
                Plan::AggregateFunction(call) => {
                    call.params.args.iter().cloned().chain(call.params.filter.as_deref().cloned()).collect()
                }
                _ => Vec::new(),
            })
            .filter(has_subquery)
            .collect();
        let (plan, replaced) = self.with_columns(plan, subqueries.clone())?;
        if !subqueries.is_empty() {
            for (call, _) in &mut calls {
                if let Plan::AggregateFunction(call) = call {
                    for argument in call.params.args.iter_mut().chain(call.params.filter.as_deref_mut()) {
                        if let Some(at) = subqueries.iter().position(|it| it == argument) {
                            *argument = replaced[at].clone();
                        }
                    }
                }
            }
        }
        let counted = self.id();
        if empty > 0 || (calls.is_empty() && columns.is_empty()) {
            calls.push((count(lit(1i64)), counted.clone()));
        }
        let calls = calls.into_iter().map(|(call, id)| call.alias(id)).collect();
        let keys = match groups.sets {
            Some(sets) if sets.iter().any(|set| !set.is_empty()) => {
                let sets = sets.iter().map(|set| set.iter().map(|at| columns[*at].clone()).collect()).collect();
                vec![Plan::GroupingSet(GroupingSet::GroupingSets(sets))]
            }
            Some(_) => Vec::new(),
            None => columns,
        };
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan), keys, calls)?);
        if empty == 0 {
            return Ok(plan);
        }
        // Of no rows there is no group, also not that of the empty set.
        let some = Plan::Column(Column::new_unqualified(counted)).gt(lit(0i64));
        Ok(LogicalPlan::Filter(Filter::try_new(some, Arc::new(plan))?))
    }

    /// The plan with these expressions as columns beside its own.
    pub(super) fn with_columns(&mut self, plan: LogicalPlan, mut exprs: Vec<Plan>) -> Result<(LogicalPlan, Vec<Plan>)> {
        let plan = self.join_subqueries(plan, &mut exprs.iter_mut().collect::<Vec<_>>(), true)?;
        if exprs.iter().all(|expr| matches!(expr, Plan::Column(_))) {
            return Ok((plan, exprs));
        }
        let mut all: Vec<Plan> = plan.schema().columns().into_iter().map(Plan::Column).collect();
        let mut columns = Vec::new();
        for expr in exprs {
            if matches!(expr, Plan::Column(_)) {
                columns.push(expr);
                continue;
            }
            let id = self.id();
            all.push(expr.alias(id.clone()));
            columns.push(Plan::Column(Column::new_unqualified(id)));
        }
        Ok((LogicalPlan::Projection(Projection::try_new(all, Arc::new(plan))?), columns))
    }
}

fn grouping_arguments(
    arguments: &mut Vec<Plan>,
    keys: &[Typed],
    columns: &[Plan],
    is_sets: bool,
    name: &str,
) -> Result<()> {
    if !is_sets {
        return Err(Error::new(
            "UNSUPPORTED_GROUPING_EXPRESSION",
            "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup.",
        ));
    }
    if arguments.is_empty() {
        arguments.extend(columns.iter().cloned());
        return Ok(());
    }
    for argument in arguments {
        let Some(at) = keys.iter().position(|key| &key.expr == argument) else {
            return Err(Error::new(
                if name.starts_with("grouping_id") {
                    "GROUPING_ID_COLUMN_MISMATCH"
                } else {
                    "GROUPING_COLUMN_MISMATCH"
                },
                format!("Column of {name} can't be found in grouping columns."),
            ));
        };
        *argument = columns[at].clone();
    }
    Ok(())
}

fn not_grouped(name: &str, no_keys: bool) -> Error {
    if no_keys {
        return Error::new(
            "MISSING_GROUP_BY",
            "The query does not include a GROUP BY clause. Add GROUP BY or turn it into the window functions using OVER clauses.",
        );
    }
    Error::new(
        "MISSING_AGGREGATION",
        format!(
            "The non-aggregating expression \"{name}\" is based on columns which are not participating in the GROUP BY clause. Add the columns or the expression to the GROUP BY, aggregate the expression, or use \"any_value({name})\" if you do not care which of the values within a group is returned."
        ),
    )
}

/// Whether all columns outside of aggregate functions are grouped by.
fn has_only_grouped(expr: &Plan, groups: Option<&Groups>) -> bool {
    let mut only = true;
    let walked = expr.apply(|it| {
        if groups.is_some_and(|groups| groups.keys.iter().any(|key| &key.expr == it)) {
            return Ok(TreeNodeRecursion::Jump);
        }
        match it {
            Plan::AggregateFunction(_) => Ok(TreeNodeRecursion::Jump),
            Plan::Column(_) => {
                only = false;
                Ok(TreeNodeRecursion::Stop)
            }
            _ => Ok(TreeNodeRecursion::Continue),
        }
    });
    walked.is_ok() && only
}
