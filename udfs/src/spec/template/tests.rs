//! Declarations of format `template`, and options of a format that a function does not have.

use arrow::datatypes::{DataType, Field};
use expect_test::{Expect, expect};

use crate::ApiFunction;
use crate::spec::Format;

/// Declares `f(id, Email)` with these options and shows where requests go, or what is wrong.
fn check(options: &[(&str, &str)], expected: Expect) {
    let arguments = ["id", "Email"].map(|name| Field::new(name, DataType::Utf8, true));
    let given: Vec<_> = [&[("rate_limit_calls", "1")], options].concat();
    let given: Vec<_> = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let shown = match ApiFunction::declare("f", arguments.to_vec().into(), DataType::Utf8, false, &given) {
        Ok(api) => {
            let template = match &api.options.wire.format {
                Format::Template(template) => format!("{} {:?}", template.method, template.body),
                other => format!("{other:?}"),
            };
            format!("{} {template}", api.options.wire.endpoint)
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

fn check_template(options: &[(&str, &str)], expected: Expect) {
    check(&[&[("format", "template")], options].concat(), expected);
}

const URL: (&str, &str) = ("url", "https://api.example:8443/users/{id}?by={email}");

#[test]
fn the_method_follows_from_the_body() {
    check_template(&[URL], expect!["https://api.example:8443/ GET None"]);
    check_template(
        &[("endpoint", "http://a/x"), ("body", r#"{"a":["{ID}", 1.50, "x{id}"]}"#)],
        expect![[
            r#"http://a/x POST Some([Literal("{\"a\":["), Value("id"), Literal(", 1.50, "), String(Text([Literal("x"), Argument("id")])), Literal("]}")])"#
        ]],
    );
    check_template(&[URL, ("method", "delete")], expect!["https://api.example:8443/ DELETE None"]);
    check_template(
        &[URL, ("method", "get"), ("body", "{}")],
        expect!["API function 'f': option 'body' is for the methods POST, PUT, PATCH and DELETE, and 'method' is GET"],
    );
    check_template(
        &[URL, ("method", "HEAD")],
        expect!["API function 'f': option 'method' is 'HEAD', expected GET, POST, PUT, PATCH or DELETE"],
    );
}

#[test]
fn one_option_says_where_requests_go() {
    check_template(
        &[("endpoint", "http://a/{id}")],
        expect!["API function 'f': option 'endpoint' has no placeholders: give the URL as option 'url' instead"],
    );
    check_template(
        &[("url", "http://a/#{id}")],
        expect!["API function 'f': option 'url' must be a URL without a '#': what follows it is never sent"],
    );
    check_template(&[], expect!["API function 'f': option 'endpoint' is missing; it must be given"]);
    check_template(
        &[URL, ("endpoint", "http://a/")],
        expect!["API function 'f': options 'endpoint' and 'url' both say where requests go: give one of them"],
    );
}

#[test]
fn placeholders_are_arguments_and_not_in_the_host() {
    check_template(
        &[("url", "https://a/{user}")],
        expect![
            "API function 'f': option 'url' has the placeholder '{user}', and the arguments are id, Email; '{{' is a brace"
        ],
    );
    check_template(
        &[("url", "https://{id}.example/")],
        expect![
            "API function 'f': option 'url' must be an http:// or https:// URL with placeholders in its path or query only"
        ],
    );
    check_template(
        &[("url", "https://api.example{id}/")],
        expect![
            "API function 'f': option 'url' must be an http:// or https:// URL with placeholders in its path or query only"
        ],
    );
    check_template(
        &[("url", "{id}")],
        expect![
            "API function 'f': option 'url' must be an http:// or https:// URL with placeholders in its path or query only"
        ],
    );
    check_template(
        &[("url", "ftp://a/{id}")],
        expect!["API function 'f': option 'url' must be an http:// or https:// URL with a host"],
    );
    check_template(
        &[("url", "https://me:secret@a/{id}")],
        expect![
            "API function 'f': option 'url' must be a URL without user and password: credentials do not belong in a statement"
        ],
    );
    check_template(
        &[("url", "https://a/{id")],
        expect!["API function 'f': option 'url' has a '{' without a '}'; '{{' is a brace"],
    );
    check_template(
        &[URL, ("query", r#"{"q":"{nobody}"}"#)],
        expect![
            "API function 'f': option 'query' has the placeholder '{nobody}', and the arguments are id, Email; '{{' is a brace"
        ],
    );
    check_template(
        &[URL, ("headers", r#"{"x-q":"{nobody}"}"#)],
        expect![
            "API function 'f': option 'headers' has the placeholder '{nobody}', and the arguments are id, Email; '{{' is a brace"
        ],
    );
    check_template(
        &[URL, ("body", r#"{"q":"{nobody}"}"#)],
        expect![
            "API function 'f': option 'body' has the placeholder '{nobody}', and the arguments are id, Email; '{{' is a brace"
        ],
    );
}

#[test]
fn malformed_parts_are_named() {
    check_template(
        &[URL, ("query", "q=1")],
        expect![[r#"API function 'f': option 'query' is not a JSON object of strings, such as {"name":"value"}"#]],
    );
    check_template(
        &[URL, ("query", r#"{"q":1}"#)],
        expect![[r#"API function 'f': option 'query' is not a JSON object of strings, such as {"name":"value"}"#]],
    );
    check_template(
        &[URL, ("headers", r#"{"a b":"1"}"#)],
        expect!["API function 'f': option 'headers' has 'a b', which is not the name of an HTTP header"],
    );
    check_template(
        &[URL, ("headers", r#"{"Authorization":"Bearer 1"}"#)],
        expect![
            "API function 'f': option 'headers' has the header 'authorization': credentials do not belong in a statement"
        ],
    );
    check_template(
        &[URL, ("headers", r#"{"Host":"b"}"#)],
        expect![
            "API function 'f': option 'headers' has the header 'host': it follows from the request and cannot be set"
        ],
    );
    check_template(
        &[URL, ("body", "{id}")],
        expect!["API function 'f': option 'body' is not JSON: key must be a string at line 1 column 2"],
    );
    check_template(
        &[URL, ("compression", "gzip")],
        expect!["API function 'f': option 'compression' is for requests with a body, and option 'body' is not given"],
    );
    check_template(
        &[URL, ("reply_path", "data")],
        expect!["API function 'f': option 'reply_path' is 'data', expected a JSON pointer such as /data/results"],
    );
}

#[test]
fn options_of_another_format_are_refused() {
    let endpoint = ("endpoint", "http://a/");
    check(
        &[endpoint, ("format", "array"), ("body", "{}")],
        expect!["API function 'f': option 'body' is for the format template, and this function has format array"],
    );
    check(
        &[endpoint, ("method", "GET")],
        expect!["API function 'f': option 'method' is for the format template, and this function has format record"],
    );
    check(
        &[endpoint, ("reply_path", "/a")],
        expect![
            "API function 'f': option 'reply_path' is for the formats array and template, and this function has format record"
        ],
    );
    check(
        &[endpoint, ("format", "Redshift"), ("custom_headers", "{}")],
        expect![
            "API function 'f': option 'custom_headers' is for the format snowflake, and this function has format redshift"
        ],
    );
    check(
        &[endpoint, ("format", "xml")],
        expect![
            "API function 'f': option 'format' is 'xml', expected record, array, template, snowflake, bigquery or redshift"
        ],
    );
    check(
        &[endpoint, ("format", "bigquery"), ("user_defined_context", "[]")],
        expect![[
            r#"API function 'f': option 'user_defined_context' is not a JSON object of strings, such as {"name":"value"}"#
        ]],
    );
    check(
        &[endpoint, ("format", "bigquery"), ("user_defined_context", r#"{"mode":"a\"b"}"#)],
        expect![[r#"http://a/ Bigquery { session_user: "paceline", user_defined_context: "{\"mode\":\"a\\\"b\"}" }"#]],
    );
    check(
        &[endpoint, ("format", "snowflake"), ("custom_headers", r#"{"Volume":"litres"}"#)],
        expect![[r#"http://a/ Snowflake { custom_headers: [("sf-custom-volume", "litres")] }"#]],
    );
    check(
        &[endpoint, ("format", "snowflake"), ("custom_headers", r#"{"x":"a\nb"}"#)],
        expect!["API function 'f': option 'custom_headers' has a value of 'x' that cannot stand in a header"],
    );
    check(
        &[endpoint, ("compression", "br")],
        expect!["API function 'f': option 'compression' is 'br', expected none, gzip or deflate"],
    );
}
