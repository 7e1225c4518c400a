//! Parts of strings and bytes: substrings, trimming, padding.

use arrow::array::{BinaryArray, Int32Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::Arguments;
use crate::columns::{Budget, Column, each, kernels, some};
use crate::error::Error;

kernels! {
    SUBSTRING = "spark_substring", |a| {
        let (at, length) = (Column::<Int32Array>::of(a, 1)?, Column::<Int32Array>::of(a, 2)?);
        if is_binary(a) {
            let bytes = Column::<BinaryArray>::of(a, 0)?;
            return each::<BinaryArray, Vec<u8>>(a, |row| {
                let bytes = some!(bytes.get(row));
                let (from, to) = span(bytes.len(), some!(at.get(row)), some!(length.get(row)));
                Ok(Some(bytes.get(from..to).unwrap_or_default().to_vec()))
            });
        }
        let text = Column::<StringArray>::of(a, 0)?;
        each::<StringArray, String>(a, |row| {
            Ok(Some(substring(some!(text.get(row)), some!(at.get(row)), some!(length.get(row))).to_owned()))
        })
    };
    RIGHT = "spark_right", |a| {
        let (text, count) = (Column::<StringArray>::of(a, 0)?, Column::<Int32Array>::of(a, 1)?);
        each::<StringArray, String>(a, |row| {
            let (text, count) = (some!(text.get(row)), some!(count.get(row)));
            Ok(Some(if count <= 0 { String::new() } else { substring(text, -count, i32::MAX).to_owned() }))
        })
    };
    SUBSTRING_INDEX = "spark_substring_index", |a| {
        let (text, by) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let count = Column::<Int32Array>::of(a, 2)?;
        each::<StringArray, String>(a, |row| {
            let (text, by, count) = (some!(text.get(row)), some!(by.get(row)), some!(count.get(row)));
            Ok(Some(substring_index(text, by, count).to_owned()))
        })
    };
    SPLIT_PART = "spark_split_part", |a| {
        let (text, by) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let part = Column::<Int32Array>::of(a, 2)?;
        each::<StringArray, String>(a, |row| {
            let (text, by, part) = (some!(text.get(row)), some!(by.get(row)), some!(part.get(row)));
            let parts: Vec<&str> = if by.is_empty() { vec![text] } else { text.split(by).collect() };
            let count = i64::try_from(parts.len()).unwrap_or(i64::MAX);
            let at = match i64::from(part) {
                0 => {
                    let message = "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).";
                    return Err(Error::new("INVALID_INDEX_OF_ZERO", message).into());
                }
                part if part > 0 => part - 1,
                part => count + part,
            };
            Ok(Some(usize::try_from(at).ok().and_then(|at| parts.get(at)).copied().unwrap_or_default().to_owned()))
        })
    };
    TRIM = "spark_trim", |a| trimmed(a, true, true);
    LTRIM = "spark_ltrim", |a| trimmed(a, true, false);
    RTRIM = "spark_rtrim", |a| trimmed(a, false, true);
    LPAD = "spark_lpad", |a| padded(a, true);
    RPAD = "spark_rpad", |a| padded(a, false);
    REPEAT = "spark_repeat", |a| {
        let (text, times) = (Column::<StringArray>::of(a, 0)?, Column::<Int32Array>::of(a, 1)?);
        let mut budget = Budget::new();
        each::<StringArray, String>(a, |row| {
            let (text, times) = (some!(text.get(row)), usize::try_from(some!(times.get(row))).unwrap_or(0));
            budget.take(text.len().saturating_mul(times))?;
            Ok(Some(text.repeat(times)))
        })
    };
    SPACE = "spark_space", |a| {
        let times = Column::<Int32Array>::of(a, 0)?;
        let mut budget = Budget::new();
        each::<StringArray, String>(a, |row| {
            let times = usize::try_from(some!(times.get(row))).unwrap_or(0);
            budget.take(times)?;
            Ok(Some(" ".repeat(times)))
        })
    };
    OVERLAY = "spark_overlay", |a| {
        let (at, length) = (Column::<Int32Array>::of(a, 2)?, Column::<Int32Array>::of(a, 3)?);
        if is_binary(a) {
            let (text, by) = (Column::<BinaryArray>::of(a, 0)?, Column::<BinaryArray>::of(a, 1)?);
            return each::<BinaryArray, Vec<u8>>(a, |row| {
                let (text, by) = (some!(text.get(row)), some!(by.get(row)));
                let (at, length) = (some!(at.get(row)), some!(length.get(row)));
                let length = if length >= 0 { length } else { i32::try_from(by.len()).unwrap_or(i32::MAX) };
                let (from, to) = span(text.len(), 1, at.saturating_sub(1));
                let (tail, _) = span(text.len(), at.saturating_add(length), i32::MAX);
                let tail = if at.saturating_add(length) > i32::try_from(text.len()).unwrap_or(i32::MAX) { text.len() } else { tail };
                Ok(Some([text.get(from..to).unwrap_or_default(), by, text.get(tail..).unwrap_or_default()].concat()))
            });
        }
        let (text, by) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<StringArray, String>(a, |row| {
            let (text, by) = (some!(text.get(row)), some!(by.get(row)));
            let (at, length) = (some!(at.get(row)), some!(length.get(row)));
            let length = if length >= 0 { length } else { i32::try_from(by.chars().count()).unwrap_or(i32::MAX) };
            let head = substring(text, 1, at.saturating_sub(1));
            Ok(Some([head, by, substring(text, at.saturating_add(length), i32::MAX)].concat()))
        })
    };
}

fn is_binary(a: &Arguments<'_>) -> bool {
    *a.returns.data_type() == Arrow::Binary
}

/// From which unit to which: units count from 1, from the end if negative, and 0 is before the first.
fn span(units: usize, at: i32, length: i32) -> (usize, usize) {
    let units = i64::try_from(units).unwrap_or(i64::MAX);
    let at = i64::from(at);
    if at > units {
        return (0, 0);
    }
    let start = match at {
        0 => 0,
        at if at > 0 => at - 1,
        at => units + at,
    };
    let end = if length == i32::MAX { units } else { start + i64::from(length) };
    let (start, end) = (start.clamp(0, units), end.clamp(0, units));
    let place = |at: i64| usize::try_from(at).unwrap_or(0);
    if end <= start { (0, 0) } else { (place(start), place(end)) }
}

/// Spark's substring of characters.
pub(crate) fn substring(text: &str, at: i32, length: i32) -> &str {
    if text.is_ascii() {
        let (from, to) = span(text.len(), at, length);
        return text.get(from..to).unwrap_or_default();
    }
    let (from, to) = span(text.chars().count(), at, length);
    let place = |count: usize| text.char_indices().nth(count).map_or(text.len(), |(place, _)| place);
    text.get(place(from)..place(to)).unwrap_or_default()
}

fn substring_index<'t>(text: &'t str, by: &str, count: i32) -> &'t str {
    if by.is_empty() || count == 0 {
        return "";
    }
    let nth = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) - 1;
    if count > 0 {
        // The next search begins one character later, so that separators may overlap.
        let mut from = 0;
        for _ in 0..=nth {
            match text.get(from..).and_then(|rest| rest.find(by)) {
                Some(place) => {
                    let step = text.get(from + place..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                    from += place + step;
                }
                None => return text,
            }
        }
        let end = from - text.get(..from).and_then(|before| before.chars().next_back()).map_or(1, char::len_utf8);
        return text.get(..end).unwrap_or(text);
    }
    let mut end = text.len();
    for at in 0..=nth {
        match text.get(..end).and_then(|rest| rest.rfind(by)) {
            Some(place) if at == nth => return text.get(place + by.len()..).unwrap_or_default(),
            Some(place) => {
                let last = by.chars().next_back().map_or(1, char::len_utf8);
                end = place + by.len() - last;
            }
            None => return text,
        }
    }
    text
}

