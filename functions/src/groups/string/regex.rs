//! The functions of regular expressions.

use std::collections::HashMap;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use super::java_regex::JavaRegex;
use crate::Arguments;
use crate::columns::{Column, each, kernels, returned, rows, some};
use crate::error::Error;

/// Compiled patterns by their text: mostly one.
pub(super) struct Patterns {
    function: &'static str,
    known: HashMap<String, JavaRegex>,
}

impl Patterns {
    pub(super) fn new(function: &'static str) -> Self {
        Patterns { function, known: HashMap::new() }
    }

    pub(super) fn get(&mut self, pattern: &str) -> Result<&JavaRegex> {
        if !self.known.contains_key(pattern) {
            if self.known.len() > 1000 {
                self.known.clear();
            }
            self.known.insert(pattern.to_owned(), JavaRegex::new(pattern, self.function)?);
        }
        self.known.get(pattern).ok_or_else(|| exec_datafusion_err!("the pattern has gone"))
    }
}

kernels! {
    RLIKE = "spark_rlike", |a| found(a, "rlike");
    REGEXP = "spark_regexp", |a| found(a, "regexp");
    REGEXP_LIKE = "spark_regexp_like", |a| found(a, "regexp_like");
    COUNT = "spark_regexp_count", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let mut patterns = Patterns::new("regexp_count");
        each::<Int32Array, i32>(a, |row| {
            let mut count = 0;
            let (text, pattern) = (some!(text.get(row)), some!(pattern.get(row)));
            patterns.get(pattern)?.each(text, 0, |_| { count += 1; true })?;
            Ok(Some(count))
        })
    };
    EXTRACT = "spark_regexp_extract", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let group = Column::<Int32Array>::of(a, 2)?;
        let mut patterns = Patterns::new("regexp_extract");
        each::<StringArray, String>(a, |row| {
            let (text, pattern, group) = (some!(text.get(row)), some!(pattern.get(row)), some!(group.get(row)));
            let regex = patterns.get(pattern)?;
            // Only where there is a match is the group's number looked at.
            let mut taken = Ok(String::new());
            regex.each(text, 0, |captures| {
                taken = checked_group(group, regex, "regexp_extract")
                    .map(|group| captures.get(group).map(|found| found.as_str().to_owned()).unwrap_or_default());
                false
            })?;
            taken.map(Some)
        })
    };
    EXTRACT_ALL = "spark_regexp_extract_all", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let group = Column::<Int32Array>::of(a, 2)?;
        let mut patterns = Patterns::new("regexp_extract_all");
        lists(a, |row, list| {
            let (Some(text), Some(pattern), Some(group)) = (text.get(row), pattern.get(row), group.get(row)) else {
                return Ok(false);
            };
            let regex = patterns.get(pattern)?;
            let mut wrong = Ok(0);
            regex.each(text, 0, |captures| {
                wrong = checked_group(group, regex, "regexp_extract_all");
                if let Ok(group) = wrong {
                    list.append_value(captures.get(group).map(|found| found.as_str()).unwrap_or_default());
                }
                wrong.is_ok()
            })?;
            wrong.map(|_| true)
        })
    };
    INSTR = "spark_regexp_instr", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let group = Column::<Int32Array>::of(a, 2)?;
        let mut patterns = Patterns::new("regexp_instr");
        each::<Int32Array, i32>(a, |row| {
            let (text, pattern) = (some!(text.get(row)), some!(pattern.get(row)));
            some!(group.get(row));
            let mut at = 0;
            patterns.get(pattern)?.each(text, 0, |captures| {
                let start = captures.get(0).map_or(0, |found| found.start());
                // Positions count UTF-16 units, as Java's do.
                at = text.get(..start).map_or(0, |before| before.encode_utf16().count()) + 1;
                false
            })?;
            Ok(Some(i32::try_from(at).unwrap_or(i32::MAX)))
        })
    };
    SUBSTR = "spark_regexp_substr", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let mut patterns = Patterns::new("regexp_substr");
        each::<StringArray, String>(a, |row| {
            let (text, pattern) = (some!(text.get(row)), some!(pattern.get(row)));
            let mut taken = None;
            patterns.get(pattern)?.each(text, 0, |captures| {
                taken = captures.get(0).map(|found| found.as_str().to_owned()).filter(|found| !found.is_empty());
                false
            })?;
            Ok(taken)
        })
    };
    REPLACE = "spark_regexp_replace", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let (by, position) = (Column::<StringArray>::of(a, 2)?, Column::<Int32Array>::of(a, 3)?);
        let mut patterns = Patterns::new("regexp_replace");
        each::<StringArray, String>(a, |row| {
            let (text, pattern) = (some!(text.get(row)), some!(pattern.get(row)));
            let (by, position) = (some!(by.get(row)), some!(position.get(row)));
            let from = match text.char_indices().nth(usize::try_from(position.max(1) - 1).unwrap_or(0)) {
                Some((from, _)) => from,
                None if text.is_empty() && position <= 1 => 0,
                None => return Ok(Some(text.to_owned())),
            };
            replaced(patterns.get(pattern)?, text, from, by).map(Some)
        })
    };
    SPLIT = "spark_split", |a| {
        let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let limit = Column::<Int32Array>::of(a, 2)?;
        let mut patterns = Patterns::new("split");
        lists(a, |row, list| {
            let (Some(text), Some(pattern), Some(limit)) = (text.get(row), pattern.get(row), limit.get(row)) else {
                return Ok(false);
            };
            let most = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
            if pattern.is_empty() && !text.is_empty() {
                // Into characters; those beyond the limit are gone.
                text.chars().take(most).for_each(|c| list.append_value(c.encode_utf8(&mut [0; 4])));
                return Ok(true);
            }
            let (mut from, mut parts) = (0, 1);
            patterns.get(pattern)?.each(text, 0, |captures| {
                let Some(found) = captures.get(0) else { return false };
                if parts >= most {
                    return false;
                }
                // An empty match at the very beginning splits nothing off.
                if found.end() > 0 {
                    list.append_value(text.get(from..found.start()).unwrap_or_default());
                    parts += 1;
                    from = found.end();
                }
                true
            })?;
            list.append_value(text.get(from..).unwrap_or_default());
            Ok(true)
        })
    };
}

