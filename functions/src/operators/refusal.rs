//! What operators say when operands do not go together.

use super::BinaryOperator;
use crate::{Error, Typed};

/// `Cannot resolve "…" due to data type mismatch: …`
pub(crate) fn resolve_error(class: &str, call: &str, why: impl std::fmt::Display) -> Error {
    Error::new(
        format!("DATATYPE_MISMATCH.{class}"),
        format!("Cannot resolve \"{call}\" due to data type mismatch: {why}"),
    )
}

/// The two sides are of different types.
pub(super) fn different(call: &str, left: &Typed, right: &Typed) -> Error {
    resolve_error(
        "BINARY_OP_DIFF_TYPES",
        call,
        format!(
            "the left and right operands of the binary operator have incompatible types (\"{}\" and \"{}\").",
            left.data_type.sql(),
            right.data_type.sql()
        ),
    )
}

/// Both are of one type that the operator does not take.
pub(super) fn wrong(call: &str, wanted: &str, operand: &Typed) -> Error {
    resolve_error(
        "BINARY_OP_WRONG_TYPE",
        call,
        format!("the binary operator requires the input type {wanted}, not \"{}\".", operand.data_type.sql()),
    )
}

/// The types differ, or are one that is wrong.
pub(super) fn mismatch(operator: BinaryOperator, call: &str, left: &Typed, right: &Typed) -> Error {
    if left.data_type != right.data_type {
        return different(call, left, right);
    }
    let wanted = match operator {
        BinaryOperator::Add | BinaryOperator::Subtract => {
            "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")"
        }
        BinaryOperator::Divide => "(\"DOUBLE\" or \"DECIMAL\")",
        BinaryOperator::IntegralDivide => {
            "(\"BIGINT\" or \"DECIMAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")"
        }
        BinaryOperator::BitAnd | BinaryOperator::BitOr | BinaryOperator::BitXor => "\"INTEGRAL\"",
        BinaryOperator::And | BinaryOperator::Or => "\"BOOLEAN\"",
        _ => "\"NUMERIC\"",
    };
    wrong(call, wanted, left)
}

/// An operand that a parameter does not take.
pub(crate) fn wrong_input(call: &str, position: usize, wanted: &str, operand: &Typed) -> Error {
    resolve_error(
        "UNEXPECTED_INPUT_TYPE",
        call,
        format!(
            "Parameter {position} requires the {wanted} type, however \"{}\" has the type \"{}\".",
            operand.name,
            operand.data_type.sql()
        ),
    )
}
