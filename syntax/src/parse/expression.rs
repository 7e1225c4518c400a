//! Expressions from `OR` down to the operators of arithmetic, by precedence.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{BinaryOp, Expr, ExprKind, NamedExpr, Span, UnaryOp, WrittenAlias};

pub(super) fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind: Box::new(kind), span }
}

/// Comparisons bind weakest.
const COMPARISON: u8 = 1;

impl Parser<'_> {
    pub fn expression(&mut self) -> Parsed<Expr> {
        self.nested(Self::disjunction)
    }

    pub fn expressions(&mut self) -> Parsed<Vec<Expr>> {
        self.list(Self::expression)
    }

    /// An expression, perhaps with one name or several.
    pub fn named_expression(&mut self) -> Parsed<NamedExpr> {
        let value = self.expression()?;
        let alias = self.written_alias()?;
        Ok(NamedExpr { value, alias })
    }

    fn written_alias(&mut self) -> Parsed<Option<WrittenAlias>> {
        if self.is_word("AS") && !self.clause_at(1) && (self.identifier_at(1) || self.peek(1).kind == Kind::LeftParen) {
            self.advance();
        } else if self.clause_ahead() || !(self.identifier_at(0) || self.is(Kind::LeftParen)) {
            return Ok(None);
        }
        if self.is(Kind::LeftParen) {
            return self.identifier_list().map(WrittenAlias::Names).map(Some);
        }
        self.name_part().map(WrittenAlias::Name).map(Some)
    }

    fn disjunction(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let first = self.conjunction()?;
        if !self.operator_ahead("OR") {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.operator_ahead("OR") {
            self.advance();
            operands.push(self.beside(Self::conjunction)?);
        }
        self.stack()?;
        Ok(expr(ExprKind::Or(operands), self.span_from(start)))
    }

    fn conjunction(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let first = self.negation()?;
        if !self.operator_ahead("AND") {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.operator_ahead("AND") {
            self.advance();
            operands.push(self.beside(Self::negation)?);
        }
        self.stack()?;
        Ok(expr(ExprKind::And(operands), self.span_from(start)))
    }

    fn negation(&mut self) -> Parsed<Expr> {
        if !self.keyword_ahead("NOT") {
            return self.predicated();
        }
        let start = self.advance().span;
        let operand = self.nested(Self::negation)?;
        self.stack()?;
        Ok(expr(ExprKind::Not(operand), self.span_from(start)))
    }

    fn predicated(&mut self) -> Parsed<Expr> {
        if self.is_word("EXISTS") && self.peek(1).kind == Kind::LeftParen && self.query_in_parens_at(1) {
            let start = self.advance().span;
            let query = self.parenthesized(Self::query)?;
            return Ok(expr(ExprKind::Exists(Box::new(query)), self.span_from(start)));
        }
        let operand = self.value()?;
        self.predicate(operand)
    }

    /// An expression without `AND`, `OR`, `NOT` and predicates, unless in parentheses.
    pub fn value(&mut self) -> Parsed<Expr> {
        self.operators(COMPARISON)
    }

    fn operators(&mut self, weakest: u8) -> Parsed<Expr> {
        let mut left = self.unary()?;
        while let Some((op, strength)) = self.binary_operator().filter(|(_, strength)| *strength >= weakest) {
            self.advance();
            let right = self.beside(|parser| parser.operators(strength + 1))?;
            self.stack()?;
            let span = left.span.to(right.span);
            left = expr(ExprKind::Binary(left, op, right), span);
        }
        Ok(left)
    }

    fn binary_operator(&self) -> Option<(BinaryOp, u8)> {
        Some(match self.kind() {
            Kind::Asterisk => (BinaryOp::Multiply, 6),
            Kind::Slash => (BinaryOp::Divide, 6),
            Kind::Percent => (BinaryOp::Modulo, 6),
            Kind::Word if self.operator_ahead("DIV") => (BinaryOp::IntegralDivide, 6),
            Kind::Plus => (BinaryOp::Add, 5),
            Kind::Minus => (BinaryOp::Subtract, 5),
            Kind::Concat => (BinaryOp::Concat, 5),
            Kind::Ampersand => (BinaryOp::BitAnd, 4),
            Kind::Hat => (BinaryOp::BitXor, 3),
            Kind::Pipe => (BinaryOp::BitOr, 2),
            Kind::Eq => (BinaryOp::Eq, COMPARISON),
            Kind::NullSafeEq => (BinaryOp::NullSafeEq, COMPARISON),
            Kind::NotEq | Kind::BangEq => (BinaryOp::NotEq, COMPARISON),
            Kind::Lt => (BinaryOp::Lt, COMPARISON),
            Kind::LtEq => (BinaryOp::LtEq, COMPARISON),
            Kind::Gt => (BinaryOp::Gt, COMPARISON),
            Kind::GtEq => (BinaryOp::GtEq, COMPARISON),
            _ => return None,
        })
    }

    /// A sign in front of a number is part of it.
    fn unary(&mut self) -> Parsed<Expr> {
        let op = match self.kind() {
            Kind::Minus if self.number_at(1) => return self.primary(),
            Kind::Minus => UnaryOp::Minus,
            Kind::Plus => UnaryOp::Plus,
            Kind::Tilde => UnaryOp::BitNot,
            _ => return self.primary(),
        };
        let start = self.advance().span;
        let operand = self.nested(Self::unary)?;
        self.stack()?;
        Ok(expr(ExprKind::Unary(op, operand), self.span_from(start)))
    }
}
