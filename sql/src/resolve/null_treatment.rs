//! IGNORE NULLS and RESPECT NULLS.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr as Plan;
use datafusion::logical_expr::expr::NullTreatment;
use paceline_functions::{Error, Result, Typed, with_null_treatment};
use paceline_syntax::tree::Nulls;

/// A call that skips NULLs, or does not.
pub(super) fn with_nulls(typed: Typed, nulls: Nulls) -> Result<Typed> {
    let treatment = match nulls {
        Nulls::Ignore => NullTreatment::IgnoreNulls,
        Nulls::Respect => NullTreatment::RespectNulls,
    };
    // As Spark shows them: only nth_value tells of it, and first_value and last_value go by their other names.
    let name = match (nulls, typed.name.split_once('(')) {
        (Nulls::Ignore, Some(("nth_value", _))) => format!("{} ignore nulls", typed.name),
        (Nulls::Ignore, Some(("first_value", rest))) => format!("first({rest}"),
        (Nulls::Ignore, Some(("last_value", rest))) => format!("last({rest}"),
        _ => typed.name.clone(),
    };
    let changed = typed.expr.transform_down(|expr| {
        Ok(match expr {
            Plan::AggregateFunction(mut call) => {
                call.params.null_treatment = Some(treatment);
                Transformed::new(Plan::AggregateFunction(call), true, TreeNodeRecursion::Jump)
            }
            Plan::WindowFunction(mut call) => {
                with_null_treatment(&mut call, treatment);
                Transformed::new(Plan::WindowFunction(call), true, TreeNodeRecursion::Jump)
            }
            other => Transformed::no(other),
        })
    })?;
    if !changed.transformed {
        return Err(Error::new(
            "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
            format!("The function {} does not support IGNORE NULLS.", typed.name),
        ));
    }
    Ok(Typed { expr: changed.data, name, ..typed })
}
