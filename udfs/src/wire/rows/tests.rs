//! Rows as JSON objects, and back.

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::{Fields, Int32Type};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::wire::{any_array, decode};

fn check(columns: Vec<(&str, ArrayRef)>, expected: Expect) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let shown = match objects(&RecordBatch::try_from_iter_with_nullable(columns).unwrap()) {
        Ok(rows) => rows.iter().map(|row| String::from_utf8_lossy(row).into_owned()).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn rows_become_objects() {
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef, true),
        ("email", Arc::new(StringArray::from(vec!["a\n\"b\"", "ü"])) as ArrayRef, true),
        ("x", Arc::new(Float64Array::from(vec![0.5, 1e300])) as ArrayRef, true),
    ])
    .unwrap();
    let bodies = objects(&batch).unwrap();
    assert_eq!(bodies, [r#"{"id":1,"email":"a\n\"b\"","x":0.5}"#, r#"{"id":null,"email":"ü","x":1.0e300}"#]);
}

#[test]
fn no_arguments_are_an_empty_object() {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(2));
    let schema = Arc::new(arrow::datatypes::Schema::empty());
    let batch = RecordBatch::try_new_with_options(schema, vec![], &options).unwrap();
    assert_eq!(objects(&batch).unwrap(), ["{}", "{}"]);
}

