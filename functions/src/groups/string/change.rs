//! Strings with their characters changed, moved or joined.

use std::collections::HashMap;

use arrow::array::{Array, BinaryArray, BooleanArray, Int32Array, ListArray, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::Arguments;
use crate::columns::{Budget, Column, each, kernels, of_text, some};
use crate::error::Error;

kernels! {
    LOWER = "spark_lower", |a| of_text::<StringArray, _>(a, |text| Some(text.to_lowercase()));
    UPPER = "spark_upper", |a| of_text::<StringArray, _>(a, |text| Some(text.to_uppercase()));
    INITCAP = "spark_initcap", |a| of_text::<StringArray, _>(a, |text| {
        let mut begins = true;
        let mut to = String::with_capacity(text.len());
        for c in text.to_lowercase().chars() {
            // A letter stays one letter, as Java's Character has it: ß has no upper case of its own.
            match (begins, c.to_uppercase().next()) {
                (true, Some(upper)) if c.to_uppercase().len() == 1 => to.push(upper),
                _ => to.push(c),
            }
            begins = c == ' ';
        }
        Some(to)
    });
    REPLACE = "spark_replace", |a| {
        let (text, part) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let by = Column::<StringArray>::of(a, 2)?;
        let mut budget = Budget::new();
        each::<StringArray, String>(a, |row| {
            let (text, part, by) = (some!(text.get(row)), some!(part.get(row)), some!(by.get(row)));
            if part.is_empty() {
                return Ok(Some(text.to_owned()));
            }
            budget.take(text.len().saturating_add(text.matches(part).count().saturating_mul(by.len())))?;
            Ok(Some(text.replace(part, by)))
        })
    };
    TRANSLATE = "spark_translate", |a| {
        let (text, from) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let to = Column::<StringArray>::of(a, 2)?;
        let map_of = |from: &str, to: &str| {
            let mut map: HashMap<char, Option<char>> = HashMap::new();
            let mut to = to.chars();
            for c in from.chars() {
                let by = to.next();
                map.entry(c).or_insert(by);
            }
            map
        };
        let constant = match (from.constant(), to.constant()) {
            (Some(from), Some(to)) => Some(map_of(from, to)),
            _ => None,
        };
        each::<StringArray, String>(a, |row| {
            let (text, from, to) = (some!(text.get(row)), some!(from.get(row)), some!(to.get(row)));
            let own;
            let map = match &constant {
                Some(map) => map,
                None => { own = map_of(from, to); &own }
            };
            Ok(Some(text.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c))).collect()))
        })
    };
    MASK = "spark_mask", |a| {
        let text = Column::<StringArray>::of(a, 0)?;
        let by = [Column::<StringArray>::of(a, 1)?, Column::<StringArray>::of(a, 2)?,
            Column::<StringArray>::of(a, 3)?, Column::<StringArray>::of(a, 4)?];
        each::<StringArray, String>(a, |row| {
            let text = some!(text.get(row));
            let [upper, lower, digit, other] = by.each_ref().map(|by| by.get(row).and_then(|by| by.chars().next()));
            Ok(Some(text.chars().map(|c| match c {
                c if c.is_uppercase() => upper.unwrap_or(c),
                c if c.is_lowercase() => lower.unwrap_or(c),
                c if c.is_numeric() => digit.unwrap_or(c),
                c => other.unwrap_or(c),
            }).collect()))
        })
    };
    CHR = "spark_chr", |a| {
        let code = Column::<arrow::array::Int64Array>::of(a, 0)?;
        each::<StringArray, String>(a, |row| Ok(Some(match some!(code.get(row)) {
            code if code < 0 => String::new(),
            code => u8::try_from(code & 0xff).map(char::from).unwrap_or_default().to_string(),
        })))
    };
    CONCAT_WS = "spark_concat_ws", |a| {
        let by = Column::<StringArray>::of(a, 0)?;
        let parts = (1..a.values.len()).map(|at| Words::of(a, at)).collect::<Result<Vec<_>>>()?;
        let mut budget = Budget::new();
        each::<StringArray, String>(a, |row| {
            let by = some!(by.get(row));
            let (mut to, mut first) = (String::new(), true);
            for part in &parts {
                part.each(row, |word| {
                    if !std::mem::take(&mut first) {
                        to.push_str(by);
                    }
                    to.push_str(word);
                });
            }
            budget.take(to.len())?;
            Ok(Some(to))
        })
    };
    ELT = "spark_elt", |a| {
        let at = Column::<Int32Array>::of(a, 0)?;
        let pick = |row: usize| -> Result<Option<usize>> {
            let at = some!(at.get(row));
            let count = a.values.len() - 1;
            match usize::try_from(at).ok().filter(|at| (1..=count).contains(at)) {
                Some(at) => Ok(Some(at - 1)),
                None if a.settings.ansi => Err(Error::new("INVALID_ARRAY_INDEX", format!(
                    "The index {at} is out of bounds. The array has {count} elements. Use the SQL function `get()` to \
                     tolerate accessing element at invalid index and return NULL instead.")).into()),
                None => Ok(None),
            }
        };
        if *a.returns.data_type() == Arrow::Binary {
            let parts = columns::<BinaryArray>(a, 1)?;
            return each::<BinaryArray, Vec<u8>>(a, |row| {
                let at = some!(pick(row)?);
                Ok(parts.get(at).and_then(|part| part.get(row)).map(<[u8]>::to_vec))
            });
        }
        let parts = columns::<StringArray>(a, 1)?;
        each::<StringArray, String>(a, |row| {
            let at = some!(pick(row)?);
            Ok(parts.get(at).and_then(|part| part.get(row)).map(str::to_owned))
        })
    };
    LUHN_CHECK = "spark_luhn_check", |a| of_text::<BooleanArray, _>(a, |text| Some(luhn(text)));
}

fn columns<A: crate::columns::Carrier>(a: &Arguments<'_>, from: usize) -> Result<Vec<Column<A>>> {
    (from..a.values.len()).map(|at| Column::of(a, at)).collect()
}

/// A string, or an array of them.
enum Words {
    One(Column<StringArray>),
    Many(ListArray, bool),
}

impl Words {
    fn of(a: &Arguments<'_>, at: usize) -> Result<Self> {
        let list = match &a.values[at] {
            ColumnarValue::Array(array) => array.as_any().downcast_ref::<ListArray>().map(|list| (list.clone(), false)),
            ColumnarValue::Scalar(value) => {
                value.to_array()?.as_any().downcast_ref::<ListArray>().map(|list| (list.clone(), true))
            }
        };
        Ok(match list {
            Some((list, constant)) => Words::Many(list, constant),
            None => Words::One(Column::of(a, at)?),
        })
    }

    fn each(&self, row: usize, mut word: impl FnMut(&str)) {
        match self {
            Words::One(text) => text.get(row).into_iter().for_each(word),
            Words::Many(list, constant) => {
                let row = if *constant { 0 } else { row };
                if row >= list.len() || list.is_null(row) {
                    return;
                }
                let words = list.value(row);
                if let Some(words) = words.as_any().downcast_ref::<StringArray>() {
                    words.iter().flatten().for_each(&mut word);
                }
            }
        }
    }
}

fn luhn(text: &str) -> bool {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let digits = text.bytes().rev().map(|byte| u64::from(byte - b'0'));
    let sum: u64 =
        digits.enumerate().map(|(at, digit)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }).sum();
    sum.is_multiple_of(10)
}
