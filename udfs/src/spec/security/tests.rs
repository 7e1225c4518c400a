//! Which options of security go together, and that no mistake shows a secret.

use arrow::datatypes::{DataType, Fields};
use expect_test::{Expect, expect};

use crate::ApiFunction;

fn declare(endpoint: &str, options: &[(&str, &str)]) -> Result<ApiFunction, String> {
    let required = [("endpoint", endpoint), ("rate_limit_calls", "1")];
    let given: Vec<_> =
        required.iter().chain(options).map(|(key, value)| (key.to_string(), value.to_string())).collect();
    ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).map_err(|error| error.to_string())
}

fn check(options: &[(&str, &str)], expected: Expect) {
    let shown = match declare("https://api.example/x?key=1", options) {
        Ok(api) => format!("{:?}", api.options.security.auth),
        Err(error) => error,
    };
    assert!(!shown.contains("hunter2"), "{shown}");
    expected.assert_eq(&shown);
}

#[test]
fn each_kind_has_its_options() {
    check(&[], expect!["None"]);
    check(&[("auth", "Bearer"), ("auth_secret", "env:KEY")], expect![[r#"Bearer(Env("KEY"))"#]]);
    check(
        &[("auth", "basic"), ("auth_secret", "file:/run/key")],
        expect![[r#"Basic { user: None, secret: File("/run/key") }"#]],
    );
    check(
        &[("auth", "header"), ("auth_name", "X-Api-Key"), ("auth_secret", "aws-secret:prod/api#key")],
        expect![[r#"Header { name: "x-api-key", secret: Aws { id: "prod/api", field: Some("key") } }"#]],
    );
    check(
        &[("auth", "aws-sigv4"), ("aws_service", "lambda")],
        expect![[r#"AwsSigV4 { service: "lambda", region: None }"#]],
    );
    check(&[("auth", "bearer")], expect!["API function 'f': option 'auth_secret' is missing; auth bearer needs it"]);
    check(
        &[("auth", "oauth2"), ("oauth2_token_url", "https://login.example/token")],
        expect!["API function 'f': option 'oauth2_client_id' is missing; auth oauth2 needs it"],
    );
    check(
        &[("auth_secret", "env:KEY")],
        expect!["API function 'f': option 'auth_secret' is for auth bearer, basic, header, query, but auth is none"],
    );
    check(
        &[("auth", "bearer"), ("auth_secret", "env:KEY"), ("oauth2_scope", "a")],
        expect!["API function 'f': option 'oauth2_scope' is for auth oauth2, but auth is bearer"],
    );
}

#[test]
fn what_contradicts_itself_is_named() {
    check(
        &[("auth", "query"), ("auth_name", "key"), ("auth_secret", "env:KEY")],
        expect!["API function 'f': option 'endpoint' already has the query parameter key that 'auth_name' names"],
    );
    check(
        &[("auth", "header"), ("auth_name", "idempotency-key"), ("auth_secret", "env:KEY")],
        expect!["API function 'f': options 'auth_name' and 'idempotency_header' both name the header idempotency-key"],
    );
    check(
        &[("tls_client_key", "env:KEY")],
        expect!["API function 'f': option 'tls_client_key' is of no use without 'tls_client_cert'"],
    );
    let error = declare("http://api.example/", &[("tls_ca", "env:CA")]).unwrap_err();
    expect!["API function 'f': option 'tls_ca' is of no use, as 'endpoint' is an http:// URL: give an https:// one"]
        .assert_eq(&error);
    check(
        &[("allowed_hosts", "*.example.com, api.example:8443")],
        expect![
            "API function 'f': option 'endpoint': requests to 'api.example' are not allowed: no entry of allowed_hosts fits it (https, port 443)"
        ],
    );
    check(
        &[
            ("auth", "oauth2"),
            ("oauth2_token_url", "https://login.example/token"),
            ("oauth2_client_id", "me"),
            ("oauth2_client_secret", "env:KEY"),
            ("allowed_hosts", "api.example"),
        ],
        expect![
            "API function 'f': option 'oauth2_token_url': requests to 'login.example' are not allowed: no entry of allowed_hosts fits it (https, port 443)"
        ],
    );
    let error = declare("http://169.254.169.254/latest", &[]).unwrap_err();
    expect!["API function 'f': option 'endpoint': requests to '169.254.169.254' are not allowed: link-local, multicast and unspecified addresses and the metadata services of clouds never are"].assert_eq(&error);
}

#[test]
fn a_secret_in_place_of_a_reference_is_not_shown() {
    let references = [
        ("auth_secret", "bearer"),
        ("oauth2_client_secret", "oauth2"),
        ("tls_client_cert", "none"),
        ("tls_client_key", "none"),
        ("tls_ca", "none"),
    ];
    let oauth2 = [("oauth2_token_url", "https://login.example/"), ("oauth2_client_id", "me")];
    for (option, auth) in references {
        let others: &[_] = if auth == "oauth2" { &oauth2 } else { &[] };
        let error =
            declare("https://a.example/", &[&[("auth", auth), (option, "hunter2")], others].concat()).unwrap_err();
        assert_eq!(
            error,
            format!(
                "API function 'f': option '{option}' is '(not shown)', expected a reference to a secret: env:NAME, file:PATH or aws-secret:ID#field (never the secret itself)"
            )
        );
    }
    check(
        &[("auth", "Bearer hunter2")],
        expect![
            "API function 'f': option 'auth' is '(not shown)', expected none, bearer, basic, header, query, oauth2 or aws-sigv4"
        ],
    );
    check(
        &[("auth", "header"), ("auth_name", "X-Key: hunter2"), ("auth_secret", "env:A")],
        expect![
            "API function 'f': option 'auth_name' is '(not shown)', expected the name of an HTTP header that says nothing of the connection or the body, such as X-Api-Key"
        ],
    );
    check(
        &[("auth", "oauth2"), ("oauth2_token_url", "https://me:hunter2@login.example/")],
        expect![
            "API function 'f': option 'oauth2_token_url' is '(not shown)', expected a URL without user and password: credentials do not belong in a statement"
        ],
    );
}
