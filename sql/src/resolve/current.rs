//! Functions of the session: who runs a statement, and where its names are looked up.

use std::env;
use std::fs;

use paceline_functions::{DataType, Error, Result, Typed};

use super::Resolver;
use super::call::unknown_function;

impl Resolver<'_> {
    /// Functions that need to know the session or the query.
    pub(crate) fn resolver_call(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        let text = |value: &str, name: &str| Typed::literal(value.into(), DataType::String, name);
        match (name, arguments.as_slice()) {
            ("current_database" | "current_schema", []) => Ok(text(&self.database, "current_database()")),
            ("current_catalog", []) => Ok(text(crate::catalog::CATALOG, "current_catalog()")),
            ("current_user" | "user", []) => match user_name() {
                Some(user) => Ok(text(&user, "current_user()")),
                None => Err(Error::unsupported(format!(
                    "the function {name} where no user is known; set the environment variable SPARK_USER"
                ))),
            },
            ("current_user" | "user" | "current_database" | "current_schema" | "current_catalog", given) => {
                Err(Error::new(
                    "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                    format!(
                        "The `{name}` requires 0 parameters but the actual number is {}. Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
                        given.len()
                    ),
                ))
            }
            ("window" | "session_window", _) => Err(Error::unsupported(format!(
                "the function {name} outside of SELECT, WHERE, GROUP BY, HAVING and ORDER BY"
            ))),
            ("sql_keywords", _) => Err(unknown_function(&[name])),
            _ => Err(Error::unsupported(format!("the function {name}"))),
        }
    }
}

/// Who Spark says that it is: `SPARK_USER`, then as Hadoop has it `HADOOP_USER_NAME`, the name of the process's user, or who the
/// shell says it is.
fn user_name() -> Option<String> {
    let given = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    given("SPARK_USER")
        .or_else(|| given("HADOOP_USER_NAME"))
        .or_else(of_process)
        .or_else(|| given("USER"))
        .or_else(|| given("LOGNAME"))
}

#[cfg(unix)]
fn of_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = fs::metadata("/proc/self").ok()?.uid();
    name_of(id, &fs::read_to_string("/etc/passwd").ok()?)
}

#[cfg(not(unix))]
fn of_process() -> Option<String> {
    None
}

/// The name of a user in lines `name:password:id:…`.
fn name_of(id: u32, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id.to_string()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_user_has_the_name_of_its_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# note\nada:x:1000:1000::/home/ada:\n";
        assert_eq!(name_of(1000, users).as_deref(), Some("ada"));
        assert_eq!(name_of(0, users).as_deref(), Some("root"));
        assert_eq!(name_of(100, users), None);
    }
}
