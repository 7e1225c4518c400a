//! Strings as bytes in Java's charsets and in base64, and back.

use arrow::array::{BinaryArray, StringArray};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use datafusion::common::Result;

use crate::columns::{Column, each, kernels, some};
use crate::error::Error;

kernels! {
    ENCODE = "spark_encode", |a| {
        let (text, charset) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<BinaryArray, Vec<u8>>(a, |row| {
            let (text, charset) = (some!(text.get(row)), some!(charset.get(row)));
            Ok(Some(Charset::named(charset, "encode")?.encode(text)))
        })
    };
    DECODE = "spark_decode", |a| {
        let (bytes, charset) = (Column::<BinaryArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<StringArray, String>(a, |row| {
            let (bytes, charset) = (some!(bytes.get(row)), some!(charset.get(row)));
            Ok(Some(Charset::named(charset, "decode")?.decode(bytes)))
        })
    };
    BASE64 = "spark_base64", |a| {
        let bytes = Column::<BinaryArray>::of(a, 0)?;
        each::<StringArray, String>(a, |row| Ok(Some(in_lines(some!(bytes.get(row))))))
    };
    UNBASE64 = "spark_unbase64", |a| {
        let text = Column::<StringArray>::of(a, 0)?;
        each::<BinaryArray, Vec<u8>>(a, |row| unbase64(some!(text.get(row))).map(Some))
    };
}

/// In lines of 76 characters, as in mail.
pub(crate) fn in_lines(bytes: &[u8]) -> String {
    let lines: Vec<String> = bytes.chunks(57).map(|line| general_purpose::STANDARD.encode(line)).collect();
    lines.join("\r\n")
}

/// What is not of the alphabet is passed over, as in mail.
pub(crate) fn unbase64(text: &str) -> Result<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let end = text.find('=').unwrap_or(text.len());
    let bytes: Vec<u8> = text.as_bytes()[..end].iter().copied().filter(known).collect();
    GeneralPurpose::new(&STANDARD, lenient).decode(bytes).map_err(|_| {
        Error::new(
            "CONVERSION_INVALID_INPUT",
            format!("The value '{text}' (\"STRING\") cannot be converted to \"BINARY\" because it is malformed."),
        )
        .into()
    })
}

#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    fn named(name: &str, function: &str) -> Result<Self, Error> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Charset::Utf8,
            "us-ascii" | "ascii" | "iso646-us" | "646" | "cp367" | "ibm367" | "ansi_x3.4-1968" => Charset::Ascii,
            "iso-8859-1" | "iso8859_1" | "iso8859-1" | "iso_8859-1" | "latin1" | "l1" | "8859_1" | "cp819" => {
                Charset::Latin1
            }
            "utf-16" | "utf16" | "utf_16" | "unicode" => Charset::Utf16,
            "utf-16be" | "utf_16be" | "unicodebigunmarked" => Charset::Utf16Be,
            "utf-16le" | "utf_16le" | "unicodelittleunmarked" => Charset::Utf16Le,
            _ => {
                return Err(Error::new(
                    "INVALID_PARAMETER_VALUE.CHARSET",
                    format!(
                        "The value of parameter(s) `charset` in `{function}` is invalid: Paceline does not know the charset {name}."
                    ),
                ));
            }
        })
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let narrow = |most: u32| {
            text.chars()
                .map(|c| u8::try_from(u32::from(c)).ok().filter(|byte| u32::from(*byte) <= most).unwrap_or(b'?'))
                .collect()
        };
        match self {
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Ascii => narrow(0x7f),
            Charset::Latin1 => narrow(0xff),
            Charset::Utf16 if text.is_empty() => Vec::new(),
            Charset::Utf16 => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
            Charset::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Charset::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
            let odd = if bytes.len().is_multiple_of(2) { "" } else { "\u{fffd}" };
            String::from_utf16_lossy(&units) + odd
        };
        match self {
            Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Charset::Ascii => {
                bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' }).collect()
            }
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Utf16 => match bytes {
                [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
                [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
                bytes => wide(bytes, u16::from_be_bytes),
            },
            Charset::Utf16Be => wide(bytes, u16::from_be_bytes),
            Charset::Utf16Le => wide(bytes, u16::from_le_bytes),
        }
    }
}
