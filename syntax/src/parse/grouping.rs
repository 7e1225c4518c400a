//! `GROUP BY` in all its forms.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Expr, GroupBy, Grouping};

impl Parser<'_> {
    /// Behind `GROUP BY`.
    pub fn group_by(&mut self) -> Parsed<GroupBy> {
        let start = self.at;
        let elements = self.list(|parser| parser.grouping(false))?;
        if !self.suffix_ahead() {
            return Ok(GroupBy::Elements(elements));
        }
        // With a suffix, `CUBE(a)` is a function.
        self.at = start;
        let expressions = self.expressions()?;
        if self.take_words(&["WITH", "CUBE"]) {
            return Ok(GroupBy::WithCube(expressions));
        }
        if self.take_words(&["WITH", "ROLLUP"]) {
            return Ok(GroupBy::WithRollup(expressions));
        }
        self.expect_words(&["GROUPING", "SETS"])?;
        let sets = self.grouping_sets()?;
        Ok(GroupBy::WithSets(expressions, sets))
    }

    fn suffix_ahead(&self) -> bool {
        self.is_words(&["WITH", "CUBE"]) || self.is_words(&["WITH", "ROLLUP"]) || self.is_words(&["GROUPING", "SETS"])
    }

    fn grouping(&mut self, in_sets: bool) -> Parsed<Grouping> {
        if self.is_words(&["GROUPING", "SETS"]) && self.peek(2).kind == Kind::LeftParen {
            self.advance();
            self.advance();
            let elements = |parser: &mut Self| parser.list(|parser| parser.grouping(true));
            return self.nested(|parser| parser.parenthesized(elements)).map(Grouping::Sets);
        }
        let analytics = self.peek(1).kind == Kind::LeftParen && self.peek(2).kind != Kind::RightParen;
        if analytics && self.is_word("CUBE") {
            self.advance();
            return self.grouping_sets().map(Grouping::Cube);
        }
        if analytics && self.is_word("ROLLUP") {
            self.advance();
            return self.grouping_sets().map(Grouping::Rollup);
        }
        if in_sets { self.grouping_set().map(Grouping::Set) } else { self.expression().map(Grouping::Expr) }
    }

    fn grouping_sets(&mut self) -> Parsed<Vec<Vec<Expr>>> {
        self.parenthesized(|parser| parser.list(Self::grouping_set))
    }

    /// `(a, b)`, `()` or `a`
    fn grouping_set(&mut self) -> Parsed<Vec<Expr>> {
        let ends = matches!(self.kind_behind_parens(0), Kind::Comma | Kind::RightParen);
        if !self.is(Kind::LeftParen) || !ends || self.query_in_parens_at(0) {
            return Ok(vec![self.expression()?]);
        }
        let empty = self.peek(1).kind == Kind::RightParen;
        self.parenthesized(|parser| if empty { Ok(Vec::new()) } else { parser.expressions() })
    }
}
