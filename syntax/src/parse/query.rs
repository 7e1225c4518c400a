//! Queries: `WITH`, set operations by precedence, and what is done with the rows at the end.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Cte, Limit, Query, QueryBody, SetBranch, SetOp, Span};

impl Parser<'_> {
    pub fn query(&mut self) -> Parsed<Query> {
        self.nested(Self::nestable_query)
    }

    fn nestable_query(&mut self) -> Parsed<Query> {
        let ctes = self.ctes()?;
        self.query_behind(ctes)
    }

    /// A query whose `WITH` has been read.
    pub fn query_behind(&mut self, ctes: Vec<Cte>) -> Parsed<Query> {
        let start = self.span();
        let body = self.query_term()?;
        let mut query = Query::of(body, start);
        query.ctes = ctes;
        self.organization(&mut query)?;
        query.span = self.span_from(start);
        Ok(query)
    }

    /// `WITH a AS (…), …`, if it comes next.
    pub fn ctes(&mut self) -> Parsed<Vec<Cte>> {
        if !self.is_word("WITH") {
            return Ok(Vec::new());
        }
        let start = self.advance().span;
        let ctes = self.list(Self::cte)?;
        let same = |a: &Cte, b: &Cte| a.name.value.to_lowercase() == b.name.value.to_lowercase();
        let repeated: Vec<_> = (1..ctes.len())
            .filter(|&at| ctes[..at].iter().any(|earlier| same(earlier, &ctes[at])))
            .map(|at| format!("'{}'", ctes[at].name.value))
            .collect();
        if !repeated.is_empty() {
            let message = format!("CTE definition can't have duplicate names: {}.", repeated.join(", "));
            self.refuse("_LEGACY_ERROR_TEMP_0038", message, start);
        }
        Ok(ctes)
    }

    fn cte(&mut self) -> Parsed<Cte> {
        let name = self.name_part()?;
        let columns =
            if self.is(Kind::LeftParen) && !self.query_in_parens_at(0) { self.identifier_list()? } else { Vec::new() };
        self.take_word("AS");
        let query = self.parenthesized(Self::query)?;
        Ok(Cte { name, columns, query })
    }

    fn query_term(&mut self) -> Parsed<QueryBody> {
        if self.settings.set_operations_in_order {
            return self.set_operations(&[SetOp::Union, SetOp::Except, SetOp::Intersect], Self::query_primary);
        }
        let intersections = |parser: &mut Self| parser.set_operations(&[SetOp::Intersect], Self::query_primary);
        self.set_operations(&[SetOp::Union, SetOp::Except], intersections)
    }

    fn set_operations(&mut self, ops: &[SetOp], read: impl Fn(&mut Self) -> Parsed<QueryBody>) -> Parsed<QueryBody> {
        let first = read(self)?;
        let mut branches = Vec::new();
        while let Some(op) = self.set_operator().filter(|op| ops.contains(op)) {
            self.advance();
            let all = self.is_word("ALL");
            if all || self.is_word("DISTINCT") {
                self.advance();
            }
            let start = self.span();
            let body = read(self)?;
            branches.push(SetBranch { op, all, body, span: self.span_from(start) });
        }
        Ok(if branches.is_empty() { first } else { QueryBody::SetOperations(Box::new(first), branches) })
    }

    fn set_operator(&self) -> Option<SetOp> {
        let ops = [
            ("UNION", SetOp::Union),
            ("EXCEPT", SetOp::Except),
            ("MINUS", SetOp::Except),
            ("INTERSECT", SetOp::Intersect),
        ];
        ops.into_iter().find(|(keyword, _)| self.is_word(keyword)).map(|(_, op)| op)
    }

    fn query_primary(&mut self) -> Parsed<QueryBody> {
        if self.is(Kind::LeftParen) {
            let query = self.parenthesized(Self::query)?;
            return Ok(QueryBody::Nested(Box::new(query)));
        }
        if self.is_word("FROM") {
            return self.query_with_from();
        }
        if self.take_word("TABLE") {
            return self.reference().map(QueryBody::Table);
        }
        if self.is_word("VALUES") {
            let (rows, alias) = self.values()?;
            return Ok(QueryBody::Values(rows, alias));
        }
        self.query_specification(Vec::new())
    }

    /// `FROM t SELECT a SELECT b`: each reads the same relations.
    fn query_with_from(&mut self) -> Parsed<QueryBody> {
        let start = self.span();
        let (from, views) = self.read_from()?;
        let mut queries = Vec::new();
        while queries.is_empty() || self.is_any(&["SELECT", "MAP", "REDUCE"]) {
            queries.push(self.behind_from(&from, &views, start)?);
        }
        Ok(match <[Query; 1]>::try_from(queries) {
            Ok([query]) if query == Query::of(query.body.clone(), query.span) => query.body,
            Ok([query]) => QueryBody::Nested(Box::new(query)),
            Err(queries) => QueryBody::FromMany(queries),
        })
    }

    /// `ORDER BY`, `CLUSTER BY`, `DISTRIBUTE BY`, `SORT BY`, `WINDOW`, `LIMIT` and `OFFSET`, in this order.
    pub fn organization(&mut self, query: &mut Query) -> Parsed<()> {
        let start = self.span();
        if self.take_words(&["ORDER", "BY"]) {
            query.order_by = self.list(Self::sort_item)?;
        }
        if self.take_words(&["CLUSTER", "BY"]) {
            query.cluster_by = self.expressions()?;
        }
        if self.take_words(&["DISTRIBUTE", "BY"]) {
            query.distribute_by = self.expressions()?;
        }
        if self.take_words(&["SORT", "BY"]) {
            query.sort_by = self.list(Self::sort_item)?;
        }
        query.windows = self.window_clause()?;
        if self.take_word("LIMIT") {
            query.limit = Some(match self.is_word("ALL") && self.peek(1).kind != Kind::Dot {
                true => {
                    self.advance();
                    Limit::All
                }
                false => Limit::Rows(self.expression()?),
            });
        }
        if self.take_word("OFFSET") {
            query.offset = Some(self.expression()?);
        }
        self.check_organization(query, start);
        Ok(())
    }

    fn check_organization(&mut self, query: &Query, start: Span) {
        let [order, cluster] = [!query.order_by.is_empty(), !query.cluster_by.is_empty()];
        let [distribute, sort] = [!query.distribute_by.is_empty(), !query.sort_by.is_empty()];
        let combined = (order && (cluster || distribute || sort)) || (cluster && (distribute || sort));
        if combined {
            let message = "The feature is not supported: Combination of ORDER BY/SORT BY/DISTRIBUTE BY/CLUSTER BY.";
            self.refuse("UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES", message, start);
        }
    }
}
