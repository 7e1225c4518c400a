//! Operators and predicates: each is a function of Spark's under its sign.

use paceline_functions::operators::{
    BinaryOperator, between, binary, bitwise_not, in_list, is_distinct, is_null, is_truth, negate, not, positive,
};
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{BinaryOp, Expr, ExprKind, Predicate, Quantifier, Truth, UnaryOp};

use super::{Names, Resolver, cast};

impl Resolver<'_> {
    pub(crate) fn unary(&mut self, op: UnaryOp, operand: Typed) -> Result<Typed> {
        match op {
            UnaryOp::Minus => negate(operand, &self.settings),
            UnaryOp::Plus => positive(operand, &self.settings),
            UnaryOp::BitNot => bitwise_not(operand, &self.settings),
        }
    }

    pub(crate) fn binary(&mut self, op: BinaryOp, left: Typed, right: Typed) -> Result<Typed> {
        let op = match op {
            BinaryOp::Multiply => BinaryOperator::Multiply,
            BinaryOp::Divide => BinaryOperator::Divide,
            BinaryOp::Modulo => BinaryOperator::Remainder,
            BinaryOp::IntegralDivide => BinaryOperator::IntegralDivide,
            BinaryOp::Add => BinaryOperator::Add,
            BinaryOp::Subtract => BinaryOperator::Subtract,
            BinaryOp::Concat => return self.call_named("concat", vec![left, right]),
            BinaryOp::BitAnd => BinaryOperator::BitAnd,
            BinaryOp::BitXor => BinaryOperator::BitXor,
            BinaryOp::BitOr => BinaryOperator::BitOr,
            BinaryOp::Eq => BinaryOperator::Equal,
            BinaryOp::NullSafeEq => BinaryOperator::NullSafeEqual,
            BinaryOp::NotEq => BinaryOperator::NotEqual,
            BinaryOp::Lt => BinaryOperator::Less,
            BinaryOp::LtEq => BinaryOperator::LessOrEqual,
            BinaryOp::Gt => BinaryOperator::Greater,
            BinaryOp::GtEq => BinaryOperator::GreaterOrEqual,
        };
        binary(op, left, right, &self.settings)
    }

    /// `a AND b AND c`, as balanced as Spark makes it.
    pub(crate) fn chain(&mut self, op: BinaryOperator, operands: &[Expr], names: Names<'_>) -> Result<Typed> {
        match operands {
            [] => Err(Error::new("INTERNAL_ERROR", "A chain of no conditions.")),
            [one] => self.expr(one, names),
            many => {
                let middle = (many.len() - 1) / 2 + 1;
                let left = self.chain(op, &many[..middle], names)?;
                let right = self.chain(op, &many[middle..], names)?;
                binary(op, left, right, &self.settings)
            }
        }
    }

    pub(crate) fn predicate(
        &mut self,
        operand: &Expr,
        negated: bool,
        predicate: &Predicate,
        names: Names<'_>,
    ) -> Result<Typed> {
        if let Predicate::InQuery(query) = predicate {
            let operands = match &*operand.kind {
                ExprKind::Row(fields) => self.exprs(fields.iter().map(|field| &field.value), names)?,
                _ => vec![self.expr(operand, names)?],
            };
            return self.in_subquery(operands, query, negated, names);
        }
        let tested = self.expr(operand, names)?;
        let typed = match predicate {
            Predicate::Between(low, high) => {
                let (low, high) = (self.expr(low, names)?, self.expr(high, names)?);
                between(tested, low, high, &self.settings)?
            }
            Predicate::InList(list) => {
                let list = self.exprs(list, names)?;
                in_list(tested, list, &self.settings)?
            }
            Predicate::InQuery(_) => return Err(Error::new("INTERNAL_ERROR", "IN of a query.")),
            Predicate::Rlike(pattern) => {
                let pattern = self.expr(pattern, names)?;
                self.call_named("rlike", vec![tested, pattern])?
            }
            Predicate::Like { pattern, escape, ignore_case } => {
                let mut arguments = vec![tested, self.expr(pattern, names)?];
                if let Some(escape) = escape {
                    let escape = escape.to_string();
                    arguments.push(Typed::literal(escape.as_str().into(), DataType::String, escape));
                }
                self.call_named(if *ignore_case { "ilike" } else { "like" }, arguments)?
            }
            Predicate::LikeQuantified { quantifier, patterns, ignore_case } => {
                let like = if *ignore_case { "ilike" } else { "like" };
                let patterns = self.exprs(patterns, names)?;
                return self.like_quantified(tested, *quantifier, patterns, like, negated);
            }
            Predicate::IsNull => return Ok(is_null(tested, negated)),
            Predicate::Is(Truth::Unknown) => {
                let name = tested.name.clone();
                let tested = cast(tested, &DataType::Boolean, &self.settings)?;
                return Ok(is_null(Typed { name, ..tested }, negated));
            }
            Predicate::Is(truth) => is_truth(tested, *truth == Truth::True, &self.settings)?,
            Predicate::DistinctFrom(other) => {
                let other = self.expr(other, names)?;
                return is_distinct(tested, other, negated, &self.settings);
            }
        };
        if negated { not(typed, &self.settings) } else { Ok(typed) }
    }

    fn like_quantified(
        &mut self,
        tested: Typed,
        quantifier: Quantifier,
        patterns: Vec<Typed>,
        like: &str,
        negated: bool,
    ) -> Result<Typed> {
        let op = if quantifier == Quantifier::Any { BinaryOperator::Or } else { BinaryOperator::And };
        // Constant patterns are part of one expression, whose name leaves them out.
        let name = patterns.iter().all(|it| it.as_literal().is_some_and(|it| !it.is_null())).then(|| {
            let tested = if like == "ilike" { format!("lower({})", tested.name) } else { tested.name.clone() };
            let quantifier = if quantifier == Quantifier::Any { "any" } else { "all" };
            format!("{}like{quantifier}({tested})", if negated { "not" } else { "" })
        });
        let mut all: Option<Typed> = None;
        for pattern in patterns {
            let mut one = self.call_named(like, vec![tested.clone(), pattern])?;
            if negated {
                one = not(one, &self.settings)?;
            }
            all = Some(match all {
                None => one,
                Some(before) => binary(op, before, one, &self.settings)?,
            });
        }
        let all = all.ok_or_else(|| Error::new("PARSE_SYNTAX_ERROR", "Expected something between '(' and ')'."))?;
        Ok(match name {
            Some(name) => Typed { name, ..all },
            None => all,
        })
    }
}
