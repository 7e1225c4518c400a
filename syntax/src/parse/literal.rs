//! Constants: numbers with their ranges, texts, and texts of a type.

use super::cursor::{Parsed, Parser};
use super::datetime;
use crate::strings::unquoted_text;
use crate::token::Kind;
use crate::tree::{Literal, Span};

/// Spark's widest decimal.
const MAX_PRECISION: usize = 38;

impl Parser<'_> {
    pub fn number_at(&self, ahead: usize) -> bool {
        use Kind::{BigDecimal, BigInt, Decimal, Double, Exponent, Float, Integer, SmallInt, TinyInt};
        let kind = self.peek(ahead).kind;
        matches!(kind, Integer | BigInt | SmallInt | TinyInt | Decimal | Exponent | Float | Double | BigDecimal)
    }

    pub fn constant_at(&self, ahead: usize) -> bool {
        let literal = self.string_at(ahead)
            || self.number_at(ahead)
            || (self.peek(ahead).kind == Kind::Minus && self.number_at(ahead + 1))
            || (self.identifier_at(ahead) && self.string_at(ahead + 1));
        let keyword = self.word_at_any(ahead, &["NULL", "TRUE", "FALSE"]);
        literal || (keyword && self.keyword_constant_at(ahead)) || (ahead == 0 && self.interval_ahead())
    }

    /// `TRUE` is one, and `TRUE.a` a field of it; `TRUE(1)`, `TRUE.f(1)` and `TRUE.*` are none.
    fn keyword_constant_at(&self, ahead: usize) -> bool {
        let [next, behind] = [1, 3].map(|more| self.peek(ahead + more).kind);
        match next {
            Kind::LeftParen | Kind::Arrow => false,
            Kind::Dot => self.peek(ahead + 2).kind != Kind::Asterisk && behind != Kind::LeftParen,
            _ => true,
        }
    }

    pub fn constant(&mut self) -> Parsed<Literal> {
        if self.interval_ahead() {
            return self.interval().map(Literal::Interval);
        }
        if self.identifier_at(0) && self.string_at(1) {
            return self.typed_text();
        }
        if self.string_at(0) {
            return self.texts().map(Literal::String);
        }
        if self.take_word("NULL") {
            return Ok(Literal::Null);
        }
        if self.is_any(&["TRUE", "FALSE"]) {
            let value = self.is_word("TRUE");
            self.advance();
            return Ok(Literal::Boolean(value));
        }
        self.number()
    }

    /// Adjacent texts are one.
    fn texts(&mut self) -> Parsed<String> {
        let mut text = self.string()?;
        while self.string_at(0) {
            text += &self.string()?;
        }
        Ok(text)
    }

    fn typed_text(&mut self) -> Parsed<Literal> {
        let start = self.span();
        let name = self.any_word();
        let span = self.advance().span;
        let text = unquoted_text(self.text_of(span), self.settings.literal_backslashes);
        let type_name = name.value.to_ascii_uppercase();
        let valid = match type_name.as_str() {
            "DATE" => datetime::is_date(&text),
            "TIMESTAMP" | "TIMESTAMP_LTZ" => datetime::is_timestamp(&text, true),
            "TIMESTAMP_NTZ" => datetime::is_timestamp(&text, false),
            "INTERVAL" => self.check_interval_text(&text, start.to(span)),
            "X" => text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            _ => {
                let message = format!(
                    "Literals of the type \"{type_name}\" are not supported. Supported types are \"DATE\", \
                     \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\"."
                );
                self.refuse("UNSUPPORTED_TYPED_LITERAL", message, start);
                true
            }
        };
        if !valid {
            let message = format!("The value of the typed literal \"{type_name}\" is invalid: '{text}'.");
            self.refuse("INVALID_TYPED_LITERAL", message, start);
        }
        Ok(match type_name.as_str() {
            "DATE" => Literal::Date(text),
            "TIMESTAMP_LTZ" => Literal::TimestampLtz(text),
            "TIMESTAMP_NTZ" => Literal::TimestampNtz(text),
            "INTERVAL" => Literal::Interval(crate::tree::Interval::Text(text)),
            "X" => Literal::Binary(bytes(&text)),
            _ => Literal::Timestamp(text),
        })
    }

    pub fn number(&mut self) -> Parsed<Literal> {
        let start = self.span();
        let sign = if self.take(Kind::Minus) { "-" } else { "" };
        if !self.number_at(0) {
            return self.wrong();
        }
        let token = self.advance();
        let text = format!("{sign}{}", self.text_of(token.span));
        let without = |suffix: usize| &text[..text.len() - suffix];
        Ok(match token.kind {
            Kind::Integer => match (text.parse(), text.parse()) {
                (Ok(int), _) => Literal::Int(int),
                (_, Ok(big)) => Literal::BigInt(big),
                _ => self.decimal(&text, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", start),
            },
            Kind::BigInt => {
                self.integer(without(1), i64::MIN, i64::MAX, "bigint", start).map_or(Literal::Null, Literal::BigInt)
            }
            Kind::SmallInt => {
                self.integer(without(1), i16::MIN, i16::MAX, "smallint", start).map_or(Literal::Null, Literal::SmallInt)
            }
            Kind::TinyInt => {
                self.integer(without(1), i8::MIN, i8::MAX, "tinyint", start).map_or(Literal::Null, Literal::TinyInt)
            }
            Kind::Exponent if self.settings.exponent_as_decimal => {
                self.decimal(&text, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", start)
            }
            Kind::Decimal => self.decimal(&text, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", start),
            Kind::BigDecimal => self.decimal(without(2), "_LEGACY_ERROR_TEMP_0061", start),
            Kind::Float => {
                let value: f32 = without(1).parse().unwrap_or(f32::INFINITY);
                self.check_finite(value.is_infinite(), without(1), "float", "3.4028234663852886E+38", start);
                Literal::Float(value)
            }
            kind => {
                let digits = if kind == Kind::Double { without(1) } else { &text };
                let value: f64 = digits.parse().unwrap_or(f64::INFINITY);
                self.check_finite(value.is_infinite(), digits, "double", "1.7976931348623157E+308", start);
                Literal::Double(value)
            }
        })
    }

    fn integer<T: std::str::FromStr + std::fmt::Display>(
        &mut self,
        text: &str,
        min: T,
        max: T,
        name: &str,
        start: Span,
    ) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.out_of_range(text, name, &min.to_string(), &max.to_string(), start);
        }
        value
    }

    fn check_finite(&mut self, infinite: bool, text: &str, name: &str, max: &str, start: Span) {
        if infinite {
            self.out_of_range(text, name, &format!("-{max}"), max, start);
        }
    }

    fn out_of_range(&mut self, text: &str, name: &str, min: &str, max: &str, start: Span) {
        let message = format!(
            "Numeric literal {text} is outside the valid range for {name} with minimum value of {min} and maximum value \
             of {max}. Please adjust the value accordingly."
        );
        self.refuse("INVALID_NUMERIC_LITERAL_RANGE", message, start);
    }

    fn decimal(&mut self, text: &str, class: &'static str, start: Span) -> Literal {
        let precision = precision(text);
        if precision > MAX_PRECISION {
            let message = format!("Decimal precision {precision} exceeds max precision {MAX_PRECISION}.");
            self.refuse(class, message, start);
        }
        Literal::Decimal(text.to_owned())
    }
}

/// How many digits a decimal needs that has this value.
fn precision(text: &str) -> usize {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('-');
    let significant = format!("{whole}{fraction}").trim_start_matches('0').len().max(1);
    let exponent: i64 = exponent.parse().unwrap_or(i64::from(i32::MAX));
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    let count = usize::try_from(scale.unsigned_abs()).unwrap_or(usize::MAX);
    if scale < 0 { significant.saturating_add(count) } else { significant.max(count) }
}

/// An odd number of digits has a zero in front.
fn bytes(hex: &str) -> Vec<u8> {
    let padded = if hex.len() % 2 == 1 { format!("0{hex}") } else { hex.to_owned() };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default();
    padded.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
