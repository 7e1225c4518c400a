//! Makes rows of records; decides which records are malformed and what becomes of them.
//! Source: Spark 3.5, `UnivocityParser` and `FailureSafeParser`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::decode::Header;
use super::table::Table;
use super::{CsvOptions, Mode, values};

/// The columns of a file, and which of them are read.
#[derive(Clone, Debug)]
pub struct Shape {
    /// All columns, with the one for the text of malformed records if there is one.
    file: SchemaRef,
    /// Those that are read.
    wanted: Vec<usize>,
    read: SchemaRef,
    corrupt: Option<usize>,
}

impl Shape {
    /// Columns `wanted` of a file; `corrupt` names the one that takes the text of malformed records.
    ///
    /// # Errors
    /// `wanted` has a column that is not there.
    pub fn new(file: SchemaRef, wanted: Vec<usize>, corrupt: &str) -> Result<Self, arrow::error::ArrowError> {
        let corrupt = file.fields().iter().position(|field| field.name() == corrupt);
        let read = Arc::new(file.project(&wanted)?);
        Ok(Shape { file, wanted, read, corrupt })
    }

    /// How many fields a record should have.
    pub fn width(&self) -> usize {
        self.file.fields().len() - usize::from(self.corrupt.is_some())
    }

    /// The name of the column that a field belongs to.
    pub fn name_of(&self, field: usize) -> &str {
        let column = field + usize::from(self.corrupt.is_some_and(|corrupt| corrupt <= field));
        self.file.field(column).name()
    }

    /// Whether the text of malformed records is read.
    pub fn wants_corrupt(&self) -> bool {
        self.corrupt.is_some_and(|corrupt| self.wanted.contains(&corrupt))
    }

    /// Whether nothing but the text of malformed records is read.
    pub fn wants_only_corrupt(&self) -> bool {
        self.wants_corrupt() && self.wanted.len() == 1
    }

    fn field_of(&self, column: usize) -> usize {
        column - usize::from(self.corrupt.is_some_and(|corrupt| corrupt < column))
    }

    /// Where only some columns are wanted Spark does not see how many fields a record has, unless records
    /// may have several lines, and neither do we.
    fn counts_fields(&self, options: &CsvOptions) -> bool {
        options.dialect.multi_line || self.wants_corrupt() || self.wanted.len() >= self.width()
    }
}

/// What is wrong with a record or header, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Lines before it among those that the decoder was given.
    pub lines_before: u64,
    /// What is wrong, with the column where it is one.
    pub why: String,
}

/// Rows, and what was wrong with the records that they come from.
#[derive(Debug)]
pub struct Rows {
    /// The rows; none where all records were left out.
    pub batch: RecordBatch,
    /// How many records were malformed.
    pub malformed: u64,
    /// The first of those.
    pub first: Option<Malformed>,
}

/// What is wrong with a record: the first thing that Spark would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// Spark replaces bytes that are no UTF-8, so only FAILFAST takes the record for malformed.
    Bytes {
        field: usize,
    },
    Width,
    Value {
        column: usize,
    },
}

impl Wrong {
    fn is_malformed(self) -> bool {
        matches!(self, Wrong::Width | Wrong::Value { .. })
    }
}

/// That the header has the view's names. As in Spark the view's names count and those in the file are only looked at,
/// unless `enforceSchema` is false.
///
/// # Errors
/// They differ, and the options do not allow that.
pub fn check_header(options: &CsvOptions, shape: &Shape, header: &Header) -> Result<(), Malformed> {
    let (found, expected) = (&header.names, (0..shape.width()).map(|field| shape.name_of(field)).collect::<Vec<_>>());
    let same = |at: &usize| match (found.get(*at), expected.get(*at)) {
        (Some(found), Some(expected)) => found.eq_ignore_ascii_case(expected),
        _ => false,
    };
    let Some(at) = (0..found.len().max(expected.len())).find(|at| !same(at)) else {
        return Ok(());
    };
    let shown = |name: Option<&str>| name.map_or("no column".to_owned(), |name| format!("'{name}'"));
    let (found, expected) = (shown(found.get(at).map(String::as_str)), shown(expected.get(at).copied()));
    let why = format!("column {}: the header has {found}, the view has {expected}", at + 1);
    if options.enforce_schema && options.mode != Mode::FailFast {
        tracing::warn!(line = header.line + 1, "{why}; the view's columns are taken in their order");
        return Ok(());
    }
    Err(Malformed { lines_before: header.line, why })
}

