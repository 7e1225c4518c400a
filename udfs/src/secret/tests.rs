//! Where secrets are read from, and that they are not shown.

use expect_test::{Expect, expect};

use super::*;

const PLANTED: &str = "hunter2-planted";

#[derive(Debug)]
struct Store(String);

#[async_trait]
impl SecretStore for Store {
    async fn get(&self, id: &str) -> Result<Secret, NoCredentials> {
        match id {
            "prod/api" => Ok(Secret::new(self.0.as_str())),
            _ => Err(NoCredentials::Ever(format!("there is no secret '{id}'"))),
        }
    }
}

async fn read(reference: &str, store: Option<&str>) -> Result<Secret, NoCredentials> {
    let store = store.map(|text| Arc::new(Store(text.to_owned())) as Arc<dyn SecretStore>);
    let source = Source::new(&Reference::parse(reference).unwrap(), store.as_ref());
    let value = source.get().await.map(|(secret, _)| secret);
    let shown =
        format!("{source:?} {value:?} {}", value.as_ref().map_or_else(ToString::to_string, ToString::to_string));
    assert!(!shown.contains("hunter2"), "{shown}");
    value
}

async fn check(reference: &str, store: Option<&str>, expected: Expect) {
    let shown = match read(reference, store).await {
        Ok(secret) => secret.reveal().to_owned(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn references_are_read_and_shown_as_they_were_written() {
    let arn = "aws-secret:arn:aws:secretsmanager:eu-west-1:1:secret:prod/api-AbC#token";
    for text in ["env:API_KEY", "file:/run/secrets/key", "aws-secret:prod/api", arn] {
        assert_eq!(Reference::parse(text).unwrap().to_string(), text);
    }
    let refused = [
        "",
        PLANTED,
        "env:",
        "env:a b",
        "env:1a",
        "file:",
        "aws-secret:",
        "aws-secret:#a",
        "aws-secret:a#",
        "ENV:A",
        "x:y",
    ];
    for text in refused {
        let error = Reference::parse(text).unwrap_err();
        assert!(!error.contains(PLANTED), "{error}");
    }
}

#[tokio::test]
async fn an_environment_variable_or_a_file() {
    check("env:CARGO_PKG_NAME", None, expect!["paceline-udfs"]).await;
    check(
        "env:PACELINE_NOT_THERE",
        None,
        expect!["the secret env:PACELINE_NOT_THERE cannot be read: there is no such variable"],
    )
    .await;
    let path = std::env::temp_dir().join(format!("paceline-secret-{}", std::process::id()));
    let reference = format!("file:{}", path.display());
    for (content, value) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a", " a")] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(read(&reference, None).await.unwrap().reveal(), value);
    }
    for (content, why) in [(&b"\n"[..], "it is empty"), (b"hunter2\xff", "it is not UTF-8")] {
        std::fs::write(&path, content).unwrap();
        let error = read(&reference, None).await.unwrap_err().to_string();
        assert!(error.ends_with(why), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let error = read(&reference, None).await.unwrap_err().to_string();
    assert!(error.ends_with("cannot be read: No such file or directory (os error 2)"), "{error}");
}

#[tokio::test]
async fn a_secret_of_aws_or_a_field_of_it() {
    let json = r#"{"token": "hunter2", "pin": 7, "nested": {"hunter2": 1}}"#;
    check("aws-secret:prod/api", Some("hunter2"), expect!["hunter2"]).await;
    check("aws-secret:prod/api#token", Some(json), expect!["hunter2"]).await;
    check("aws-secret:prod/api#pin", Some(json), expect!["7"]).await;
    check(
        "aws-secret:prod/api#nested",
        Some(json),
        expect!["the secret aws-secret:prod/api#nested cannot be read: the field is not text"],
    )
    .await;
    check(
        "aws-secret:prod/api#key",
        Some(json),
        expect!["the secret aws-secret:prod/api#key cannot be read: its JSON object has no such field"],
    )
    .await;
    check(
        "aws-secret:prod/api#key",
        Some(r#"{"token": "hunter2"#),
        expect!["the secret aws-secret:prod/api#key cannot be read: it is not a JSON object, so it has no fields"],
    )
    .await;
    check("aws-secret:other", Some(json), expect!["there is no secret 'other'"]).await;
    check(
        "aws-secret:prod/api",
        None,
        expect!["the secret aws-secret:prod/api cannot be read: there is no access to AWS Secrets Manager here"],
    )
    .await;
}
