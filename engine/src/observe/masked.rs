//! What is shown of settings and variables: never what might be a secret.

use std::collections::BTreeMap;

/// Parts of names whose values are not shown.
const SECRET: [&str; 8] = ["secret", "password", "passwd", "token", "credential", "api_key", "apikey", "access_key"];
/// Stands for what is not shown.
const HIDDEN: &str = "********";

/// Settings or variables, without what might be a secret: the values of names that say so, and the user and query of URLs.
pub fn masked<'a>(given: impl IntoIterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    given.into_iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()
}

fn shown(name: &str, value: &str) -> String {
    let name = name.to_lowercase().replace('-', "_");
    if SECRET.iter().any(|part| name.contains(part)) {
        return HIDDEN.to_owned();
    }
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let rest = rest.split_once('?').map_or(rest.to_owned(), |(place, _)| format!("{place}?{HIDDEN}"));
    match rest.split_once('@') {
        Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let given = [
            ("paceline.s3.endpoint", "http://user:pass@host:9000/?sig=1"),
            ("db.PassWord", "hunter2"),
            ("x-api-key", "k"),
            ("day", "2026-01-01"),
        ];
        let given: BTreeMap<_, _> = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let shown = masked(&given);
        assert_eq!(shown["paceline.s3.endpoint"], "http://********@host:9000/?********");
        assert_eq!((shown["db.PassWord"].as_str(), shown["x-api-key"].as_str()), (HIDDEN, HIDDEN));
        assert_eq!(shown["day"], "2026-01-01");
    }
}