fn trimmed(a: &Arguments<'_>, left: bool, right: bool) -> Result<ColumnarValue> {
    let text = Column::<StringArray>::of(a, 0)?;
    let chars = if a.values.len() > 1 { Some(Column::<StringArray>::of(a, 1)?) } else { None };
    each::<StringArray, String>(a, |row| {
        let mut text = some!(text.get(row));
        let chars = match &chars {
            Some(chars) => some!(chars.get(row)),
            None => " ",
        };
        if left {
            text = text.trim_start_matches(|c| chars.contains(c));
        }
        if right {
            text = text.trim_end_matches(|c| chars.contains(c));
        }
        Ok(Some(text.to_owned()))
    })
}

fn padded(a: &Arguments<'_>, left: bool) -> Result<ColumnarValue> {
    let length = Column::<Int32Array>::of(a, 1)?;
    let mut budget = Budget::new();
    if is_binary(a) {
        let (bytes, pad) = (Column::<BinaryArray>::of(a, 0)?, Column::<BinaryArray>::of(a, 2)?);
        return each::<BinaryArray, Vec<u8>>(a, |row| {
            let (bytes, pad) = (some!(bytes.get(row)), some!(pad.get(row)));
            let length = usize::try_from(some!(length.get(row))).unwrap_or(0);
            let missing = if pad.is_empty() { 0 } else { length.saturating_sub(bytes.len()) };
            budget.take(bytes.len() + missing)?;
            let pad = pad.iter().copied().cycle().take(missing);
            let own = bytes.iter().copied().take(length);
            Ok(Some(if left { pad.chain(own).collect() } else { own.chain(pad).collect() }))
        });
    }
    let (text, pad) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 2)?);
    each::<StringArray, String>(a, |row| {
        let (text, pad) = (some!(text.get(row)), some!(pad.get(row)));
        let length = usize::try_from(some!(length.get(row))).unwrap_or(0);
        let missing = if pad.is_empty() { 0 } else { length.saturating_sub(text.chars().count()) };
        budget.take(text.len() + missing.saturating_mul(4))?;
        let pad = pad.chars().cycle().take(missing);
        let own = text.chars().take(length);
        Ok(Some(if left { pad.chain(own).collect() } else { own.chain(pad).collect() }))
    })
}
