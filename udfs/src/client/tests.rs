//! Requests over real sockets.

mod security;
mod tls;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use arrow::datatypes::{DataType, Fields};
use expect_test::{Expect, expect};

use super::*;
use crate::ApiFunction;

/// A server for one request: it reads that, writes `reply`, and returns what it read. The connection stays open where it
/// says nothing, until its result is dropped.
fn server(reply: impl Into<Vec<u8>>) -> (String, JoinHandle<(String, Option<TcpStream>)>) {
    let reply = reply.into();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/process?token=secret", listener.local_addr().unwrap());
    let serve = move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut read, mut piece) = (Vec::new(), [0; 1024]);
        while !read.ends_with(b"}") {
            let bytes = socket.read(&mut piece).unwrap();
            read.extend_from_slice(&piece[..bytes]);
        }
        socket.write_all(&reply).unwrap();
        (String::from_utf8(read).unwrap(), reply.is_empty().then_some(socket))
    };
    (url, thread::spawn(serve))
}

fn client(url: &str, options: &[(&str, &str)]) -> HttpClient {
    let given = [&[("endpoint", url), ("rate_limit_calls", "1")], options].concat();
    let given: Vec<_> = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let api = ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap();
    HttpClient::new(&api.options, &Services::default()).unwrap()
}

async fn check(reply: &'static str, options: &[(&str, &str)], expected: Expect) {
    let (url, server) = server(reply);
    let outcome = client(&url, options).send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await;
    let shown = match outcome {
        Ok(reply) => {
            format!("{} {:?} {}", reply.status, reply.header("retry-after"), String::from_utf8_lossy(&reply.body))
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
    server.join().unwrap();
}

#[tokio::test]
async fn a_request_is_one_post_of_json() {
    let (url, server) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let reply = client(&url, &[]).send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await.unwrap();
    assert_eq!((reply.status, reply.body), (200, Bytes::from("{}")));
    let request = server.join().unwrap().0.to_lowercase();
    assert!(request.starts_with("post /process?token=secret http/1.1\r\n"), "{request}");
    assert!(request.contains("content-type: application/json\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"id\":1}"), "{request}");
}

#[tokio::test]
async fn whatever_the_status_the_reply_is_read() {
    check(
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nslow",
        &[],
        expect![[r#"429 Some("7") slow"#]],
    )
    .await;
    check(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        &[],
        expect!["302 None "],
    )
    .await;
    check(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n",
        &[],
        expect!["200 None []"],
    )
    .await;
}

#[tokio::test]
async fn a_reply_that_is_too_large_late_or_cut_off_is_none() {
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n[1, 2]",
        &[("max_reply_bytes", "5")],
        expect!["the reply is larger than max_reply_bytes (5 bytes)"],
    )
    .await;
    check("", &[("timeout", "20 ms")], expect!["no complete reply within the timeout (20ms)"]).await;
    check("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n[1", &[], expect!["no reply: error decoding response body: request or response body error: error reading a body from connection: end of file before message length reached"]).await;
    check(
        "what?",
        &[],
        expect!["no reply: error sending request: client error (SendRequest): invalid HTTP version parsed"],
    )
    .await;
}

#[tokio::test]
async fn where_nobody_listens_the_error_keeps_the_token_to_itself() {
    let url = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        format!("http://{}/?token=secret", listener.local_addr().unwrap())
    };
    let error = client(&url, &[]).send(&Outgoing::json(Bytes::from("1"))).await.unwrap_err().to_string();
    assert!(error.starts_with("no reply: error sending request: ") && error.contains("refused"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_compressed_reply_is_read_and_one_that_grows_too_large_is_not() {
    let body = crate::compression::gzip(format!("[{}1]", "1,".repeat(1000)).as_bytes()).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    let reply = [head.as_bytes(), &body].concat();
    assert!(body.len() < 100);
    let ask = async |options: &[(&str, &str)]| {
        let (url, server) = server(reply.clone());
        let outcome = client(&url, options).send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await;
        (outcome, server.join().unwrap().0.to_lowercase())
    };
    let (read, request) = ask(&[]).await;
    assert!(request.contains("accept-encoding: gzip, deflate\r\n"), "{request}");
    assert_eq!(read.unwrap().body.len(), 2003);
    let (read, _) = ask(&[("max_reply_bytes", "2002")]).await;
    assert_eq!(read.unwrap_err().to_string(), "the reply is larger than max_reply_bytes (2002 bytes)");
}
