//! Spark's type names to Arrow types.
//! Source: Spark 3.5, "Data Types", SQL column, and the grammar of `CREATE TABLE` column lists.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::SqlError;
use crate::cursor::Cursor;

/// A type by its name, such as `STRUCT<status: STRING, score: DOUBLE>`.
///
/// # Errors
/// The text is not one type that Paceline knows.
pub fn parse_type(text: &str) -> Result<DataType, SqlError> {
    let mut cursor = Cursor::new(text)?;
    let data_type = data_type(&mut cursor)?;
    cursor.end()?;
    Ok(data_type)
}

/// The Spark name of a type as its catalog writes it, such as `struct<status:string,score:double>`.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp".to_owned(),
        DataType::Timestamp(_, None) => "timestamp_ntz".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => format!("array<{}>", type_name(item.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                format!("map<{},{}>", type_name(pair[0].data_type()), type_name(pair[1].data_type()))
            }
            other => other.to_string(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|field| format!("{}:{}", field.name(), type_name(field.data_type()))).collect();
            format!("struct<{}>", fields.join(","))
        }
        other => other.to_string(),
    }
}

/// `name TYPE [NOT NULL] [COMMENT '…'], …` up to and with the closing parenthesis; the opening one is taken.
pub(crate) fn columns(cursor: &mut Cursor) -> Result<Fields, SqlError> {
    let mut fields: Vec<Field> = Vec::new();
    if cursor.take_token(&Token::RParen) {
        return Ok(Fields::empty());
    }
    loop {
        let name = cursor.name()?;
        if fields.iter().any(|field| field.name().eq_ignore_ascii_case(&name)) {
            return Err(SqlError::Parse(format!("column '{name}' is declared twice")));
        }
        fields.push(closed(|pending| field(cursor, name, pending))?);
        if !cursor.take_token(&Token::Comma) {
            cursor.expect_token(&Token::RParen)?;
            return Ok(fields.into());
        }
    }
}

/// One type.
pub(crate) fn data_type(cursor: &mut Cursor) -> Result<DataType, SqlError> {
    closed(|pending| nested(cursor, pending))
}

/// Reads with `read`, which must not leave a `>` behind.
fn closed<T>(read: impl FnOnce(&mut bool) -> Result<T, SqlError>) -> Result<T, SqlError> {
    let mut pending = false;
    let read = read(&mut pending)?;
    if pending { Err(SqlError::Parse("a type has one '>' too many".to_owned())) } else { Ok(read) }
}

/// `pending` says that a `>>` has closed one more level than was open where it stood.
fn nested(cursor: &mut Cursor, pending: &mut bool) -> Result<DataType, SqlError> {
    let name = cursor.name()?;
    Ok(match name.to_lowercase().as_str() {
        "boolean" => DataType::Boolean,
        "tinyint" | "byte" => DataType::Int8,
        "smallint" | "short" => DataType::Int16,
        "int" | "integer" => DataType::Int32,
        "bigint" | "long" => DataType::Int64,
        "float" | "real" => DataType::Float32,
        "double" => DataType::Float64,
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        "decimal" | "dec" | "numeric" => decimal(cursor)?,
        "array" => {
            cursor.expect_token(&Token::Lt)?;
            let item = nested(cursor, pending)?;
            cursor.expect_closing_angle(pending)?;
            DataType::List(Arc::new(Field::new("element", item, true)))
        }
        "map" => {
            cursor.expect_token(&Token::Lt)?;
            let key = nested(cursor, pending)?;
            cursor.expect_token(&Token::Comma)?;
            let value = nested(cursor, pending)?;
            cursor.expect_closing_angle(pending)?;
            let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
        }
        "struct" => structure(cursor, pending)?,
        _ => return Err(SqlError::Unsupported(format!("the type '{name}'"))),
    })
}

fn structure(cursor: &mut Cursor, pending: &mut bool) -> Result<DataType, SqlError> {
    if cursor.take_token(&Token::Neq) {
        return Ok(DataType::Struct(Fields::empty()));
    }
    cursor.expect_token(&Token::Lt)?;
    let mut fields = Vec::new();
    loop {
        let name = cursor.name()?;
        cursor.take_token(&Token::Colon);
        fields.push(field(cursor, name, pending)?);
        if *pending || !cursor.take_token(&Token::Comma) {
            cursor.expect_closing_angle(pending)?;
            return Ok(DataType::Struct(fields.into()));
        }
    }
}

fn field(cursor: &mut Cursor, name: String, pending: &mut bool) -> Result<Field, SqlError> {
    let data_type = nested(cursor, pending)?;
    let required = !*pending && cursor.take(&["not", "null"]);
    if !*pending && cursor.take(&["comment"]) {
        cursor.string()?;
    }
    Ok(Field::new(name, data_type, !required))
}

/// `(precision[, scale])`; without it Spark takes (10, 0).
fn decimal(cursor: &mut Cursor) -> Result<DataType, SqlError> {
    if !cursor.take_token(&Token::LParen) {
        return Ok(DataType::Decimal128(10, 0));
    }
    let precision: u8 = cursor.number()?;
    let scale: i8 = if cursor.take_token(&Token::Comma) { cursor.number()? } else { 0 };
    cursor.expect_token(&Token::RParen)?;
    if !(1..=38).contains(&precision) || i16::from(scale) > i16::from(precision) {
        let declared = format!("decimal({precision},{scale})");
        return Err(SqlError::Parse(format!("{declared}: precision is 1 to 38, and scale at most precision")));
    }
    Ok(DataType::Decimal128(precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&parse_type(text).map_or_else(|error| error.to_string(), |data_type| data_type.to_string()));
    }

    #[test]
    fn types_have_their_spark_names() {
        check("BIGINT", expect!["Int64"]);
        check("decimal", expect!["Decimal128(10, 0)"]);
        check("Decimal(12, 2)", expect!["Decimal128(12, 2)"]);
        check("timestamp", expect![[r#"Timestamp(µs, "UTC")"#]]);
        check("STRUCT<status: STRING, score: DOUBLE>", expect![[r#"Struct("status": Utf8, "score": Float64)"#]]);
        check(
            "struct<a int, `b c`: array<map<string,struct<x:int>>>>",
            expect![[
                r#"Struct("a": Int32, "b c": List(Map("entries": non-null Struct("key": non-null Utf8, "value": Struct("x": Int32)), unsorted), field: 'element'))"#
            ]],
        );
        check("array<array<int>>", expect!["List(List(Int32, field: 'element'), field: 'element')"]);
    }

    #[test]
    fn a_type_is_written_as_it_is_read() {
        let names = [
            "boolean",
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "float",
            "double",
            "decimal(12,2)",
            "string",
            "binary",
            "date",
            "timestamp",
            "timestamp_ntz",
            "array<array<int>>",
            "map<string,struct<x:int,y:double>>",
        ];
        for name in names {
            assert_eq!(type_name(&parse_type(name).unwrap()), name);
        }
    }

    #[test]
    fn what_is_no_type_is_named() {
        check("varchar2(3)", expect!["not supported: the type 'varchar2'"]);
        check("decimal(39)", expect!["cannot parse: decimal(39,0): precision is 1 to 38, and scale at most precision"]);
        check("array<int", expect!["cannot parse: expected '>>', but the statement ends"]);
        check("array<int>>", expect!["cannot parse: a type has one '>' too many"]);
    }
}
