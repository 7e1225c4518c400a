//! Tokens from a scripted token endpoint.

use expect_test::{Expect, expect};
use url::Url;

use super::*;
use crate::secret::Reference;
use crate::testing::{self, Script, Step};

fn tokens(secrets: &[&'static str]) -> Tokens {
    let options = OAuth2 {
        token_url: Url::parse("https://login.example/token?tenant=hunter2").unwrap(),
        client_id: "me:1".to_owned(),
        client_secret: Reference::parse("aws-secret:prod/oauth").unwrap(),
        scope: Some("read write".to_owned()),
        audience: Some("https://api.example".to_owned()),
    };
    Tokens::new(&options, Source::new(&options.client_secret, Some(&testing::secrets(secrets))))
}

fn script(steps: &[Step]) -> Script {
    Script::new(Duration::from_secs(1), steps.iter().cloned())
}

async fn get(tokens: &Tokens, script: &Script) -> String {
    let token = tokens.get(script).await.map(|(token, _)| token.reveal().to_owned());
    let shown = token.unwrap_or_else(|error| crate::client::causes(&error));
    assert!(!shown.contains("hunter2") && !format!("{tokens:?}").contains("a1"), "{shown} {tokens:?}");
    shown
}

/// The authorization of each request so far, decoded.
fn clients(script: &Script) -> Vec<String> {
    let decode = |header: &HeaderValue| {
        let text = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
    };
    script.seen().iter().map(|seen| decode(&seen.headers[AUTHORIZATION])).collect()
}

const GOOD: Step = Step::Reply(200, r#"{"access_token": "a1", "token_type": "Bearer", "expires_in": 600}"#);

#[tokio::test(start_paused = true)]
async fn the_request_is_a_form_and_the_client_is_named_by_basic_authentication() {
    let (tokens, script) = (tokens(&["hunter2 ö:"]), script(&[GOOD]));
    assert_eq!(get(&tokens, &script).await, "a1");
    let seen = script.seen();
    expect!["grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi.example"]
        .assert_eq(&String::from_utf8_lossy(&seen[0].body));
    assert_eq!(seen[0].headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(clients(&script), ["me%3A1:hunter2+%C3%B6%3A"]);
    assert!(!format!("{:?}", seen[0].headers).contains("Basic"), "the header is marked as sensitive");
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_all_until_it_is_due() {
    let (tokens, script) = (tokens(&["hunter2"]), script(&[GOOD, GOOD]));
    let all = futures::future::join_all((0..50).map(|_| get(&tokens, &script))).await;
    assert!(all.iter().all(|token| token == "a1"));
    tokens.prepare(&script).await.unwrap();
    assert_eq!(script.seen().len(), 1);
    tokio::time::advance(Duration::from_secs(540)).await;
    tokens.prepare(&script).await.unwrap();
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_life_may_be_text_or_absent_or_absurd() {
    for (step, requests) in [
        (Step::Reply(200, r#"{"access_token": "a1", "expires_in": "600"}"#), 2),
        (Step::Reply(200, r#"{"access_token": "a1"}"#), 1),
        (Step::Reply(200, r#"{"access_token": "a1", "expires_in": 18446744073709551615}"#), 1),
    ] {
        let (tokens, script) = (tokens(&["hunter2"]), script(&[step, GOOD]));
        get(&tokens, &script).await;
        tokio::time::advance(Duration::from_secs(700)).await;
        assert_eq!(get(&tokens, &script).await, "a1");
        assert_eq!(script.seen().len(), requests);
    }
}

async fn check(step: Step, expected: Expect) {
    let (tokens, script) = (tokens(&["hunter2"]), script(&[step.clone(), step]));
    expected.assert_eq(&get(&tokens, &script).await);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_for_ever_and_a_failure_is_not_and_neither_shows_a_secret() {
    let refused = r#"{"error": "invalid_client", "error_description": "hunter2 is wrong"}"#;
    check(Step::Reply(401, refused), expect!["the token endpoint https://login.example/token refused the client (status 401, invalid_client): check oauth2_client_id, oauth2_client_secret (aws-secret:prod/oauth), oauth2_scope and oauth2_audience"]).await;
    check(Step::Reply(400, r#"{"error": "Hunter2 hunter2"}"#), expect!["the token endpoint https://login.example/token refused the client (status 400): check oauth2_client_id, oauth2_client_secret (aws-secret:prod/oauth), oauth2_scope and oauth2_audience"]).await;
    check(Step::Echo(302), expect!["the token endpoint https://login.example/token redirects; give the final URL as oauth2_token_url (status 302)"]).await;
    check(
        Step::Reply(200, r#"{"access_token": "hunter2", "token_type": "mac"}"#),
        expect!["the token endpoint https://login.example/token gives tokens that are no bearer tokens"],
    )
    .await;
    check(
        Step::Reply(200, "hunter2"),
        expect![
            "a token of the token endpoint https://login.example/token cannot be had now: its reply has no access_token"
        ],
    )
    .await;
    check(
        Step::Reply(503, "hunter2"),
        expect!["a token of the token endpoint https://login.example/token cannot be had now: it said 503"],
    )
    .await;
    check(
        Step::Reset,
        expect![
            "a token of the token endpoint https://login.example/token cannot be had now: connection reset by script"
        ],
    )
    .await;

    let (tokens, script) = (tokens(&["hunter2"]), script(&[Step::Echo(503), GOOD]));
    get(&tokens, &script).await;
    assert_eq!(get(&tokens, &script).await, "a1");
}

#[tokio::test(start_paused = true)]
async fn a_client_secret_that_was_replaced_is_read_anew() {
    let (tokens, script) = (tokens(&["old", "new"]), script(&[Step::Echo(401), GOOD]));
    assert_eq!(get(&tokens, &script).await, "a1");
    assert_eq!(clients(&script), ["me%3A1:old", "me%3A1:new"]);
}
