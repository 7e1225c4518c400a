//! What authenticates requests, on the wire, and which requests are not sent.

use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use tokio::runtime::Handle;

use super::*;
use crate::Caller;
use crate::auth::Signer;
use crate::caller::Fate;
use crate::egress::AllowedHosts;
use crate::quota::Quotas;

const OK: (u16, &str) = (200, "{}");

/// A server for as many requests as there are replies, a connection each. It returns the requests.
fn serve(replies: &[(u16, &str)]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let replies: Vec<_> = replies.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    let serve = move || {
        let one = |(status, body): (u16, String)| {
            let (socket, _) = listener.accept().unwrap();
            answer(socket, status, &body)
        };
        replies.into_iter().map(one).collect()
    };
    (port, thread::spawn(serve))
}

/// Reads one request, answers it, and returns it.
pub(super) fn answer(socket: impl Read + Write, status: u16, body: &str) -> String {
    let (mut reader, mut request, mut length) = (BufReader::new(socket), String::new(), 0);
    while !request.ends_with("\r\n\r\n") {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the connection ended within {request}");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.push_str(&line);
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).unwrap();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    reader.get_mut().write_all(format!("{head}{body}").as_bytes()).unwrap();
    request + &String::from_utf8(content).unwrap()
}

fn services(secrets: &[&'static str]) -> Services {
    Services { secrets: Some(crate::testing::secrets(secrets)), ..Services::default() }
}

pub(super) fn declare(url: &str, options: &[(&str, &str)]) -> ApiFunction {
    let given = [&[("endpoint", url), ("rate_limit_calls", "unlimited")], options].concat();
    let given: Vec<_> = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap()
}

fn client(url: &str, options: &[(&str, &str)], services: &Services) -> HttpClient {
    HttpClient::new(&declare(url, options).options, services).unwrap()
}

async fn send(client: &HttpClient) -> Result<Reply, SendError> {
    client.ready().await?;
    client.send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await
}

/// The first line of a request, and the header of that name.
fn line_and_header(request: &str, name: &str) -> String {
    let start = format!("{name}: ");
    let header = request.lines().find(|line| line.to_lowercase().starts_with(&start));
    format!("{} | {}", request.lines().next().unwrap(), header.unwrap_or("no header"))
}

#[tokio::test]
async fn each_kind_of_authentication_is_on_the_wire() {
    let secret = ("auth_secret", "aws-secret:prod/api");
    for (secrets, options, header, expected) in [
        (
            "hunter2",
            &[("auth", "bearer"), secret][..],
            "authorization",
            expect!["POST /x?a=1 HTTP/1.1 | authorization: Bearer hunter2"],
        ),
        (
            "hunter2",
            &[("auth", "basic"), ("auth_user", "me"), secret],
            "authorization",
            expect!["POST /x?a=1 HTTP/1.1 | authorization: Basic bWU6aHVudGVyMg=="],
        ),
        (
            "me:hunter2",
            &[("auth", "basic"), secret],
            "authorization",
            expect!["POST /x?a=1 HTTP/1.1 | authorization: Basic bWU6aHVudGVyMg=="],
        ),
        (
            "hunter2",
            &[("auth", "header"), ("auth_name", "X-Api-Key"), secret],
            "x-api-key",
            expect!["POST /x?a=1 HTTP/1.1 | x-api-key: hunter2"],
        ),
        (
            "hunter2 &",
            &[("auth", "query"), ("auth_name", "api key"), secret],
            "authorization",
            expect!["POST /x?a=1&api+key=hunter2+%26 HTTP/1.1 | no header"],
        ),
        ("hunter2", &[], "authorization", expect!["POST /x?a=1 HTTP/1.1 | no header"]),
    ] {
        let (port, server) = serve(&[OK]);
        send(&client(&format!("http://127.0.0.1:{port}/x?a=1"), options, &services(&[secrets]))).await.unwrap();
        expected.assert_eq(&line_and_header(&server.join().unwrap()[0], header));
    }
}

#[tokio::test]
async fn an_error_never_shows_what_authenticates() {
    let secret = ("auth_secret", "aws-secret:prod/api");
    let kinds: [&[(&str, &str)]; 4] = [
        &[("auth", "bearer"), secret],
        &[("auth", "basic"), ("auth_user", "me"), secret],
        &[("auth", "header"), ("auth_name", "X-Api-Key"), secret],
        &[("auth", "query"), ("auth_name", "key"), secret],
    ];
    for options in kinds {
        // An API that quotes the request in its error, one that is not there, and one that breaks off.
        let quoted = "no: key=hunter2+%2F Bearer hunter2 / Basic bWU6aHVudGVyMiAv";
        let (port, server) = serve(&[(400, quoted)]);
        let client = client(&format!("http://127.0.0.1:{port}/"), options, &services(&["hunter2 /"]));
        let reply = send(&client).await;
        server.join().unwrap();
        let kind = options[0].1;
        let shown = String::from_utf8_lossy(&reply.as_ref().unwrap().body).into_owned();
        let hidden = match kind {
            "basic" => !shown.contains("bWU6aHVudGVyMiAv") && !shown.contains("hunter2 /"),
            "query" => !shown.contains("hunter2+%2F") && !shown.contains("hunter2 /"),
            _ => !shown.contains("hunter2 /"),
        };
        assert!(hidden && shown.starts_with("no: "), "{kind}: {shown}");
        let gone = send(&client).await.unwrap_err();
        assert!(matches!(gone, SendError::Connection(_)), "{gone}");
        for shown in [format!("{client:?}"), format!("{gone:?}"), gone.to_string()] {
            assert!(!shown.contains("hunter2") && !shown.contains("bWU6"), "{shown}");
        }
    }
    // Secrets that cannot be sent.
    for (options, expected) in [
        (kinds[0], expect!["the secret aws-secret:prod/api has characters that no header can carry"]),
        (kinds[2], expect!["the secret aws-secret:prod/api has characters that no header can carry"]),
        (
            &[("auth", "basic"), secret][..],
            expect!["the secret aws-secret:prod/api is not user:password; give the user as auth_user"],
        ),
    ] {
        let client = client("http://127.0.0.1:1/", options, &services(&["hunter2\n"]));
        let error = send(&client).await.unwrap_err();
        assert!(matches!(error, SendError::Credentials(_)), "{error:?}");
        expected.assert_eq(&error.to_string());
        assert!(!format!("{error:?} {client:?}").contains("hunter2"));
    }
}

/// Sends one request to an API that answers so. No secret is in what comes of it, nor in what can be seen of the caller.
async fn call(secrets: &[&'static str], replies: &[(u16, &str)]) -> (Fate, Vec<String>) {
    let (port, server) = serve(replies);
    let options = [("auth", "bearer"), ("auth_secret", "aws-secret:prod/api")];
    let api = declare(&format!("http://127.0.0.1:{port}/"), &options);
    let transport = Arc::new(HttpClient::new(&api.options, &services(secrets)).unwrap());
    let quota = Quotas::default().get("f", &api.options.pace.limits, std::time::SystemTime::now()).unwrap();
    let caller = Arc::new(Caller::new(Arc::new(api), quota, transport, Handle::current()));
    let fate = caller.submit(Outgoing::json(Bytes::from("1"))).await.await.unwrap();
    assert_eq!(caller.counters().requests.get(), replies.len() as u64);
    let shown = format!("{fate:?} {caller:?}");
    assert!(shown.contains("aws-secret") || shown.contains("prod/api"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let sent = server.join().unwrap().iter().map(|request| line_and_header(request, "authorization")).collect();
    (fate, sent)
}

#[tokio::test]
async fn after_a_401_the_secret_is_read_once_more_and_the_request_sent_once_more() {
    let (fate, sent) = call(&["hunter2-old", "hunter2-new"], &[(401, "not hunter2-old"), OK]).await;
    assert!(matches!(fate, Fate::Answered { attempts: 2, .. }), "{fate:?}");
    let line = |secret: &str| format!("POST / HTTP/1.1 | authorization: Bearer {secret}");
    assert_eq!(sent, ["hunter2-old", "hunter2-new"].map(line));
    // It is still the same: a third time would not help.
    let (fate, sent) = call(&["hunter2"], &[(401, "not hunter2"), (401, "not hunter2")]).await;
    let Fate::GivenUp(gone) = fate else { panic!("{fate:?}") };
    assert_eq!((gone.attempts, gone.failure.status, &gone.failure.body[..]), (2, Some(401), &b"not (not shown)"[..]));
    assert_eq!(sent.len(), 2);
}

fn oauth2(token_port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("auth", "oauth2".to_owned()),
        ("oauth2_token_url", format!("http://127.0.0.1:{token_port}/token")),
        ("oauth2_client_id", "me".to_owned()),
        ("oauth2_client_secret", "aws-secret:prod/oauth".to_owned()),
    ]
}

fn oauth2_client(port: u16, token_port: u16) -> HttpClient {
    let options = oauth2(token_port);
    let options: Vec<_> = options.iter().map(|(key, value)| (*key, value.as_str())).collect();
    client(&format!("http://127.0.0.1:{port}/"), &options, &services(&["hunter2"]))
}

#[tokio::test]
async fn a_token_serves_many_requests_and_a_401_fetches_another_once() {
    let token = |name: &str| format!(r#"{{"access_token": "{name}", "token_type": "bearer", "expires_in": 3600}}"#);
    let (token_port, tokens) = serve(&[(200, &token("a1")), (200, &token("a2"))]);
    let (port, server) = serve(&[OK, OK, (401, ""), (401, "bad a2 a2a2a2")]);
    let client = oauth2_client(port, token_port);
    send(&client).await.unwrap();
    send(&client).await.unwrap();
    let refused = send(&client).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused(_)), "{refused}");
    assert_eq!(send(&client).await.unwrap().status, 401);
    let sent: Vec<_> = server.join().unwrap().iter().map(|request| line_and_header(request, "authorization")).collect();
    let line = |token: &str| format!("POST / HTTP/1.1 | authorization: Bearer {token}");
    assert_eq!(sent, ["a1", "a1", "a1", "a2"].map(line));
    let asked = tokens.join().unwrap();
    assert_eq!(
        line_and_header(&asked[0], "authorization"),
        "POST /token HTTP/1.1 | authorization: Basic bWU6aHVudGVyMg=="
    );
    assert!(asked[0].ends_with("\r\n\r\ngrant_type=client_credentials"), "{}", asked[0]);
}

#[tokio::test]
async fn without_a_token_there_is_no_request() {
    let (token_port, tokens) =
        serve(&[(401, r#"{"error": "invalid_client"}"#), (401, r#"{"error": "invalid_client"}"#)]);
    let (port, _) = serve(&[]);
    let client = oauth2_client(port, token_port);
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, SendError::Credentials(_)), "{error:?}");
    assert!(
        error.to_string().contains("refused the client (status 401, invalid_client): check oauth2_client_id"),
        "{error}"
    );
    tokens.join().unwrap();
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, SendError::Connection(_)), "{error:?}");
    let start =
        format!("no reply: a token of the token endpoint http://127.0.0.1:{token_port}/token cannot be had now: ");
    assert!(error.to_string().starts_with(&start), "{error}");
}

/// Signs with the number of the signature.
#[derive(Debug, Default)]
struct Numbered(AtomicU32);

#[async_trait]
impl Signer for Numbered {
    async fn ready(&self) -> Result<(), NoCredentials> {
        Ok(())
    }

    async fn sign(&self, request: &ToSign<'_>) -> Result<HeaderMap, NoCredentials> {
        let ToSign { method, url, headers, body, service, region } = request;
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let value = format!("{number} {method} {} {} {} {service} {region:?}", url.path(), headers.len(), body.len());
        Ok(HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_str(&value).unwrap())]))
    }
}

