//! Joins.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{JoinConstraint as PlanConstraint, JoinType, NullEquality};
use datafusion::logical_expr::{Expr as Plan, Filter, Join as PlanJoin, LogicalPlan, Projection, lit};
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Expr, Ident, Join, JoinConstraint, JoinKind, Relation as Tree, Step};

use super::coerce::{JOIN, condition, widest};
use super::determinism::joins_deterministic;
use super::scope::{Lookup, Relation, Scope, ScopeColumn};
use super::subquery::unique;
use super::{Names, Outer, Resolver, cast, column};

impl Resolver<'_> {
    pub(crate) fn cross(&mut self, left: Relation, right: Relation) -> Result<Relation> {
        joined(left, right, JoinType::Inner, None)
    }

    pub(crate) fn join(&mut self, left: Relation, join: &Join) -> Result<Relation> {
        if join.right.lateral {
            return self.lateral_join(left, join);
        }
        let right = self.relation(&join.right)?;
        let kind = match join.kind {
            JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
            JoinKind::LeftOuter => JoinType::Left,
            JoinKind::RightOuter => JoinType::Right,
            JoinKind::FullOuter => JoinType::Full,
            JoinKind::LeftSemi => JoinType::LeftSemi,
            JoinKind::LeftAnti => JoinType::LeftAnti,
        };
        let using: Option<Vec<String>> = match &join.constraint {
            Some(JoinConstraint::Using(columns)) => Some(columns.iter().map(|it| it.value.clone()).collect()),
            None if join.natural => Some(self.common_names(&left.scope, &right.scope)),
            _ => None,
        };
        if let Some(names) = using {
            return self.using(left, right, kind, &names);
        }
        let Some(JoinConstraint::On(on)) = &join.constraint else {
            return joined(left, right, kind, None);
        };
        let both = both(&left.scope, &right.scope);
        let mut on = self.on(on, &both)?;
        let has_subquery =
            on.exists(|it| Ok(matches!(it, Plan::ScalarSubquery(_) | Plan::Exists(_) | Plan::InSubquery(_))))?;
        if kind == JoinType::Inner && has_subquery {
            let all = joined(left, right, kind, None)?;
            let plan = self.join_subqueries(all.plan, &mut [&mut on], false)?;
            let plan = LogicalPlan::Filter(Filter::try_new(on, Arc::new(plan))?);
            return Ok(Relation { plan, scope: all.scope });
        }
        joined(left, right, kind, Some(on))
    }

    fn on(&mut self, on: &Expr, scope: &Scope) -> Result<Plan> {
        let in_filter = std::mem::replace(&mut self.in_filter, true);
        let typed = self.expr(on, Names::of(scope));
        self.in_filter = in_filter;
        Ok(joins_deterministic(condition(typed?, &self.settings, JOIN)?)?.expr)
    }

    fn common_names(&self, left: &Scope, right: &Scope) -> Vec<String> {
        let is_right = |name: &str| right.visible().any(|it| self.same(&it.column.name, name));
        left.visible().map(|it| it.column.name.clone()).filter(|name| is_right(name)).collect()
    }

    /// USING: the columns come first and once; those of both sides can be had with a qualifier.
    fn using(&mut self, left: Relation, right: Relation, kind: JoinType, names: &[String]) -> Result<Relation> {
        let sensitive = self.settings.case_sensitive;
        let side = |scope: &Scope, name: &str, side: &str| match scope.find(&[name], sensitive) {
            Lookup::Column(found, 1) => Ok(found),
            Lookup::Ambiguous(found) => Err(Error::new(
                "AMBIGUOUS_REFERENCE",
                format!("Reference `{name}` is ambiguous, could be: [{}].", found.join(", ")),
            )),
            _ => {
                let columns: Vec<String> = scope.visible().map(|it| format!("`{}`", it.column.name)).collect();
                Err(Error::new(
                    "UNRESOLVED_USING_COLUMN_FOR_JOIN",
                    format!(
                        "USING column `{name}` cannot be resolved on the {side} side of the join. The {side}-side columns: [{}].",
                        columns.join(", ")
                    ),
                ))
            }
        };
        let (mut on, mut keys): (Option<Plan>, Vec<(Typed, Typed, DataType)>) = (None, Vec::new());
        for name in names {
            let (a, b) = (side(&left.scope, name, "left")?, side(&right.scope, name, "right")?);
            let Some(to) = widest(&a.data_type, &b.data_type, &self.settings) else {
                return Err(Error::new(
                    "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
                    format!(
                        "Cannot resolve \"({} = {})\" due to data type mismatch: the left and right operands of the binary operator have incompatible types (\"{}\" and \"{}\").",
                        a.name,
                        b.name,
                        a.data_type.sql(),
                        b.data_type.sql()
                    ),
                ));
            };
            let one = cast(a.clone(), &to, &self.settings)?.expr.eq(cast(b.clone(), &to, &self.settings)?.expr);
            on = Some(match on {
                None => one,
                Some(before) => before.and(one),
            });
            keys.push((a, b, to));
        }
        let is_key = |it: &Typed, keys: &[(Typed, Typed, DataType)]| {
            keys.iter().any(|(a, b, _)| a.expr == it.expr || b.expr == it.expr)
        };
        let joined = joined(left, right, kind, on)?;
        let (mut columns, mut rest) = (Vec::new(), Vec::new());
        for mut it in joined.scope.columns {
            if is_key(&it.column, &keys) {
                it.hidden = true;
            }
            rest.push(it);
        }
        let mut plan = joined.plan;
        if kind == JoinType::Full {
            let mut all: Vec<Plan> = plan.schema().columns().into_iter().map(Plan::Column).collect();
            for (a, b, to) in &keys {
                let id = self.id();
                let (left, right) = (cast(a.clone(), to, &self.settings)?, cast(b.clone(), to, &self.settings)?);
                all.push(datafusion::functions::expr_fn::coalesce(vec![left.expr, right.expr]).alias(id.clone()));
                columns.push(ScopeColumn::new(&[], column(&id, to.clone(), a.nullable || b.nullable, &a.name)));
            }
            plan = LogicalPlan::Projection(Projection::try_new(all, Arc::new(plan))?);
        } else {
            for (a, b, _) in &keys {
                let key = if kind == JoinType::Right { b } else { a };
                let qualifier =
                    rest.iter().find(|it| it.column.expr == key.expr).map_or_else(Vec::new, |it| it.qualifier.clone());
                rest.retain(|it| it.column.expr != key.expr || !it.hidden);
                let column = Typed { name: a.name.clone(), ..key.clone() };
                columns.push(ScopeColumn::new(&qualifier, column));
            }
        }
        columns.extend(rest);
        Ok(Relation { plan, scope: Scope { columns } })
    }

    fn lateral_join(&mut self, left: Relation, join: &Join) -> Result<Relation> {
        let kind = match join.kind {
            JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
            JoinKind::LeftOuter => JoinType::Left,
            other => {
                return Err(Error::new(
                    "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING",
                    format!("{other:?} joins with LATERAL are not supported."),
                ));
            }
        };
        if join.natural || matches!(join.constraint, Some(JoinConstraint::Using(_))) {
            return Err(Error::new(
                "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING",
                "The feature is not supported: JOIN USING with LATERAL correlation.",
            ));
        }
        let on = match &join.constraint {
            Some(JoinConstraint::On(on)) => Some(on),
            _ => None,
        };
        self.lateral_of(left, &join.right, kind, on)
    }

    /// A relation that refers to what stands left of it.
    pub(crate) fn lateral(&mut self, left: Relation, right: &Tree, _using: &[Ident]) -> Result<Relation> {
        let first = Tree { lateral: false, kind: right.kind.clone(), steps: Vec::<Step>::new(), span: right.span };
        self.lateral_of(left, &first, JoinType::Inner, None)
    }

    fn lateral_of(&mut self, left: Relation, right: &Tree, kind: JoinType, on: Option<&Expr>) -> Result<Relation> {
        if on.is_none()
            && let paceline_syntax::tree::RelationKind::Function { name, arguments, alias } = &right.kind
            && let Some(relation) = self.lateral_function(&left, name, arguments, alias, kind == JoinType::Left)?
        {
            return Ok(relation);
        }
        self.outer.push(Outer { scope: left.scope.clone(), used: Vec::new() });
        let relation = self.source(&right.kind);
        let used = unique(self.outer.pop().map_or_else(Vec::new, |it| it.used));
        let right = relation?;
        let both = both(&left.scope, &right.scope);
        let on = on.map(|on| self.on(on, &both)).transpose()?;
        if used.is_empty() {
            return joined(left, right, kind, on);
        }
        let scope = joined_scope(left.scope, right.scope, kind);
        let dependent = self.dependent(&left.plan, &right.plan, &used, true)?;
        let plan = self.attach(left.plan, dependent, &used, kind, on)?;
        Ok(Relation { plan, scope })
    }
}

