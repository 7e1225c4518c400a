//! Lists (and maps, which are lists of entries) row by row, and lists made from indices into elements that are already there.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, NullArray, UInt32Array, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType as Arrow, Field};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::retype;
use crate::{Arguments, Error};

/// More elements than this are not made for one batch of rows: Spark fails at 2^31, long after memory has run out.
const MAX_ELEMENTS: usize = 1 << 27;

/// A column of lists or maps.
pub(crate) struct Lists {
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    rows: usize,
}

impl Lists {
    /// An argument of a kernel.
    pub(crate) fn argument(arguments: &Arguments<'_>, at: usize) -> Result<Self> {
        Lists::new(&arguments.array(at)?)
    }

    /// The lists, or the entries of the maps, of an array.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            Arrow::List(_) => {
                let list = array.as_list::<i32>();
                Lists {
                    values: Arc::clone(list.values()),
                    offsets: list.offsets().clone(),
                    nulls: list.nulls().cloned(),
                    rows: list.len(),
                }
            }
            Arrow::Map(..) => {
                let map = array.as_map();
                Lists {
                    values: Arc::new(map.entries().clone()),
                    offsets: map.offsets().clone(),
                    nulls: map.nulls().cloned(),
                    rows: map.len(),
                }
            }
            Arrow::LargeList(field) | Arrow::FixedSizeList(field, _) => {
                return Lists::new(&cast(array, &Arrow::List(Arc::clone(field)))?);
            }
            Arrow::Null => Lists {
                values: Arc::new(NullArray::new(0)),
                offsets: OffsetBuffer::new_zeroed(array.len()),
                nulls: Some(NullBuffer::new_null(array.len())),
                rows: array.len(),
            },
            other => return exec_err!("an array was expected instead of {other}"),
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Where a row's elements are among the values; none if the row is NULL.
    pub(crate) fn range(&self, row: usize) -> Option<Range<usize>> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let offset = |at: usize| self.offsets.get(at).map_or(0, |offset| usize::try_from(*offset).unwrap_or(0));
        Some(offset(row)..offset(row + 1))
    }

    /// All elements, also such as no row has.
    pub(crate) fn values(&self) -> &ArrayRef {
        &self.values
    }

    /// Keys and values, if they are maps.
    pub(crate) fn entries(&self) -> Result<(ArrayRef, ArrayRef)> {
        match self.values.as_struct_opt().map(|entries| entries.columns()) {
            Some([keys, values, ..]) => Ok((Arc::clone(keys), Arc::clone(values))),
            _ if self.values.data_type() == &Arrow::Null => {
                Ok((new_empty_array(&Arrow::Null), new_empty_array(&Arrow::Null)))
            }
            _ => exec_err!("a map was expected instead of {}", self.values.data_type()),
        }
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }
}

/// Makes lists of elements that are picked by their index.
#[derive(Default)]
pub(crate) struct ListMaker {
    picked: Vec<Option<u32>>,
    lengths: Vec<usize>,
    begun: usize,
    valid: Vec<bool>,
}

impl ListMaker {
    /// Adds an element to the row.
    pub(crate) fn push(&mut self, at: usize) {
        self.picked.push(u32::try_from(at).ok());
    }

    /// Adds a NULL element to the row.
    pub(crate) fn push_null(&mut self) {
        self.picked.push(None);
    }

    /// Ends the row.
    pub(crate) fn close(&mut self) {
        self.lengths.push(self.picked.len() - self.begun);
        self.begun = self.picked.len();
        self.valid.push(true);
    }

    /// Ends the row, which is NULL.
    pub(crate) fn close_null(&mut self) {
        self.picked.truncate(self.begun);
        self.lengths.push(0);
        self.valid.push(false);
    }

    /// Whether so many elements more can be made.
    pub(crate) fn room_for(&self, elements: usize) -> Result<()> {
        if self.picked.len().saturating_add(elements) > MAX_ELEMENTS {
            return Err(Error::new(
                "COLLECTION_SIZE_LIMIT_EXCEEDED",
                format!(
                    "Unsuccessful try to create array with {elements} elements due to exceeding the array size limit."
                ),
            )
            .into());
        }
        Ok(())
    }

    /// The lists, as the type says.
    pub(crate) fn finish(self, values: &ArrayRef, returns: &Arrow) -> Result<ArrayRef> {
        self.room_for(0)?;
        let picked = take(values, &UInt32Array::from(self.picked), None)?;
        let nulls = if self.valid.iter().all(|valid| *valid) { None } else { Some(NullBuffer::from(self.valid)) };
        list_of(picked, OffsetBuffer::from_lengths(self.lengths), nulls, returns)
    }
}

/// A list, or a map if entries are given and the type says so.
pub(crate) fn list_of(
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    returns: &Arrow,
) -> Result<ArrayRef> {
    match returns {
        Arrow::Map(entries, sorted) => {
            let values = retype(&values, entries.data_type())?;
            let values = values.as_struct().clone();
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, values, nulls, *sorted)?))
        }
        Arrow::List(field) => {
            let values = retype(&values, field.data_type())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
        }
        _ => {
            let field = Arc::new(Field::new(Field::LIST_FIELD_DEFAULT_NAME, values.data_type().clone(), true));
            Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls)?))
        }
    }
}

/// One element for each row, or NULL.
pub(crate) fn pick(values: &ArrayRef, at: Vec<Option<usize>>) -> Result<ArrayRef> {
    let at = at.into_iter().map(|at| at.and_then(|at| u32::try_from(at).ok())).collect::<UInt32Array>();
    Ok(take(values, &at, None)?)
}

/// What a kernel returns: the array in the very type that the plan says.
pub(crate) fn returned(arguments: &Arguments<'_>, array: ArrayRef) -> Result<ColumnarValue> {
    Ok(ColumnarValue::Array(retype(&array, arguments.returns.data_type())?))
}

/// The nulls of several columns together.
pub(crate) fn with_nulls(columns: &[&ArrayRef]) -> Option<NullBuffer> {
    columns.iter().fold(None, |nulls, column| NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref()))
}
