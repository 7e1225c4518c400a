//! The value of the one row of a subquery.

use std::sync::Arc;

use arrow::array::Array;
use datafusion::scalar::ScalarValue;

use super::SparkAggregate;
use super::fold::{Fold, Gather, How, Skip};
use crate::{DataType, Error, Settings, Typed};

pub(super) static SINGLE: Fold = Fold {
    name: "spark_single_value",
    how: How::Gather(Gather {
        // Of the value and a constant: a NULL is a row too.
        skip: Skip::LastNull,
        compact: Some(|columns, _| Ok((0..columns.first().map_or(0, |column| column.len()).min(2)).collect())),
        finish: |columns, context| match columns.first() {
            Some(column) if column.len() > 1 => Err(Error::new(
                "SCALAR_SUBQUERY_TOO_MANY_ROWS",
                "More than one row returned by a subquery used as an expression.",
            )
            .into()),
            Some(column) => super::collecting::value(column, (!column.is_empty()).then_some(0), context),
            None => ScalarValue::try_from(context.returns.data_type()),
        },
    }),
};

/// The value of the only row, NULL if there is none; more rows are an error, wherever the plan runs.
pub fn single_value(value: Typed, settings: &Arc<Settings>) -> Typed {
    let (data_type, name) = (value.data_type.clone(), value.name.clone());
    let counted = Typed::literal(ScalarValue::Boolean(Some(true)), DataType::Boolean, "true");
    SparkAggregate::call(&SINGLE, settings, vec![value, counted], &[], (data_type, true), name)
}
