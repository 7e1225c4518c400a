//! Functions with a syntax of their own. Where their arguments are an ordinary list, they are ordinary functions.

use super::cursor::{Parsed, Parser};
use super::expression::expr;
use crate::token::Kind;
use crate::tree::{DatetimeUnit, Expr, ExprKind, Percentile, SpecialForm, WrittenUnit};

const UNITS: &[(&str, DatetimeUnit)] = &[
    ("YEAR", DatetimeUnit::Year),
    ("QUARTER", DatetimeUnit::Quarter),
    ("MONTH", DatetimeUnit::Month),
    ("WEEK", DatetimeUnit::Week),
    ("DAY", DatetimeUnit::Day),
    ("DAYOFYEAR", DatetimeUnit::DayOfYear),
    ("HOUR", DatetimeUnit::Hour),
    ("MINUTE", DatetimeUnit::Minute),
    ("SECOND", DatetimeUnit::Second),
    ("MILLISECOND", DatetimeUnit::Millisecond),
    ("MICROSECOND", DatetimeUnit::Microsecond),
];

impl Parser<'_> {
    /// The parenthesis is the token behind the next one.
    pub fn special_form(&mut self) -> Parsed<Option<Expr>> {
        if self.kind() != Kind::Word {
            return Ok(None);
        }
        let start = self.span();
        let kind = match self.text_of(start).to_ascii_uppercase().as_str() {
            "CAST" | "TRY_CAST" if self.word_in_parens(1, "AS") => self.cast()?,
            "STRUCT" if !self.windowed(1) => self.struct_()?,
            "EXTRACT" if self.word_in_parens(1, "FROM") && self.word_at(3, "FROM") => self.extract()?,
            "SUBSTR" | "SUBSTRING" if self.word_in_parens(1, "FROM") => self.substring()?,
            // `trim(FROM 'x')` is a call with a text of the type FROM, which there is not.
            "TRIM" if self.word_in_parens(1, "FROM") && !(self.word_at(2, "FROM") && self.string_at(3)) => {
                self.trim()?
            }
            "OVERLAY" if self.word_in_parens(1, "PLACING") => self.overlay()?,
            "POSITION" if self.word_in_parens(1, "IN") => self.position()?,
            "TIMESTAMPADD" | "DATEADD" | "DATE_ADD" if self.unit_ahead() => self.timestamp_arithmetic(true)?,
            "TIMESTAMPDIFF" | "DATEDIFF" | "DATE_DIFF" if self.unit_ahead() => self.timestamp_arithmetic(false)?,
            "PERCENTILE_CONT" | "PERCENTILE_DISC" if self.commas_in_parens(1) == 0 => match self.percentile() {
                Some(percentile) => percentile?,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(expr(kind, self.span_from(start))))
    }

    /// Whether something follows the parentheses that only ordinary functions take.
    fn windowed(&self, ahead: usize) -> bool {
        let behind = self.closing.get(self.at + ahead).map_or(0, |&closing| closing as usize + 1 - self.at);
        let over = self.word_at(behind, "OVER") && (self.identifier_at(behind + 1) || !self.ends_at(behind + 1));
        let filter = self.word_at(behind, "FILTER") && self.peek(behind + 1).kind == Kind::LeftParen;
        over || filter || (self.word_at_any(behind, &["IGNORE", "RESPECT"]) && self.word_at(behind + 1, "NULLS"))
    }

    fn cast(&mut self) -> Parsed<ExprKind> {
        let or_null = self.is_word("TRY_CAST");
        self.advance();
        self.expect(Kind::LeftParen)?;
        let operand = self.expression()?;
        self.expect_word("AS")?;
        let to = self.data_type()?;
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Cast { operand, to, or_null })
    }

    fn struct_(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect(Kind::LeftParen)?;
        let fields = if self.is(Kind::RightParen) { Vec::new() } else { self.list(Self::named_expression)? };
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Struct(fields))
    }

    fn extract(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect(Kind::LeftParen)?;
        let field = self.identifier()?;
        self.expect_word("FROM")?;
        let source = self.nested(Self::value)?;
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Special(SpecialForm::Extract(field, source)))
    }

    fn substring(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect(Kind::LeftParen)?;
        let text = self.nested(Self::value)?;
        self.expect_word("FROM")?;
        let from = self.nested(Self::value)?;
        let bounded = self.take_word("FOR") || self.take(Kind::Comma);
        let length = if bounded { Some(self.nested(Self::value)?) } else { None };
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Special(SpecialForm::Substring(text, from, length)))
    }

    fn trim(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect(Kind::LeftParen)?;
        let sides = [("BOTH", "both"), ("LEADING", "leading"), ("TRAILING", "trailing")];
        let side = sides.into_iter().find(|(keyword, _)| self.take_word(keyword)).map_or("both", |(_, side)| side);
        let characters = if self.is_word("FROM") { None } else { Some(self.nested(Self::value)?) };
        self.expect_word("FROM")?;
        let text = self.nested(Self::value)?;
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Special(SpecialForm::Trim { side, characters, text }))
    }

    fn overlay(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect(Kind::LeftParen)?;
        let input = self.nested(Self::value)?;
        self.expect_word("PLACING")?;
        let replacement = self.nested(Self::value)?;
        self.expect_word("FROM")?;
        let from = self.nested(Self::value)?;
        let length = if self.take_word("FOR") { Some(self.nested(Self::value)?) } else { None };
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Special(SpecialForm::Overlay(input, replacement, from, length)))
    }

    fn position(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect(Kind::LeftParen)?;
        let part = self.nested(Self::value)?;
        self.expect_word("IN")?;
        let text = self.nested(Self::value)?;
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Special(SpecialForm::Position(part, text)))
    }

    /// Whether three arguments come, of which the first is a unit, or a text in place of one.
    fn unit_ahead(&self) -> bool {
        let unit = UNITS.iter().any(|(unit, _)| self.word_at(2, unit)) || self.string_at(2);
        unit && self.peek(3).kind == Kind::Comma && self.commas_in_parens(1) == 2
    }

    fn timestamp_arithmetic(&mut self, adds: bool) -> Parsed<ExprKind> {
        let name = self.any_word();
        self.expect(Kind::LeftParen)?;
        let unit = UNITS.iter().find(|(unit, _)| self.is_word(unit)).map(|(_, unit)| *unit);
        if unit.is_none() {
            let message = format!(
                "The value of parameter(s) `unit` in `{}` is invalid: expects one of the units without quotes YEAR, \
                 QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but got the \
                 string literal {}.",
                name.value,
                self.text_of(self.span())
            );
            self.refuse("INVALID_PARAMETER_VALUE.DATETIME_UNIT", message, name.span);
        }
        let word = self.any_word();
        let unit = WrittenUnit { unit: unit.unwrap_or(DatetimeUnit::Day), word };
        self.expect(Kind::Comma)?;
        let first = self.nested(Self::value)?;
        self.expect(Kind::Comma)?;
        let second = self.nested(Self::value)?;
        self.expect(Kind::RightParen)?;
        Ok(ExprKind::Special(match adds {
            true => SpecialForm::TimestampAdd(name, unit, first, second),
            false => SpecialForm::TimestampDiff(name, unit, first, second),
        }))
    }

    fn percentile(&mut self) -> Option<Parsed<ExprKind>> {
        let behind = self.closing.get(self.at + 1).map_or(0, |&closing| closing as usize + 1 - self.at);
        (self.word_at(behind, "WITHIN") && self.word_at(behind + 1, "GROUP")).then(|| self.within_group())
    }

    fn within_group(&mut self) -> Parsed<ExprKind> {
        let discrete = self.is_word("PERCENTILE_DISC");
        let name = Self::named(self.any_word());
        let fraction = self.parenthesized(|parser| parser.nested(Self::value))?;
        self.expect_words(&["WITHIN", "GROUP"])?;
        let sorted = |parser: &mut Self| {
            parser.expect_words(&["ORDER", "BY"])?;
            parser.sort_item()
        };
        let order_by = self.parenthesized(sorted)?;
        let filter = self.call_filter()?;
        let over = self.call_over()?;
        let percentile = Percentile { name, discrete, fraction, order_by, filter, over };
        Ok(ExprKind::Special(SpecialForm::Percentile(Box::new(percentile))))
    }
}