/// The columns of both sides.
fn both(left: &Scope, right: &Scope) -> Scope {
    Scope { columns: left.columns.iter().chain(&right.columns).cloned().collect() }
}

fn joined_scope(left: Scope, right: Scope, kind: JoinType) -> Scope {
    let nullable = |scope: Scope| Scope {
        columns: scope
            .columns
            .into_iter()
            .map(|it| ScopeColumn { column: Typed { nullable: true, ..it.column }, ..it })
            .collect(),
    };
    match kind {
        JoinType::LeftSemi | JoinType::LeftAnti => left,
        JoinType::Left => both(&left, &nullable(right)),
        JoinType::Right => both(&nullable(left), &right),
        JoinType::Full => both(&nullable(left), &nullable(right)),
        _ => both(&left, &right),
    }
}

fn joined(left: Relation, right: Relation, kind: JoinType, on: Option<Plan>) -> Result<Relation> {
    let scope = joined_scope(left.scope, right.scope, kind);
    let on = match (kind, on) {
        (JoinType::Inner, on) => on,
        (_, None) => Some(lit(true)),
        (_, on) => on,
    };
    let join = PlanJoin::try_new(
        Arc::new(left.plan),
        Arc::new(right.plan),
        Vec::new(),
        on,
        kind,
        PlanConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )?;
    Ok(Relation { plan: LogicalPlan::Join(join), scope })
}
