//! The classic job without SQL: every record of a CSV file goes to an API as one JSON object, and comes out with the
//! columns of the reply beside its own.
//!
//! It writes the statements that a user would write and carries them out. Without a declared reply the first answers
//! decide on its columns; they are kept and not asked for again.

mod settings;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::json::reader::infer_json_schema_from_iterator;
use datafusion::error::DataFusionError;
use serde_json::{Map, Value};

pub use settings::{EnrichOptions, Row, SETTINGS, Source, Values};

use crate::EngineError;
use crate::job::JobId;
use crate::observe::report::Report;
use crate::session::{Outcome, Session};

/// So many answers decide on the columns of the reply.
const SAMPLE: usize = 100;
/// The function that asks the API, and the one that asks it for the first answers.
const FUNCTION: &str = "enrich";
const SAMPLER: &str = "__sample";
/// The field of an answer that says why there is none.
const REASON: &str = "_error";

/// Runs the job. `returns` is the type of the reply, as in `RETURNS` of an API function. The report is made in any
/// case.
pub async fn run(
    session: &Session,
    options: &EnrichOptions,
    returns: Option<&str>,
    job: &JobId,
) -> (Report, Result<(), EngineError>) {
    let start = Instant::now();
    let (written, result) = match enrich(session, options, returns, job).await {
        Ok(Outcome::Written(written)) => (vec![written], Ok(())),
        Ok(_) => (Vec::new(), Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    let error = result.as_ref().err().map(ToString::to_string);
    (Report::new(job.as_str(), session, start.elapsed(), &written, error), result)
}

async fn enrich(
    session: &Session,
    options: &EnrichOptions,
    returns: Option<&str>,
    job: &JobId,
) -> Result<Outcome, EngineError> {
    let view = format!(
        "CREATE OR REPLACE TEMPORARY VIEW input USING csv OPTIONS (path {}, header 'true', inferSchema 'true')",
        quoted(&options.input)
    );
    session.sql(&view, job.as_str()).await?;
    let select = answered(session, "input", &options.input, &function_options(options), returns, job).await?;
    let insert = format!("INSERT OVERWRITE DIRECTORY {} USING parquet {select}", quoted(&options.output));
    session.sql(&insert, job.as_str()).await
}

/// The query of a view's rows with what an API answers to each beside it: the columns of an answer that is an object, each by its
/// name, or `response`. `options` are those of the API function that is declared for it, and `shown` is what
/// errors call the view's rows.
///
/// # Errors
/// There is no such view, an option is wrong, or the first answers do not say what the API answers.
pub async fn answered(
    session: &Session,
    view: &str,
    shown: &str,
    options: &[(String, String)],
    returns: Option<&str>,
    job: &JobId,
) -> Result<String, EngineError> {
    let input = session.columns(view).ok_or_else(|| EngineError::Setting(format!("there is no view '{view}'")))?;
    [FUNCTION, SAMPLER].iter().for_each(|earlier| session.forget(earlier)); // limits may be others now
    let mut reply = match returns {
        Some(text) => match paceline_sql::parse_type(text)? {
            DataType::Struct(fields) => {
                Reply { data_type: DataType::Struct(fields.clone()), fields: Some(fields), answers: Vec::new() }
            }
            data_type => Reply { data_type, fields: None, answers: Vec::new() },
        },
        None => sample(session, (view, shown), options, &input, job).await?,
    };
    let keeps_rows = options.iter().any(|(key, value)| key == "on_error" && value.eq_ignore_ascii_case("null"));
    if keeps_rows {
        reply.with_reasons();
    }
    let caller = session.declare(FUNCTION, input.clone(), reply.data_type.clone(), options)?;
    for (row, answer) in &reply.answers {
        caller.primed().put(row.clone(), answer.clone());
    }
    Ok(format!(
        "SELECT {} FROM (SELECT *, {FUNCTION}({}) AS __answer FROM {})",
        reply.select_list(&input).join(", "),
        names(&input).join(", "),
        name(view)
    ))
}

/// What the API answers.
struct Reply {
    data_type: DataType,
    /// The columns of a reply that is an object.
    fields: Option<Fields>,
    /// Rows that have been asked for, as sent, with their answers.
    answers: Vec<(Bytes, Bytes)>,
}

impl Reply {
    /// A row that stays without an answer says why, in a field of an answer that is an object.
    fn with_reasons(&mut self) {
        let Some(fields) = self.fields.take() else { return };
        let known = fields.iter().any(|field| field.name().eq_ignore_ascii_case(REASON));
        let reason = (!known).then(|| Arc::new(Field::new(REASON, DataType::Utf8, true)));
        let fields: Fields = fields.iter().cloned().chain(reason).collect();
        self.data_type = DataType::Struct(fields.clone());
        self.fields = Some(fields);
    }

    /// The input's columns, then the reply's; a name that the input has gets `response_` in front.
    fn select_list(&self, input: &Fields) -> Vec<String> {
        let Some(fields) = &self.fields else {
            return names(input)
                .into_iter()
                .chain([format!("__answer AS {}", name(&free_name("response", input)))])
                .collect();
        };
        let field = |field: &Field| {
            let taken = input.iter().any(|column| column.name().eq_ignore_ascii_case(field.name()));
            let shown =
                if taken { free_name(&format!("response_{}", field.name()), input) } else { field.name().clone() };
            format!("__answer.{} AS {}", name(field.name()), name(&shown))
        };
        names(input).into_iter().chain(fields.iter().map(|f| field(f))).collect()
    }
}

/// Calls the API for the first records and takes the type of the reply from the answers.
async fn sample(
    session: &Session,
    (view, shown): (&str, &str),
    options: &[(String, String)],
    input: &Fields,
    job: &JobId,
) -> Result<Reply, EngineError> {
    let given = options.iter().filter(|(key, _)| key != "on_error").cloned();
    let options: Vec<_> = given.chain([("on_error".to_owned(), "null".to_owned())]).collect();
    session.declare(SAMPLER, input.clone(), DataType::Utf8, &options)?;
    let columns = names(input).join(", ");
    let query = format!(
        "SELECT {columns}, {SAMPLER}({columns}) AS __answer FROM (SELECT * FROM {} LIMIT {SAMPLE})",
        name(view)
    );
    let Outcome::Rows { batches, .. } = session.sql(&query, job.as_str()).await? else {
        return Err(EngineError::Setting("the first records gave no rows".to_owned()));
    };
    let mut answers = Vec::new();
    for batch in &batches {
        answers.extend(answers_of(batch)?);
    }
    let objects = answers.iter().filter_map(|(_, answer)| serde_json::from_slice::<Value>(answer).ok());
    let schema = infer_json_schema_from_iterator(objects.map(Ok)).map_err(|error| {
        EngineError::Setting(format!("the first answers do not go together: {error}; {SAY_RETURNS}"))
    })?;
    if schema.fields().is_empty() {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        return Err(EngineError::Setting(if rows == 0 {
            format!("'{shown}' has no records")
        } else {
            format!("none of the first {rows} calls was answered with a JSON object; {SAY_RETURNS}")
        }));
    }
    let fields: Fields =
        schema.fields().iter().map(|field| field.as_ref().clone().with_data_type(known(field))).collect();
    Ok(Reply { data_type: DataType::Struct(fields.clone()), fields: Some(fields), answers })
}

const SAY_RETURNS: &str = "say what the API answers, as in --returns 'STRUCT<status: STRING, score: DOUBLE>'";

/// A field that was NULL in every answer is a string.
fn known(field: &Field) -> DataType {
    match field.data_type() {
        DataType::Null => DataType::Utf8,
        data_type => data_type.clone(),
    }
}

/// The rows that were answered with an object, as they are sent, each with its answer.
fn answers_of(batch: &RecordBatch) -> Result<Vec<(Bytes, Bytes)>, EngineError> {
    let columns = batch.num_columns() - 1;
    let arguments = batch.project(&(0..columns).collect::<Vec<_>>()).map_err(DataFusionError::from)?;
    let rows = paceline_udfs::wire::objects(&arguments).map_err(DataFusionError::from)?;
    let answers = batch.column(columns).as_string::<i32>();
    let objects = rows.into_iter().zip(answers).filter_map(|(row, answer)| {
        let object: Map<String, Value> = serde_json::from_str(answer?).ok()?;
        // An error is no answer: its row is asked for again, and fails alone if it must.
        let failed = object.get("error").is_some_and(|error| !error.is_null());
        (!failed).then(|| (row, Bytes::from(answer.unwrap_or_default().to_owned())))
    });
    Ok(objects.collect())
}

fn function_options(options: &EnrichOptions) -> Vec<(String, String)> {
    let batch_size = options.batch_size.to_string();
    let max_in_flight = options.max_in_flight.map(|most| most.to_string());
    let given = [
        ("endpoint", Some(options.endpoint.as_str())),
        ("format", Some(&options.format)),
        ("batch_size", Some(&batch_size)),
        ("rate_limit_calls", Some(&options.rate_limit_calls)),
        ("rate_limit_period", Some(&options.rate_limit_period)),
        ("quota", Some(&options.quota)),
        ("max_in_flight", max_in_flight.as_deref()),
    ];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
}

fn free_name(wanted: &str, input: &Fields) -> String {
    let taken = |name: &str| input.iter().any(|column| column.name().eq_ignore_ascii_case(name));
    let mut free = wanted.to_owned();
    while taken(&free) {
        free.push('_');
    }
    free
}

fn names(fields: &Fields) -> Vec<String> {
    fields.iter().map(|field| name(field.name())).collect()
}

/// A name in backquotes.
fn name(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