#[test]
fn numbers_that_json_does_not_have_are_strings() {
    let doubles = Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, -0.0]);
    let floats = Float32Array::from(vec![0.1, 0.2, f32::NAN, f32::NEG_INFINITY, 1e30]);
    check(
        vec![("d", Arc::new(doubles)), ("f", Arc::new(floats))],
        expect![[r#"
        {"d":"NaN","f":0.1}
        {"d":"Infinity","f":0.2}
        {"d":"-Infinity","f":"NaN"}
        {"d":0.1,"f":"-Infinity"}
        {"d":-0.0,"f":1.0e30}"#]],
    );
}

#[test]
fn a_number_has_the_same_text_beside_one_that_json_does_not_have() {
    let numbers = [0.1, 1e300, -5e-324, 123_456_789.0, 1e21, -0.0, 1.0 / 3.0];
    let row = |array: Float64Array| objects(&RecordBatch::try_from_iter([("x", Arc::new(array) as ArrayRef)]).unwrap());
    for number in numbers {
        assert_eq!(row(vec![number].into()).unwrap()[0], row(vec![number, f64::NAN].into()).unwrap()[0]);
    }
}

#[test]
fn times_are_iso_8601_and_instants_in_utc() {
    let instants = TimestampMicrosecondArray::from(vec![0, 1_500_000, -1]).with_timezone("America/New_York");
    let local =
        TimestampMicrosecondArray::from(vec![1_488_803_696_789_012, -62_167_219_200_000_000, 253_402_300_799_999_999]);
    let fine = TimestampNanosecondArray::from(vec![1, 1_000, -1_000_000_000]);
    let dates = Date32Array::from(vec![0, -719_528, 2_932_896]);
    check(
        vec![("t", Arc::new(instants)), ("n", Arc::new(local)), ("ns", Arc::new(fine)), ("d", Arc::new(dates))],
        expect![[r#"
            {"t":"1970-01-01T00:00:00Z","n":"2017-03-06T12:34:56.789012","ns":"1970-01-01T00:00:00.000000001","d":"1970-01-01"}
            {"t":"1970-01-01T00:00:01.500000Z","n":"0000-01-01T00:00:00","ns":"1970-01-01T00:00:00.000001","d":"0000-01-01"}
            {"t":"1969-12-31T23:59:59.999999Z","n":"9999-12-31T23:59:59.999999","ns":"1969-12-31T23:59:59","d":"9999-12-31"}"#]],
    );
}

#[test]
fn times_beyond_four_digits_of_a_year_are_named() {
    check(
        vec![("d", Arc::new(Date32Array::from(vec![2_932_897])))],
        expect!["Json error: column 'd' of type Date32 has the value 2932897, which is outside the years 0 to 9999"],
    );
    check(
        vec![("t", Arc::new(TimestampMicrosecondArray::from(vec![i64::MIN])))],
        expect![
            "Json error: column 't' of type Timestamp(µs) has the value -9223372036854775808, which is outside the years 0 to 9999"
        ],
    );
    let hidden = TimestampMicrosecondArray::new(vec![i64::MAX, 0].into(), Some(vec![false, true].into()));
    check(
        vec![("t", Arc::new(hidden))],
        expect![[r#"
        {"t":null}
        {"t":"1970-01-01T00:00:00"}"#]],
    );
}

#[test]
fn a_null_in_a_dictionary_is_null() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a")]));
    let keys = arrow::array::Int32Array::from(vec![Some(0), Some(1), None]);
    let none =
        DictionaryArray::<Int32Type>::new(vec![None::<i32>; 3].into(), Arc::new(StringArray::from(Vec::<&str>::new())));
    check(
        vec![("x", Arc::new(DictionaryArray::new(keys, values))), ("y", Arc::new(none))],
        expect![[r#"
        {"x":null,"y":null}
        {"x":"a","y":null}
        {"x":null,"y":null}"#]],
    );
}

#[test]
fn bytes_are_base64() {
    check(
        vec![("b", Arc::new(BinaryArray::from(vec![&b"\xff\x00"[..], b"", b"abc"])))],
        expect![[r#"
        {"b":"/wA="}
        {"b":""}
        {"b":"YWJj"}"#]],
    );
}

#[test]
fn a_type_without_a_json_form_is_named_with_its_column() {
    let months = arrow::array::IntervalYearMonthArray::from(vec![1]);
    check(
        vec![("id", Arc::new(Int64Array::from(vec![1]))), ("since", Arc::new(months))],
        expect![
            "Json error: column 'since': values of type Interval(YearMonth) cannot be written as JSON: cast them, to a string for example"
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What a dead letter holds is what was given up.
    #[test]
    fn objects_read_as_a_struct_are_the_rows(fields in any_array::fields(), seed: u64, rows in 1..6_usize) {
        let batch = any_array::batch(&fields, seed, rows);
        let values: Vec<_> = objects(&batch).unwrap().into_iter().map(Some).collect();
        let decoded = decode(&DataType::Struct(fields), &values).unwrap();
        prop_assert_eq!(decoded.bad, vec![]);
        prop_assert_eq!(decoded.values.as_struct().columns(), batch.columns());
    }

    /// A row's text does not depend on the rows beside it.
    #[test]
    fn a_row_alone_is_written_as_among_others(fields in any_array::fields(), seed: u64) {
        let batch = any_array::batch(&fields, seed, 4);
        let together = objects(&batch).unwrap();
        for (row, among_others) in together.iter().enumerate() {
            prop_assert_eq!(&objects(&batch.slice(row, 1)).unwrap()[0], among_others);
        }
    }
}

#[test]
fn a_row_without_columns_is_read_back() {
    let decoded = decode(&DataType::Struct(Fields::empty()), &[Some(Bytes::from("{}")), None]).unwrap();
    assert_eq!((decoded.values.len(), decoded.values.is_null(1), decoded.bad), (2, true, vec![]));
}

/// A table may have types that Spark's do not map to; NOT NULL columns within a NULL have no value either.
#[test]
fn other_arrow_types_are_read_back_too() {
    use arrow::array::{FixedSizeListArray, StructArray, UInt64Array};
    use arrow::compute::cast;
    use arrow::datatypes::Field;

    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("YWI="), None, Some("")]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"ab"[..]), None, Some(b"cd")]));
    let number: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]));
    let pairs: ArrayRef = Arc::new(BinaryArray::from_iter_values([b"a", b"b", b"c", b"d", b"e", b"f"]));
    let pairs: ArrayRef =
        Arc::new(FixedSizeListArray::new(Arc::new(Field::new("item", DataType::Binary, true)), 2, pairs, None));
    let large = DataType::LargeList(Arc::new(Field::new("item", DataType::LargeBinary, true)));
    let inner = Fields::from(vec![Field::new("b", DataType::Binary, false)]);
    let required: ArrayRef = Arc::new(BinaryArray::from_iter_values([b"a", b"b", b"c"]));
    let nulls = Some(vec![true, true, false].into());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text_view", cast(&text, &DataType::Utf8View).unwrap()),
        ("dictionary", cast(&text, &DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))).unwrap()),
        ("binary_view", cast(&bytes, &DataType::BinaryView).unwrap()),
        ("fixed", cast(&bytes, &DataType::FixedSizeBinary(2)).unwrap()),
        ("unsigned", number),
        ("large_list", cast(&pairs, &large).unwrap()),
        ("pairs", pairs),
        ("required", Arc::new(StructArray::new(inner, vec![required], nulls))),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let values: Vec<_> = objects(&batch).unwrap().into_iter().map(Some).collect();
    let decoded = decode(&DataType::Struct(batch.schema().fields().clone()), &values).unwrap();
    assert_eq!(decoded.bad, vec![]);
    assert_eq!(decoded.values.as_struct().columns(), batch.columns());
}
