//! Format `redshift`: requests and replies as Redshift has them with a Lambda UDF, through a gateway or AWS Lambda's Invoke.
//! Source: Amazon Redshift, "Scalar Lambda UDFs", JSON interface; AWS Lambda, "Invoke", response headers.

use std::borrow::Cow;

use bytes::Bytes;

use super::json::{Members, elements, quoted, text};
use super::positional;
use crate::ApiFunction;
use crate::client::{Outgoing, Reply};

pub(super) fn request(api: &ApiFunction, user: &str, rows: &[Bytes], id: &str) -> Result<Outgoing, String> {
    let mut body = format!(
        r#"{{"request_id":{},"cluster":"paceline","user":{},"database":"paceline","external_function":{},"query_id":{},"num_records":{},"arguments":"#,
        quoted(id),
        quoted(user),
        quoted(&api.name),
        // A number, as functions log it or parse it.
        crc32fast::hash(id.as_bytes()),
        rows.len(),
    );
    positional::lists(api, rows, |_| false, &mut |_, json, out| out.push_str(json), |_| None, &mut body)?;
    body.push('}');
    Ok(Outgoing::json(Bytes::from(body)))
}

pub(super) fn split(reply: &Reply, rows: usize) -> Result<Vec<Bytes>, String> {
    // A function that returns json.dumps(…) has its reply encoded twice.
    let body = match serde_json::from_slice::<String>(&reply.body) {
        Ok(inner) => Bytes::from(inner),
        Err(_) => reply.body.clone(),
    };
    let answer = Members::of_reply(&body);
    if let Some(kind) = reply.header("x-amz-function-error") {
        let message = answer.ok().and_then(|answer| text(answer.get("errorMessage")?).map(Cow::into_owned));
        return Err(format!(
            "the Lambda function failed ({kind}): {}",
            message.as_deref().unwrap_or("without a message")
        ));
    }
    let answer = answer?;
    // Functions leave out what Redshift does not insist on, and write numbers and flags as strings.
    let said = |name: &str| answer.get(name).and_then(text).filter(|said| !said.is_empty());
    let (results, message) = (answer.get("results"), said("error_msg"));
    let is_failure = match said("success") {
        Some(success) => !success.eq_ignore_ascii_case("true"),
        None => results.is_none() && message.is_some(),
    };
    if is_failure {
        return Err(format!("the function failed: {}", message.unwrap_or("without an error_msg".into())));
    }
    let results = results.ok_or("the reply has no 'results'")?;
    let results = elements(results.get()).map_err(|_| "'results' in the reply is not an array")?;
    if results.len() != rows {
        return Err(format!("the reply has {} values for {rows} rows", results.len()));
    }
    if let Some(said) = said("num_records").filter(|said| said.trim().parse() != Ok(rows)) {
        return Err(format!("the reply says num_records {said} and has {rows} values"));
    }
    Ok(results.into_iter().map(|value| body.slice_ref(value.get().as_bytes())).collect())
}

#[cfg(test)]
mod tests;
