//! Aggregates that keep their values, and look at all of them in the end.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, filter, take};
use arrow::datatypes::{DataType as Arrow, Field};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::fold::{Context, Gather, Skip};
use crate::nested::{retype, with_nulls};

/// Values are thinned out again when there are twice as many as were left, and at least so many.
const THIN: usize = 4096;

/// The values of one group.
pub(super) struct Values {
    parts: Vec<Vec<ArrayRef>>,
    rows: usize,
}

impl Values {
    pub(super) fn new(columns: usize) -> Self {
        Values { parts: vec![Vec::new(); columns], rows: 0 }
    }

    pub(super) fn push(&mut self, columns: &[ArrayRef]) {
        let rows = columns.first().map_or(0, |column| column.len());
        if rows > 0 {
            self.rows += rows;
            self.parts.iter_mut().zip(columns).for_each(|(part, column)| part.push(Arc::clone(column)));
        }
    }

    /// Drops the values that came first.
    pub(super) fn drop_first(&mut self, rows: usize) {
        self.rows = self.rows.saturating_sub(rows);
        for part in &mut self.parts {
            let mut left = rows;
            while let Some(first) = part.first().filter(|_| left > 0) {
                if first.len() <= left {
                    left -= first.len();
                    part.remove(0);
                } else {
                    part[0] = first.slice(left, first.len() - left);
                    left = 0;
                }
            }
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// All values, a column for each argument.
    pub(super) fn columns(&mut self, types: &[Arrow]) -> Result<Vec<ArrayRef>> {
        for (part, data_type) in self.parts.iter_mut().zip(types) {
            let one = match part.as_slice() {
                [] => new_empty_array(data_type),
                [one] => Arc::clone(one),
                many => concat(&many.iter().map(|array| array.as_ref()).collect::<Vec<&dyn Array>>())?,
            };
            *part = vec![one];
        }
        Ok(self.parts.iter().filter_map(|part| part.first().cloned()).collect())
    }

    /// As lists of one row each.
    pub(super) fn state(&mut self, types: &[Arrow]) -> Result<Vec<ScalarValue>> {
        let columns = self.columns(types)?;
        columns
            .into_iter()
            .zip(types)
            .map(|(column, data_type)| {
                let column = retype(&column, data_type)?;
                let field = Arc::new(Field::new(Field::LIST_FIELD_DEFAULT_NAME, data_type.clone(), true));
                let offsets = OffsetBuffer::from_lengths([column.len()]);
                Ok(ScalarValue::List(Arc::new(ListArray::try_new(field, offsets, column, None)?)))
            })
            .collect()
    }

    /// Adds the values of states.
    pub(super) fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |state| state.len());
        for row in 0..rows {
            if states.iter().any(|state| state.is_null(row)) {
                continue;
            }
            let columns = states
                .iter()
                .map(|state| match state.as_list_opt::<i32>() {
                    Some(list) => Ok(list.value(row)),
                    None => exec_err!("a state is a list, not {}", state.data_type()),
                })
                .collect::<Result<Vec<_>>>()?;
            self.push(&columns);
        }
        Ok(())
    }

    pub(super) fn size(&self) -> usize {
        self.parts.iter().flatten().map(|array| array.get_array_memory_size()).sum()
    }
}

/// The accumulator of a gathering fold.
pub(super) struct Gathered {
    gather: &'static Gather,
    context: Context,
    values: Values,
    thinned: Option<usize>,
}

impl Gathered {
    pub(super) fn new(gather: &'static Gather, context: Context) -> Self {
        let values = Values::new(context.inputs.len());
        Gathered { gather, context, values, thinned: gather.compact.map(|_| 0) }
    }

    /// One that values can be taken from again.
    pub(super) fn sliding(gather: &'static Gather, context: Context) -> Self {
        Gathered { thinned: None, ..Gathered::new(gather, context) }
    }

    fn kept(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let looked_at: Vec<&ArrayRef> = match self.gather.skip {
            Skip::AnyNull => columns.iter().collect(),
            Skip::LastNull => columns.last().into_iter().collect(),
        };
        match with_nulls(&looked_at) {
            Some(nulls) if nulls.null_count() > 0 => {
                let keep = arrow::array::BooleanArray::new(nulls.into_inner(), None);
                Ok(columns.iter().map(|column| filter(column, &keep)).collect::<Result<_, _>>()?)
            }
            _ => Ok(columns.to_vec()),
        }
    }

    fn thin(&mut self) -> Result<()> {
        let (Some(compact), Some(left)) = (self.gather.compact, self.thinned) else { return Ok(()) };
        if self.values.rows() < THIN.max(2 * left) {
            return Ok(());
        }
        let columns = self.values.columns(&self.context.inputs)?;
        let keep = compact(&columns, &self.context)?;
        let at: UInt32Array = keep.iter().map(|at| u32::try_from(*at).ok()).collect();
        let mut values = Values::new(columns.len());
        let columns = columns.iter().map(|column| take(column, &at, None)).collect::<Result<Vec<_>, _>>()?;
        values.push(&columns);
        self.thinned = Some(values.rows());
        self.values = values;
        Ok(())
    }
}

impl std::fmt::Debug for Gathered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} gathered rows", self.values.rows())
    }
}

impl Accumulator for Gathered {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let kept = self.kept(columns)?;
        self.values.push(&kept);
        self.thin()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.values.columns(&self.context.inputs)?;
        (self.gather.finish)(&columns, &self.context)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.values.state(&self.context.inputs)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge(states)?;
        self.thin()
    }

    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let rows = self.kept(columns)?.first().map_or(0, |column| column.len());
        self.values.drop_first(rows);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        self.thinned.is_none()
    }
}
