//! Relations and their joins.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{
    AsOf, Expr, Join, JoinConstraint, JoinKind, LateralView, Reference, Relation, RelationKind, Sample, Span, Step,
    TableAlias, TableArgument,
};

impl Parser<'_> {
    /// `FROM a, b LATERAL VIEW …`; a pivot at the end is one of all of them.
    pub fn read_from(&mut self) -> Parsed<(Vec<Relation>, Vec<LateralView>)> {
        self.expect_word("FROM")?;
        let from = self.list(Self::relation)?;
        let mut views = Vec::new();
        while self.is_words(&["LATERAL", "VIEW"]) {
            views.push(self.lateral_view()?);
        }
        if views.is_empty() || !(self.pivot_ahead() || self.unpivot_ahead()) {
            return Ok((from, views));
        }
        let start = from.first().map_or_else(|| self.span(), |relation| relation.span);
        let (class, keyword) = match self.pivot_ahead() {
            true => ("NOT_ALLOWED_IN_FROM.LATERAL_WITH_PIVOT", "PIVOT"),
            false => ("NOT_ALLOWED_IN_FROM.LATERAL_WITH_UNPIVOT", "UNPIVOT"),
        };
        self.refuse(class, format!("Not allowed in the FROM clause: LATERAL together with {keyword}."), start);
        if self.pivot_ahead() {
            self.pivot()?
        } else {
            self.unpivot()?
        };
        Ok((from, views))
    }

    pub fn relation(&mut self) -> Parsed<Relation> {
        self.nested(Self::nestable_relation)
    }

    fn nestable_relation(&mut self) -> Parsed<Relation> {
        let start = self.span();
        let mut relation = self.joinable()?;
        loop {
            if self.pivot_ahead() {
                relation.steps.push(self.pivot()?);
            } else if self.unpivot_ahead() {
                relation.steps.push(self.unpivot()?);
            } else if self.join_ahead() {
                relation.steps.push(self.join()?);
            } else {
                relation.span = self.span_from(start);
                return Ok(relation);
            }
        }
    }

    /// A relation with `LATERAL` in front of it, perhaps, and nothing behind it.
    fn joinable(&mut self) -> Parsed<Relation> {
        let start = self.span();
        let lateral = self.is_word("LATERAL") && !self.word_at(1, "VIEW");
        if lateral {
            self.advance();
        }
        let inner = self.span();
        let kind = self.relation_primary()?;
        let derived = matches!(kind, RelationKind::Subquery { .. } | RelationKind::Function { .. });
        if lateral && !derived {
            let message = "Invalid SQL syntax: LATERAL can only be used with subquery and table-valued functions.";
            self.refuse("INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC", message, inner);
        }
        Ok(Relation { lateral, kind, steps: Vec::new(), span: self.span_from(start) })
    }

    fn relation_primary(&mut self) -> Parsed<RelationKind> {
        if self.is(Kind::LeftParen) {
            return self.relation_in_parens();
        }
        // `VALUES a` is a table and its alias.
        let aliased = self.strict_identifier_at(1) && !self.constant_at(1) && (self.ends_at(2) || self.clause_at(2));
        let aliased = aliased || (self.word_at_any(1, &["NULL", "TRUE", "FALSE"]) && self.ends_at(2));
        if self.is_word("VALUES") && !aliased && self.query_at(0) {
            return self.values().map(|(rows, alias)| RelationKind::Values(rows, alias));
        }
        if let Some(name) = self.function_ahead()? {
            let arguments = |parser: &mut Self| match parser.is(Kind::RightParen) {
                true => Ok(Vec::new()),
                false => parser.list(Self::table_argument),
            };
            let arguments = self.parenthesized(arguments)?;
            return Ok(RelationKind::Function { name, arguments, alias: self.table_alias()? });
        }
        let name = self.reference()?;
        let as_of = self.as_of()?;
        let sample = self.sample()?;
        Ok(RelationKind::Table { name, as_of, sample, alias: self.table_alias()? })
    }

    fn relation_in_parens(&mut self) -> Parsed<RelationKind> {
        if self.query_in_parens_at(0) {
            let query = Box::new(self.parenthesized(Self::query)?);
            let sample = self.sample()?;
            return Ok(RelationKind::Subquery { query, sample, alias: self.table_alias()? });
        }
        let relation = Box::new(self.parenthesized(Self::relation)?);
        let sample = self.sample()?;
        Ok(RelationKind::Nested { relation, sample, alias: self.table_alias()? })
    }

    /// The name of a function, if a parenthesis stands behind the name that comes next.
    fn function_ahead(&mut self) -> Parsed<Option<Reference>> {
        let computed = self.is_word("IDENTIFIER") && self.peek(1).kind == Kind::LeftParen;
        if computed && self.kind_behind_parens(1) == Kind::LeftParen {
            return self.reference().map(Some);
        }
        let mut ahead = 0;
        while self.identifier_at(ahead) && self.peek(ahead + 1).kind == Kind::Dot {
            ahead += 2;
        }
        let named = self.identifier_at(ahead) || (ahead == 0 && self.is_any(&["LEFT", "RIGHT", "FILTER"]));
        if computed || !named || self.peek(ahead + 1).kind != Kind::LeftParen {
            return Ok(None);
        }
        if ahead == 0 {
            return Ok(Some(Reference::Named(Self::named(self.any_word()))));
        }
        let name = self.qualified_name()?;
        let parts: Vec<_> = name.parts.iter().map(|part| format!("`{}`", part.value)).collect();
        let message =
            format!("Invalid SQL syntax: Table valued function cannot specify database name: {}.", parts.join("."));
        self.refuse("INVALID_SQL_SYNTAX.INVALID_TABLE_VALUED_FUNC_NAME", message, name.span);
        Ok(Some(Reference::Named(name)))
    }

    fn table_argument(&mut self) -> Parsed<TableArgument> {
        let named = self.identifier_at(0) && self.peek(1).kind == Kind::FatArrow;
        let table = if named { 2 } else { 0 };
        let tabled = self.word_at(table, "TABLE")
            && (self.identifier_at(table + 1) || self.peek(table + 1).kind == Kind::LeftParen);
        if !tabled {
            return self.argument().map(TableArgument::Expr);
        }
        let start = self.span();
        let name = if named { Some(self.identifier()?) } else { None };
        if named {
            self.advance();
        }
        self.advance();
        if !self.is(Kind::LeftParen) {
            let reference = self.reference()?;
            let written = self.text_of(self.last_span()).to_owned();
            let message = format!(
                "Invalid SQL syntax: Syntax error: call to table-valued function is invalid because parentheses are \
                 missing around the provided TABLE argument `{written}`; please surround this with parentheses and \
                 try again."
            );
            let class = "INVALID_SQL_SYNTAX.INVALID_TABLE_FUNCTION_IDENTIFIER_ARGUMENT_MISSING_PARENTHESES";
            self.refuse(class, message, start);
            return Ok(TableArgument::Table(name, reference));
        }
        if self.query_in_parens_at(0) {
            let query = self.parenthesized(Self::query)?;
            return Ok(TableArgument::Query(name, Box::new(query)));
        }
        let reference = self.parenthesized(Self::reference)?;
        Ok(TableArgument::Table(name, reference))
    }

    /// `VALUES 1, (2, 3) AS t(a, b)`
    pub fn values(&mut self) -> Parsed<(Vec<Expr>, TableAlias)> {
        self.expect_word("VALUES")?;
        let rows = self.expressions()?;
        Ok((rows, self.table_alias()?))
    }

    fn as_of(&mut self) -> Parsed<Option<AsOf>> {
        let keyword = usize::from(self.is_word("FOR"));
        let version = self.word_at_any(keyword, &["VERSION", "SYSTEM_VERSION"]);
        let time = self.word_at_any(keyword, &["TIMESTAMP", "SYSTEM_TIME"]);
        if !(version || time) || !self.word_at(keyword + 1, "AS") || !self.word_at(keyword + 2, "OF") {
            return Ok(None);
        }
        self.skip(keyword + 3);
        if time {
            return self.value().map(|time| Some(AsOf::Timestamp(time)));
        }
        if self.string_at(0) {
            return self.string().map(|version| Some(AsOf::Version(version)));
        }
        let span = self.expect(Kind::Integer)?.span;
        Ok(Some(AsOf::Version(self.text_of(span).to_owned())))
    }

    /// `AS t(a, b)`, if it comes next.
    pub fn table_alias(&mut self) -> Parsed<TableAlias> {
        if self.is_word("AS") && self.identifier_at(1) {
            self.advance();
            if !self.strict_identifier_at(0) {
                return self.wrong();
            }
        } else if !self.strict_identifier_at(0) || self.clause_ahead() {
            return Ok(TableAlias::default());
        }
        let name = Some(self.identifier()?);
        let columns = if self.is(Kind::LeftParen) { self.identifier_list()? } else { Vec::new() };
        Ok(TableAlias { name, columns })
    }

    fn join_ahead(&self) -> bool {
        let opening = &["JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "NATURAL"];
        self.is_any(opening)
    }

    fn join(&mut self) -> Parsed<Step> {
        let start = self.span();
        let natural = self.take_word("NATURAL");
        let kind = self.join_kind();
        self.expect_word("JOIN")?;
        let right = self.joinable()?;
        let constraint = if natural { None } else { self.join_constraint()? };
        if right.lateral {
            self.check_lateral_join(natural, kind, constraint.as_ref(), start);
        }
        Ok(Step::Join(Box::new(Join { kind, natural, right, constraint })))
    }

    fn join_kind(&mut self) -> JoinKind {
        let left = self.take_word("LEFT");
        let kinds = [
            ("SEMI", JoinKind::LeftSemi),
            ("ANTI", JoinKind::LeftAnti),
            ("INNER", JoinKind::Inner),
            ("CROSS", JoinKind::Cross),
            ("RIGHT", JoinKind::RightOuter),
            ("FULL", JoinKind::FullOuter),
        ];
        let known = if left { &kinds[..2] } else { &kinds[..] };
        let found = known.iter().find(|(keyword, _)| self.take_word(keyword)).map(|(_, kind)| *kind);
        let kind = found.unwrap_or(if left { JoinKind::LeftOuter } else { JoinKind::Inner });
        if matches!(kind, JoinKind::LeftOuter | JoinKind::RightOuter | JoinKind::FullOuter) {
            self.take_word("OUTER");
        }
        kind
    }

    fn join_constraint(&mut self) -> Parsed<Option<JoinConstraint>> {
        if self.take_word("ON") {
            return self.expression().map(JoinConstraint::On).map(Some);
        }
        if self.take_word("USING") {
            return self.identifier_list().map(JoinConstraint::Using).map(Some);
        }
        Ok(None)
    }

    fn check_lateral_join(&mut self, natural: bool, kind: JoinKind, constraint: Option<&JoinConstraint>, start: Span) {
        if natural {
            let message = "The feature is not supported: NATURAL join with LATERAL correlation.";
            self.refuse("INCOMPATIBLE_JOIN_TYPES", message, start);
        } else if matches!(constraint, Some(JoinConstraint::Using(_))) {
            let message = "The feature is not supported: JOIN USING with LATERAL correlation.";
            self.refuse("UNSUPPORTED_FEATURE.LATERAL_JOIN_USING", message, start);
        } else if !matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::LeftOuter) {
            let message = "The LATERAL correlation with JOIN of this type is not allowed.";
            self.refuse("INVALID_LATERAL_JOIN_TYPE", message, start);
        }
    }

    /// `TABLESAMPLE (…)`, if it comes next.
    fn sample(&mut self) -> Parsed<Option<Sample>> {
        if self.is_word("TABLESAMPLE") && self.peek(1).kind == Kind::LeftParen {
            return self.table_sample().map(Some);
        }
        Ok(None)
    }
}
