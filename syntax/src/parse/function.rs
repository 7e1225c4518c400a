//! Calls of functions, with what may stand behind them.

use super::cursor::{Parsed, Parser};
use super::expression::expr;
use crate::token::Kind;
use crate::tree::{Argument, Expr, ExprKind, FunctionCall, Nulls, Reference, Span, Window};

impl Parser<'_> {
    /// A call by a name of one part, or by `IDENTIFIER(…)`; the parenthesis comes next.
    pub fn call(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if self.is_word("IDENTIFIER") && self.commas_in_parens(1) == 0 && self.peek(2).kind != Kind::RightParen {
            self.advance();
            let name = self.parenthesized(Self::expression)?;
            if self.is(Kind::LeftParen) {
                return self.call_of(Reference::Computed(name), start);
            }
            return Ok(expr(ExprKind::ComputedColumn(name), self.span_from(start)));
        }
        let name = Self::named(self.any_word());
        self.call_of(Reference::Named(name), start)
    }

    pub fn call_of(&mut self, name: Reference, start: Span) -> Parsed<Expr> {
        self.expect(Kind::LeftParen)?;
        let distinct = self.keyword_ahead("DISTINCT");
        if distinct || self.keyword_ahead("ALL") {
            self.advance();
        }
        let arguments = if self.is(Kind::RightParen) { Vec::new() } else { self.list(Self::argument)? };
        let ignores = arguments.len() == 1 && !distinct && self.is_words(&["IGNORE", "NULLS"]) && takes_ignore(&name);
        if ignores {
            self.advance();
            self.advance();
        }
        self.expect(Kind::RightParen)?;
        let nulls = ignores.then_some(Nulls::Ignore);
        let mut call = FunctionCall { name, distinct, arguments, filter: None, nulls, over: None };
        if !ignores {
            call.filter = self.call_filter()?;
            call.nulls = self.call_nulls();
            call.over = self.call_over()?;
        }
        Ok(expr(ExprKind::Call(call), self.span_from(start)))
    }

    pub fn argument(&mut self) -> Parsed<Argument> {
        if self.identifier_at(0) && self.peek(1).kind == Kind::FatArrow {
            let name = self.identifier()?;
            self.advance();
            return Ok(Argument { name: Some(name), value: self.expression()? });
        }
        Ok(Argument { name: None, value: self.expression()? })
    }

    /// `FILTER (WHERE …)`
    pub fn call_filter(&mut self) -> Parsed<Option<Expr>> {
        if !(self.is_word("FILTER") && self.peek(1).kind == Kind::LeftParen && self.word_at(2, "WHERE")) {
            return Ok(None);
        }
        self.advance();
        let condition = |parser: &mut Self| {
            parser.expect_word("WHERE")?;
            parser.expression()
        };
        self.parenthesized(condition).map(Some)
    }

    fn call_nulls(&mut self) -> Option<Nulls> {
        if self.take_words(&["IGNORE", "NULLS"]) {
            return Some(Nulls::Ignore);
        }
        self.take_words(&["RESPECT", "NULLS"]).then_some(Nulls::Respect)
    }

    pub fn call_over(&mut self) -> Parsed<Option<Window>> {
        if self.is_word("OVER") && (self.identifier_at(1) || self.peek(1).kind == Kind::LeftParen) {
            self.advance();
            return self.window_spec().map(Some);
        }
        Ok(None)
    }
}

/// Whether `IGNORE NULLS` may stand within the parentheses.
fn takes_ignore(name: &Reference) -> bool {
    let Reference::Named(name) = name else { return false };
    let known = ["FIRST", "LAST", "ANY_VALUE"];
    matches!(&name.parts[..], [part] if !part.quoted && known.iter().any(|known| part.value.eq_ignore_ascii_case(known)))
}
