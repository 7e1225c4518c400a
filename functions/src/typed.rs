//! A resolved expression.

use arrow::datatypes::Field;
use datafusion::common::metadata::FieldMetadata;
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
        // An interval's fields are in the metadata, so the literal carries it.
        let metadata = FieldMetadata::new_from_field(&data_type.to_field("", nullable));
        let metadata = (!metadata.is_empty()).then_some(metadata);
        Typed { expr: Expr::Literal(value, metadata), data_type, nullable, name: name.into(), foldable: true }
    }

    /// A NULL of a type.
    ///
    /// # Errors
    /// Arrow has no such value.
    pub fn null(data_type: DataType, name: impl Into<String>) -> crate::Result<Self> {
        Ok(Typed::literal(ScalarValue::try_from(&data_type.to_arrow())?, data_type, name))
    }

    /// The same under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
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
