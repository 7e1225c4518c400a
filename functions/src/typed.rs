//! A resolved expression.

use arrow::datatypes::Field;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::DataType;

/// An expression with its type, and the name that Spark gives a column of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// What DataFusion computes.
    pub expr: Expr,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Spark's pretty SQL of it, as `(a + 1)`.
    pub name: String,
    /// Whether it is the same for every row and can be computed now.
    pub foldable: bool,
}

impl Typed {
    /// A constant.
    pub fn literal(value: ScalarValue, data_type: DataType, name: impl Into<String>) -> Self {
        let nullable = value.is_null();
        Typed { expr: Expr::Literal(value, None), data_type, nullable, name: name.into(), foldable: true }
    }

    /// The Arrow field that its values come in.
    pub fn field(&self) -> Field {
        self.data_type.to_field(&self.name, self.nullable)
    }

    /// The value, if it is written as a constant.
    pub fn as_literal(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }
}