/// The rows of records.
///
/// # Errors
/// The mode is FAILFAST and a record is malformed.
pub fn rows(options: &CsvOptions, shape: &Shape, table: &Table) -> Result<Rows, Malformed> {
    let mut wrong = vec![Wrong::Nothing; table.rows()];
    for (row, field) in table.not_utf8() {
        wrong[row] = Wrong::Bytes { field };
    }
    if shape.counts_fields(options) {
        let of_other_width = (0..table.rows()).filter(|row| table.width(*row) != shape.width());
        of_other_width.for_each(|row| wrong[row] = Wrong::Width);
    }
    let read = |column: &usize| array(options, shape, table, *column, &mut wrong);
    let mut columns: Vec<ArrayRef> = shape.wanted.iter().map(read).collect();
    let fail_fast = options.mode == Mode::FailFast;
    let first = wrong.iter().position(|wrong| wrong.is_malformed() || fail_fast && *wrong != Wrong::Nothing);
    let first =
        first.map(|row| Malformed { lines_before: table.line(row), why: explain(shape, table, row, wrong[row]) });
    if let Some(first) = first.as_ref().filter(|_| fail_fast) {
        return Err(first.clone());
    }
    if let Some(at) = shape.wanted.iter().position(|column| Some(*column) == shape.corrupt) {
        let texts = table.texts().iter().zip(&wrong).map(|(text, wrong)| Some(text).filter(|_| wrong.is_malformed()));
        columns[at] = Arc::new(texts.collect::<StringArray>());
    }
    let failed = |error: arrow::error::ArrowError| Malformed { lines_before: table.line(0), why: error.to_string() };
    let count = RecordBatchOptions::new().with_row_count(Some(table.rows()));
    let mut batch = RecordBatch::try_new_with_options(Arc::clone(&shape.read), columns, &count).map_err(failed)?;
    let malformed = wrong.iter().filter(|wrong| wrong.is_malformed()).count() as u64;
    if options.mode == Mode::DropMalformed && malformed > 0 {
        let kept: BooleanArray = wrong.iter().map(|wrong| Some(!wrong.is_malformed())).collect();
        batch = filter_record_batch(&batch, &kept).map_err(failed)?;
    }
    Ok(Rows { batch, malformed, first })
}

fn array(options: &CsvOptions, shape: &Shape, table: &Table, column: usize, wrong: &mut [Wrong]) -> ArrayRef {
    let data_type = shape.file.field(column).data_type();
    let nulls = || new_null_array(data_type, table.rows());
    if Some(column) == shape.corrupt {
        return nulls();
    }
    let field = shape.field_of(column);
    let cells = (0..table.rows()).map(|row| table.cell(row, field).filter(|text| *text != options.null_value));
    let mut mark = |row: usize| {
        if !wrong[row].is_malformed() {
            wrong[row] = Wrong::Value { column };
        }
    };
    values::array(cells, data_type, &options.numbers, &options.times, &mut mark).unwrap_or_else(nulls)
}

fn explain(shape: &Shape, table: &Table, row: usize, wrong: Wrong) -> String {
    match wrong {
        Wrong::Nothing => String::new(),
        Wrong::Bytes { field } => {
            let name = if field < shape.width() { shape.name_of(field) } else { "" };
            format!("column {} '{name}': the text is not UTF-8", field + 1)
        }
        Wrong::Width => format!("the record has {} fields, the view has {} columns", table.width(row), shape.width()),
        Wrong::Value { column } => {
            let (at, field) = (shape.field_of(column), shape.file.field(column));
            let text = table.cell(row, at).unwrap_or_default();
            let (name, expected) = (field.name(), paceline_sql::type_name(field.data_type()));
            format!("column {} '{name}': '{}' is not of type {expected}", at + 1, shorten(text))
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