fn found(a: &Arguments<'_>, function: &'static str) -> Result<ColumnarValue> {
    let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
    let mut patterns = Patterns::new(function);
    each::<BooleanArray, bool>(a, |row| {
        let (text, pattern) = (some!(text.get(row)), some!(pattern.get(row)));
        Ok(Some(patterns.get(pattern)?.found(text)?))
    })
}

/// A list of strings for each row; false is NULL.
pub(crate) fn lists(
    a: &Arguments<'_>,
    mut fill: impl FnMut(usize, &mut StringBuilder) -> Result<bool>,
) -> Result<ColumnarValue> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..rows(a).0 {
        let valid = fill(row, lists.values())?;
        lists.append(valid);
    }
    returned(a, std::sync::Arc::new(lists.finish()) as ArrayRef)
}

fn checked_group(group: i32, regex: &JavaRegex, function: &str) -> Result<usize> {
    let most = regex.groups();
    match usize::try_from(group) {
        Ok(group) if group <= most => Ok(group),
        _ => Err(Error::new(
            "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
            format!(
                "The value of parameter(s) `idx` in `{function}` is invalid: Expects group index between 0 and {most}, but got {group}."
            ),
        )
        .into()),
    }
}

/// Every match from there replaced; the replacement has Java's `$1`, `${name}` and `\`.
fn replaced(regex: &JavaRegex, text: &str, from: usize, by: &str) -> Result<String> {
    let mut to = text.get(..from).unwrap_or_default().to_owned();
    let mut at = from;
    let mut wrong = None;
    regex.each(text, from, |captures| {
        let Some(found) = captures.get(0) else { return false };
        to.push_str(text.get(at..found.start()).unwrap_or_default());
        at = found.end();
        let group = |number: usize| captures.get(number).map(|found| found.as_str()).unwrap_or_default();
        if let Err(why) = replacement(regex, by, group, &mut to) {
            wrong = Some(why);
            return false;
        }
        true
    })?;
    if let Some(why) = wrong {
        return Err(Error::new("INVALID_PARAMETER_VALUE", why).into());
    }
    to.push_str(text.get(at..).unwrap_or_default());
    Ok(to)
}

fn replacement<'t>(
    regex: &JavaRegex,
    by: &str,
    group: impl Fn(usize) -> &'t str,
    to: &mut String,
) -> Result<(), String> {
    let mut rest = by.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => to.push(rest.next().ok_or("character to be escaped is missing")?),
            '$' if rest.next_if_eq(&'{').is_some() => {
                let name: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
                rest.next().ok_or("named capturing group is missing trailing '}'")?;
                let number = regex.group_named(&name).ok_or_else(|| format!("No group with name {{{name}}}"))?;
                to.push_str(group(number));
            }
            '$' => {
                let digit = |c: &char| c.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
                let mut number = rest.next().as_ref().and_then(digit).ok_or("Illegal group reference")?;
                if number > regex.groups() {
                    return Err(format!("No group {number}"));
                }
                while let Some(next) = rest.peek().and_then(digit) {
                    if number * 10 + next > regex.groups() {
                        break;
                    }
                    number = number * 10 + next;
                    rest.next();
                }
                to.push_str(group(number));
            }
            c => to.push(c),
        }
    }
    Ok(())
}
