//! Queries: WITH, the body, ORDER BY and LIMIT.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use datafusion::logical_expr::{EmptyRelation, Limit as PlanLimit, LogicalPlan, Sort, lit};
use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Cte, Expr, ExprKind, Limit, Literal, Query, QueryBody, SortItem};

use super::scope::{Relation, Scope, ScopeColumn};
use super::window::SortKey;
use super::{First, Names, Outer, Resolver, cast, evaluate};

/// A common table expression that can be named.
#[derive(Clone)]
pub(crate) struct Visible {
    cte: Arc<Cte>,
    /// How many of the others it sees.
    sees: usize,
    /// How many queries are around it.
    outer: usize,
    referred: Rc<Cell<bool>>,
}

/// More queries than these, each counted as often as it is referred to, are refused.
const MOST_QUERIES: usize = 5_000;

impl Resolver<'_> {
    pub(crate) fn query(&mut self, query: &Query) -> Result<Relation> {
        // A common table expression is resolved for each reference to it, so a chain of them may grow without end.
        self.queries += 1;
        if self.queries > MOST_QUERIES {
            return Err(Error::new("FAILED_TO_PARSE_TOO_COMPLEX", "The statement refers to too many queries."));
        }
        self.deeper(|it| {
            let before = it.ctes.len();
            it.no_conflict(&query.ctes)?;
            let result = it.define(&query.ctes).and_then(|()| it.query_body(query));
            let result = result.and_then(|relation| it.unreferred(before).map(|()| relation));
            it.ctes.truncate(before);
            result
        })
    }

    /// A query within may not name a common table expression as one around it is named, unless the session says which is meant.
    fn no_conflict(&mut self, ctes: &[Cte]) -> Result<()> {
        let starts = std::mem::replace(&mut self.starts, false);
        let policy = self.session.get("spark.sql.legacy.ctePrecedencePolicy").unwrap_or("EXCEPTION");
        if !starts || !policy.eq_ignore_ascii_case("EXCEPTION") {
            return Ok(());
        }
        match ctes.iter().find(|it| self.find_cte(&it.name.value).is_some()) {
            None => Ok(()),
            Some(it) => Err(Error::new(
                "AMBIGUOUS_ALIAS_IN_NESTED_CTE",
                format!(
                    "Name `{}` is ambiguous in nested CTE. Please set \"spark.sql.legacy.ctePrecedencePolicy\" to \"CORRECTED\" so that name defined in inner CTE takes precedence.",
                    it.name.value
                ),
            )),
        }
    }

    /// Makes common table expressions known; each sees those before it.
    pub(crate) fn define(&mut self, ctes: &[Cte]) -> Result<()> {
        for (at, cte) in ctes.iter().enumerate() {
            if ctes[..at].iter().any(|other| self.same(&other.name.value, &cte.name.value)) {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_0038",
                    format!("CTE definition can't have duplicate names: '{}'.", cte.name.value),
                ));
            }
            let sees = self.ctes.len();
            let referred = Rc::new(Cell::new(false));
            self.ctes.push(Visible { cte: Arc::new(cte.clone()), sees, outer: self.outer.len(), referred });
        }
        Ok(())
    }

    /// What nobody referred to has to be right all the same.
    fn unreferred(&mut self, before: usize) -> Result<()> {
        for at in before..self.ctes.len() {
            if !self.ctes[at].referred.get() {
                self.cte(at)?;
            }
        }
        Ok(())
    }

    /// The place of a common table expression.
    pub(crate) fn find_cte(&self, name: &str) -> Option<usize> {
        self.ctes.iter().rposition(|it| self.same(&it.cte.name.value, name))
    }

    /// The rows of a common table expression; each reference has columns of its own.
    pub(crate) fn cte(&mut self, at: usize) -> Result<Relation> {
        let Visible { cte, sees, outer, referred } = self.ctes[at].clone();
        referred.set(true);
        let hidden = self.ctes.split_off(sees);
        let moved = outer != self.outer.len();
        if moved {
            self.outer.push(Outer { scope: Scope::default(), used: Vec::new() });
        }
        self.starts = true;
        let relation = self.query(&cte.query);
        if moved {
            self.outer.pop();
        }
        self.ctes.truncate(sees);
        self.ctes.extend(hidden);
        let relation = relation?;
        let names: Vec<String> = cte.columns.iter().map(|it| it.value.clone()).collect();
        let scope = relation.scope.renamed(std::slice::from_ref(&cte.name.value), &names)?;
        Ok(Relation { plan: relation.plan, scope })
    }

    fn query_body(&mut self, query: &Query) -> Result<Relation> {
        let windows = self.windows.len();
        self.windows.extend(query.windows.iter().cloned());
        let order_by: &[SortItem] = if query.order_by.is_empty() { &query.sort_by } else { &query.order_by };
        let relation = match &query.body {
            QueryBody::Select(select) => self.select(select, order_by),
            other => self.body(other).and_then(|relation| self.sorted(relation, order_by)),
        };
        self.windows.truncate(windows);
        let relation = relation?;
        // Where rows are computed is nothing that a result shows. Of a SELECT the clauses may name columns that it does not give.
        if !matches!(query.body, QueryBody::Select(_)) {
            let names = Scope { columns: relation.scope.columns.clone() };
            for expr in query.cluster_by.iter().chain(&query.distribute_by) {
                self.expr(expr, Names::of(&names))?;
            }
        }
        self.limited(relation, query.limit.as_ref(), query.offset.as_ref())
    }

    pub(crate) fn body(&mut self, body: &QueryBody) -> Result<Relation> {
        self.deeper(|it| match body {
            QueryBody::Select(select) => it.select(select, &[]),
            QueryBody::Transform(_) => Err(Error::unsupported("TRANSFORM")),
            QueryBody::FromMany(queries) => it.union_all(queries),
            QueryBody::Table(reference) => {
                let name = it.reference(reference)?;
                it.table(&name)
            }
            QueryBody::Values(rows, alias) => it.values(rows, alias),
            QueryBody::Nested(query) => it.query(query),
            QueryBody::SetOperations(first, branches) => it.set_operations(first, branches),
        })
    }

    /// ORDER BY of what is no SELECT: by columns of the result.
    fn sorted(&mut self, relation: Relation, order_by: &[SortItem]) -> Result<Relation> {
        if order_by.is_empty() {
            return Ok(relation);
        }
        let columns: Vec<Typed> = relation.scope.visible().map(|it| it.column.clone()).collect();
        let mut keys = Vec::new();
        for item in order_by {
            keys.extend(self.order_item(item, &columns, Names::of(&relation.scope))?);
        }
        let keys = keys.iter().map(|key| key.to_sort(key.value.expr.clone())).collect();
        let plan = LogicalPlan::Sort(Sort { expr: keys, input: Arc::new(relation.plan), fetch: None });
        Ok(Relation { plan, scope: relation.scope })
    }

    /// A key of ORDER BY: a column by its place, all of them, or an expression.
    pub(crate) fn order_item(&mut self, item: &SortItem, output: &[Typed], names: Names<'_>) -> Result<Vec<SortKey>> {
        let key = |value: Typed| SortKey { value, descending: item.descending, nulls_first: item.nulls_first };
        match &*item.value.kind {
            ExprKind::Literal(Literal::Int(at)) if !self.is_off("spark.sql.orderByOrdinal") => {
                let found = usize::try_from(*at).ok().and_then(|at| output.get(at.wrapping_sub(1)));
                let found = found.ok_or_else(|| {
                    Error::new(
                        "ORDER_BY_POS_OUT_OF_RANGE",
                        format!("ORDER BY position {at} is not in select list (valid range is [1, {}]).", output.len()),
                    )
                })?;
                Ok(vec![key(found.clone())])
            }
            ExprKind::Column(parts) if matches!(parts.as_slice(), [one] if one.value.eq_ignore_ascii_case("all")) => {
                match self.expr(&item.value, names) {
                    Ok(value) => Ok(vec![key(value)]),
                    Err(_) => Ok(output.iter().cloned().map(key).collect()),
                }
            }
            _ => Ok(vec![key(self.expr(&item.value, names)?)]),
        }
    }

    fn limited(&mut self, relation: Relation, limit: Option<&Limit>, offset: Option<&Expr>) -> Result<Relation> {
        let fetch = match limit {
            Some(Limit::Rows(rows)) => Some(self.row_count(rows, "limit")?),
            _ => None,
        };
        let skip = offset.map(|rows| self.row_count(rows, "offset")).transpose()?;
        if fetch.is_none() && skip.is_none() {
            return Ok(relation);
        }
        let count = |rows: i64| Box::new(lit(rows));
        let input = Arc::new(relation.plan);
        let plan = LogicalPlan::Limit(PlanLimit { skip: skip.map(count), fetch: fetch.map(count), input });
        Ok(Relation { plan, scope: relation.scope })
    }

    fn row_count(&mut self, expr: &Expr, what: &str) -> Result<i64> {
        let scope = Scope::default();
        let typed = self.expr(expr, Names::of(&scope)).map_err(|error| match error.class.as_str() {
            class if class.starts_with("UNRESOLVED_COLUMN") => Error::new(
                "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE",
                format!("The {what} expression is invalid: it must evaluate to a constant value."),
            ),
            _ => error,
        })?;
        let wrong = |class: &str, why: &str| {
            let class = format!("INVALID_LIMIT_LIKE_EXPRESSION.{class}");
            Error::new(class, format!("The {what} expression \"{}\" is invalid: {why}", typed.name))
        };
        if !typed.foldable {
            return Err(wrong("IS_UNFOLDABLE", "it must evaluate to a constant value."));
        }
        if !matches!(typed.data_type, DataType::Int | DataType::Short | DataType::Byte) {
            return Err(wrong("DATA_TYPE", "it must be of type INT."));
        }
        let value = evaluate(&cast(typed.clone(), &DataType::Int, &self.settings)?)?;
        match value {
            ScalarValue::Int32(Some(rows)) if rows >= 0 => Ok(i64::from(rows)),
            ScalarValue::Int32(Some(_)) => Err(wrong("IS_NEGATIVE", "it must be equal to or greater than 0.")),
            _ => Err(wrong("IS_NULL", "it must not be NULL.")),
        }
    }

    /// Whether a setting that is on by itself was turned off.
    pub(crate) fn is_off(&self, key: &str) -> bool {
        self.session.get(key).is_some_and(|it| it.eq_ignore_ascii_case("false"))
    }

    /// One row without columns: what SELECT without FROM reads.
    pub(crate) fn one_row(&self) -> Relation {
        let schema = Arc::new(datafusion::common::DFSchema::empty());
        let plan = LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema });
        Relation { plan, scope: Scope::default() }
    }

    /// Columns as a scope without qualifiers.
    pub(crate) fn scope_of(columns: Vec<Typed>) -> Scope {
        Scope { columns: columns.into_iter().map(|column| ScopeColumn::new(&[], column)).collect() }
    }

    /// Names of ORDER BY: columns of the select list come first.
    pub(crate) fn output_first<'s>(scope: &'s Scope, aliases: &'s [(String, Typed)]) -> Names<'s> {
        Names { scope, aliases, first: First::Alias }
    }
}
