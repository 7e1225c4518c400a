//! Expressions whose field says more than a type, on their way: DataFusion carries the types of constants and calls, and drops the
//! metadata of their fields, in which the fields of an interval's type are.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::expressions::Literal;

use super::parts::{Parts, read, write};

/// An expression, and the field that it had where it was planned.
#[derive(Debug)]
pub struct WithField {
    inner: Arc<dyn PhysicalExpr>,
    field: FieldRef,
}

/// The bytes of what DataFusion would not carry of an expression's field, if there is such.
///
/// # Errors
/// The field cannot be written.
pub fn encode_field(expr: &Arc<dyn PhysicalExpr>) -> Result<Option<Vec<u8>>> {
    let is_dropped = expr.is::<Literal>() || expr.is::<ScalarFunctionExpr>();
    let is_written = expr.is::<WithField>();
    if !is_dropped && !is_written {
        return Ok(None);
    }
    // Both know their field without a schema.
    let field = expr.return_field(&Schema::empty())?;
    if field.metadata().is_empty() {
        return Ok(None);
    }
    write(&Parts { fields: vec![field], ..Parts::default() }).map(Some)
}

/// An expression with the field of these bytes.
///
/// # Errors
/// The bytes are not from [`encode_field`], or there is not one expression.
pub fn decode_field(bytes: &[u8], inputs: &[Arc<dyn PhysicalExpr>]) -> Result<Arc<dyn PhysicalExpr>> {
    let [inner] = inputs else {
        return Err(exec_datafusion_err!("a field came with {} expressions", inputs.len()));
    };
    Ok(Arc::new(WithField { inner: Arc::clone(inner), field: read(bytes)?.field(0)? }))
}

/// The expression itself.
pub(crate) fn bare(expr: &Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::clone(expr.downcast_ref::<WithField>().map_or(expr, |with| &with.inner))
}

impl PhysicalExpr for WithField {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.inner.evaluate(batch)
    }

    fn return_field(&self, _columns: &Schema) -> Result<FieldRef> {
        Ok(Arc::clone(&self.field))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let [inner] = children.as_slice() else {
            return Err(exec_datafusion_err!("a field is of one expression"));
        };
        Ok(Arc::new(WithField { inner: Arc::clone(inner), field: Arc::clone(&self.field) }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

impl fmt::Display for WithField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PartialEq for WithField {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner) && self.field == other.field
    }
}

impl Eq for WithField {}

impl Hash for WithField {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
        self.field.hash(state);
    }
}
