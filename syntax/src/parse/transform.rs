//! `SELECT TRANSFORM(…) USING 'script'`, `MAP` and `REDUCE`: rows through a script.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{LateralView, QueryBody, Relation, Transform, TransformOutput};

impl Parser<'_> {
    pub fn transform_ahead(&self) -> bool {
        let select = self.is_words(&["SELECT", "TRANSFORM"]) && self.peek(2).kind == Kind::LeftParen;
        (select && self.script_follows(1)) || (self.is_any(&["MAP", "REDUCE"]) && self.query_at(0))
    }

    pub fn transform(&mut self, from: Vec<Relation>, views: Vec<LateralView>) -> Parsed<QueryBody> {
        let start = self.span();
        let (distinct, arguments) = if self.take_word("SELECT") {
            self.advance();
            self.parenthesized(Self::script_arguments)?
        } else {
            self.advance();
            self.script_arguments()?
        };
        let input_format = self.row_format()?;
        let writer = if self.take_word("RECORDWRITER") { Some(self.string()?) } else { None };
        self.expect_word("USING")?;
        let script = self.string()?;
        let output = if self.take_word("AS") { self.script_output()? } else { TransformOutput::Default };
        let output_format = self.row_format()?;
        let reader = if self.take_word("RECORDREADER") { Some(self.string()?) } else { None };
        if writer.is_some() || reader.is_some() {
            let message = "Unsupported operation: Used defined record reader/writer classes.";
            self.refuse("_LEGACY_ERROR_TEMP_0048", message, start);
        }
        let mut select = self.empty_select(start);
        (select.from, select.lateral_views) = (from, views);
        if self.is_word("FROM") {
            (select.from, select.lateral_views) = self.read_from()?;
        }
        self.select_rest(&mut select)?;
        Ok(QueryBody::Transform(Box::new(Transform {
            arguments,
            distinct,
            input_format,
            writer,
            script,
            output,
            output_format,
            reader,
            select,
        })))
    }

    fn script_arguments(&mut self) -> Parsed<(bool, Vec<crate::tree::Expr>)> {
        let distinct = self.keyword_ahead("DISTINCT");
        let span = self.span();
        if distinct || self.keyword_ahead("ALL") {
            self.advance();
            let quantifier = if distinct { "DISTINCT" } else { "ALL" };
            let message = format!("The feature is not supported: TRANSFORM with the {quantifier} clause.");
            self.refuse("UNSUPPORTED_FEATURE.TRANSFORM_DISTINCT_ALL", message, span);
        }
        Ok((distinct, self.expressions()?))
    }

    fn script_output(&mut self) -> Parsed<TransformOutput> {
        if self.is(Kind::LeftParen) {
            return self.parenthesized(Self::script_columns);
        }
        self.script_columns()
    }

    fn script_columns(&mut self) -> Parsed<TransformOutput> {
        let typed = self.attempt(|parser| {
            let columns = parser.columns()?;
            let typed = !matches!(parser.kind(), Kind::Word) || parser.clause_ahead() || parser.is_word("ROW");
            if typed { Ok(columns) } else { parser.wrong() }
        });
        match typed {
            Some(columns) => Ok(TransformOutput::Columns(columns)),
            None => self.list(Self::name_part).map(TransformOutput::Names),
        }
    }
}
