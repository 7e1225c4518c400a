//! CREATE, DROP and DESCRIBE FUNCTION.

use paceline_functions::{DataType, Error, Result, StructField, find};
use paceline_syntax::tree::{ColumnDef, CreateFunction, DescribeFunctionName, Reference};

use super::rows::texts;
use super::{Action, parts};
use crate::catalog::Session;
use crate::resolve::data_type;

/// A function that calls an API, as it is declared.
#[derive(Clone, Debug)]
pub struct ApiDeclaration {
    /// Whether an older function of that name gives way.
    pub or_replace: bool,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<StructField>,
    /// The type of its value.
    pub returns: DataType,
    /// Whether the same arguments always have the same answer.
    pub deterministic: bool,
    /// The options that are given.
    pub options: Vec<(String, String)>,
}

pub(super) fn create(session: &Session, function: &CreateFunction) -> Result<Action> {
    let CreateFunction::Api { name, or_replace, arguments, returns, deterministic, options } = function else {
        return Err(Error::unsupported(
            "functions of Java classes; Paceline creates TEMPORARY FUNCTION … RETURNS … USING API OPTIONS (…)",
        ));
    };
    if session.functions.contains_key(&name.value.to_lowercase()) && !or_replace {
        return Err(Error::new(
            "ROUTINE_ALREADY_EXISTS",
            format!(
                "Cannot create the function `{}` because it already exists. Choose a different name, drop or replace the \
                 existing function, or add the IF NOT EXISTS clause to tolerate a pre-existing function.",
                name.value
            ),
        ));
    }
    let field = |column: &ColumnDef| {
        Ok(StructField::new(&column.name.value, data_type(&column.data_type, &session.settings)?, true))
    };
    Ok(Action::CreateFunction(Box::new(ApiDeclaration {
        or_replace: *or_replace,
        name: name.value.clone(),
        arguments: arguments.iter().map(field).collect::<Result<_>>()?,
        returns: data_type(returns, &session.settings)?,
        deterministic: *deterministic,
        options: options.iter().map(|it| (it.key.clone(), it.value.clone())).collect(),
    })))
}

/// The session forgets a function.
pub(super) fn drop_function(
    session: &mut Session,
    name: &Reference,
    temporary: bool,
    if_exists: bool,
) -> Result<Action> {
    let name = parts(session, name)?.join(".");
    let key = name.to_lowercase();
    if session.functions.contains_key(&key) {
        if !temporary {
            return Err(Error::new(
                "_LEGACY_ERROR_TEMP_1017",
                format!("{name} is a temporary function; write DROP TEMPORARY FUNCTION {name}."),
            ));
        }
        session.functions.remove(&key);
        return Ok(Action::Nothing);
    }
    if find(&key).is_some() {
        let why = if temporary { "a temporary function of that name is not there" } else { "it cannot be dropped" };
        return Err(Error::new("_LEGACY_ERROR_TEMP_1018", format!("{name} is a built-in function; {why}.")));
    }
    match if_exists {
        true => Ok(Action::Nothing),
        false => Err(unresolved(session, &name, "; DROP … IF EXISTS would accept that")),
    }
}

pub(super) fn describe(session: &mut Session, name: &DescribeFunctionName, extended: bool) -> Result<Action> {
    let name = match name {
        DescribeFunctionName::Function(reference) => parts(session, reference)?.join("."),
        DescribeFunctionName::Text(text) => text.clone(),
    };
    if let Some(declared) = session.functions.get(&name.to_lowercase()) {
        return Ok(Action::DescribeFunction { name: declared.name.clone(), extended });
    }
    let Some(function) = find(&name.to_lowercase()) else {
        return Err(unresolved(session, &name, "; SHOW FUNCTIONS lists all"));
    };
    let mut rows =
        vec![vec![format!("Function: {}", function.name).into()], vec![format!("Usage: {}", function.usage).into()]];
    if extended {
        rows.push(vec![format!("Group: {:?}", function.group).into()]);
    }
    texts(session, &["function_desc"], rows)
}

fn unresolved(session: &Session, name: &str, hint: &str) -> Error {
    let own: Vec<&str> = session.functions.values().map(|it| it.name.as_str()).collect();
    let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
    Error::new(
        "UNRESOLVED_ROUTINE",
        format!(
            "Cannot resolve function `{name}` on search path [`system`.`builtin`, `system`.`session`, \
             `spark_catalog`.`default`] (API functions: {own}){hint}."
        ),
    )
}
