//! Numbers and codes of strings.

use arrow::array::{BinaryArray, Int32Array, StringArray};
use arrow::datatypes::DataType as Arrow;

use crate::columns::{Column, each, kernels, of_text, some};

kernels! {
    LENGTH = "spark_length", |a| match a.fields.first().map(|field| field.data_type()) {
        Some(Arrow::Binary) => bytes(a, 1),
        _ => of_text::<Int32Array, _>(a, |text| i32::try_from(text.chars().count()).ok()),
    };
    OCTET_LENGTH = "spark_octet_length", |a| bytes(a, 1);
    BIT_LENGTH = "spark_bit_length", |a| bytes(a, 8);
    ASCII = "spark_ascii", |a| of_text::<Int32Array, _>(a, |text| {
        Some(text.chars().next().and_then(|c| i32::try_from(u32::from(c)).ok()).unwrap_or(0))
    });
    LEVENSHTEIN = "spark_levenshtein", |a| {
        let (one, other) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let most = if a.values.len() > 2 { Some(Column::<Int32Array>::of(a, 2)?) } else { None };
        each::<Int32Array, i32>(a, |row| {
            let distance = distance(some!(one.get(row)), some!(other.get(row)));
            let Some(most) = &most else { return Ok(Some(distance)) };
            let most = some!(most.get(row));
            Ok(Some(if distance > most { -1 } else { distance }))
        })
    };
    SOUNDEX = "spark_soundex", |a| of_text::<StringArray, _>(a, |text| Some(soundex(text)));
}

fn bytes(a: &crate::Arguments<'_>, unit: i32) -> datafusion::common::Result<datafusion::logical_expr::ColumnarValue> {
    let bytes = Column::<BinaryArray>::of(a, 0)?;
    each::<Int32Array, i32>(a, |row| {
        Ok(i32::try_from(some!(bytes.get(row)).len()).ok().map(|len| len.wrapping_mul(unit)))
    })
}

/// Edits from one to the other.
fn distance(one: &str, other: &str) -> i32 {
    let other: Vec<char> = other.chars().collect();
    let mut costs: Vec<i32> = (0..=i32::try_from(other.len()).unwrap_or(i32::MAX)).collect();
    for (row, c) in (1..).zip(one.chars()) {
        let mut diagonal = row - 1;
        let mut left = row;
        if let Some(first) = costs.first_mut() {
            *first = row;
        }
        for (cost, d) in costs.iter_mut().skip(1).zip(&other) {
            let replaced = diagonal + i32::from(c != *d);
            diagonal = *cost;
            left = replaced.min(*cost + 1).min(left + 1);
            *cost = left;
        }
    }
    costs.last().copied().unwrap_or(0)
}

/// A text that does not begin with a letter is its own code.
fn soundex(text: &str) -> String {
    // By letter; H and W do not part equal codes, vowels do.
    const CODES: &[u8; 26] = b"01230127022455012623017202";
    let code = |byte: u8| match byte.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => CODES.get(usize::from(letter - b'A')).copied(),
        _ => None,
    };
    let bytes = text.as_bytes();
    let Some((first, mut last)) = bytes.first().and_then(|first| Some((*first, code(*first)?))) else {
        return text.to_owned();
    };
    let mut to = String::from(char::from(first.to_ascii_uppercase()));
    for byte in &bytes[1..] {
        match code(*byte) {
            None => last = b'0',
            Some(b'7') => {}
            Some(code) => {
                if code != b'0' && code != last {
                    to.push(char::from(code));
                    if to.len() == 4 {
                        break;
                    }
                }
                last = code;
            }
        }
    }
    format!("{to:0<4}")
}
