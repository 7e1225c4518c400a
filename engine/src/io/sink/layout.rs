//! How rows are laid out over files and folders: the options of Spark's writers that are the same for every format.

use std::fmt;
use std::num::NonZeroU64;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, plan_err};

/// Columns that become folders, between commas.
const PARTITION_BY: &str = "partitionBy";
/// Rows in a file at most.
const MAX_RECORDS: &str = "maxRecordsPerFile";
/// What an overwrite replaces.
const OVERWRITE: &str = "partitionOverwriteMode";

/// The names of these options.
pub(super) const OPTIONS: [&str; 3] = [PARTITION_BY, MAX_RECORDS, OVERWRITE];

/// The files and folders of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Columns that become folders, from the outermost, as they were given.
    pub partition_by: Vec<String>,
    /// Rows in a file at most.
    pub most_rows: Option<NonZeroU64>,
    /// Whether only those partitions are replaced that the result has.
    pub keeps_other_partitions: bool,
}

impl Layout {
    /// From options by name; the error is the name, the value and what was expected.
    pub(super) fn parse<'a>(get: impl Fn(&str) -> Option<&'a str>) -> std::result::Result<Self, Wrong<'a>> {
        let wrong = |key, expected| move |value: &'a str| Wrong { key, value, expected };
        let mut layout = Layout::default();
        if let Some(value) = get(PARTITION_BY) {
            let columns: Option<_> = value.split(',').map(column_name).collect();
            layout.partition_by =
                columns.ok_or_else(|| wrong(PARTITION_BY, "names of columns, as in 'day,region'")(value))?;
        }
        if let Some(value) = get(MAX_RECORDS) {
            layout.most_rows = max_records(value).map_err(|expected| wrong(MAX_RECORDS, expected)(value))?;
        }
        if let Some(value) = get(OVERWRITE) {
            // Where there are no partitions, Spark replaces everything in either mode.
            layout.keeps_other_partitions = is_dynamic(value).map_err(|expected| wrong(OVERWRITE, expected)(value))?
                && !layout.partition_by.is_empty();
        }
        Ok(layout)
    }

    /// Where the partition columns stand in a result; the checks and texts are Spark's.
    ///
    /// # Errors
    /// A column is not there, named twice or of a nested type, or no other column is left.
    pub(super) fn columns(&self, schema: &Schema) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for name in &self.partition_by {
            let at = schema.fields().iter().position(|field| field.name().to_lowercase() == name.to_lowercase());
            let Some(at) = at else {
                let columns = paceline_sql::type_name(&DataType::Struct(schema.fields().clone()));
                return plan_err!("Partition column `{name}` not found in schema {columns}");
            };
            if found.contains(&at) {
                return plan_err!(
                    "[COLUMN_ALREADY_EXISTS] The column `{}` already exists. Consider to choose another name or rename the \
                     existing column.",
                    name.to_lowercase()
                );
            }
            let data_type = schema.field(at).data_type();
            if !is_foldable(data_type) {
                let name = paceline_sql::type_name(data_type);
                return plan_err!("Cannot use {name} for partition column `{}`", self.partition_by[found.len()]);
            }
            found.push(at);
        }
        if !found.is_empty() && found.len() == schema.fields().len() {
            return plan_err!("[ALL_PARTITION_COLUMNS_NOT_ALLOWED] Cannot use all columns for partition columns.");
        }
        Ok(found)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition_by.as_slice() {
            [] => Ok(()),
            columns => write!(f, ", partitionBy=[{}]", columns.join(", ")),
        }
    }
}

/// An option that is not as it must be.
#[derive(Debug)]
pub(super) struct Wrong<'a> {
    pub key: &'static str,
    pub value: &'a str,
    pub expected: &'static str,
}

/// `maxRecordsPerFile`, where 0 or less is no limit.
fn max_records(text: &str) -> std::result::Result<Option<NonZeroU64>, &'static str> {
    let rows: i64 = text.trim().parse().map_err(|_| "a whole number, 0 for no limit")?;
    Ok(u64::try_from(rows).ok().and_then(NonZeroU64::new))
}

/// `partitionOverwriteMode`.
fn is_dynamic(text: &str) -> std::result::Result<bool, &'static str> {
    match text.trim().to_lowercase().as_str() {
        "static" => Ok(false),
        "dynamic" => Ok(true),
        _ => Err("static or dynamic"),
    }
}

fn column_name(text: &str) -> Option<String> {
    let text = text.trim();
    let quoted = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    let name = quoted.map_or_else(|| text.to_owned(), |name| name.replace("``", "`"));
    (!name.is_empty()).then_some(name)
}

fn is_foldable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_foldable(value),
        DataType::Interval(_) | DataType::Duration(_) => false,
        other => !other.is_nested(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Field;
    use expect_test::{Expect, expect};

    use super::*;

    fn check(partition_by: &str, expected: Expect) {
        let layout = Layout::parse(|key| (key == PARTITION_BY).then_some(partition_by)).unwrap();
        let list = DataType::new_list(DataType::Int32, true);
        let fields = [("a", DataType::Int32), ("b", DataType::Utf8), ("c d", list)];
        let schema = Schema::new(fields.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec());
        let columns = layout.columns(&schema);
        expected.assert_eq(&columns.map_or_else(
            |error| paceline_sql::root_message(&error),
            |columns| format!("{columns:?} {:?}", layout.partition_by),
        ));
    }

    #[test]
    fn partition_columns_are_found_or_refused_as_in_spark() {
        check("b", expect![[r#"[1] ["b"]"#]]);
        check(" B , `a`", expect![[r#"[1, 0] ["B", "a"]"#]]);
        check("x", expect!["Partition column `x` not found in schema struct<a:int,b:string,c d:array<int>>"]);
        check(
            "b,B",
            expect![
                "[COLUMN_ALREADY_EXISTS] The column `b` already exists. Consider to choose another name or rename the existing column."
            ],
        );
        check("`c d`", expect!["Cannot use array<int> for partition column `c d`"]);
    }

    #[test]
    fn one_column_at_least_stays_in_the_files() {
        let layout = Layout { partition_by: vec!["a".to_owned()], ..Layout::default() };
        let schema = Schema::new(vec![Field::new("A", DataType::Int32, true)]);
        let error = paceline_sql::root_message(&layout.columns(&schema).unwrap_err());
        expect!["[ALL_PARTITION_COLUMNS_NOT_ALLOWED] Cannot use all columns for partition columns."].assert_eq(&error);
    }

    #[test]
    fn overwriting_is_dynamic_only_where_there_are_partitions() {
        let layout = |by| {
            Layout::parse(move |key| if key == OVERWRITE { Some("Dynamic") } else { by }.filter(|_| key != MAX_RECORDS))
        };
        assert!(!layout(None).unwrap().keeps_other_partitions);
        assert!(layout(Some("a")).unwrap().keeps_other_partitions);
    }
}
