//! SET, RESET and USE.

use paceline_functions::{DataType, Error, Result};
use paceline_syntax::tree::{Interval, SetStatement, Statement, TimeZone};

use super::rows::{Value, texts};
use super::{Action, parts};
use crate::catalog::{CATALOG, SETTINGS, Session, Setting, check_setting, find_setting};
use crate::resolve::{Resolver, evaluate};

pub(super) fn session(session: &mut Session, statement: &Statement) -> Result<Action> {
    match statement {
        Statement::Set(SetStatement::Assign(key, value)) => {
            check_setting(key, value)?;
            session.set(key, value);
            texts(session, &["key", "value"], vec![vec![key.as_str().into(), value.as_str().into()]])
        }
        Statement::Set(SetStatement::Get(key)) => {
            let default = find_setting(key).map_or("<undefined>", |setting| setting.default);
            let value = session.get(key).unwrap_or(default).to_owned();
            texts(session, &["key", "value"], vec![vec![key.as_str().into(), value.into()]])
        }
        Statement::Set(SetStatement::All) => {
            let rows =
                session.set.iter().map(|(key, value)| vec![key.as_str().into(), value.as_str().into()]).collect();
            texts(session, &["key", "value"], rows)
        }
        Statement::Set(SetStatement::Verbose) => {
            let row = |Setting { key, default, meaning, .. }: &Setting| {
                let value = session.get(key).unwrap_or(default);
                vec![(*key).into(), value.into(), (*meaning).into(), Value::Null]
            };
            let rows = SETTINGS.iter().map(row).collect();
            texts(session, &["key", "value", "meaning", "Since version"], rows)
        }
        Statement::SetTimeZone(zone) => {
            let zone = match zone {
                TimeZone::Local => "UTC".to_owned(),
                TimeZone::Named(name) => name.clone(),
                TimeZone::Offset(interval) => offset(session, interval)?,
            };
            check_setting("spark.sql.session.timeZone", &zone)?;
            session.set("spark.sql.session.timeZone", &zone);
            texts(session, &["key", "value"], vec![vec!["spark.sql.session.timeZone".into(), zone.into()]])
        }
        Statement::Reset(key) => {
            session.reset(key.as_deref());
            Ok(Action::Nothing)
        }
        Statement::Use(name) | Statement::UseNamespace(name) => {
            let name = parts(session, name)?;
            let name = match name.as_slice() {
                [only] if only.eq_ignore_ascii_case(CATALOG) => return Ok(Action::Nothing),
                [only] => only.clone(),
                [catalog, name] if catalog.eq_ignore_ascii_case(CATALOG) => name.clone(),
                _ => {
                    return Err(Error::new(
                        "REQUIRES_SINGLE_PART_NAMESPACE",
                        format!(
                            "{CATALOG} requires a single-part namespace, but got {}.",
                            crate::catalog::quoted(&name)
                        ),
                    ));
                }
            };
            session.catalog.database(&name)?;
            session.catalog.current = name.to_lowercase();
            Ok(Action::Nothing)
        }
        Statement::SetCatalog(name) if name.eq_ignore_ascii_case(CATALOG) => Ok(Action::Nothing),
        Statement::SetCatalog(name) => Err(Error::new("CATALOG_NOT_FOUND", format!("The catalog `{name}` not found."))),
        _ => Err(Error::new("INTERNAL_ERROR", "No statement of the session.")),
    }
}

/// `+08:00`
fn offset(session: &Session, interval: &Interval) -> Result<String> {
    let literal = paceline_syntax::tree::Literal::Interval(interval.clone());
    let typed = Resolver::new(session).literal(&literal)?;
    let micros = match (&typed.data_type, evaluate(&typed)?) {
        (DataType::DayTime(..), datafusion::scalar::ScalarValue::DurationMicrosecond(Some(micros))) => micros,
        _ => 64_801_000_000,
    };
    if micros.abs() > 64_800_000_000 || micros % 1_000_000 != 0 {
        return Err(Error::new(
            "_LEGACY_ERROR_TEMP_0044",
            "The interval value must be in the range of [-18, +18] hours with second precision.",
        ));
    }
    let seconds = micros / 1_000_000;
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Ok(if rest == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
    })
}
