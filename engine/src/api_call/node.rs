//! The logical node `ApiCall`: its input's columns and one more, the answer.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use paceline_udfs::Caller;
use paceline_udfs::spec::OnError;

use crate::position::Positions;

/// Calls one API function once for each row of its input, in order.
#[derive(Clone, Debug)]
pub struct ApiCall {
    /// What is called.
    pub caller: Arc<Caller>,
    /// The arguments, over the input's columns.
    pub arguments: Vec<Expr>,
    /// Which rows are called; the others' answer is NULL. `None` is all.
    pub guard: Option<Expr>,
    /// Name of the column with the answer; no input column has it.
    pub answer: String,
    /// Where the rows come from.
    pub input: LogicalPlan,
    /// Whether a row that is given up may leave the output, because what follows takes it row by row to a sink that
    /// keeps dead letters. Set by [`super::SetRowsAside`].
    pub dead_letters: bool,
    schema: DFSchemaRef,
}

impl ApiCall {
    /// The node; its schema follows from the input and the function.
    ///
    /// # Errors
    /// The input already has a column named like the answer.
    pub fn try_new(
        caller: Arc<Caller>,
        arguments: Vec<Expr>,
        guard: Option<Expr>,
        answer: String,
        input: LogicalPlan,
    ) -> Result<Self> {
        let api = caller.api();
        let added = Field::new(&answer, api.returns.clone(), true);
        let fields = input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let fields = fields.chain([(None, Arc::new(added))]).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(ApiCall { caller, arguments, guard, answer, input, dead_letters: false, schema })
    }

    /// The column with the answer.
    pub fn answer_column(&self) -> Expr {
        Expr::Column(Column::new_unqualified(&self.answer))
    }

    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    fn key(&self) -> (&str, &[Expr], &Option<Expr>, &str, &LogicalPlan, bool) {
        (&self.caller.api().name, &self.arguments, &self.guard, &self.answer, &self.input, self.dead_letters)
    }
}

impl PartialEq for ApiCall {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.caller, &other.caller) && self.key() == other.key()
    }
}

impl Eq for ApiCall {}

impl Hash for ApiCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for ApiCall {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.key().partial_cmp(&other.key())
    }
}

impl UserDefinedLogicalNodeCore for ApiCall {
    fn name(&self) -> &str {
        "ApiCall"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.arguments.iter().chain(&self.guard).cloned().collect()
    }

    /// Filters over input columns may pass below: a row that is dropped anyway need not be called for.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::from([self.answer.clone()])
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        let api = self.caller.api();
        write!(f, "ApiCall: {} = {}({}), ", self.answer, api.name, arguments.join(", "))?;
        if let Some(guard) = &self.guard {
            write!(f, "where {guard}, ")?;
        }
        write!(f, "quota={} ({}), on_error=", api.options.pace.quota, api.options.pace.limits)?;
        f.write_str(if self.dead_letters {
            "dead_letter"
        } else {
            fate_without_dead_letters(api.options.failure.on_error)
        })
    }

    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return plan_err!("ApiCall has one input");
        };
        let guard = if self.guard.is_some() { exprs.pop() } else { None };
        let new = ApiCall::try_new(Arc::clone(&self.caller), exprs, guard, self.answer.clone(), input)?;
        Ok(ApiCall { dead_letters: self.dead_letters, ..new })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let answer = self.schema.fields().len() - 1;
        let mut needed: Vec<_> = output_columns.iter().copied().filter(|column| *column != answer).collect();
        let used = self.arguments.iter().chain(&self.guard).flat_map(Expr::column_refs);
        needed.extend(used.filter_map(|column| self.input.schema().maybe_index_of_column(column)));
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }

    /// One row out for each row in, unless rows are set aside.
    fn supports_limit_pushdown(&self) -> bool {
        !self.dead_letters
    }
}

fn fate_without_dead_letters(on_error: OnError) -> &'static str {
    match on_error {
        OnError::Null => "null",
        OnError::Fail | OnError::DeadLetter => "fail",
    }
}

/// Marks the calls of a plan whose rows go to a sink that keeps dead letters.
///
/// # Errors
/// An operator between a call that sets rows aside and the sink does not work row by row: it would silently compute
/// on fewer rows.
pub fn rows_may_leave(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = mark(plan, None)?;
    plan.apply_with_subqueries(|node| match api_call(node) {
        Some(call) if sets_rows_aside(call) && !call.dead_letters => plan_err!(
            "the API function '{}' has on_error 'dead_letter' and is called in a subquery, whose rows do not reach the \
             output; declare it with on_error 'null' or 'fail'",
            call.caller.api().name
        ),
        _ => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(plan)
}

/// `barrier` is the operator above that needs all rows, if there is one.
fn mark(plan: LogicalPlan, barrier: Option<&str>) -> Result<LogicalPlan> {
    let plan = match (api_call(&plan), barrier) {
        (Some(call), None) if sets_rows_aside(call) => ApiCall { dead_letters: true, ..call.clone() }.into_plan(),
        (Some(call), Some(operator)) if sets_rows_aside(call) => {
            return plan_err!(
                "the API function '{}' has on_error 'dead_letter', which takes rows out of the output, but '{operator}' \
                 stands between the call and the output and needs all rows; declare it with on_error 'null' or 'fail', \
                 or write the answers first and read them back",
                call.caller.api().name
            );
        }
        _ => plan,
    };
    let own = (!is_row_by_row(&plan)).then(|| plan.display().to_string());
    let barrier = barrier.or(own.as_deref());
    Ok(plan.map_children(|child| mark(child, barrier).map(Transformed::yes))?.data)
}

fn sets_rows_aside(call: &ApiCall) -> bool {
    call.caller.api().options.failure.on_error == OnError::DeadLetter
}

fn api_call(plan: &LogicalPlan) -> Option<&ApiCall> {
    match plan {
        LogicalPlan::Extension(Extension { node }) => node.as_any().downcast_ref(),
        _ => None,
    }
}

fn is_row_by_row(plan: &LogicalPlan) -> bool {
    api_call(plan).is_some()
        || matches!(plan, LogicalPlan::Extension(Extension { node }) if node.as_any().is::<Positions>())
        || matches!(
            plan,
            LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::SubqueryAlias(_)
                | LogicalPlan::Union(_)
                | LogicalPlan::Repartition(_)
                | LogicalPlan::TableScan(_)
        )
}
