//! Which expressions Spark takes for ones that may have another value each time.

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::Expr;

use crate::position_of;

/// The functions, as they are called in plans. What fails on purpose is volatile to DataFusion, and deterministic to Spark.
const NAMES: &[&str] = &["spark_shuffle", "uuid"];

/// Whether a value of `expr` depends on more than its row: a random one, or where the row is. API functions are not asked.
///
/// # Errors
/// None; the walk through an expression has a result.
pub fn is_nondeterministic(expr: &Expr) -> Result<bool> {
    expr.exists(|expr| match expr {
        Expr::ScalarFunction(call) => Ok(NAMES.contains(&call.name()) || position_of(call).is_some()),
        _ => Ok(false),
    })
}
