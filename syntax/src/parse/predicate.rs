//! What is asked of an operand: `BETWEEN`, `IN`, `LIKE`, `IS`.

use super::cursor::{Parsed, Parser};
use super::expression::expr;
use crate::token::Kind;
use crate::tree::{Expr, ExprKind, Predicate, Quantifier, Span, Truth};

impl Parser<'_> {
    /// At most one predicate can follow an operand.
    pub fn predicate(&mut self, operand: Expr) -> Parsed<Expr> {
        let start = self.span();
        let negatable = &["BETWEEN", "IN", "RLIKE", "LIKE", "ILIKE"];
        let (negated, predicate) = if self.operator_ahead("IS") {
            self.advance();
            (self.take_word("NOT"), self.is_predicate()?)
        } else {
            let negated = self.is_word("NOT") && self.word_at_any(1, negatable);
            if !negated && !negatable.iter().any(|keyword| self.operator_ahead(keyword)) {
                return Ok(operand);
            }
            if negated {
                self.advance();
            }
            (negated, self.comparing_predicate(start)?)
        };
        self.stack()?;
        let span = self.span_from(operand.span);
        Ok(expr(ExprKind::Predicate { operand, negated, predicate }, span))
    }

    fn is_predicate(&mut self) -> Parsed<Predicate> {
        let truths = [("TRUE", Truth::True), ("FALSE", Truth::False), ("UNKNOWN", Truth::Unknown)];
        if self.take_word("NULL") {
            return Ok(Predicate::IsNull);
        }
        if let Some((_, truth)) = truths.into_iter().find(|(keyword, _)| self.take_word(keyword)) {
            return Ok(Predicate::Is(truth));
        }
        self.expect_words(&["DISTINCT", "FROM"])?;
        self.value().map(Predicate::DistinctFrom)
    }

    fn comparing_predicate(&mut self, start: Span) -> Parsed<Predicate> {
        if self.take_word("BETWEEN") {
            let low = self.value()?;
            self.expect_word("AND")?;
            return Ok(Predicate::Between(low, self.value()?));
        }
        if self.take_word("IN") {
            // A query in parentheses of its own is one value.
            let scalar = self.peek(1).kind == Kind::LeftParen && self.kind_behind_parens(1) == Kind::RightParen;
            if self.is(Kind::LeftParen) && !scalar && self.query_in_parens_at(0) {
                return self.parenthesized(Self::query).map(|query| Predicate::InQuery(Box::new(query)));
            }
            return self.parenthesized(Self::expressions).map(Predicate::InList);
        }
        if self.take_word("RLIKE") {
            return self.value().map(Predicate::Rlike);
        }
        let ignore_case = self.is_word("ILIKE");
        self.advance();
        let quantifiers = [("ANY", Quantifier::Any), ("SOME", Quantifier::Any), ("ALL", Quantifier::All)];
        for (keyword, quantifier) in quantifiers {
            if self.is_word(keyword) && self.peek(1).kind == Kind::LeftParen {
                self.advance();
                return self.quantified(quantifier, ignore_case, start);
            }
        }
        let pattern = self.value()?;
        let escape = if self.is_word("ESCAPE") && self.string_at(1) { self.escape(start)? } else { None };
        Ok(Predicate::Like { pattern, escape, ignore_case })
    }

    fn quantified(&mut self, quantifier: Quantifier, ignore_case: bool, start: Span) -> Parsed<Predicate> {
        self.expect(Kind::LeftParen)?;
        if self.take(Kind::RightParen) {
            self.refuse("_LEGACY_ERROR_TEMP_0064", "Expected something between '(' and ')'.", start);
            return Ok(Predicate::LikeQuantified { quantifier, patterns: Vec::new(), ignore_case });
        }
        let patterns = self.expressions()?;
        self.expect(Kind::RightParen)?;
        Ok(Predicate::LikeQuantified { quantifier, patterns, ignore_case })
    }

    fn escape(&mut self, start: Span) -> Parsed<Option<char>> {
        self.advance();
        let text = self.string()?;
        let mut chars = text.chars();
        let (first, second) = (chars.next(), chars.next());
        if first.is_none() || second.is_some() {
            let message =
                format!("Found an invalid escape string: '{text}'. The escape string must contain only one character.");
            self.refuse("INVALID_ESC", message, start);
        }
        Ok(first)
    }
}
