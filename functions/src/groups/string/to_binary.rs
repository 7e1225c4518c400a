//! `to_binary` and `try_to_binary`.

use arrow::array::{BinaryArray, StringArray};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::charset::unbase64;
use crate::columns::{Column, each, kernels, some};
use crate::error::Error;
use crate::Arguments;

kernels! {
    TO_BINARY = "spark_to_binary", |a| to_binary(a, false);
    TRY_TO_BINARY = "spark_try_to_binary", |a| to_binary(a, true);
}

fn to_binary(a: &Arguments<'_>, tries: bool) -> Result<ColumnarValue> {
    let (text, format) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
    each::<BinaryArray, Vec<u8>>(a, |row| {
        let (text, format) = (some!(text.get(row)), some!(format.get(row)));
        let format = format.to_lowercase();
        let bytes = match format.as_str() {
            "hex" => unhex(text),
            "base64" => strict(text).then(|| unbase64(text).ok()).flatten(),
            _ => Some(text.as_bytes().to_vec()),
        };
        match bytes {
            None if !tries => Err(Error::new(
                "CONVERSION_INVALID_INPUT",
                format!(
                    "The value '{text}' ({}) cannot be converted to \"BINARY\" because it is malformed. Correct the value \
                     as per the syntax, or change its format. Use `try_to_binary` to tolerate malformed input and return \
                     NULL instead.",
                    format.to_uppercase()
                ),
            )
            .into()),
            bytes => Ok(bytes),
        }
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let mut digits = digits.collect::<Option<Vec<u8>>>()?;
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Groups of four of the alphabet, padded at the end only; white space does not count.
fn strict(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = &bytes[..bytes.len() - padding];
    padding <= 2
        && (bytes.len() % 4 == 0 || (padding == 0 && bytes.len() % 4 != 1))
        && body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
