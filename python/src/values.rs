//! Columns of Arrow as values of Python, where no other library is there to do it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Fields, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
    TimestampMicrosecondType,
};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

/// How rows of some columns become rows of Python.
pub struct Converter {
    columns: Vec<Kind>,
    make: Py<PyAny>,
}

/// How the values of a column become values of Python.
enum Kind {
    Null,
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    /// `decimal.Decimal`
    Decimal(Py<PyAny>),
    Text,
    Bytes,
    /// Days after this date, by this type of differences.
    Date(Py<PyAny>, Py<PyAny>),
    /// Microseconds after this time.
    Timestamp(Py<PyAny>, Py<PyAny>),
    /// Microseconds.
    Duration(Py<PyAny>),
    Months,
    MonthsDaysNanoseconds,
    List(Box<Kind>),
    Map(Box<Kind>, Box<Kind>),
    Row(Converter),
}

impl Converter {
    /// Of rows with these fields. `make` is called with their names and returns what makes a row of its values.
    pub fn of_rows(fields: &Fields, make: &Bound<'_, PyAny>) -> PyResult<Self> {
        let names = PyTuple::new(make.py(), fields.iter().map(|field| field.name()))?;
        let columns = fields.iter().map(|field| Kind::of(field.data_type(), make)).collect::<PyResult<_>>()?;
        Ok(Converter { columns, make: make.call1((names,))?.unbind() })
    }

    /// One row.
    pub fn row<'py>(&self, py: Python<'py>, columns: &[ArrayRef], at: usize) -> PyResult<Bound<'py, PyAny>> {
        let values = self.columns.iter().zip(columns).map(|(kind, column)| kind.value(py, column, at));
        let values = PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)?;
        self.make.bind(py).call1((values,))
    }
}

impl Kind {
    fn of(data_type: &DataType, make: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = make.py();
        let datetime = || py.import("datetime");
        let differences = || Ok::<_, PyErr>(datetime()?.getattr("timedelta")?.unbind());
        Ok(match data_type {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean,
            DataType::Int8 => Kind::Int8,
            DataType::Int16 => Kind::Int16,
            DataType::Int32 => Kind::Int32,
            DataType::Int64 => Kind::Int64,
            DataType::Float32 => Kind::Float32,
            DataType::Float64 => Kind::Float64,
            DataType::Decimal128(..) => Kind::Decimal(py.import("decimal")?.getattr("Decimal")?.unbind()),
            DataType::Utf8 => Kind::Text,
            DataType::Binary => Kind::Bytes,
            DataType::Date32 => {
                let first = datetime()?.getattr("date")?.call1((1970, 1, 1))?;
                Kind::Date(first.unbind(), differences()?)
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let first = datetime()?.getattr("datetime")?.call1((1970, 1, 1))?;
                let first = match zone {
                    Some(_) => {
                        let zone = PyDict::new(py);
                        zone.set_item("tzinfo", datetime()?.getattr("timezone")?.getattr("utc")?)?;
                        first.call_method("replace", (), Some(&zone))?
                    }
                    None => first,
                };
                Kind::Timestamp(first.unbind(), differences()?)
            }
            DataType::Duration(TimeUnit::Microsecond) => Kind::Duration(differences()?),
            DataType::Interval(IntervalUnit::YearMonth) => Kind::Months,
            DataType::Interval(IntervalUnit::MonthDayNano) => Kind::MonthsDaysNanoseconds,
            DataType::List(element) => Kind::List(Box::new(Kind::of(element.data_type(), make)?)),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {
                    let [key, value] = [0, 1].map(|at| Kind::of(fields[at].data_type(), make));
                    Kind::Map(Box::new(key?), Box::new(value?))
                }
                other => return Err(no_value(other)),
            },
            DataType::Struct(fields) => Kind::Row(Converter::of_rows(fields, make)?),
            other => return Err(no_value(other)),
        })
    }

    fn value<'py>(&self, py: Python<'py>, column: &ArrayRef, at: usize) -> PyResult<Bound<'py, PyAny>> {
        if column.is_null(at) || matches!(self, Kind::Null) {
            return Ok(py.None().into_bound(py));
        }
        let after = |first: &Py<PyAny>, difference: Bound<'py, PyAny>| first.bind(py).add(difference);
        match self {
            Kind::Null => Ok(py.None().into_bound(py)),
            Kind::Boolean => object(py, column.as_boolean().value(at)),
            Kind::Int8 => object(py, column.as_primitive::<Int8Type>().value(at)),
            Kind::Int16 => object(py, column.as_primitive::<Int16Type>().value(at)),
            Kind::Int32 => object(py, column.as_primitive::<Int32Type>().value(at)),
            Kind::Int64 => object(py, column.as_primitive::<Int64Type>().value(at)),
            Kind::Float32 => object(py, column.as_primitive::<Float32Type>().value(at)),
            Kind::Float64 => object(py, column.as_primitive::<Float64Type>().value(at)),
            Kind::Decimal(decimal) => {
                decimal.bind(py).call1((column.as_primitive::<Decimal128Type>().value_as_string(at),))
            }
            Kind::Text => object(py, column.as_string::<i32>().value(at)),
            Kind::Bytes => Ok(PyBytes::new(py, column.as_binary::<i32>().value(at)).into_any()),
            Kind::Date(first, difference) => {
                let days = column.as_primitive::<Date32Type>().value(at);
                after(first, difference.bind(py).call1((days,))?)
            }
            Kind::Timestamp(first, difference) => {
                let microseconds = column.as_primitive::<TimestampMicrosecondType>().value(at);
                after(first, difference.bind(py).call1((0, 0, microseconds))?)
            }
            Kind::Duration(difference) => {
                difference.bind(py).call1((0, 0, column.as_primitive::<DurationMicrosecondType>().value(at)))
            }
            Kind::Months => object(py, column.as_primitive::<IntervalYearMonthType>().value(at)),
            Kind::MonthsDaysNanoseconds => {
                let value = column.as_primitive::<IntervalMonthDayNanoType>().value(at);
                object(py, (value.months, value.days, value.nanoseconds))
            }
            Kind::List(kind) => {
                let elements = column.as_list::<i32>().value(at);
                let values =
                    (0..elements.len()).map(|at| kind.value(py, &elements, at)).collect::<PyResult<Vec<_>>>()?;
                Ok(PyList::new(py, values)?.into_any())
            }
            Kind::Map(key, value) => {
                let entries = column.as_map().value(at);
                let dict = PyDict::new(py);
                for at in 0..entries.len() {
                    let pair = (key.value(py, entries.column(0), at)?, value.value(py, entries.column(1), at)?);
                    dict.set_item(pair.0, pair.1)?;
                }
                Ok(dict.into_any())
            }
            Kind::Row(fields) => fields.row(py, column.as_struct().columns(), at),
        }
    }
}

fn object<'py, T: IntoPyObjectExt<'py>>(py: Python<'py>, value: T) -> PyResult<Bound<'py, PyAny>> {
    value.into_bound_py_any(py)
}

fn no_value(data_type: &DataType) -> PyErr {
    PyTypeError::new_err(format!("Python has no values for Arrow's type {data_type}; take the rows with to_arrow()"))
}
