//! Spark's operators over typed expressions, with their implicit casts and the names that Spark gives them.

mod arithmetic;
mod bitwise;
mod case;
mod comparison;
mod datetime;
mod decimals;
mod intervals;
mod logic;
mod numbers;
mod refusal;

pub use arithmetic::{arithmetic, negate, positive, try_arithmetic};
pub use bitwise::{bitwise, bitwise_not};
pub use case::case_when;
pub use comparison::{between, compare, in_list, is_distinct};
pub use logic::{and, is_null, is_truth, not, or, truth};

pub(crate) use arithmetic::arithmetic_with;
pub(crate) use case::{choose, first_of};
pub(crate) use comparison::{comparable, normal_float};
pub(crate) use numbers::{divided_by_zero, overflow, pairs};
pub(crate) use refusal::{resolve_error, wrong_input};

use std::sync::Arc;

use crate::{Kernel, Result, Settings, Typed};

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the operator of its name")]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegralDivide,
    Remainder,
    BitAnd,
    BitOr,
    BitXor,
    Equal,
    NullSafeEqual,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

impl BinaryOperator {
    /// As Spark's names have it.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::IntegralDivide => "div",
            BinaryOperator::Remainder => "%",
            BinaryOperator::BitAnd => "&",
            BinaryOperator::BitOr => "|",
            BinaryOperator::BitXor => "^",
            BinaryOperator::Equal | BinaryOperator::NotEqual => "=",
            BinaryOperator::NullSafeEqual => "<=>",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::And => "AND",
            BinaryOperator::Or => "OR",
        }
    }
}

/// `left operator right`
///
/// # Errors
/// The operands' types do not go together.
pub fn binary(operator: BinaryOperator, left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    match operator {
        BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::IntegralDivide
        | BinaryOperator::Remainder => arithmetic(operator, left, right, settings),
        BinaryOperator::BitAnd | BinaryOperator::BitOr | BinaryOperator::BitXor => {
            bitwise(operator, left, right, settings)
        }
        BinaryOperator::And => and(left, right, settings),
        BinaryOperator::Or => or(left, right, settings),
        _ => compare(operator, left, right, settings),
    }
}

/// All kernels of operators.
pub(crate) const KERNELS: &[&[&Kernel]] = &[
    numbers::KERNELS,
    decimals::KERNELS,
    bitwise::KERNELS,
    datetime::KERNELS,
    intervals::KERNELS,
    comparison::KERNELS,
];
