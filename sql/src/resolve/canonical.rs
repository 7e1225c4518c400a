//! Expressions in the one form that all have which Spark takes for the same: `b + a` is `a + b`, and `a > b` is `b < a`.
//!
//! Only for comparison: what is computed stays as it was written.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr as Plan, Operator};
use paceline_functions::{Result, Typed};

/// Functions whose arguments may come in any order.
const ANY_ORDER: [&str; 7] =
    ["spark_add", "spark_multiply", "spark_bit_and", "spark_bit_or", "spark_bit_xor", "spark_greatest", "spark_least"];

/// Keys of a grouping, and what they are in that form if any of them has another.
pub(super) struct Keys {
    forms: Vec<Option<Plan>>,
    some: bool,
}

impl Keys {
    pub(super) fn new(keys: &[Typed]) -> Result<Self> {
        let mut forms = Vec::new();
        for key in keys {
            let turns = key.expr.exists(|it| Ok(may_turn(it)))?;
            forms.push(if turns { Some(canonical(&key.expr)?) } else { None });
        }
        let some = forms.iter().any(Option::is_some);
        Ok(Keys { forms, some })
    }

    /// The place of the key that an expression is.
    pub(super) fn place(&self, keys: &[Typed], expr: &Plan) -> Result<Option<usize>> {
        if let Some(at) = keys.iter().position(|key| &key.expr == expr) {
            return Ok(Some(at));
        }
        if !self.some || !may_turn(expr) {
            return Ok(None);
        }
        let form = canonical(expr)?;
        Ok(self.forms.iter().position(|it| it.as_ref() == Some(&form)))
    }
}

fn may_turn(expr: &Plan) -> bool {
    match expr {
        Plan::BinaryExpr(_) | Plan::InList(_) | Plan::Not(_) => true,
        Plan::ScalarFunction(call) => ANY_ORDER.contains(&call.func.name()) || call.args.iter().any(may_turn),
        Plan::Cast(cast) => may_turn(&cast.expr),
        _ => false,
    }
}

/// The form of an expression.
pub(super) fn canonical(expr: &Plan) -> Result<Plan> {
    let changed = expr.clone().transform_up(|expr| {
        Ok(Transformed::yes(match expr {
            Plan::ScalarFunction(mut call) if ANY_ORDER.contains(&call.func.name()) => {
                let mut all = Vec::new();
                for argument in call.args {
                    match argument {
                        Plan::ScalarFunction(inner) if inner.func == call.func => all.extend(inner.args),
                        other => all.push(other),
                    }
                }
                sort(&mut all);
                call.args = all;
                Plan::ScalarFunction(call)
            }
            Plan::BinaryExpr(binary) => turned(binary),
            Plan::Not(inner) => match *inner {
                Plan::BinaryExpr(BinaryExpr { left, op, right }) if opposite(op).is_some() => {
                    let op = opposite(op).unwrap_or(op);
                    turned(BinaryExpr { left, op, right })
                }
                other => Plan::Not(Box::new(other)),
            },
            Plan::InList(InList { expr, mut list, negated }) => {
                sort(&mut list);
                Plan::InList(InList { expr, list, negated })
            }
            other => other,
        }))
    })?;
    Ok(changed.data)
}

fn turned(binary: BinaryExpr) -> Plan {
    let BinaryExpr { left, op, right } = binary;
    let swapped = match op {
        Operator::Gt => Operator::Lt,
        Operator::GtEq => Operator::LtEq,
        Operator::Eq | Operator::IsNotDistinctFrom => {
            let mut sides = vec![*left, *right];
            sort(&mut sides);
            let mut sides = sides.into_iter().map(Box::new);
            return match (sides.next(), sides.next()) {
                (Some(left), Some(right)) => Plan::BinaryExpr(BinaryExpr { left, op, right }),
                _ => Plan::default(),
            };
        }
        Operator::And | Operator::Or => {
            let mut all = Vec::new();
            flatten(*left, op, &mut all);
            flatten(*right, op, &mut all);
            sort(&mut all);
            let all =
                all.into_iter().reduce(|left, right| Plan::BinaryExpr(BinaryExpr::new(left.into(), op, right.into())));
            return all.unwrap_or_default();
        }
        _ => return Plan::BinaryExpr(BinaryExpr { left, op, right }),
    };
    Plan::BinaryExpr(BinaryExpr { left: right, op: swapped, right: left })
}

fn flatten(expr: Plan, operator: Operator, to: &mut Vec<Plan>) {
    match expr {
        Plan::BinaryExpr(BinaryExpr { left, op, right }) if op == operator => {
            flatten(*left, operator, to);
            flatten(*right, operator, to);
        }
        other => to.push(other),
    }
}

fn opposite(op: Operator) -> Option<Operator> {
    Some(match op {
        Operator::Gt => Operator::LtEq,
        Operator::GtEq => Operator::Lt,
        Operator::Lt => Operator::GtEq,
        Operator::LtEq => Operator::Gt,
        _ => return None,
    })
}

fn sort(exprs: &mut [Plan]) {
    exprs.sort_by_cached_key(|expr| format!("{expr:?}"));
}
