//! What Spark 3.5 gives for casts, operators and functions over constants: name, type and value of each.

mod casts;
mod functions;
mod operators;

use std::sync::Arc;

use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, cast};
use crate::text::{Style, write_value};
use crate::zone::Zone;
use crate::{Call, DataType, Resolve, Result, Settings, Typed};

/// The session that the expectations were made in.
pub(crate) fn session() -> Arc<Settings> {
    Arc::new(Settings { time_zone: "America/Los_Angeles".to_owned(), ..Settings::default() })
}

/// The same with ANSI mode on.
pub(crate) fn ansi() -> Arc<Settings> {
    Arc::new(Settings { ansi: true, ..session().as_ref().clone() })
}

/// `name: type = value`, or the error.
pub(crate) fn shown(result: Result<Typed>, settings: &Settings) -> String {
    let typed = match result {
        Ok(typed) => typed,
        Err(error) => return format!("[{}]", error.class),
    };
    let value = match crate::evaluate::row(&typed) {
        Ok(array) => {
            let wanted = typed.data_type.to_arrow();
            assert_eq!(array.data_type(), &wanted, "{}", typed.name);
            assert!(typed.nullable || !array.is_null(0), "{} is said not to be NULL", typed.name);
            let mut text = String::new();
            let zone = Zone::parse(&settings.time_zone).unwrap();
            write_value(&mut text, &array, 0, &typed.data_type, Style::Hive, zone);
            text
        }
        Err(error) => format!("[{}]", error.class),
    };
    format!("{}: {} = {value}", typed.name, typed.data_type.catalog())
}

/// Each result as it is expected.
pub(crate) fn check(settings: &Settings, cases: Vec<(Result<Typed>, &str)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(result, expected)| (shown(result, settings), expected))
        .filter(|(got, expected)| got != expected)
        .map(|(got, expected)| format!("expected {expected}\n     got {got}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A call of a function of the table.
pub(crate) fn call(name: &str, arguments: Vec<Typed>, settings: &Arc<Settings>) -> Result<Typed> {
    let function = crate::find(name).unwrap();
    let Resolve::Scalar(resolve) = function.resolve else { panic!("{name} is resolved elsewhere") };
    resolve(Call { written: name, name: function.name, arguments, settings })
}

pub(crate) fn byte(value: i8) -> Typed {
    Typed::literal(ScalarValue::Int8(Some(value)), DataType::Byte, value.to_string())
}

pub(crate) fn int(value: i32) -> Typed {
    Typed::literal(ScalarValue::Int32(Some(value)), DataType::Int, value.to_string())
}

pub(crate) fn long(value: i64) -> Typed {
    Typed::literal(ScalarValue::Int64(Some(value)), DataType::Long, value.to_string())
}

pub(crate) fn double(value: f64) -> Typed {
    Typed::literal(ScalarValue::Float64(Some(value)), DataType::Double, crate::text::java_double(value))
}

pub(crate) fn float(value: f32) -> Typed {
    Typed::literal(ScalarValue::Float32(Some(value)), DataType::Float, crate::text::java_float(value))
}

pub(crate) fn text(value: &str) -> Typed {
    Typed::literal(ScalarValue::Utf8(Some(value.to_owned())), DataType::String, value)
}

pub(crate) fn bytes(value: &[u8]) -> Typed {
    Typed::literal(ScalarValue::Binary(Some(value.to_vec())), DataType::Binary, "X")
}

pub(crate) fn boolean(value: bool) -> Typed {
    crate::operators::truth(value)
}

pub(crate) fn null() -> Typed {
    Typed::null(DataType::Void, "NULL").unwrap()
}

/// A decimal as it is written: `1.50`.
pub(crate) fn decimal(written: &str) -> Typed {
    let fraction = written.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits: String = written.replace('.', "");
    let precision = digits.trim_start_matches('-').trim_start_matches('0').len().max(fraction).max(1) as u8;
    let data_type = DataType::Decimal(precision, fraction as i8);
    let value = ScalarValue::Decimal128(Some(digits.parse().unwrap()), precision, fraction as i8);
    Typed::literal(value, data_type, written)
}

/// A constant of any type from its text, named by it.
pub(crate) fn of(data_type: DataType, written: &str) -> Typed {
    let settings = session();
    let typed = cast(text(written), &data_type, CastMode::Ansi, &settings).unwrap();
    let array = crate::evaluate::row(&typed).unwrap();
    let mut name = String::new();
    let zone = Zone::parse(&settings.time_zone).unwrap();
    write_value(&mut name, &array, 0, &data_type, Style::cast(true), zone);
    let name = match data_type {
        DataType::Date => format!("DATE '{name}'"),
        DataType::Timestamp => format!("TIMESTAMP '{name}'"),
        _ => name,
    };
    Typed::literal(ScalarValue::try_from_array(&array, 0).unwrap(), data_type, name)
}
