//! Joins in place of subqueries that refer to the query around, for those that DataFusion itself makes none of.
//!
//! The different values of the outer columns are a relation, the domain. The subquery is computed for all of them at once: the domain
//! goes down its plan to where its columns are needed, and each node above keeps them apart. The result is joined to the query around.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinConstraint, JoinType, NullEquality};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::builder::unnest_with_options;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr as Plan, ExprFunctionExt, Filter, Join, Limit, LogicalPlan, Operator, Sort, Union,
    Window, binary_expr, lit,
};
use paceline_functions::{Error, Result};

use super::Resolver;
use super::call::each_aggregate;
use super::correlation::{is_simple, is_volatile};
use super::domain::{Domain, id, inward, join, narrowed, order_of, outer_name, projection, refers, sort_keys};

/// A plan, and the columns of it that hold the domain's.
pub(crate) struct Dependent {
    pub(crate) plan: LogicalPlan,
    ids: Vec<String>,
}

impl Resolver<'_> {
    /// Puts joins below expressions in place of their subqueries.
    pub(crate) fn join_subqueries(
        &mut self,
        plan: LogicalPlan,
        exprs: &mut [&mut Plan],
        all: bool,
    ) -> Result<LogicalPlan> {
        let mut plan = plan;
        let mut found: Vec<Plan> = Vec::new();
        for expr in exprs.iter() {
            expr.apply(|it| {
                let wanted = match it {
                    Plan::ScalarSubquery(query) => {
                        !query.outer_ref_columns.is_empty() && !is_simple(&query.subquery, true)
                    }
                    Plan::Exists(exists) => {
                        !exists.subquery.outer_ref_columns.is_empty()
                            && (all || !is_simple(&exists.subquery.subquery, false))
                    }
                    _ => false,
                };
                if wanted && !found.contains(it) {
                    found.push(it.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        for it in found {
            let replacement = match &it {
                Plan::ScalarSubquery(query) => {
                    let value = query.subquery.schema().field(0).name().clone();
                    let dependent = self.dependent(&plan, &query.subquery, &query.outer_ref_columns, true)?;
                    plan = self.attach(plan, dependent, &query.outer_ref_columns, JoinType::Left, None)?;
                    id(&value)
                }
                Plan::Exists(exists) => {
                    let used = &exists.subquery.outer_ref_columns;
                    let Dependent { plan: inner, ids } =
                        self.dependent(&plan, &exists.subquery.subquery, used, false)?;
                    let mark = self.id();
                    let inner = projection(ids.iter().map(|it| id(it)).collect(), inner)?;
                    let inner = LogicalPlan::Distinct(Distinct::All(Arc::new(inner)));
                    let marked = ids.iter().map(|it| id(it)).chain([lit(true).alias(mark.clone())]).collect();
                    let inner = projection(marked, inner)?;
                    plan = self.attach(plan, Dependent { plan: inner, ids }, used, JoinType::Left, None)?;
                    let there = id(&mark).is_not_null();
                    if exists.negated { Plan::Not(Box::new(there)) } else { there }
                }
                _ => continue,
            };
            for expr in exprs.iter_mut() {
                let whole = std::mem::take(*expr);
                **expr = whole
                    .transform_down(|node| {
                        Ok(if node == it {
                            Transformed::new(replacement.clone(), true, TreeNodeRecursion::Jump)
                        } else {
                            Transformed::no(node)
                        })
                    })?
                    .data;
            }
        }
        Ok(plan)
    }

    /// A subquery's rows for each row of the domain.
    pub(crate) fn dependent(
        &mut self,
        outer: &LogicalPlan,
        inner: &LogicalPlan,
        used: &[Plan],
        whole: bool,
    ) -> Result<Dependent> {
        if is_volatile(outer) {
            return Err(Error::unsupported("a correlated subquery of a query that is not deterministic"));
        }
        if let Some(function) = self.declared_in(inner)? {
            return Err(Error::new(
                "UNSUPPORTED_FEATURE.API_FUNCTION_IN_CORRELATED_SUBQUERY",
                format!(
                    "The API function '{function}' is called in a subquery with columns of the query around it; call it there \
                     and use its column: SELECT … FROM (SELECT *, {function}(…) AS answer FROM …)."
                ),
            ));
        }
        if is_volatile(inner) {
            return Err(Error::new(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_DETERMINISTIC_LATERAL_SUBQUERIES",
                "Unsupported subquery expression: Non-deterministic lateral subqueries are not supported when joining with outer relations that produce more than one row.",
            ));
        }
        let names = used.iter().filter_map(outer_name).collect();
        self.push(inner, &Domain { outer: outer.clone(), names, whole })
    }

    /// Joins a subquery's rows to the query around, whose NULLs are equal to the domain's.
    pub(crate) fn attach(
        &mut self,
        outer: LogicalPlan,
        inner: Dependent,
        used: &[Plan],
        kind: JoinType,
        on: Option<Plan>,
    ) -> Result<LogicalPlan> {
        let names = used.iter().filter_map(outer_name);
        let keys = names.zip(&inner.ids).map(|(name, it)| (id(&name), id(it))).collect();
        let (left, right) = (Arc::new(outer), Arc::new(inner.plan));
        let join = Join::try_new(left, right, keys, on, kind, JoinConstraint::On, NullEquality::NullEqualsNull, false)?;
        Ok(LogicalPlan::Join(join))
    }

    /// The domain, under new names.
    fn copy(&mut self, domain: &Domain) -> Result<Dependent> {
        let ids: Vec<String> = domain.names.iter().map(|_| self.id()).collect();
        let exprs = domain.names.iter().zip(&ids).map(|(name, new)| id(name).alias(new.clone())).collect();
        let plan = projection(exprs, narrowed(&domain.outer, &domain.names)?)?;
        Ok(Dependent { plan: LogicalPlan::Distinct(Distinct::All(Arc::new(plan))), ids })
    }

    fn push(&mut self, plan: &LogicalPlan, domain: &Domain) -> Result<Dependent> {
        self.deeper(|it| it.pushed(plan, domain))
    }

    fn pushed(&mut self, plan: &LogicalPlan, domain: &Domain) -> Result<Dependent> {
        if !refers(plan, domain) {
            let copy = self.copy(domain)?;
            let one_row =
                matches!(plan, LogicalPlan::EmptyRelation(it) if it.produce_one_row && it.schema.fields().is_empty());
            if one_row {
                return Ok(copy);
            }
            let plan =
                join(copy.plan, plan.clone(), Vec::new(), None, JoinType::Inner, NullEquality::NullEqualsNothing)?;
            return Ok(Dependent { plan, ids: copy.ids });
        }
        match plan {
            LogicalPlan::Projection(it) => {
                let below = self.push(&it.input, domain)?;
                let exprs = it
                    .expr
                    .iter()
                    .map(|expr| inward(expr, domain, &below.ids))
                    .chain(below.ids.iter().map(|it| Ok(id(it))));
                let plan = projection(exprs.collect::<Result<_>>()?, below.plan)?;
                Ok(Dependent { plan, ids: below.ids })
            }
            LogicalPlan::Filter(it) => {
                let below = self.push(&it.input, domain)?;
                let predicate = inward(&it.predicate, domain, &below.ids)?;
                let plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(below.plan))?);
                Ok(Dependent { plan, ids: below.ids })
            }
            LogicalPlan::Aggregate(it) => self.push_aggregate(it, domain),
            LogicalPlan::Join(it) => self.push_join(it, domain),
            LogicalPlan::Union(it) => {
                let ids: Vec<String> = domain.names.iter().map(|_| self.id()).collect();
                let mut inputs = Vec::new();
                for input in &it.inputs {
                    let columns: Vec<Plan> = input.schema().columns().into_iter().map(Plan::Column).collect();
                    let below = self.push(input, domain)?;
                    let renamed = below.ids.iter().zip(&ids).map(|(old, new)| id(old).alias(new.clone()));
                    inputs.push(Arc::new(projection(columns.into_iter().chain(renamed).collect(), below.plan)?));
                }
                Ok(Dependent { plan: LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?), ids })
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let below = self.push(input, domain)?;
                Ok(Dependent { plan: LogicalPlan::Distinct(Distinct::All(Arc::new(below.plan))), ids: below.ids })
            }
            LogicalPlan::Window(it) => {
                let below = self.push(&it.input, domain)?;
                let mut exprs = Vec::new();
                for expr in &it.window_expr {
                    let expr = inward(expr, domain, &below.ids)?;
                    let apart = expr.transform_down(|node| {
                        Ok(match node {
                            Plan::WindowFunction(mut call) => {
                                call.params.partition_by.extend(below.ids.iter().map(|it| id(it)));
                                Transformed::new(Plan::WindowFunction(call), true, TreeNodeRecursion::Jump)
                            }
                            other => Transformed::no(other),
                        })
                    })?;
                    exprs.push(apart.data);
                }
                let plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(below.plan))?);
                Ok(Dependent { plan, ids: below.ids })
            }
            LogicalPlan::Sort(it) => {
                let below = self.push(&it.input, domain)?;
                let keys = sort_keys(&it.expr, domain, &below.ids)?;
                let plan = LogicalPlan::Sort(Sort { expr: keys, input: Arc::new(below.plan), fetch: None });
                Ok(Dependent { plan, ids: below.ids })
            }
            LogicalPlan::Limit(it) => self.push_limit(it, domain),
            LogicalPlan::Unnest(it) => {
                let below = self.push(&it.input, domain)?;
                let plan = unnest_with_options(below.plan, it.exec_columns.clone(), it.options.clone())?;
                Ok(Dependent { plan, ids: below.ids })
            }
            other => Err(Error::unsupported(format!("a correlated subquery with {}", other.display()))),
        }
    }

    /// Groups are kept apart. Without groups there is one row for each of the domain, also where no row is below.
    fn push_aggregate(&mut self, it: &Aggregate, domain: &Domain) -> Result<Dependent> {
        let below = self.push(&it.input, domain)?;
        if it.group_expr.iter().any(|expr| matches!(expr, Plan::GroupingSet(_))) {
            return Err(Error::unsupported("grouping sets in a correlated subquery"));
        }
        let calls = it.aggr_expr.iter().map(|expr| inward(expr, domain, &below.ids)).collect::<Result<Vec<_>>>()?;
        if !it.group_expr.is_empty() || !domain.whole {
            let groups =
                it.group_expr.iter().map(|expr| inward(expr, domain, &below.ids)).collect::<Result<Vec<_>>>()?;
            let groups = groups.into_iter().chain(below.ids.iter().map(|it| id(it))).collect();
            let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(below.plan), groups, calls)?);
            return Ok(Dependent { plan, ids: below.ids });
        }
        let mark = self.id();
        let columns = below.plan.schema().columns().into_iter().map(Plan::Column);
        let marked = projection(columns.chain([lit(true).alias(mark.clone())]).collect(), below.plan)?;
        let all = self.copy(domain)?;
        let keys = all.ids.iter().zip(&below.ids).map(|(a, b)| (id(a), id(b))).collect();
        let plan = join(all.plan, marked, keys, None, JoinType::Left, NullEquality::NullEqualsNull)?;
        let mut counted = Vec::new();
        for call in calls {
            counted.push(each_aggregate(call, &mut |mut call| {
                let there = id(&mark).is_not_null();
                call.params.filter = Some(Box::new(match call.params.filter.take() {
                    None => there,
                    Some(filter) => there.and(*filter),
                }));
                call
            })?);
        }
        let groups = all.ids.iter().map(|it| id(it)).collect();
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan), groups, counted)?);
        Ok(Dependent { plan, ids: all.ids })
    }

    fn push_join(&mut self, it: &Join, domain: &Domain) -> Result<Dependent> {
        let (left_refers, right_refers) = (refers(&it.left, domain), refers(&it.right, domain));
        let left_has =
            matches!(it.join_type, JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti);
        let right_has = it.join_type == JoinType::Right;
        if !left_has && !right_has {
            return Err(Error::unsupported(format!("a {} join in a correlated subquery", it.join_type)));
        }
        let inner = it.join_type == JoinType::Inner;
        let keep = |plan: &LogicalPlan| Dependent { plan: plan.clone(), ids: Vec::new() };
        let left = if left_refers || (left_has && !(inner && right_refers)) {
            self.push(&it.left, domain)?
        } else {
            keep(&it.left)
        };
        let right = if right_refers || right_has { self.push(&it.right, domain)? } else { keep(&it.right) };
        let ids = if (right_has || left.ids.is_empty()) && !right.ids.is_empty() {
            right.ids.clone()
        } else {
            left.ids.clone()
        };
        let mut filter = it.filter.as_ref().map(|expr| inward(expr, domain, &ids)).transpose()?;
        let mut on = Vec::new();
        for (a, b) in &it.on {
            on.push((inward(a, domain, &ids)?, inward(b, domain, &ids)?));
        }
        for (a, b) in left.ids.iter().zip(&right.ids) {
            if it.null_equality == NullEquality::NullEqualsNull || on.is_empty() && filter.is_none() {
                on.push((id(a), id(b)));
                continue;
            }
            let same = binary_expr(id(a), Operator::IsNotDistinctFrom, id(b));
            filter = Some(match filter {
                None => same,
                Some(filter) => filter.and(same),
            });
        }
        let nulls = if it.on.is_empty() && !on.is_empty() { NullEquality::NullEqualsNull } else { it.null_equality };
        let plan = join(left.plan, right.plan, on, filter, it.join_type, nulls)?;
        Ok(Dependent { plan, ids })
    }

    /// The first rows of each of the domain.
    fn push_limit(&mut self, it: &Limit, domain: &Domain) -> Result<Dependent> {
        let number = |expr: &Option<Box<Plan>>| match expr.as_deref() {
            None => Ok(None),
            Some(Plan::Literal(datafusion::scalar::ScalarValue::Int64(Some(rows)), _)) => Ok(Some(*rows)),
            Some(_) => Err(Error::unsupported("this LIMIT in a correlated subquery")),
        };
        let (skip, fetch) = (number(&it.skip)?.unwrap_or(0), number(&it.fetch)?);
        let below = self.push(&it.input, domain)?;
        let keys = order_of(&it.input).map_or(Ok(Vec::new()), |keys| sort_keys(keys, domain, &below.ids))?;
        let at = self.id();
        let call = row_number().partition_by(below.ids.iter().map(|it| id(it)).collect()).order_by(keys).build()?;
        let plan = LogicalPlan::Window(Window::try_new(vec![call.alias(at.clone())], Arc::new(below.plan))?);
        let number = datafusion::logical_expr::cast(id(&at), datafusion::arrow::datatypes::DataType::Int64);
        let mut kept = number.clone().gt(lit(skip));
        if let Some(fetch) = fetch {
            kept = kept.and(number.lt_eq(lit(skip.saturating_add(fetch))));
        }
        let plan = LogicalPlan::Filter(Filter::try_new(kept, Arc::new(plan))?);
        Ok(Dependent { plan, ids: below.ids })
    }
}
