//! Spark's types as ODBC and JDBC know types (GetXdbcTypeInfo). Types of values within values are not among theirs.

use arrow_flight::error::Result;
use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

/// Its name, what it is to ODBC, how many digits or characters it has at most, and what stands before and behind its literals.
type Type = (&'static str, XdbcDataType, Option<i32>, Option<(&'static str, &'static str)>);

const TYPES: [Type; 13] = [
    ("BIGINT", XdbcDataType::XdbcBigint, Some(19), None),
    ("BINARY", XdbcDataType::XdbcBinary, None, Some(("X'", "'"))),
    ("BOOLEAN", XdbcDataType::XdbcBit, Some(1), None),
    ("DATE", XdbcDataType::XdbcDate, Some(10), Some(("DATE'", "'"))),
    ("DECIMAL", XdbcDataType::XdbcDecimal, Some(38), None),
    ("DOUBLE", XdbcDataType::XdbcDouble, Some(15), None),
    ("FLOAT", XdbcDataType::XdbcReal, Some(7), None),
    ("INT", XdbcDataType::XdbcInteger, Some(10), None),
    ("SMALLINT", XdbcDataType::XdbcSmallint, Some(5), None),
    ("STRING", XdbcDataType::XdbcVarchar, None, Some(("'", "'"))),
    ("TIMESTAMP", XdbcDataType::XdbcTimestamp, Some(26), Some(("TIMESTAMP'", "'"))),
    ("TIMESTAMP_NTZ", XdbcDataType::XdbcTimestamp, Some(26), Some(("TIMESTAMP_NTZ'", "'"))),
    ("TINYINT", XdbcDataType::XdbcTinyint, Some(3), None),
];

/// All of them.
///
/// # Errors
/// They cannot be made; they are always the same.
pub fn all() -> Result<XdbcTypeInfoData> {
    let mut types = XdbcTypeInfoDataBuilder::new();
    TYPES.into_iter().for_each(|it| types.append(described(it)));
    types.build()
}

fn described((name, data_type, column_size, quotes): Type) -> XdbcTypeInfo {
    let is_decimal = data_type == XdbcDataType::XdbcDecimal;
    let is_whole = matches!(
        data_type,
        XdbcDataType::XdbcBigint | XdbcDataType::XdbcInteger | XdbcDataType::XdbcSmallint | XdbcDataType::XdbcTinyint
    );
    let is_number = is_decimal || is_whole || matches!(data_type, XdbcDataType::XdbcDouble | XdbcDataType::XdbcReal);
    let (sql_data_type, datetime_subcode) = match data_type {
        // The number 1 is that of dates in ODBC.
        XdbcDataType::XdbcDate => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeYear)),
        XdbcDataType::XdbcTimestamp => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp)),
        other => (other, None),
    };
    let maximum_scale = match data_type {
        XdbcDataType::XdbcDecimal => Some(38),
        XdbcDataType::XdbcTimestamp => Some(6),
        _ => is_whole.then_some(0),
    };
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type,
        column_size,
        literal_prefix: quotes.map(|(before, _)| before.to_owned()),
        literal_suffix: quotes.map(|(_, behind)| behind.to_owned()),
        create_params: is_decimal.then(|| vec!["precision".to_owned(), "scale".to_owned()]),
        nullable: Nullable::NullabilityNullable,
        case_sensitive: data_type == XdbcDataType::XdbcVarchar,
        searchable: Searchable::Full,
        unsigned_attribute: is_number.then_some(false),
        fixed_prec_scale: false,
        auto_increment: is_number.then_some(false),
        local_type_name: Some(name.to_owned()),
        minimum_scale: maximum_scale.map(|_| 0),
        maximum_scale,
        sql_data_type,
        datetime_subcode,
        num_prec_radix: is_number.then_some(10),
        interval_precision: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_number() {
        let all = all().unwrap();
        assert_eq!(all.record_batch(None).unwrap().num_rows(), TYPES.len());
        let timestamps = all.record_batch(XdbcDataType::XdbcTimestamp as i32).unwrap();
        assert_eq!(timestamps.num_rows(), 2);
    }
}
