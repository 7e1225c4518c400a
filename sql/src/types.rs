//! Spark's names of Arrow types.

use datafusion::arrow::datatypes::{DataType as Arrow, Field};
use paceline_functions::{DataType, Settings};

use crate::SqlError;
use crate::resolve::data_type;

/// A type by its name, such as `STRUCT<status: STRING, score: DOUBLE>`.
///
/// # Errors
/// The text is not one type of Spark's.
pub fn parse_type(text: &str) -> Result<Arrow, SqlError> {
    let written = paceline_syntax::parse_data_type(text, paceline_syntax::Settings::default())?;
    Ok(data_type(&written, &Settings::default())?.to_arrow())
}

/// The Spark name of a type as its catalog writes it, such as `struct<status:string,score:double>`.
pub fn type_name(data_type: &Arrow) -> String {
    let field = Field::new("", data_type.clone(), true);
    DataType::of(&field).map_or_else(|_| data_type.to_string(), |it| it.catalog())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let read = parse_type(text).map(|it| format!("{it}\n{}", type_name(&it)));
        expected.assert_eq(&read.unwrap_or_else(|error| error.to_string()));
    }

    #[test]
    fn types_have_spark_s_names() {
        check("int", expect![["Int32\nint"]]);
        check("DECIMAL(10, 2)", expect![["Decimal128(10, 2)\ndecimal(10,2)"]]);
        check("timestamp", expect![["Timestamp(µs, \"UTC\")\ntimestamp"]]);
        check(
            "STRUCT<status: STRING, scores: ARRAY<DOUBLE>>",
            expect![[
                "Struct(\"status\": Utf8, \"scores\": List(Float64))\nstruct<status:string,scores:array<double>>"
            ]],
        );
        check("CHOICE", expect![[""]]);
    }
}
