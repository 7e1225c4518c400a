//! NOT in a condition, moved down to what it negates, as Spark does before it makes joins of subqueries: those take what is unknown
//! for false, so it matters which side of it NOT stands on.

use paceline_syntax::tree::{Expr, ExprKind, Predicate};

/// The same as NOT of an expression, where an IN of a query is within it.
pub(super) fn negated(expr: &Expr) -> Option<Expr> {
    has_query(expr).then(|| negate(expr))
}

fn has_query(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter().any(has_query),
        ExprKind::Not(operand) => has_query(operand),
        ExprKind::Predicate { predicate: Predicate::InQuery(_), .. } => true,
        _ => false,
    }
}

fn negate(expr: &Expr) -> Expr {
    let kind = match &*expr.kind {
        ExprKind::And(operands) => ExprKind::Or(operands.iter().map(negate).collect()),
        ExprKind::Or(operands) => ExprKind::And(operands.iter().map(negate).collect()),
        ExprKind::Not(operand) => return operand.clone(),
        ExprKind::Predicate { operand, negated, predicate: predicate @ Predicate::InQuery(_) } => {
            ExprKind::Predicate { operand: operand.clone(), negated: !negated, predicate: predicate.clone() }
        }
        _ => ExprKind::Not(expr.clone()),
    };
    Expr { kind: Box::new(kind), span: expr.span }
}
