//! `TABLESAMPLE`, `PIVOT` and `UNPIVOT`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Ident, Pivot, PivotValue, Sample, SampleMethod, Span, Step, Unpivot, UnpivotColumn};

impl Parser<'_> {
    pub fn table_sample(&mut self) -> Parsed<Sample> {
        let start = self.expect_word("TABLESAMPLE")?;
        let method = self.parenthesized(|parser| parser.sample_method(start))?;
        let seed = match self.is_word("REPEATABLE") && self.peek(1).kind == Kind::LeftParen {
            true => {
                self.advance();
                let seed = self.parenthesized(|parser| parser.expect(Kind::Integer))?;
                Some(self.text_of(seed.span).parse().unwrap_or(i64::MAX))
            }
            false => None,
        };
        Ok(Sample { method, seed })
    }

    fn sample_method(&mut self, start: Span) -> Parsed<SampleMethod> {
        if self.is(Kind::RightParen) {
            self.refuse("_LEGACY_ERROR_TEMP_0014", "TABLESAMPLE does not accept empty inputs.", start);
            return Ok(SampleMethod::Percent(0.0));
        }
        if self.is_word("BUCKET") && self.peek(1).kind == Kind::Integer {
            return self.bucket();
        }
        let signed = usize::from(self.is(Kind::Minus));
        let number = matches!(self.peek(signed).kind, Kind::Integer | Kind::Decimal);
        if number && self.word_at(signed + 1, "PERCENT") {
            return self.percent(start, signed > 0);
        }
        let span = self.span();
        let count = self.expression()?;
        if self.take_word("ROWS") {
            return Ok(SampleMethod::Rows(count));
        }
        let message = match self.text_of(span.to(self.last_span())) {
            text if text.ends_with(['b', 'B', 'k', 'K', 'm', 'M', 'g', 'G']) => {
                ("_LEGACY_ERROR_TEMP_0015", "TABLESAMPLE(byteLengthLiteral) is not supported.".to_owned())
            }
            text => (
                "_LEGACY_ERROR_TEMP_0016",
                format!("{text} is not a valid byte length literal, expected syntax: DIGIT+ ('B' | 'K' | 'M' | 'G')."),
            ),
        };
        self.refuse(message.0, message.1, span);
        Ok(SampleMethod::Rows(count))
    }

    fn percent(&mut self, start: Span, negative: bool) -> Parsed<SampleMethod> {
        if negative {
            self.advance();
        }
        let span = self.advance().span;
        self.expect_word("PERCENT")?;
        let value: f64 = self.text_of(span).parse().unwrap_or(f64::MAX);
        let percent = if negative { -value } else { value };
        self.check_fraction(percent / 100.0, start);
        Ok(SampleMethod::Percent(percent))
    }

    fn check_fraction(&mut self, fraction: f64, start: Span) {
        if !(0.0..=1.000_001).contains(&fraction) {
            let message = format!("Sampling fraction ({fraction:?}) must be on interval [0, 1].");
            self.refuse("_LEGACY_ERROR_TEMP_0064", message, start);
        }
    }

    fn bucket(&mut self) -> Parsed<SampleMethod> {
        let start = self.advance().span;
        let numerator = self.count()?;
        self.expect_words(&["OUT", "OF"])?;
        let denominator = self.count()?;
        if self.take_word("ON") {
            let function = self.qualified_name().is_ok() && self.take(Kind::LeftParen);
            if function {
                self.expect(Kind::RightParen)?;
            }
            let what = if function { "function" } else { "colname" };
            let message = format!("TABLESAMPLE(BUCKET x OUT OF y ON {what}) is not supported.");
            self.refuse("_LEGACY_ERROR_TEMP_0015", message, start);
        }
        self.check_fraction(f64::from(numerator) / f64::from(denominator), start);
        Ok(SampleMethod::Bucket(numerator, denominator))
    }

    fn count(&mut self) -> Parsed<u32> {
        let span = self.expect(Kind::Integer)?.span;
        Ok(self.text_of(span).parse().unwrap_or(u32::MAX))
    }

    pub fn pivot_ahead(&self) -> bool {
        self.is_word("PIVOT") && self.peek(1).kind == Kind::LeftParen
    }

    pub fn unpivot_ahead(&self) -> bool {
        self.is_word("UNPIVOT")
            && (self.peek(1).kind == Kind::LeftParen || self.word_at_any(1, &["INCLUDE", "EXCLUDE"]))
    }

    pub fn pivot(&mut self) -> Parsed<Step> {
        let start = self.expect_word("PIVOT")?;
        self.expect(Kind::LeftParen)?;
        let aggregates = self.list(Self::named_expression)?;
        self.expect_word("FOR")?;
        let columns = self.one_or_list(Self::identifier)?;
        self.expect_word("IN")?;
        let values = self.parenthesized(|parser| parser.list(Self::pivot_value))?;
        self.expect(Kind::RightParen)?;
        Ok(Step::Pivot(Box::new(Pivot { aggregates, columns, values, span: self.span_from(start) })))
    }

    fn pivot_value(&mut self) -> Parsed<PivotValue> {
        let value = self.expression()?;
        let named = self.take_word("AS") || self.identifier_at(0);
        Ok(PivotValue { value, alias: if named { Some(self.identifier()?) } else { None } })
    }

    /// `a` or `(a, b)`
    fn one_or_list<T>(&mut self, read: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        match self.is(Kind::LeftParen) {
            true => self.parenthesized(|parser| parser.list(read)),
            false => Ok(vec![read(self)?]),
        }
    }

    pub fn unpivot(&mut self) -> Parsed<Step> {
        let start = self.expect_word("UNPIVOT")?;
        let include_nulls = self.is_word("INCLUDE");
        if include_nulls || self.is_word("EXCLUDE") {
            self.advance();
            self.expect_word("NULLS")?;
        }
        self.expect(Kind::LeftParen)?;
        let multiple = self.is(Kind::LeftParen);
        let values = self.one_or_list(Self::identifier)?;
        self.expect_word("FOR")?;
        let name = self.identifier()?;
        self.expect_word("IN")?;
        let column = |parser: &mut Self| parser.unpivot_column(multiple);
        let columns = self.parenthesized(|parser| parser.list(column))?;
        self.expect(Kind::RightParen)?;
        let alias = match self.clause_ahead() || !(self.is_word("AS") || self.strict_identifier_at(0)) {
            true => None,
            false => self.unpivot_alias()?,
        };
        let span = self.span_from(start);
        Ok(Step::Unpivot(Box::new(Unpivot { include_nulls, values, multiple, name, columns, alias, span })))
    }

    fn unpivot_column(&mut self, multiple: bool) -> Parsed<UnpivotColumn> {
        let columns = match multiple {
            true => self.parenthesized(|parser| parser.list(Self::multipart_identifier))?,
            false => vec![self.multipart_identifier()?],
        };
        Ok(UnpivotColumn { columns, alias: self.unpivot_alias()? })
    }

    fn unpivot_alias(&mut self) -> Parsed<Option<Ident>> {
        let named = self.take_word("AS") || self.identifier_at(0);
        if named { self.identifier().map(Some) } else { Ok(None) }
    }
}