#[tokio::test]
async fn each_attempt_is_signed_anew() {
    let (port, server) = serve(&[OK, OK]);
    let options = [("auth", "aws-sigv4"), ("aws_service", "lambda"), ("aws_region", "eu-west-1")];
    let url = format!("http://127.0.0.1:{port}/invoke");
    let error = HttpClient::new(&declare(&url, &options).options, &Services::default()).unwrap_err();
    expect!["auth is aws-sigv4, but requests cannot be signed here"].assert_eq(&error.to_string());
    let signer = Services { signer: Some(Arc::new(Numbered::default())), ..Services::default() };
    let client = client(&url, &options, &signer);
    send(&client).await.unwrap();
    send(&client).await.unwrap();
    let signed = server.join().unwrap().into_iter().map(|request| line_and_header(&request, "authorization"));
    let line =
        |n: u32| format!("POST /invoke HTTP/1.1 | authorization: {n} POST /invoke 1 8 lambda Some(\"eu-west-1\")");
    assert_eq!(signed.collect::<Vec<_>>(), [line(0), line(1)]);
}

#[tokio::test]
async fn a_name_is_refused_for_what_it_resolves_to() {
    // Listens throughout: it is not for want of a server that there is no reply.
    let (port, server) = serve(&[OK, OK]);
    let url = format!("http://localhost:{port}/");
    for list in ["10.0.0.0/8", "https://localhost, 192.0.2.1"] {
        let client = client(&url, &[("allowed_hosts", list)], &Services::default());
        let error = send(&client).await.unwrap_err();
        assert!(matches!(error, SendError::Forbidden(_)), "{list}: {error:?}");
        let text = error.to_string();
        let its = "requests to 'localhost' are not allowed: its address ";
        assert!(text.starts_with(its) && text.contains(": no entry of allowed_hosts fits it (http, port "), "{text}");
    }
    for list in ["localhost", "127.0.0.0/8, ::1"] {
        send(&client(&url, &[("allowed_hosts", list)], &Services::default())).await.unwrap();
    }
    server.join().unwrap();
}

