//! The arrays of structs that generators make.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat;
use arrow::datatypes::{DataType as Arrow, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use crate::nested::{Lists, list_of, pick, returned, retype, with_nulls};
use crate::{Arguments, Kernel};

const fn kernel(name: &'static str, run: fn(&Arguments<'_>) -> Result<ColumnarValue>) -> Kernel {
    Kernel { name, volatile: false, run }
}

pub(super) static EXPLODE: Kernel = kernel("spark_explode", |a| exploded(a, false, false));
pub(super) static EXPLODE_OUTER: Kernel = kernel("spark_explode_outer", |a| exploded(a, false, true));
pub(super) static POSEXPLODE: Kernel = kernel("spark_posexplode", |a| exploded(a, true, false));
pub(super) static POSEXPLODE_OUTER: Kernel = kernel("spark_posexplode_outer", |a| exploded(a, true, true));
pub(super) static INLINE: Kernel = kernel("spark_inline", |a| inline(a, false));
pub(super) static INLINE_OUTER: Kernel = kernel("spark_inline_outer", |a| inline(a, true));
pub(super) static STACK: Kernel = Kernel { name: "spark_stack", volatile: false, run: stack };

/// The fields of the structs.
pub(super) fn shape<'a>(arguments: &'a Arguments<'_>) -> Result<&'a Fields> {
    if let Arrow::List(field) = arguments.returns.data_type()
        && let Arrow::Struct(fields) = field.data_type()
    {
        return Ok(fields);
    }
    exec_err!("a generator makes an array of structs, not {}", arguments.returns.data_type())
}

/// For each row to be made, the element it is made of; `None` for a row of NULLs. And how many rows each row makes.
fn rows_of(lists: &Lists, outer: bool) -> (Vec<Option<usize>>, Vec<i32>, Vec<usize>) {
    let (mut at, mut places) = (Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(lists.rows());
    for row in 0..lists.rows() {
        let range = lists.range(row).unwrap_or(0..0);
        if outer && range.is_empty() {
            at.push(None);
            places.push(0);
            lengths.push(1);
            continue;
        }
        lengths.push(range.len());
        places.extend((0..range.len()).map(|place| i32::try_from(place).unwrap_or(i32::MAX)));
        at.extend(range.map(Some));
    }
    (at, places, lengths)
}

fn exploded(arguments: &Arguments<'_>, positions: bool, outer: bool) -> Result<ColumnarValue> {
    let fields = shape(arguments)?;
    let lists = Lists::argument(arguments, 0)?;
    let (at, places, lengths) = rows_of(&lists, outer);
    let is_map = fields.len() == 2 + usize::from(positions);
    let sources = if is_map {
        let (keys, values) = lists.entries()?;
        vec![keys, values]
    } else {
        vec![Arc::clone(lists.values())]
    };
    let mut columns: Vec<ArrayRef> = Vec::new();
    if positions {
        columns.push(Arc::new(Int32Array::from(places)));
    }
    for source in &sources {
        columns.push(pick(source, at.clone())?);
    }
    let nulls = NullBuffer::from_iter(at.iter().map(|at| at.is_some()));
    let structs = structs(fields, columns, Some(nulls).filter(|nulls| nulls.null_count() > 0))?;
    let lists_nulls = if outer { None } else { lists.nulls().cloned() };
    returned(
        arguments,
        list_of(structs, OffsetBuffer::from_lengths(lengths), lists_nulls, arguments.returns.data_type())?,
    )
}

pub(super) fn structs(fields: &Fields, columns: Vec<ArrayRef>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let columns = columns
        .into_iter()
        .zip(fields)
        .map(|(column, field)| retype(&column, field.data_type()))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, nulls)?))
}

fn inline(arguments: &Arguments<'_>, outer: bool) -> Result<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let (at, _, lengths) = rows_of(&lists, outer);
    let structs = pick(lists.values(), at)?;
    let nulls = if outer { None } else { with_nulls(&[&arguments.array(0)?]) };
    returned(arguments, list_of(structs, OffsetBuffer::from_lengths(lengths), nulls, arguments.returns.data_type())?)
}

/// More rows of one batch than these are refused.
const MOST_ROWS: usize = 1 << 24;

fn stack(arguments: &Arguments<'_>) -> Result<ColumnarValue> {
    let fields = shape(arguments)?;
    let width = fields.len();
    let cells = arguments.values.len().saturating_sub(1);
    // There may be fewer expressions than rows; the rest are NULL.
    let per_row = match arguments.values.first() {
        Some(ColumnarValue::Scalar(ScalarValue::Int32(Some(rows)))) => usize::try_from(*rows).unwrap_or(0),
        _ => cells.div_ceil(width.max(1)),
    };
    if per_row.saturating_mul(arguments.rows.max(1)) > MOST_ROWS {
        return exec_err!("stack makes {per_row} rows of each, which is too many");
    }
    let mut columns = Vec::with_capacity(width);
    for (column, field) in fields.iter().enumerate() {
        let parts = (0..per_row)
            .map(|row| {
                let at = row * width + column;
                if at < cells {
                    retype(&arguments.array(at + 1)?, field.data_type())
                } else {
                    Ok(new_null_array(field.data_type(), arguments.rows))
                }
            })
            .collect::<Result<Vec<_>>>()?;
        let all = concat(&parts.iter().map(|part| part.as_ref()).collect::<Vec<&dyn Array>>())?;
        let order = (0..arguments.rows).flat_map(|row| (0..per_row).map(move |part| Some(part * arguments.rows + row)));
        columns.push(pick(&all, order.collect())?);
    }
    let structs = structs(fields, columns, None)?;
    let offsets = OffsetBuffer::from_repeated_length(per_row, arguments.rows);
    returned(arguments, list_of(structs, offsets, None, arguments.returns.data_type())?)
}
