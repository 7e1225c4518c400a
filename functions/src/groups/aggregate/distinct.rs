//! A fold over different rows only, and one over a window that moves: both keep the rows, and fold them when they are asked.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;
use std::collections::HashSet;

use super::fold::{Context, Fold, How};
use super::gathered::{Gathered, Values};

/// Rows that are folded in the end.
pub(super) struct Distinct {
    fold: &'static Fold,
    context: Context,
    values: Values,
    distinct: bool,
    left: usize,
}

impl Distinct {
    pub(super) fn new(fold: &'static Fold, context: Context) -> Self {
        let values = Values::new(context.inputs.len());
        Distinct { fold, context, values, distinct: true, left: 0 }
    }

    pub(super) fn sliding(fold: &'static Fold, context: Context) -> Self {
        Distinct { distinct: false, ..Distinct::new(fold, context) }
    }

    fn rows(&mut self) -> Result<Vec<ArrayRef>> {
        let columns = self.values.columns(&self.context.inputs)?;
        if !self.distinct || columns.is_empty() {
            return Ok(columns);
        }
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
        let mut seen = HashSet::new();
        let at: UInt32Array =
            (0..rows.num_rows()).filter(|at| seen.insert(rows.row(*at))).map(|at| u32::try_from(at).ok()).collect();
        Ok(columns.iter().map(|column| take(column, &at, None)).collect::<Result<_, _>>()?)
    }

    fn thin(&mut self) -> Result<()> {
        if self.distinct && self.values.rows() >= (2 * self.left).max(4096) {
            let rows = self.rows()?;
            self.values = Values::new(rows.len());
            self.values.push(&rows);
            self.left = self.values.rows();
        }
        Ok(())
    }
}

impl std::fmt::Debug for Distinct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} rows", self.fold.name, self.values.rows())
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.values.push(columns);
        self.thin()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rows = self.rows()?;
        let mut inner: Box<dyn Accumulator> = match &self.fold.how {
            How::Total(total) => total.accumulator(&self.context),
            How::State(make, _) => make(&self.context),
            How::Gather(gather) => Box::new(Gathered::new(gather, self.context.clone())),
        };
        inner.update_batch(&rows)?;
        inner.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let rows = self.rows()?;
        self.values = Values::new(rows.len());
        self.values.push(&rows);
        self.values.state(&self.context.inputs)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge(states)?;
        self.thin()
    }

    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.values.drop_first(columns.first().map_or(0, |column| column.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        !self.distinct
    }
}