#[tokio::test]
async fn the_list_of_the_session_holds_for_all_functions() {
    let list = AllowedHosts::parse("*.example.com").unwrap();
    let services = Services { allowed_hosts: Some(list), ..services(&["hunter2"]) };
    let error = HttpClient::new(&declare("http://localhost/?token=hunter2", &[]).options, &services).unwrap_err();
    expect!["requests to 'localhost' are not allowed: no entry of paceline.api.allowed_hosts fits it (http, port 80)"]
        .assert_eq(&error.to_string());
    let options = oauth2(1);
    let options: Vec<_> = options.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let error = HttpClient::new(&declare("https://api.example.com/", &options).options, &services).unwrap_err();
    expect!["requests to '127.0.0.1' are not allowed: no entry of paceline.api.allowed_hosts fits it (http, port 1)"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_request_with_a_url_of_its_own_is_checked_and_takes_no_credentials_elsewhere() {
    let (port, server) = serve(&[OK, OK]);
    let endpoint = format!("http://127.0.0.1:{port}/");
    let bearer = [("auth", "bearer"), ("auth_secret", "aws-secret:prod/api")];
    let to = async |url: &str, options: &[(&str, &str)]| {
        let client = client(&endpoint, options, &services(&["hunter2"]));
        let outgoing = Outgoing { url: Some(Url::parse(url).unwrap()), ..Outgoing::json(Bytes::from("1")) };
        client.send(&outgoing).await.map_or_else(|error| error.to_string(), |reply| reply.status.to_string())
    };
    expect!["requests to '169.254.169.254' are not allowed: link-local, multicast and unspecified addresses and the metadata services of clouds never are"]
        .assert_eq(&to("http://0xa9.0xfe.0xa9.0xfe/latest/", &[]).await);
    expect!["requests to 'localhost' are not allowed: the credentials of the function are for its endpoint at '127.0.0.1'; name the other hosts in allowed_hosts"]
        .assert_eq(&to(&format!("http://localhost:{port}/"), &bearer).await);
    assert_eq!(to(&format!("{endpoint}other"), &bearer).await, "200");
    let listed = [&bearer[..], &[("allowed_hosts", "localhost, 127.0.0.1")]].concat();
    assert_eq!(to(&format!("http://localhost:{port}/"), &listed).await, "200");
    server.join().unwrap();
}
