//! A window function of DataFusion that returns what Spark's does.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::scalar::ScalarValue;

use super::WINDOWS;
use crate::codec::bare;

/// A window function in a plan.
#[derive(Clone)]
pub struct SparkWindow {
    pub(crate) name: &'static str,
    pub(crate) returns: FieldRef,
    /// `IGNORE NULLS`, which DataFusion does not carry to executors.
    pub(crate) ignores_nulls: bool,
    inner: Arc<WindowUDF>,
    signature: Signature,
}

impl SparkWindow {
    pub(crate) fn named(name: &str, returns: FieldRef) -> Option<Self> {
        let (name, inner) = WINDOWS.iter().find(|(known, _)| *known == name)?;
        Some(SparkWindow {
            name,
            returns,
            ignores_nulls: false,
            inner: inner(),
            signature: Signature::variadic_any(Volatility::Immutable),
        })
    }
}

impl WindowUDFImpl for SparkWindow {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        // Functions without arguments have a signature that says so.
        match self.name {
            "spark_row_number" | "spark_rank" | "spark_dense_rank" | "spark_percent_rank" | "spark_cume_dist" => {
                self.inner.signature()
            }
            _ => &self.signature,
        }
    }

    fn expressions(&self, arguments: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        let exprs: Vec<_> = arguments.input_exprs().iter().map(bare).collect();
        self.inner.inner().expressions(ExpressionArgs::new(&exprs, arguments.input_fields()))
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        // Constants are looked for here; on their way they were something around a constant.
        let exprs: Vec<_> = arguments.input_exprs().iter().map(bare).collect();
        let ignores_nulls = arguments.ignore_nulls() || self.ignores_nulls;
        let arguments =
            PartitionEvaluatorArgs::new(&exprs, arguments.input_fields(), arguments.is_reversed(), ignores_nulls);
        let inner = self.inner.inner().partition_evaluator(arguments)?;
        Ok(Box::new(Evaluator { inner, returns: self.returns.data_type().clone() }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::clone(&self.returns).with_name(arguments.name())))
    }
}

#[derive(Debug)]
struct Evaluator {
    inner: Box<dyn PartitionEvaluator>,
    returns: Arrow,
}

impl Evaluator {
    fn returned(&self, array: ArrayRef) -> Result<ArrayRef> {
        if array.data_type() == &self.returns { Ok(array) } else { Ok(cast(&array, &self.returns)?) }
    }
}

impl PartitionEvaluator for Evaluator {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.inner.memoize(state)
    }

    fn get_range(&self, row: usize, rows: usize) -> Result<Range<usize>> {
        self.inner.get_range(row, rows)
    }

    fn is_causal(&self) -> bool {
        self.inner.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let all = self.inner.evaluate_all(values, rows)?;
        self.returned(all)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let value = self.inner.evaluate(values, range)?;
        if value.data_type() == self.returns { Ok(value) } else { value.cast_to(&self.returns) }
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        self.returned(self.inner.evaluate_all_with_rank(rows, ranks)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.inner.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.inner.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.inner.include_rank()
    }
}

impl PartialEq for SparkWindow {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.returns == other.returns && self.ignores_nulls == other.ignores_nulls
    }
}

impl Eq for SparkWindow {}

impl Hash for SparkWindow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.returns.hash(state);
        self.ignores_nulls.hash(state);
    }
}

impl fmt::Debug for SparkWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}
