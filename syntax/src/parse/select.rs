//! `SELECT` and its clauses, behind `FROM` or in front of it.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Hint, LateralView, Query, QueryBody, Relation, Select, Span};

impl Parser<'_> {
    /// `SELECT … FROM …`, or a script's `TRANSFORM`, `MAP` or `REDUCE`.
    pub fn query_specification(&mut self, from: Vec<Relation>) -> Parsed<QueryBody> {
        let start = self.span();
        if self.transform_ahead() {
            return self.transform(from, Vec::new());
        }
        let mut select = self.select_clause(start)?;
        select.from = from;
        if self.is_word("FROM") {
            (select.from, select.lateral_views) = self.read_from()?;
        }
        self.select_rest(&mut select)?;
        Ok(QueryBody::Select(Box::new(select)))
    }

    /// What stands behind `FROM` at the start of a query.
    pub fn behind_from(&mut self, from: &[Relation], views: &[LateralView], start: Span) -> Parsed<Query> {
        let body = if self.transform_ahead() {
            self.transform(from.to_vec(), views.to_vec())?
        } else {
            let mut select = self.select_clause(start)?;
            (select.from, select.lateral_views) = (from.to_vec(), views.to_vec());
            self.select_rest(&mut select)?;
            QueryBody::Select(Box::new(select))
        };
        let mut query = Query::of(body, start);
        self.organization(&mut query)?;
        query.span = self.span_from(start);
        Ok(query)
    }

    fn select_clause(&mut self, start: Span) -> Parsed<Select> {
        self.expect_word("SELECT")?;
        let mut hints = Vec::new();
        while self.take(Kind::HintStart) {
            hints.push(self.hint()?);
            while !self.take(Kind::HintEnd) {
                self.take(Kind::Comma);
                hints.push(self.hint()?);
            }
        }
        let distinct = self.keyword_ahead("DISTINCT");
        if distinct || self.keyword_ahead("ALL") {
            self.advance();
        }
        let items = self.list(Self::named_expression)?;
        Ok(Select { hints, distinct, items, ..self.empty_select(start) })
    }

    pub fn empty_select(&self, start: Span) -> Select {
        Select {
            hints: Vec::new(),
            distinct: false,
            items: Vec::new(),
            from: Vec::new(),
            lateral_views: Vec::new(),
            filter: None,
            group_by: None,
            having: None,
            windows: Vec::new(),
            span: start,
        }
    }

    fn hint(&mut self) -> Parsed<Hint> {
        let name = self.identifier()?;
        let parameters = if self.is(Kind::LeftParen) {
            self.parenthesized(|parser| parser.list(Self::primary))?
        } else {
            Vec::new()
        };
        Ok(Hint { name, parameters })
    }

    /// From `LATERAL VIEW` to `WINDOW`.
    pub fn select_rest(&mut self, select: &mut Select) -> Parsed<()> {
        while self.is_words(&["LATERAL", "VIEW"]) {
            select.lateral_views.push(self.lateral_view()?);
        }
        if self.take_word("WHERE") {
            select.filter = Some(self.expression()?);
        }
        if self.take_words(&["GROUP", "BY"]) {
            select.group_by = Some(self.group_by()?);
        }
        if self.take_word("HAVING") {
            select.having = Some(self.expression()?);
        }
        select.windows = self.window_clause()?;
        select.span = self.span_from(select.span);
        Ok(())
    }

    pub fn lateral_view(&mut self) -> Parsed<LateralView> {
        let start = self.span();
        self.expect_words(&["LATERAL", "VIEW"])?;
        let outer = self.is_word("OUTER") && self.identifier_at(1);
        if outer {
            self.advance();
        }
        let generator = self.qualified_name()?;
        let arguments = |parser: &mut Self| {
            if parser.is(Kind::RightParen) { Ok(Vec::new()) } else { parser.expressions() }
        };
        let arguments = self.parenthesized(arguments)?;
        let table = self.identifier()?;
        let named = self.take_word("AS") || (self.identifier_at(0) && !self.clause_ahead());
        let columns = if named { self.list(Self::identifier)? } else { Vec::new() };
        Ok(LateralView { outer, generator, arguments, table, columns, span: self.span_from(start) })
    }
}
