//! For every format: functions that behave as the vendor's examples do and answer with their argument, and the property
//! that any value comes back from them as it went.

use arrow::datatypes::{DataType, Field, Fields};
use http::{HeaderMap, Method};
use proptest::prelude::*;
use serde::Deserialize;

use super::json::{elements, quoted};
use super::*;

/// A function `f` with these arguments and options.
pub(super) fn function(arguments: Fields, returns: DataType, options: &[(&str, &str)]) -> ApiFunction {
    let given = [&[("rate_limit_calls", "1")], options].concat();
    let mut given: Vec<_> = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    if !options.iter().any(|(key, _)| *key == "url") {
        given.push(("endpoint".to_owned(), "http://api.example/f".to_owned()));
    }
    ApiFunction::declare("f", arguments, returns, false, &given).unwrap()
}

/// A reply with status 200.
pub(super) fn reply(body: impl Into<Bytes>) -> Reply {
    Reply { status: 200, headers: HeaderMap::new(), body: body.into() }
}

/// A request's body, decompressed.
pub(super) fn body(request: &Outgoing) -> String {
    let encoding = request.headers.get(CONTENT_ENCODING).map_or("", |encoding| encoding.to_str().unwrap());
    let body = crate::compression::decompress(encoding, &request.body, 1_000_000).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn argument(row: &str) -> String {
    json::Members::of(row).unwrap().get("x").unwrap().get().to_owned()
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.join(","))
}

/// As a web service does that was written for this function.
fn record(request: &Outgoing) -> Reply {
    reply(argument(&body(request)))
}

fn array(request: &Outgoing) -> Reply {
    let values: Vec<_> = elements(&body(request)).unwrap().iter().map(|row| argument(row.get())).collect();
    reply(list(&values))
}

/// As a search API does: the value in the body of a PUT, and the answer deep in the reply.
fn template(request: &Outgoing) -> Reply {
    assert_eq!(request.method, Method::PUT);
    let body = body(request);
    let outer = json::Members::of(&body).unwrap();
    reply(format!(r#"{{"hits":[{{"source":{}}}]}}"#, argument(outer.get("doc").unwrap().get())))
}

/// As Snowflake's sample function on AWS Lambda, behind a gateway that takes the body out of
/// `{"statusCode":200,"body":"…"}`.
fn snowflake(request: &Outgoing) -> Reply {
    #[derive(Deserialize)]
    struct Rows<'a> {
        #[serde(borrow)]
        data: Vec<Vec<&'a serde_json::value::RawValue>>,
    }
    assert_eq!(request.headers["sf-external-function-format"], "json");
    let body = body(request);
    let rows: Rows<'_> = serde_json::from_str(&body).unwrap();
    let rows: Vec<_> = rows.data.iter().map(|row| format!("[{},{}]", row[0].get(), row[1].get())).collect();
    let from_lambda = format!(r#"{{"statusCode":200,"body":{}}}"#, quoted(&format!(r#"{{"data":{}}}"#, list(&rows))));
    let unwrapped =
        serde_json::from_str::<serde_json::Value>(&from_lambda).unwrap()["body"].as_str().unwrap().to_owned();
    reply(unwrapped)
}

fn arguments_at(key: &str, body: &str) -> Vec<String> {
    let calls = json::Members::of(body).unwrap().get(key).unwrap().get();
    elements(calls).unwrap().iter().map(|call| elements(call.get()).unwrap()[0].get().to_owned()).collect()
}

/// As BigQuery's sample function on Cloud Run.
fn bigquery(request: &Outgoing) -> Reply {
    reply(format!(r#"{{"replies":{}}}"#, list(&arguments_at("calls", &body(request)))))
}

/// As Redshift's sample function, which returns `json.dumps(…)`.
fn redshift(request: &Outgoing) -> Reply {
    let values = arguments_at("arguments", &body(request));
    let answer = format!(r#"{{"success":true,"num_records":{},"results":{}}}"#, values.len(), list(&values));
    reply(quoted(&answer))
}

type Echo = fn(&Outgoing) -> Reply;

const FORMATS: &[(&[(&str, &str)], Echo)] = &[
    (&[("format", "record")], record),
    (&[("format", "array"), ("batch_size", "3"), ("compression", "deflate")], array),
    (
        &[
            ("format", "template"),
            ("url", "http://api.example/put"),
            ("method", "PUT"),
            ("body", r#"{"doc":{"x":"{x}"},"n":1}"#),
            ("reply_path", "/hits/0/source"),
        ],
        template,
    ),
    (&[("format", "snowflake"), ("batch_size", "2"), ("compression", "gzip")], snowflake),
    (&[("format", "bigquery"), ("batch_size", "4")], bigquery),
    (&[("format", "redshift")], redshift),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_value_comes_back_from_every_format(data_type in any_array::data_type(), seed: u64, rows in 1..6_usize) {
        let fields = Fields::from(vec![Field::new("x", data_type.clone(), true)]);
        let batch = any_array::batch(&fields, seed, rows);
        let objects = objects(&batch).unwrap();
        for (options, echo) in FORMATS {
            let api = function(fields.clone(), data_type.clone(), options);
            let mut values = Vec::new();
            for share in shares(&api, rows) {
                let request = encode(&api, &objects[share.clone()], "id").unwrap();
                let reply = echo(&request);
                prop_assert_eq!(poll(&api, &request, &reply), None);
                values.extend(split(&api, &reply, share.len()).unwrap().into_iter().map(Some));
            }
            let decoded = decode(&data_type, &values).unwrap();
            prop_assert_eq!(decoded.bad, vec![], "{:?}", options);
            prop_assert_eq!(&decoded.values, batch.column(0), "{:?}", options);
        }
    }
}

#[test]
fn one_bad_row_in_a_good_reply_fails_alone() {
    let fields = Fields::from(vec![Field::new("x", DataType::Int64, true)]);
    let rows = vec![Bytes::from(r#"{"x":1}"#), Bytes::from(r#"{"x":2}"#)];
    let replies = [
        ("array", r#"[{"error":"no"},2]"#),
        ("snowflake", r#"{"data":[[0,{"error":"no"}],[1,2]]}"#),
        ("bigquery", r#"{"replies":[{"error":"no"},2]}"#),
        ("redshift", r#"{"results":[{"error":"no"},2]}"#),
    ];
    for (format, answer) in replies {
        let api = function(fields.clone(), DataType::Int64, &[("format", format)]);
        encode(&api, &rows, "id").unwrap();
        let values: Vec<_> = split(&api, &reply(answer), 2).unwrap().into_iter().map(Some).collect();
        let decoded = decode(&api.returns, &values).unwrap();
        assert_eq!(decoded.bad.iter().map(|bad| bad.row).collect::<Vec<_>>(), [0], "{format}");
        assert_eq!(*decoded.values, arrow::array::Int64Array::from(vec![None, Some(2)]), "{format}");
    }
}

#[test]
fn a_compressed_request_says_so() {
    let fields = Fields::from(vec![Field::new("x", DataType::Int64, true)]);
    let api = function(fields, DataType::Int64, &[("compression", "gzip")]);
    let request = encode(&api, &[Bytes::from(r#"{"x":1}"#)], "id").unwrap();
    assert_eq!(request.headers[CONTENT_ENCODING], "gzip");
    assert_ne!(request.body, r#"{"x":1}"#);
    assert_eq!(body(&request), r#"{"x":1}"#);
}
