//! UNION, EXCEPT and INTERSECT.

use std::sync::Arc;

use datafusion::common::{JoinConstraint, JoinType, NullEquality};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Distinct, Expr as Plan, ExprFunctionExt, Join, LogicalPlan, Projection, Union, Window};
use paceline_functions::{Error, Result, Typed};
use paceline_syntax::tree::{Query, QueryBody, SetBranch, SetOp};

use super::coerce::widest;
use super::scope::{Relation, column};
use super::{Resolver, cast};

impl Resolver<'_> {
    pub(crate) fn set_operations(&mut self, first: &QueryBody, branches: &[SetBranch]) -> Result<Relation> {
        let mut left = self.body(first)?;
        for branch in branches {
            let right = self.body(&branch.body)?;
            left = self.set_operation(left, right, branch.op, branch.all)?;
        }
        Ok(left)
    }

    pub(crate) fn union_all(&mut self, queries: &[Query]) -> Result<Relation> {
        let mut all: Option<Relation> = None;
        for query in queries {
            let right = self.query(query)?;
            all = Some(match all {
                None => right,
                Some(left) => self.set_operation(left, right, SetOp::Union, true)?,
            });
        }
        all.ok_or_else(|| Error::new("PARSE_SYNTAX_ERROR", "No query."))
    }

    fn set_operation(&mut self, left: Relation, right: Relation, op: SetOp, all: bool) -> Result<Relation> {
        let (left_columns, right_columns): (Vec<Typed>, Vec<Typed>) = (
            left.scope.visible().map(|it| it.column.clone()).collect(),
            right.scope.visible().map(|it| it.column.clone()).collect(),
        );
        let name = match (op, all) {
            (SetOp::Union, _) => "UNION",
            (SetOp::Except, false) => "EXCEPT",
            (SetOp::Except, true) => "EXCEPT ALL",
            (SetOp::Intersect, false) => "INTERSECT",
            (SetOp::Intersect, true) => "INTERSECT ALL",
        };
        if left_columns.len() != right_columns.len() {
            return Err(Error::new(
                "NUM_COLUMNS_MISMATCH",
                format!(
                    "{name} can only be performed on inputs with the same number of columns, but the first input has {} columns and the second input has {} columns.",
                    left_columns.len(),
                    right_columns.len()
                ),
            ));
        }
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (at, (x, y)) in left_columns.into_iter().zip(right_columns).enumerate() {
            let Some(to) = widest(&x.data_type, &y.data_type, &self.settings) else {
                return Err(Error::new(
                    "INCOMPATIBLE_COLUMN_TYPE",
                    format!(
                        "{name} can only be performed on tables with compatible column types. The {} column of the second table is \"{}\" type which is not compatible with \"{}\" at the same column of the first table.",
                        at + 1,
                        y.data_type.sql(),
                        x.data_type.sql()
                    ),
                ));
            };
            a.push(cast(x, &to, &self.settings)?);
            b.push(cast(y, &to, &self.settings)?);
        }
        let nullable: Vec<bool> = a
            .iter()
            .zip(&b)
            .map(|(x, y)| match op {
                SetOp::Union => x.nullable || y.nullable,
                SetOp::Except => x.nullable,
                SetOp::Intersect => x.nullable && y.nullable,
            })
            .collect();
        let ids: Vec<String> = a.iter().map(|_| self.id()).collect();
        let left = named(left.plan, &a, &ids)?;
        let out: Vec<Typed> = a
            .into_iter()
            .zip(&ids)
            .zip(nullable)
            .map(|((it, id), nullable)| column(id, it.data_type, nullable, it.name))
            .collect();
        let plan = if op == SetOp::Union {
            let right = named(right.plan, &b, &ids)?;
            let union = LogicalPlan::Union(Union::try_new_with_loose_types(vec![Arc::new(left), Arc::new(right)])?);
            if all { union } else { LogicalPlan::Distinct(Distinct::All(Arc::new(union))) }
        } else {
            let others: Vec<String> = b.iter().map(|_| self.id()).collect();
            let right = named(right.plan, &b, &others)?;
            self.rows_in(left, right, ids, others, op, all)?
        };
        Ok(Relation { plan, scope: Self::scope_of(out) })
    }

    /// The rows that the other side has too, or has not; NULLs are equal. With ALL, the n-th row of a kind needs an n-th one.
    fn rows_in(
        &mut self,
        left: LogicalPlan,
        right: LogicalPlan,
        mut ids: Vec<String>,
        mut others: Vec<String>,
        op: SetOp,
        all: bool,
    ) -> Result<LogicalPlan> {
        let kept: Vec<Plan> = ids.iter().map(|id| plan_column(id)).collect();
        let (left, right) = if all {
            let (a, b) = (self.id(), self.id());
            let (left, right) = (numbered(left, &ids, &a)?, numbered(right, &others, &b)?);
            ids.push(a);
            others.push(b);
            (left, right)
        } else {
            (LogicalPlan::Distinct(Distinct::All(Arc::new(left))), right)
        };
        let kind = if op == SetOp::Except { JoinType::LeftAnti } else { JoinType::LeftSemi };
        let on = ids.iter().zip(&others).map(|(a, b)| (plan_column(a), plan_column(b))).collect();
        let (left, right) = (Arc::new(left), Arc::new(right));
        let join = Join::try_new(left, right, on, None, kind, JoinConstraint::On, NullEquality::NullEqualsNull, false)?;
        let plan = LogicalPlan::Join(join);
        if !all {
            return Ok(plan);
        }
        Ok(LogicalPlan::Projection(Projection::try_new(kept, Arc::new(plan))?))
    }
}

fn plan_column(id: &str) -> Plan {
    Plan::Column(datafusion::common::Column::new_unqualified(id))
}

/// Each row with its number among those equal to it.
fn numbered(plan: LogicalPlan, ids: &[String], number: &str) -> Result<LogicalPlan> {
    let partition = ids.iter().map(|id| plan_column(id)).collect();
    let call = row_number().partition_by(partition).build()?.alias(number);
    Ok(LogicalPlan::Window(Window::try_new(vec![call], Arc::new(plan))?))
}

fn named(plan: LogicalPlan, columns: &[Typed], ids: &[String]) -> Result<LogicalPlan> {
    let exprs = columns.iter().zip(ids).map(|(it, id)| it.expr.clone().alias(id.clone())).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
}
