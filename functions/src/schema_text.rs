//! Types as Spark's DDL writes them, for functions that are told a schema by a text: `a INT, b ARRAY<STRING>`.

use crate::error::{Error, Result};
use crate::{DataType, DayTimeField, StructField, YearMonthField};

/// Types nested deeper than this are not read.
const MOST_DEPTH: usize = 100;

/// One type: `ARRAY<INT>`.
pub(crate) fn data_type(text: &str) -> Result<DataType> {
    let mut reader = Reader { text, rest: text };
    let data_type = reader.data_type(0)?;
    reader.end()?;
    Ok(data_type)
}

/// A schema: the columns of a struct, or one type.
pub(crate) fn schema(text: &str) -> Result<DataType> {
    if let Ok(data_type) = data_type(text) {
        return Ok(data_type);
    }
    let mut reader = Reader { text, rest: text };
    let fields = reader.fields(0, "")?;
    reader.end()?;
    Ok(DataType::Struct(fields))
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn wrong(&self) -> Error {
        Error::new(
            "PARSE_SYNTAX_ERROR",
            format!("Syntax error at or near '{}' in the schema '{}'.", self.rest, self.text),
        )
    }

    fn end(&self) -> Result<()> {
        if self.rest.trim().is_empty() { Ok(()) } else { Err(self.wrong()) }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        match self.rest.trim_start().strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.wrong()) }
    }

    fn word(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('`') {
            let (name, after) = quoted.split_once('`')?;
            self.rest = after;
            return Some(name.to_owned());
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return None;
        }
        self.rest = after;
        Some(word.to_owned())
    }

    /// The next word if it is this one.
    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        if self.word().is_some_and(|word| word.eq_ignore_ascii_case(keyword)) {
            return true;
        }
        self.rest = before;
        false
    }

    fn fields(&mut self, depth: usize, end: &str) -> Result<Vec<StructField>> {
        let mut fields = Vec::new();
        if !end.is_empty() && self.symbol(end) {
            return Ok(fields);
        }
        loop {
            let name = self.word().ok_or_else(|| self.wrong())?;
            self.symbol(":");
            let data_type = self.data_type(depth + 1)?;
            let nullable = !self.keyword("not");
            if !nullable && !self.keyword("null") {
                return Err(self.wrong());
            }
            if self.keyword("comment") {
                self.comment()?;
            }
            fields.push(StructField { name, data_type, nullable });
            if !self.symbol(",") {
                break;
            }
        }
        if !end.is_empty() {
            self.need(end)?;
        }
        Ok(fields)
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or_else(|| self.wrong())?;
        let end = rest.get(1..).and_then(|inner| inner.find(quote)).ok_or_else(|| self.wrong())?;
        self.rest = rest.get(end + 2..).unwrap_or_default();
        Ok(())
    }

    fn number(&mut self) -> Result<i16> {
        let word = self.word().ok_or_else(|| self.wrong())?;
        word.parse().map_err(|_| self.wrong())
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType> {
        if depth > MOST_DEPTH {
            return Err(self.wrong());
        }
        let name = self.word().ok_or_else(|| self.wrong())?.to_lowercase();
        Ok(match name.as_str() {
            "void" | "null" => DataType::Void,
            "boolean" => DataType::Boolean,
            "tinyint" | "byte" => DataType::Byte,
            "smallint" | "short" => DataType::Short,
            "int" | "integer" => DataType::Int,
            "bigint" | "long" => DataType::Long,
            "float" | "real" => DataType::Float,
            "double" => DataType::Double,
            "date" => DataType::Date,
            "timestamp" | "timestamp_ltz" => DataType::Timestamp,
            "timestamp_ntz" => DataType::TimestampNtz,
            "string" => DataType::String,
            "char" | "character" | "varchar" => {
                self.need("(")?;
                self.number()?;
                self.need(")")?;
                DataType::String
            }
            "binary" => DataType::Binary,
            "decimal" | "dec" | "numeric" => self.decimal()?,
            "interval" => self.interval()?,
            "array" => {
                self.need("<")?;
                let element = self.data_type(depth + 1)?;
                self.need(">")?;
                DataType::Array(Box::new(element), true)
            }
            "map" => {
                self.need("<")?;
                let key = self.data_type(depth + 1)?;
                self.need(",")?;
                let value = self.data_type(depth + 1)?;
                self.need(">")?;
                DataType::Map(Box::new(key), Box::new(value), true)
            }
            "struct" => {
                self.need("<")?;
                DataType::Struct(self.fields(depth, ">")?)
            }
            _ => {
                return Err(Error::new(
                    "UNSUPPORTED_DATATYPE",
                    format!("Unsupported data type \"{}\".", name.to_uppercase()),
                ));
            }
        })
    }

    fn decimal(&mut self) -> Result<DataType> {
        if !self.symbol("(") {
            return Ok(DataType::Decimal(10, 0));
        }
        let precision = u8::try_from(self.number()?).map_err(|_| self.wrong())?;
        let scale = if self.symbol(",") { i8::try_from(self.number()?).map_err(|_| self.wrong())? } else { 0 };
        self.need(")")?;
        if precision > 38 || precision == 0 || scale < 0 || i16::from(scale) > i16::from(precision) {
            return Err(self.wrong());
        }
        Ok(DataType::Decimal(precision, scale))
    }

    fn interval(&mut self) -> Result<DataType> {
        let before = self.rest;
        let Some(from) = self.word().map(|word| word.to_lowercase()) else { return Ok(DataType::CalendarInterval) };
        let (year_month, day_time) = (YearMonthField::of(&from), DayTimeField::of(&from));
        if year_month.is_none() && day_time.is_none() {
            self.rest = before;
            return Ok(DataType::CalendarInterval);
        }
        let to = if self.keyword("to") { self.word().unwrap_or_default().to_lowercase() } else { from };
        match (year_month, YearMonthField::of(&to), day_time, DayTimeField::of(&to)) {
            (Some(from), Some(to), ..) if from <= to => Ok(DataType::YearMonth(from, to)),
            (_, _, Some(from), Some(to)) if from <= to => Ok(DataType::DayTime(from, to)),
            _ => Err(self.wrong()),
        }
    }
}
