//! Where something is in a string, and whether.

use arrow::array::{BinaryArray, BooleanArray, Int32Array, StringArray};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::Arguments;
use crate::columns::{Column, each, kernels, some};

kernels! {
    CONTAINS = "spark_contains", |a| pair(a, |text, part| {
        part.is_empty() || text.windows(part.len()).any(|window| window == part)
    });
    STARTSWITH = "spark_startswith", |a| pair(a, |text, part| text.starts_with(part));
    ENDSWITH = "spark_endswith", |a| pair(a, |text, part| text.ends_with(part));
    INSTR = "spark_instr", |a| {
        let (text, part) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| Ok(Some(place(some!(text.get(row)), some!(part.get(row)), 1))))
    };
    LOCATE = "spark_locate", |a| {
        let (part, text) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let from = Column::<Int32Array>::of(a, 2)?;
        each::<Int32Array, i32>(a, |row| {
            // A start that is NULL is a start that finds nothing.
            let from = match from.get(row) {
                Some(from) => from,
                None => return Ok(Some(0)),
            };
            let (part, text) = (some!(part.get(row)), some!(text.get(row)));
            Ok(Some(if from < 1 { 0 } else { place(text, part, from) }))
        })
    };
    FIND_IN_SET = "spark_find_in_set", |a| {
        let (word, set) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| {
            let (word, set) = (some!(word.get(row)), some!(set.get(row)));
            let at = if word.contains(',') { None } else { set.split(',').position(|each| each == word) };
            Ok(Some(at.map_or(0, |at| i32::try_from(at + 1).unwrap_or(i32::MAX))))
        })
    };
}

fn pair(a: &Arguments<'_>, holds: impl Fn(&[u8], &[u8]) -> bool) -> Result<ColumnarValue> {
    let (text, part) = (Column::<BinaryArray>::of(a, 0)?, Column::<BinaryArray>::of(a, 1)?);
    each::<BooleanArray, bool>(a, |row| Ok(Some(holds(some!(text.get(row)), some!(part.get(row))))))
}

/// The first place at or after a character, from 1; 0 if there is none.
fn place(text: &str, part: &str, from: i32) -> i32 {
    if part.is_empty() {
        return 1;
    }
    let skipped = usize::try_from(from - 1).unwrap_or(0);
    let Some((start, _)) = text.char_indices().nth(skipped) else { return 0 };
    let Some(found) = text.get(start..).and_then(|rest| rest.find(part)) else { return 0 };
    let before = text.get(start..start + found).map_or(0, |before| before.chars().count());
    i32::try_from(skipped + before + 1).unwrap_or(i32::MAX)
}
