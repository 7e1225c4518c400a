//! Where Spark takes no expression whose value depends on more than its row.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::Expr as Plan;
use paceline_functions::{Error, Result, Typed, is_nondeterministic};

/// In the arguments of aggregate functions.
pub(crate) fn aggregates_deterministic(typed: Typed) -> Result<Typed> {
    let of_more = typed.expr.exists(|expr| match expr {
        Plan::AggregateFunction(call) => {
            call.params.args.iter().try_fold(false, |found, argument| Ok(found || is_nondeterministic(argument)?))
        }
        _ => Ok(false),
    })?;
    if of_more {
        return Err(Error::new(
            "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION",
            format!(
                "Non-deterministic expression \"{}\" should not appear in the arguments of an aggregate function.",
                typed.name
            ),
        ));
    }
    Ok(typed)
}

/// In their FILTER.
pub(crate) fn filters_deterministic(filter: Typed) -> Result<Typed> {
    if is_nondeterministic(&filter.expr)? {
        return Err(Error::new(
            "_LEGACY_ERROR_TEMP_1024",
            "FILTER expression is non-deterministic, it cannot be used in aggregate functions.",
        ));
    }
    Ok(filter)
}

/// In the condition of a join.
pub(crate) fn joins_deterministic(on: Typed) -> Result<Typed> {
    if is_nondeterministic(&on.expr)? {
        return Err(Error::new(
            "INVALID_NON_DETERMINISTIC_EXPRESSIONS",
            format!("The operator expects a deterministic expression, but the actual expression is \"{}\".", on.name),
        ));
    }
    Ok(on)
}
