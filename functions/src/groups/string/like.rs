//! LIKE and ILIKE: `%`, `_`, and an escape that may stand before these and itself only.
//!
//! A pattern that is a constant is Arrow's to look for, which has searches for its simple forms; others are read row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::Arguments;
use crate::columns::{Column, carried, each, kernels, returned, some};
use crate::error::Error;

kernels! {
    LIKE = "spark_like", |a| like(a, false);
    ILIKE = "spark_ilike", |a| like(a, true);
}

enum Part {
    Char(char),
    One,
    Any,
}

fn like(a: &Arguments<'_>, fold: bool) -> Result<ColumnarValue> {
    let (pattern, escape) = (Column::<StringArray>::of(a, 1)?, Column::<StringArray>::of(a, 2)?);
    let parts_of = |pattern: &str, escape: &str| {
        let pattern = if fold { pattern.to_lowercase() } else { pattern.to_owned() };
        parts(&pattern, escape.chars().next().unwrap_or('\\'))
    };
    if let (Some(pattern), Some(escape), Some(ColumnarValue::Array(text))) =
        (pattern.constant(), escape.constant(), a.values.first())
    {
        return returned(a, like_constant(text, &parts_of(pattern, escape)?, fold)?);
    }
    let text = Column::<StringArray>::of(a, 0)?;
    each::<BooleanArray, bool>(a, |row| {
        let (text, pattern, escape) = (some!(text.get(row)), some!(pattern.get(row)), some!(escape.get(row)));
        let parts = parts_of(pattern, escape)?;
        Ok(Some(if fold { matches(&text.to_lowercase(), &parts) } else { matches(text, &parts) }))
    })
}

/// Arrow's escape is the backslash.
fn like_constant(text: &ArrayRef, parts: &[Part], fold: bool) -> Result<ArrayRef> {
    let mut pattern = String::new();
    for part in parts {
        match part {
            Part::Char(c) => {
                if matches!(c, '%' | '_' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(*c);
            }
            Part::One => pattern.push('_'),
            Part::Any => pattern.push('%'),
        }
    }
    let mut text = carried(Arc::clone(text), &Arrow::Utf8)?;
    if fold {
        let folded: StringArray =
            text.as_string::<i32>().iter().map(|text| text.map(|text| text.to_lowercase())).collect();
        text = Arc::new(folded);
    }
    Ok(Arc::new(arrow::compute::like(&text, &StringArray::new_scalar(pattern))?))
}

fn parts(pattern: &str, escape: char) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        parts.push(match c {
            c if c == escape => match rest.next() {
                Some(c @ ('_' | '%')) => Part::Char(c),
                Some(c) if c == escape => Part::Char(c),
                Some(c) => {
                    return Err(Error::new(
                        "INVALID_FORMAT.ESC_IN_THE_MIDDLE",
                        format!(
                            "The format is invalid: '{pattern}'. The escape character is not allowed to precede '{c}'."
                        ),
                    ));
                }
                None => {
                    return Err(Error::new(
                        "INVALID_FORMAT.ESC_AT_THE_END",
                        format!("The format is invalid: '{pattern}'. The escape character is not allowed to end with."),
                    ));
                }
            },
            '_' => Part::One,
            '%' => Part::Any,
            c => Part::Char(c),
        });
    }
    Ok(parts)
}

/// Greedy, and back to the last `%` where it fails: no more steps than text times pattern.
fn matches(text: &str, parts: &[Part]) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    let mut last: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        match (parts.get(at), rest.next()) {
            (Some(Part::Any), _) => {
                at += 1;
                last = Some((at, before.clone()));
                rest = before;
                continue;
            }
            (None, None) => return true,
            (Some(Part::One), Some(_)) => at += 1,
            (Some(Part::Char(want)), Some(c)) if *want == c => at += 1,
            _ => match &mut last {
                Some((after, chars)) => {
                    if chars.next().is_none() {
                        return false;
                    }
                    at = *after;
                    rest = chars.clone();
                }
                None => return false,
            },
        }
    }
}
