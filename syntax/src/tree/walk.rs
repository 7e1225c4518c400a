//! The expressions that an expression is made of.

use super::{Expr, ExprKind, Predicate, SpecialForm, Window};

impl Expr {
    /// The expressions right below, in order; those of queries within it are not.
    pub fn children(&self) -> Vec<&Expr> {
        match &*self.kind {
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Star(_)
            | ExprKind::Exists(_)
            | ExprKind::Subquery(_)
            | ExprKind::NamedParameter(_)
            | ExprKind::PositionalParameter => Vec::new(),
            ExprKind::ComputedColumn(one)
            | ExprKind::Field(one, _)
            | ExprKind::Unary(_, one)
            | ExprKind::Not(one)
            | ExprKind::Cast { operand: one, .. }
            | ExprKind::Lambda(_, one) => vec![one],
            ExprKind::Subscript(left, right) | ExprKind::Binary(left, _, right) => vec![left, right],
            ExprKind::And(all) | ExprKind::Or(all) => all.iter().collect(),
            ExprKind::Predicate { operand, predicate, .. } => {
                let mut all = vec![operand];
                match predicate {
                    Predicate::Between(low, high) => all.extend([low, high]),
                    Predicate::InList(list) => all.extend(list),
                    Predicate::Rlike(one) | Predicate::Like { pattern: one, .. } | Predicate::DistinctFrom(one) => {
                        all.push(one);
                    }
                    Predicate::LikeQuantified { patterns, .. } => all.extend(patterns),
                    Predicate::InQuery(_) | Predicate::IsNull | Predicate::Is(_) => {}
                }
                all
            }
            ExprKind::Case { operand, whens, otherwise } => {
                let whens = whens.iter().flat_map(|when| [&when.condition, &when.result]);
                operand.iter().chain(whens).chain(otherwise).collect()
            }
            ExprKind::Struct(fields) | ExprKind::Row(fields) => fields.iter().map(|field| &field.value).collect(),
            ExprKind::Call(call) => {
                let mut all: Vec<&Expr> = call.arguments.iter().map(|it| &it.value).chain(&call.filter).collect();
                all.extend(call.over.iter().flat_map(of_window));
                all
            }
            ExprKind::Special(form) => of_form(form),
        }
    }

    /// Calls `visit` with the expression and all that it is made of.
    pub fn walk<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        let mut left = vec![self];
        while let Some(next) = left.pop() {
            visit(next);
            left.extend(next.children().into_iter().rev());
        }
    }
}

fn of_window(window: &Window) -> Vec<&Expr> {
    match window {
        Window::Named(_) => Vec::new(),
        Window::Spec { partition_by, order_by, .. } => {
            partition_by.iter().chain(order_by.iter().map(|it| &it.value)).collect()
        }
    }
}

fn of_form(form: &SpecialForm) -> Vec<&Expr> {
    match form {
        SpecialForm::Current(..) => Vec::new(),
        SpecialForm::Extract(_, source) => vec![source],
        SpecialForm::Substring(text, start, length) => [text, start].into_iter().chain(length).collect(),
        SpecialForm::Trim { characters, text, .. } => characters.iter().chain([text]).collect(),
        SpecialForm::Overlay(text, replacement, start, length) => {
            [text, replacement, start].into_iter().chain(length).collect()
        }
        SpecialForm::Position(first, second)
        | SpecialForm::TimestampAdd(_, _, first, second)
        | SpecialForm::TimestampDiff(_, _, first, second) => vec![first, second],
        SpecialForm::Percentile(percentile) => {
            let mut all = vec![&percentile.fraction, &percentile.order_by.value];
            all.extend(&percentile.filter);
            all.extend(percentile.over.iter().flat_map(of_window));
            all
        }
    }
}
