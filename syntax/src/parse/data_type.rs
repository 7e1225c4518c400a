//! Data types and the columns of a schema.

use super::cursor::{Parsed, Parser};
use super::interval::unit;
use crate::token::Kind;
use crate::tree::{ColumnDef, DataType, IntervalUnit, Span, StructField};

impl Parser<'_> {
    pub fn data_type(&mut self) -> Parsed<DataType> {
        self.nested(Self::nestable_type)
    }

    fn nestable_type(&mut self) -> Parsed<DataType> {
        let start = self.span();
        let open = self.peek(1).kind;
        if self.is_word("ARRAY") && open == Kind::Lt {
            self.advance();
            self.advance();
            let element = self.data_type()?;
            self.expect(Kind::Gt)?;
            return Ok(DataType::Array(Box::new(element)));
        }
        if self.is_word("MAP") && open == Kind::Lt {
            self.advance();
            self.advance();
            let key = self.data_type()?;
            self.expect(Kind::Comma)?;
            let value = self.data_type()?;
            self.expect(Kind::Gt)?;
            return Ok(DataType::Map(Box::new(key), Box::new(value)));
        }
        if self.is_word("STRUCT") && open == Kind::NotEq {
            self.advance();
            self.advance();
            return Ok(DataType::Struct(Vec::new()));
        }
        if self.is_word("STRUCT") && open == Kind::Lt {
            self.advance();
            self.advance();
            let fields = if self.is(Kind::Gt) { Vec::new() } else { self.list(Self::struct_field)? };
            self.expect(Kind::Gt)?;
            return Ok(DataType::Struct(fields));
        }
        if self.is_word("INTERVAL") && open == Kind::Word {
            let from = unit(self.text_of(self.peek(1).span)).filter(|_| self.single_unit_at(1));
            if let Some(from) = from {
                self.advance();
                self.advance();
                return self.interval_type(from);
            }
        }
        self.simple_type(start)
    }

    fn single_unit_at(&self, ahead: usize) -> bool {
        self.word_at_any(ahead, &["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"])
    }

    fn interval_type(&mut self, from: IntervalUnit) -> Parsed<DataType> {
        let year_month = from >= IntervalUnit::Month;
        let mut to = from;
        if self.take_word("TO") {
            let known: &[&str] = if year_month { &["MONTH"] } else { &["HOUR", "MINUTE", "SECOND"] };
            if !known.iter().any(|unit| self.is_word(unit)) {
                return self.wrong();
            }
            let span = self.advance().span;
            to = unit(self.text_of(span)).unwrap_or(from);
            if to >= from {
                let name = |unit: IntervalUnit| format!("{unit:?}").to_ascii_lowercase();
                let message = format!("Intervals FROM {} TO {} are not supported.", name(from), name(to));
                self.refuse("_LEGACY_ERROR_TEMP_0028", message, span);
            }
        }
        Ok(if year_month { DataType::YearMonthInterval(from, to) } else { DataType::DayTimeInterval(from, to) })
    }

    fn simple_type(&mut self, start: Span) -> Parsed<DataType> {
        let name = self.identifier()?;
        let mut parameters = Vec::new();
        if self.is(Kind::LeftParen) && self.peek(1).kind == Kind::Integer {
            parameters = self.parenthesized(|parser| parser.list(Self::type_parameter))?;
        }
        let upper = name.value.to_ascii_uppercase();
        let size = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Ok(match (upper.as_str(), &parameters[..]) {
            _ if name.quoted => self.unknown_type(&upper, &parameters, start),
            ("BOOLEAN", []) => DataType::Boolean,
            ("TINYINT" | "BYTE", []) => DataType::TinyInt,
            ("SMALLINT" | "SHORT", []) => DataType::SmallInt,
            ("INT" | "INTEGER", []) => DataType::Int,
            ("BIGINT" | "LONG", []) => DataType::BigInt,
            ("FLOAT" | "REAL", []) => DataType::Float,
            ("DOUBLE", []) => DataType::Double,
            ("DATE", []) => DataType::Date,
            ("TIMESTAMP", []) => DataType::Timestamp,
            ("TIMESTAMP_LTZ", []) => DataType::TimestampLtz,
            ("TIMESTAMP_NTZ", []) => DataType::TimestampNtz,
            ("STRING", []) => DataType::String,
            ("CHAR" | "CHARACTER", [length]) => DataType::Char(size(*length)),
            ("VARCHAR", [length]) => DataType::Varchar(size(*length)),
            ("BINARY", []) => DataType::Binary,
            ("VOID", []) => DataType::Void,
            ("INTERVAL", []) => DataType::CalendarInterval,
            ("DECIMAL" | "DEC" | "NUMERIC", []) => DataType::Decimal(10, 0),
            ("DECIMAL" | "DEC" | "NUMERIC", [precision]) => self.decimal_type(*precision, 0, start),
            ("DECIMAL" | "DEC" | "NUMERIC", [precision, scale]) => self.decimal_type(*precision, *scale, start),
            ("CHAR" | "CHARACTER" | "VARCHAR", []) => {
                let message = format!(
                    "DataType \"{upper}\" requires a length parameter, for example \"{upper}\"(10). Please specify the length."
                );
                self.refuse("DATATYPE_MISSING_SIZE", message, start);
                DataType::String
            }
            ("ARRAY", []) => self.incomplete("INCOMPLETE_TYPE_DEFINITION.ARRAY", "ARRAY", start),
            ("MAP", []) => self.incomplete("INCOMPLETE_TYPE_DEFINITION.MAP", "MAP", start),
            ("STRUCT", []) => self.incomplete("INCOMPLETE_TYPE_DEFINITION.STRUCT", "STRUCT", start),
            _ => self.unknown_type(&upper, &parameters, start),
        })
    }

    fn type_parameter(&mut self) -> Parsed<u64> {
        let span = self.expect(Kind::Integer)?.span;
        Ok(self.text_of(span).parse().unwrap_or(u64::MAX))
    }

    fn decimal_type(&mut self, precision: u64, scale: u64, start: Span) -> DataType {
        if precision > 38 {
            let message = format!("Decimal precision {precision} exceeds max precision 38.");
            self.refuse("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", message, start);
        } else if scale > precision {
            let message = format!("Decimal scale ({scale}) cannot be greater than precision ({precision}).");
            self.refuse("_LEGACY_ERROR_TEMP_1228", message, start);
        }
        let narrow = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        DataType::Decimal(narrow(precision), i8::try_from(scale).unwrap_or(i8::MAX))
    }

    fn incomplete(&mut self, class: &'static str, name: &str, start: Span) -> DataType {
        let (missing, example) = match name {
            "ARRAY" => ("an element type", "ARRAY<INT>"),
            "MAP" => ("a key type and a value type", "MAP<TIMESTAMP, INT>"),
            _ => ("at least one field type", "STRUCT<name STRING, phone DECIMAL(10, 0)>"),
        };
        let message = format!(
            "Incomplete complex type: The definition of \"{name}\" type is incomplete. You must provide {missing}. For \
             example: \"{example}\"."
        );
        self.refuse(class, message, start);
        DataType::Void
    }

    fn unknown_type(&mut self, name: &str, parameters: &[u64], start: Span) -> DataType {
        let parameters: Vec<_> = parameters.iter().map(u64::to_string).collect();
        let shown = if parameters.is_empty() { name.to_owned() } else { format!("{name}({})", parameters.join(",")) };
        self.refuse("UNSUPPORTED_DATATYPE", format!("Unsupported data type \"{shown}\"."), start);
        DataType::Void
    }

    fn struct_field(&mut self) -> Parsed<StructField> {
        let name = self.identifier()?;
        self.take(Kind::Colon);
        let data_type = self.data_type()?;
        let not_null = self.take_words(&["NOT", "NULL"]);
        Ok(StructField { name, data_type, not_null, comment: self.comment()? })
    }

    pub fn columns(&mut self) -> Parsed<Vec<ColumnDef>> {
        self.list(Self::column)
    }

    pub fn column(&mut self) -> Parsed<ColumnDef> {
        let name = self.name_part()?;
        let data_type = self.data_type()?;
        let not_null = self.take_words(&["NOT", "NULL"]);
        Ok(ColumnDef { name, data_type, not_null, comment: self.comment()? })
    }

    /// `COMMENT 'text'`, if it comes next.
    pub fn comment(&mut self) -> Parsed<Option<String>> {
        if self.is_word("COMMENT") && self.string_at(1) {
            self.advance();
            return self.string().map(Some);
        }
        Ok(None)
    }
}
