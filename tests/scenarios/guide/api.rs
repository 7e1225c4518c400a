//! The API that the examples of the guide call: every shape that they show, at one address.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// Serves until the process ends, and returns the URL.
pub(super) fn serve() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(|| answer(stream));
        }
    });
    url
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    for line in reader.by_ref().lines() {
        match line.unwrap() {
            line if line.is_empty() => break,
            line => head.push(line),
        }
    }
    let Some(first) = head.first() else { return };
    let header = |name: &str| {
        let of = |line: &String| {
            Some(line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name))?.1.trim().to_owned())
        };
        head.iter().skip(1).find_map(of)
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, reply) = reply(path, &body, header("authorization").as_deref());
    let reply = reply.to_string();
    let length = reply.len();
    write!(stream, "HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{reply}").unwrap();
}

fn reply(path: &str, body: &Value, authorization: Option<&str>) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let rows = |key: &str| body[key].as_array().cloned().unwrap_or_default();
    match path {
        "/process" if body["email"].is_null() => (422, json!({ "error": "email is required" })),
        "/process" => (200, one(body)),
        "/batch" => (200, json!({ "results": body.as_array().unwrap().iter().map(one).collect::<Vec<_>>() })),
        "/snowflake" => {
            let pair = |row: &Value| json!([row[0], label(&row[1])]);
            (200, json!({ "data": rows("data").iter().map(pair).collect::<Vec<_>>() }))
        }
        "/bigquery" => (200, json!({ "replies": rows("calls").iter().map(|row| label(&row[0])).collect::<Vec<_>>() })),
        "/redshift" => {
            let results: Vec<_> = rows("arguments").iter().map(|row| label(&row[0])).collect();
            (200, json!({ "success": true, "num_records": results.len(), "results": results }))
        }
        "/private" if authorization != Some("Bearer of-the-example") => (401, json!({ "error": "who are you?" })),
        "/private" => (200, one(body)),
        _ => match path.strip_prefix("/users/") {
            Some(id) => (200, json!({ "data": { "id": id.parse::<u64>().unwrap(), "query": query } })),
            None => (404, json!({ "error": "there is nothing here" })),
        },
    }
}

fn one(record: &Value) -> Value {
    if record["email"].is_null() {
        return json!({ "error": "email is required" });
    }
    json!({ "status": "ok", "score": record["id"].as_f64().unwrap_or_default() / 10.0 })
}

fn label(id: &Value) -> Value {
    json!(format!("number {id}"))
}
