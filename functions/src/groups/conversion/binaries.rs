//! `to_binary` and `try_to_binary`.

use std::sync::Arc;

use arrow::array::{AsArray, BinaryBuilder};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use crate::coercion::{Expected, implicit_cast};
use crate::groups::math::from_hexadecimal;
use crate::groups::scalar::{between, call_name};
use crate::operators::resolve_error;
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

static HEX: Kernel =
    Kernel { name: "spark_to_binary_hex", volatile: false, run: |a| run(a, "HEX", false, from_hexadecimal) };
static BASE64: Kernel =
    Kernel { name: "spark_to_binary_base64", volatile: false, run: |a| run(a, "BASE64", false, from_base64) };
static TRY_HEX: Kernel =
    Kernel { name: "spark_try_to_binary_hex", volatile: false, run: |a| run(a, "HEX", true, from_hexadecimal) };
static TRY_BASE64: Kernel =
    Kernel { name: "spark_try_to_binary_base64", volatile: false, run: |a| run(a, "BASE64", true, from_base64) };

/// Padding may be left out.
const BASE64_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `to_binary(text[, format])`
pub(super) fn to_binary(mut call: Call<'_>, tries: bool) -> Result<Typed> {
    let arguments = between(&mut call, 1, 2)?;
    let arguments = std::mem::take(arguments);
    let name = call_name(call.name, &arguments);
    let mut arguments = arguments.into_iter();
    let (Some(value), format) = (arguments.next(), arguments.next()) else {
        return Err(Error::new("INTERNAL_ERROR", "no argument"));
    };
    let format = match format {
        None => "hex".to_owned(),
        Some(format) => {
            if !format.foldable || !matches!(format.data_type, DataType::String | DataType::Void) {
                return Err(invalid_format(&name, &format.name));
            }
            match crate::evaluate::constant(&format)? {
                value if value.is_null() => return Typed::null(DataType::Binary, name),
                value => crate::literal::string(&value).unwrap_or_default().to_lowercase(),
            }
        }
    };
    let value = implicit_cast(value, &Expected::Type(DataType::String), 1, &name, call.settings)?;
    let nullable = value.nullable || tries;
    let kernel = match (format.as_str(), tries) {
        ("hex", false) => &HEX,
        ("hex", true) => &TRY_HEX,
        ("base64", false) => &BASE64,
        ("base64", true) => &TRY_BASE64,
        ("utf-8" | "utf8", _) => {
            return Ok(crate::coercion::coerce_to(value, &DataType::Binary, call.settings)?.named(name));
        }
        (_, true) => return Typed::null(DataType::Binary, name),
        (other, false) => return Err(invalid_format(&name, &format!("'{other}'"))),
    };
    Ok(SparkUdf::call(kernel, call.settings, vec![value], DataType::Binary, nullable, name))
}

fn invalid_format(call: &str, got: &str) -> Error {
    let why = format!(
        "The fmt value must to be a case-insensitive \"STRING\" literal of 'hex', 'utf-8', 'utf8', or 'base64', but got {got}."
    );
    resolve_error("INVALID_ARG_VALUE", call, why)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    // White space may stand anywhere before the padding.
    let (symbols, padding) = text.split_at(text.find('=').unwrap_or(text.len()));
    let symbols: String = symbols.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    BASE64_ENGINE.decode(symbols + padding).ok()
}

fn run(
    arguments: &Arguments<'_>,
    format: &str,
    tries: bool,
    decode: fn(&str) -> Option<Vec<u8>>,
) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let mut builder = BinaryBuilder::new();
    for value in values.as_string::<i32>() {
        let bytes = value.and_then(decode);
        match value {
            Some(value) if bytes.is_none() && !tries => {
                return Err(Error::new(
                    "CONVERSION_INVALID_INPUT",
                    format!("The value '{value}' ('{format}') cannot be converted to \"BINARY\" because it is malformed. Correct the value as per the syntax, or change its format. Use `try_to_binary` to tolerate malformed input and return NULL instead."),
                )
                .into());
            }
            _ => builder.append_option(bytes),
        }
    }
    Ok(ColumnarValue::Array(Arc::new(builder.finish())))
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&HEX, &BASE64, &TRY_HEX, &TRY_BASE64];
