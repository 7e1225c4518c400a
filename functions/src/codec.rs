//! Functions as bytes, so that an executor has the same: the kernel's name is in the plan, the bytes have what it returns, the
//! settings it was resolved under, and what else makes it complete.
//!
//! The bytes are four of length, JSON of the settings and constants, and an Arrow schema: first what is returned, then the
//! fields of lambdas' variables or an aggregate's inputs.

mod field;
mod parts;

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};

use crate::groups::aggregate::{Context, FOLDS};
use crate::groups::kernels;
use crate::groups::lambda::KERNELS as LAMBDAS;
use crate::{SparkAggregate, SparkLambda, SparkUdf, SparkWindow};
pub(crate) use field::bare;
pub use field::{decode_field, encode_field};
use parts::{Parts, read, write};

/// The bytes of a function, if it is one of ours.
///
/// # Errors
/// Its type cannot be written.
pub fn encode(udf: &ScalarUDF) -> Result<Option<Vec<u8>>> {
    let Some(udf) = udf.inner().downcast_ref::<SparkUdf>() else { return Ok(None) };
    write(&Parts { settings: (*udf.settings).clone(), fields: vec![Arc::clone(&udf.returns)], ..Parts::default() })
        .map(Some)
}

/// The function of these bytes.
///
/// # Errors
/// This version has no such kernel, or the bytes are not from [`encode`].
pub fn decode(name: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
    let kernel = kernels().find(|kernel| kernel.name == name).ok_or_else(|| unknown(name))?;
    let parts = read(bytes)?;
    let udf = SparkUdf::new(kernel, parts.field(0)?, Arc::new(parts.settings));
    Ok(Arc::new(ScalarUDF::new_from_impl(udf)))
}

/// The bytes of an aggregate, if it is one of ours.
///
/// # Errors
/// Its type cannot be written.
pub fn encode_aggregate(udaf: &AggregateUDF) -> Result<Option<Vec<u8>>> {
    let Some(udaf) = udaf.inner().downcast_ref::<SparkAggregate>() else { return Ok(None) };
    let context = &udaf.context;
    let mut fields = vec![Arc::new(context.returns.clone())];
    fields.extend(context.inputs.iter().map(|input| Arc::new(Field::new("", input.clone(), true))));
    let constants = context.parameters.clone();
    write(&Parts { name: udaf.fold.name.to_owned(), settings: context.settings.clone(), fields, constants }).map(Some)
}

/// The aggregate of these bytes.
///
/// # Errors
/// This version has no such aggregate, or the bytes are not from [`encode_aggregate`].
pub fn decode_aggregate(name: &str, bytes: &[u8]) -> Result<Arc<AggregateUDF>> {
    let parts = read(bytes)?;
    let fold = FOLDS.iter().find(|fold| fold.name == parts.name).ok_or_else(|| unknown(name))?;
    let context = Context {
        returns: Field::clone(parts.field(0)?.as_ref()),
        inputs: parts.fields.iter().skip(1).map(|field| field.data_type().clone()).collect(),
        parameters: parts.constants.clone(),
        settings: parts.settings,
    };
    Ok(Arc::new(AggregateUDF::new_from_impl(SparkAggregate::new(fold, context))))
}

/// The bytes of a function with lambdas, if it is one of ours.
///
/// # Errors
/// Its type cannot be written.
pub fn encode_lambda(udf: &HigherOrderUDF) -> Result<Option<Vec<u8>>> {
    let inner: &dyn std::any::Any = udf.inner().as_ref();
    let Some(udf) = inner.downcast_ref::<SparkLambda>() else { return Ok(None) };
    let mut fields = vec![Arc::clone(&udf.returns)];
    fields.extend(udf.parameters.iter().flatten().cloned());
    let constants = udf.parameters.iter().map(|parameters| parameters.len() as u64).collect();
    write(&Parts { settings: (*udf.settings).clone(), fields, constants, ..Parts::default() }).map(Some)
}

/// The function with lambdas of these bytes.
///
/// # Errors
/// This version has no such function, or the bytes are not from [`encode_lambda`].
pub fn decode_lambda(name: &str, bytes: &[u8]) -> Result<Arc<HigherOrderUDF>> {
    let kernel = LAMBDAS.iter().find(|kernel| kernel.name == name).ok_or_else(|| unknown(name))?;
    let parts = read(bytes)?;
    let mut variables = parts.fields.iter().skip(1).cloned();
    let parameters = parts
        .constants
        .iter()
        .map(|count| variables.by_ref().take(usize::try_from(*count).unwrap_or(0)).collect())
        .collect();
    let returns = parts.field(0)?;
    let udf = SparkLambda::new(kernel, parameters, returns, Arc::new(parts.settings));
    Ok(Arc::new(HigherOrderUDF::new_from_impl(udf)))
}

/// The bytes of a window function, if it is one of ours.
///
/// # Errors
/// Its type cannot be written.
pub fn encode_window(udf: &WindowUDF) -> Result<Option<Vec<u8>>> {
    let Some(udf) = udf.inner().downcast_ref::<SparkWindow>() else { return Ok(None) };
    let constants = vec![u64::from(udf.ignores_nulls)];
    write(&Parts { fields: vec![Arc::clone(&udf.returns)], constants, ..Parts::default() }).map(Some)
}

/// The window function of these bytes.
///
/// # Errors
/// This version has no such function, or the bytes are not from [`encode_window`].
pub fn decode_window(name: &str, bytes: &[u8]) -> Result<Arc<WindowUDF>> {
    let parts = read(bytes)?;
    let mut udf = SparkWindow::named(name, parts.field(0)?).ok_or_else(|| unknown(name))?;
    udf.ignores_nulls = parts.constants.first().is_some_and(|flag| *flag != 0);
    Ok(Arc::new(WindowUDF::new_from_impl(udf)))
}

fn unknown(name: &str) -> datafusion::common::DataFusionError {
    exec_datafusion_err!("this version has no function {name}")
}

#[cfg(test)]
mod tests;
