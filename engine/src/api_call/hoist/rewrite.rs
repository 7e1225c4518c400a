//! Places where a call cannot be carried out exactly, each with what to write instead.

use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::LogicalPlan;

/// The error for a node that calls are not lifted from.
pub(super) fn refuse<T>(plan: &LogicalPlan, function: &str) -> Result<T> {
    match plan {
        LogicalPlan::Values(_) => plan_err!(
            "the API function '{function}' is called in VALUES; call it over their rows: \
             SELECT {function}(x) FROM VALUES (…), (…) AS t(x)"
        ),
        LogicalPlan::Limit(_) => {
            plan_err!("the API function '{function}' is called in LIMIT or OFFSET, which take whole numbers")
        }
        other => plan_err!(
            "the API function '{function}' is called in '{}', which is not supported; call it in the SELECT list of a \
             subquery and use its column: SELECT … FROM (SELECT *, {function}(…) AS answer FROM …)",
            other.display()
        ),
    }
}

/// A call in a join condition that needs columns of both sides, or of none.
pub(super) fn refuse_in_join<T>(function: &str) -> Result<T> {
    plan_err!(
        "the API function '{function}' is called in a join condition and does not take its columns from one side alone, so \
         there is no side to call it for; join first and call then: SELECT … FROM (SELECT *, {function}(…) AS answer \
         FROM a JOIN b ON …) WHERE answer …"
    )
}

/// A call in a subquery with columns of the query around it.
pub(super) fn refuse_correlated<T>(function: &str) -> Result<T> {
    plan_err!(
        "the API function '{function}' is called in a subquery with columns of the query around it; call it there and use \
         its column: SELECT … FROM (SELECT *, {function}(…) AS answer FROM …)"
    )
}

/// A call for the rows that a subquery decides on, or with the rows of one as argument.
pub(super) fn refuse_subquery<T>(function: &str) -> Result<T> {
    plan_err!(
        "the API function '{function}' is called with, or under, IN or EXISTS of a subquery outside of WHERE's ANDs; put \
         that in WHERE with AND, or join the subquery: SELECT {function}(…) FROM a LEFT SEMI JOIN b ON …"
    )
}
