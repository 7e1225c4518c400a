//! From the syntax tree to DataFusion's logical plan, with Spark's semantics.
//!
//! Columns of the plan have names of their own (`c17`); the names that Spark gives them are in [`Resolved::output`]. So names that
//! occur twice, in another case or with dots never reach DataFusion. Nothing here runs a plan.

mod aggregate;
mod call;
mod canonical;
mod coerce;
mod correlation;
mod current;
mod declared;
mod decorrelate;
mod determinism;
mod domain;
mod expression;
mod fold;
mod generator;
mod grouping;
mod join;
mod keywords;
mod literal;
mod negation;
mod null_treatment;
mod operator;
mod pivot;
mod query;
mod relation;
mod scope;
mod select;
mod set_operation;
mod special;
mod star;
mod subquery;
mod table_function;
mod time_window;
mod types;
mod values;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection};
use paceline_functions::{Error, Result, Settings, StructField, Typed};
use paceline_syntax::tree::{NamedWindow, Query};

use crate::catalog::Session;
use scope::{Relation, Scope, column};

pub(crate) use coerce::{cast, store_cast};
pub(crate) use fold::evaluate;
pub(crate) use types::data_type;

/// A query that can be run.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The plan; its columns are those of `output`, in order.
    pub plan: LogicalPlan,
    /// Names and types as Spark has them; names may occur twice.
    pub output: Vec<StructField>,
    /// The names of the plan's columns where a declared function is called, by their names in the plan.
    pub names: BTreeMap<String, String>,
}

/// Resolves a query.
///
/// # Errors
/// As Spark would give them, or what Paceline does not do yet, by name.
pub fn resolve_query(session: &Session, query: &Query) -> Result<Resolved> {
    let mut resolver = Resolver::new(session);
    let relation = resolver.query(query)?;
    resolver.finish(relation)
}

/// Goes through a tree with what is known on the way.
pub(crate) struct Resolver<'a> {
    pub(crate) session: &'a Session,
    pub(crate) settings: Arc<Settings>,
    /// The database that names without one are of.
    database: String,
    ids: usize,
    /// Common table expressions, the innermost last, each with how many of the others it sees.
    ctes: Vec<query::Visible>,
    /// The scope of the query around the one that is resolved, if it may be referred to.
    outer: Vec<Outer>,
    /// Parameters of the lambdas around, the innermost last.
    lambdas: Vec<(String, Typed)>,
    /// The `WINDOW` clauses around.
    windows: Vec<NamedWindow>,
    /// The column that `window` or `session_window` of the query is, by which name it can be read, too.
    time_window: Option<Typed>,
    /// Whether a condition of a filter is resolved, where DataFusion makes joins of subqueries.
    in_filter: bool,
    /// Whether the next query is that of a common table expression or within an expression.
    starts: bool,
    /// Names of the outer columns of the last subquery, each as often as it is used.
    shown_outer: String,
    /// A temporary view that was read, as `` `a` ``.
    pub(crate) temporary: Option<String>,
    /// Names of columns where a declared function was called, by their names in the plan.
    pub(crate) names: BTreeMap<String, String>,
    /// How deep in queries, relations and expressions.
    depth: usize,
    /// How many queries were resolved.
    queries: usize,
}

/// A query around.
struct Outer {
    scope: Scope,
    used: Vec<Expr>,
}

/// Names that are looked up beside those of the scope.
#[derive(Clone, Copy)]
pub(crate) struct Names<'s> {
    pub(crate) scope: &'s Scope,
    /// Columns of the select list so far, by the names they were given.
    pub(crate) aliases: &'s [(String, Typed)],
    /// Which comes first.
    pub(crate) first: First,
}

/// What a name means first.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum First {
    /// A column of the relation.
    Scope,
    /// A column of the select list.
    Alias,
}

impl<'s> Names<'s> {
    pub(crate) fn of(scope: &'s Scope) -> Self {
        Names { scope, aliases: &[], first: First::Scope }
    }
}

/// How deep a statement may be nested, so that the stack never ends.
const DEPTH: usize = 220;

impl<'a> Resolver<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        Resolver {
            session,
            settings: Arc::clone(&session.settings),
            database: session.catalog.current.clone(),
            ids: 0,
            ctes: Vec::new(),
            outer: Vec::new(),
            lambdas: Vec::new(),
            windows: Vec::new(),
            time_window: None,
            in_filter: false,
            starts: false,
            shown_outer: String::new(),
            temporary: None,
            names: BTreeMap::new(),
            depth: 0,
            queries: 0,
        }
    }

    /// A new name for a column of the plan.
    fn id(&mut self) -> String {
        self.ids += 1;
        format!("c{}", self.ids)
    }

    fn deeper<T>(&mut self, what: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH {
            return Err(Error::new("FAILED_TO_PARSE_TOO_COMPLEX", "The statement is nested too deeply."));
        }
        self.depth += 1;
        let result = what(self);
        self.depth -= 1;
        result
    }

    /// A projection to these columns, each under a new name unless it is a column of the plan already.
    fn project(&mut self, plan: LogicalPlan, columns: Vec<Typed>) -> Result<(LogicalPlan, Vec<Typed>)> {
        let (mut exprs, mut out): (Vec<Expr>, Vec<Typed>) = (Vec::new(), Vec::new());
        for typed in columns {
            if matches!(typed.expr, Expr::Column(_)) {
                if !exprs.contains(&typed.expr) {
                    exprs.push(typed.expr.clone());
                }
                out.push(typed);
                continue;
            }
            let id = self.id();
            out.push(column(&id, typed.data_type, typed.nullable, typed.name));
            exprs.push(typed.expr.alias(id));
        }
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?);
        Ok((plan, out))
    }

    /// Rows of constants.
    pub(crate) fn constants(&mut self, fields: Vec<StructField>, rows: Vec<Vec<Typed>>) -> Result<Resolved> {
        let width = fields.len();
        let relation = if rows.is_empty() {
            let ids: Vec<String> = fields.iter().map(|_| self.id()).collect();
            let arrow: Vec<_> = fields.iter().zip(&ids).map(|(it, id)| it.data_type.to_field(id, true)).collect();
            let schema = DFSchema::from_unqualified_fields(arrow.into(), Default::default())?;
            let empty = EmptyRelation { produce_one_row: false, schema: Arc::new(schema) };
            let columns =
                fields.iter().zip(&ids).map(|(it, id)| column(id, it.data_type.clone(), true, &it.name)).collect();
            Relation { plan: LogicalPlan::EmptyRelation(empty), scope: Self::scope_of(columns) }
        } else {
            self.inline(rows, width)?
        };
        let resolved = self.finish(relation)?;
        Ok(Resolved { output: fields, ..resolved })
    }

    /// The plan with exactly the visible columns, each once, under names that say their place.
    pub(crate) fn finish(&mut self, relation: Relation) -> Result<Resolved> {
        let output = relation.scope.fields();
        let exprs: Vec<Expr> = relation
            .scope
            .visible()
            .enumerate()
            .map(|(at, it)| it.column.expr.clone().alias(format!("o{at}")))
            .collect();
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(relation.plan))?);
        Ok(Resolved { plan, output, names: std::mem::take(&mut self.names) })
    }
}
