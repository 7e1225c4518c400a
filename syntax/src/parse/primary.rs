//! What operators work on: names, constants, calls, `CASE`, `CAST`, parentheses; with fields and subscripts of them.

use super::cursor::{Parsed, Parser};
use super::expression::expr;
use crate::token::Kind;
use crate::tree::{CurrentValue, Expr, ExprKind, Ident, Name, NamedExpr, SpecialForm, When};

impl Parser<'_> {
    pub fn primary(&mut self) -> Parsed<Expr> {
        let mut base = self.primary_base()?;
        loop {
            if self.take(Kind::LeftBracket) {
                let index = self.nested(Self::value)?;
                self.expect(Kind::RightBracket)?;
                self.stack()?;
                let span = self.span_from(base.span);
                base = expr(ExprKind::Subscript(base, index), span);
            } else if self.is(Kind::Dot) && self.identifier_at(1) {
                self.advance();
                let field = self.any_word();
                let span = self.span_from(base.span);
                base = match *base.kind {
                    ExprKind::Column(mut parts) => {
                        parts.push(field);
                        expr(ExprKind::Column(parts), span)
                    }
                    kind => {
                        self.stack()?;
                        expr(ExprKind::Field(expr(kind, base.span), field), span)
                    }
                };
            } else {
                return Ok(base);
            }
        }
    }

    fn primary_base(&mut self) -> Parsed<Expr> {
        let start = self.span();
        match self.kind() {
            Kind::Asterisk => {
                self.advance();
                Ok(expr(ExprKind::Star(Vec::new()), start))
            }
            Kind::LeftParen => self.in_parentheses(),
            Kind::Question => {
                self.advance();
                self.parameters += 1;
                Ok(expr(ExprKind::PositionalParameter, start))
            }
            Kind::Colon => {
                self.advance();
                let name = self.identifier()?;
                Ok(expr(ExprKind::NamedParameter(name), self.span_from(start)))
            }
            _ if self.constant_at(0) => {
                let literal = self.constant()?;
                Ok(expr(ExprKind::Literal(literal), self.span_from(start)))
            }
            Kind::Word | Kind::Backquoted | Kind::DoubleQuoted | Kind::Bang => self.word(),
            _ => self.wrong(),
        }
    }

    fn word(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let next = self.peek(1).kind;
        let column = (self.word_at(1, "END") && self.ends_at(2)) || self.word_at(1, "AS");
        let function = next == Kind::LeftParen && self.ends_behind_parens(1);
        if self.keyword_ahead("CASE") && !column && !function {
            return self.case();
        }
        if next == Kind::LeftParen {
            if let Some(special) = self.special_form()? {
                return Ok(special);
            }
            if self.function_name_at() {
                return self.call();
            }
        }
        if let Some(value) = self.current_value() {
            let name = self.any_word();
            return Ok(expr(ExprKind::Special(SpecialForm::Current(value, name)), start));
        }
        if next == Kind::Arrow {
            let parameter = self.identifier()?;
            return self.lambda_body(vec![parameter], start);
        }
        let name = self.qualified_name()?;
        if self.is(Kind::Dot) && self.peek(1).kind == Kind::Asterisk {
            self.advance();
            self.advance();
            return Ok(expr(ExprKind::Star(name.parts), self.span_from(start)));
        }
        if self.is(Kind::LeftParen) && name.parts.len() > 1 {
            return self.call_of(crate::tree::Reference::Named(name), start);
        }
        Ok(expr(ExprKind::Column(name.parts), self.span_from(start)))
    }

    fn function_name_at(&self) -> bool {
        self.identifier_at(0) || ["FILTER", "LEFT", "RIGHT"].iter().any(|keyword| self.is_word(keyword))
    }

    /// Without reserved keywords `CURRENT_DATE` is a column unless nothing has it, which the resolver knows.
    fn current_value(&self) -> Option<CurrentValue> {
        let values = [
            ("CURRENT_DATE", CurrentValue::Date),
            ("CURRENT_TIMESTAMP", CurrentValue::Timestamp),
            ("CURRENT_USER", CurrentValue::User),
            ("USER", CurrentValue::User),
        ];
        let found = values.into_iter().find(|(keyword, _)| self.is_word(keyword));
        found.filter(|_| self.settings.reserved_keywords).map(|(_, value)| value)
    }

    fn case(&mut self) -> Parsed<Expr> {
        let start = self.advance().span;
        let searched = self.is_word("WHEN") && !matches!(self.peek(1).kind, Kind::Dot | Kind::Eq);
        let operand = if searched { None } else { Some(self.expression()?) };
        let mut whens = Vec::new();
        while self.take_word("WHEN") {
            let condition = self.expression()?;
            self.expect_word("THEN")?;
            whens.push(When { condition, result: self.expression()? });
        }
        if whens.is_empty() {
            return self.wrong();
        }
        let otherwise = if self.take_word("ELSE") { Some(self.expression()?) } else { None };
        self.expect_word("END")?;
        Ok(expr(ExprKind::Case { operand, whens, otherwise }, self.span_from(start)))
    }

    fn lambda_body(&mut self, parameters: Vec<Ident>, start: crate::tree::Span) -> Parsed<Expr> {
        self.expect(Kind::Arrow)?;
        let body = self.expression()?;
        Ok(expr(ExprKind::Lambda(parameters, body), self.span_from(start)))
    }

    /// A query, the parameters of a lambda, a row, or an expression that is grouped.
    fn in_parentheses(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if self.kind_behind_parens(0) == Kind::Arrow {
            let parameters = self.parenthesized(|parser| parser.list(Self::identifier))?;
            if parameters.len() < 2 {
                return self.wrong();
            }
            return self.lambda_body(parameters, start);
        }
        if self.query_in_parens_at(0) {
            let query = self.parenthesized(Self::query)?;
            return Ok(expr(ExprKind::Subquery(Box::new(query)), self.span_from(start)));
        }
        let values = self.parenthesized(|parser| {
            let values = parser.list(Self::named_expression)?;
            let renamed = values.len() == 1 && values.iter().any(|value| value.alias.is_some());
            if renamed { parser.wrong() } else { Ok(values) }
        })?;
        let span = self.span_from(start);
        match <[NamedExpr; 1]>::try_from(values) {
            Ok([NamedExpr { value, alias: None }]) => Ok(Expr { kind: value.kind, span }),
            Ok(_) => self.wrong(),
            Err(values) => Ok(expr(ExprKind::Row(values), span)),
        }
    }

    /// The name of a function as a name.
    pub fn named(name: Ident) -> Name {
        Name { span: name.span, parts: vec![name] }
    }
}
