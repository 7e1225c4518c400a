//! Which columns a name may mean.

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan};
use paceline_functions::{DataType, Error, Result, StructField, Typed};

/// A relation while a query is resolved: its plan's columns have names of their own (`c17`), which the scope's columns refer to.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) plan: LogicalPlan,
    pub(crate) scope: Scope,
}

/// Columns in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) columns: Vec<ScopeColumn>,
}

/// A column that can be named.
#[derive(Clone, Debug)]
pub(crate) struct ScopeColumn {
    /// Parts of the name in front of the column's own.
    pub(crate) qualifier: Vec<String>,
    /// The column of the plan; its name is Spark's.
    pub(crate) column: Typed,
    /// Left out of `*`, and only found with a qualifier: the columns that USING joined.
    pub(crate) hidden: bool,
}

/// A column of the plan.
pub(crate) fn column(id: &str, data_type: DataType, nullable: bool, name: impl Into<String>) -> Typed {
    let expr = Expr::Column(Column::new_unqualified(id));
    Typed { expr, data_type, nullable, name: name.into(), foldable: false }
}

/// What a name means.
pub(crate) enum Lookup {
    /// A column, and the parts of the name behind it, which are fields.
    Column(Typed, usize),
    None,
    Ambiguous(Vec<String>),
}

impl Scope {
    /// The columns that `*` stands for.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().filter(|column| !column.hidden)
    }

    /// As a schema.
    pub(crate) fn fields(&self) -> Vec<StructField> {
        let field =
            |it: &ScopeColumn| StructField::new(&it.column.name, it.column.data_type.clone(), it.column.nullable);
        self.visible().map(field).collect()
    }

    /// The same columns under one qualifier.
    pub(crate) fn renamed(self, qualifier: &[String], names: &[String]) -> Result<Scope> {
        let mut columns: Vec<ScopeColumn> = self.columns.into_iter().filter(|column| !column.hidden).collect();
        if !names.is_empty() && names.len() != columns.len() {
            return Err(Error::new(
                "_LEGACY_ERROR_TEMP_1028",
                format!(
                    "Number of column aliases does not match number of columns. Number of column aliases: {}; number of columns: {}.",
                    names.len(),
                    columns.len()
                ),
            ));
        }
        for (at, column) in columns.iter_mut().enumerate() {
            column.qualifier = qualifier.to_vec();
            if let Some(name) = names.get(at) {
                column.column.name.clone_from(name);
            }
        }
        Ok(Scope { columns })
    }

    /// What a name of one or more parts means here: first with qualifiers, then as a column with fields behind it.
    pub(crate) fn find(&self, parts: &[&str], case_sensitive: bool) -> Lookup {
        let same = |a: &str, b: &str| if case_sensitive { a == b } else { a.to_lowercase() == b.to_lowercase() };
        for qualifiers in (0..parts.len()).rev() {
            let Some(name) = parts.get(qualifiers) else { continue };
            let mut found: Vec<&ScopeColumn> = Vec::new();
            for candidate in &self.columns {
                let matches = same(&candidate.column.name, name)
                    && (qualifiers > 0 || !candidate.hidden)
                    && ends_with(&candidate.qualifier, &parts[..qualifiers], same);
                if matches && !found.iter().any(|it| it.column.expr == candidate.column.expr) {
                    found.push(candidate);
                }
            }
            match found.as_slice() {
                [] => {}
                [one] => {
                    // A column has the name that it is written with.
                    let column = Typed { name: (*name).to_owned(), ..one.column.clone() };
                    return Lookup::Column(column, qualifiers + 1);
                }
                many => {
                    let names = many.iter().map(|it| it.full_name()).collect();
                    return Lookup::Ambiguous(names);
                }
            }
        }
        Lookup::None
    }

    /// The columns that `qualifier.*` stands for.
    pub(crate) fn qualified(&self, parts: &[&str], case_sensitive: bool) -> Vec<&ScopeColumn> {
        let same = |a: &str, b: &str| if case_sensitive { a == b } else { a.to_lowercase() == b.to_lowercase() };
        let all: Vec<&ScopeColumn> =
            self.columns.iter().filter(|it| !parts.is_empty() && ends_with(&it.qualifier, parts, same)).collect();
        all
    }

    /// The error of a name that means nothing here, with the names that are most alike.
    pub(crate) fn unresolved(&self, parts: &[&str]) -> Error {
        let name = parts.iter().map(|part| format!("`{}`", part.replace('`', "``"))).collect::<Vec<_>>().join(".");
        let names = self.visible().map(|it| it.qualifier.iter().chain([&it.column.name]).collect()).collect();
        let names: Vec<String> = shortened(names, parts.len()).iter().map(|it| quoted(it)).collect();
        if names.is_empty() {
            return Error::new(
                "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
                format!("A column or function parameter with name {name} cannot be resolved. "),
            );
        }
        let mut names: Vec<_> = names.into_iter().map(|it| (distance(&it, &parts.join(".")), it)).collect();
        names.sort();
        let names: Vec<String> = names.into_iter().take(5).map(|(_, name)| name).collect();
        Error::new(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            format!(
                "A column or function parameter with name {name} cannot be resolved. Did you mean one of the following? [{}].",
                names.join(", ")
            ),
        )
    }
}

impl ScopeColumn {
    /// A column of a relation.
    pub(crate) fn new(qualifier: &[String], column: Typed) -> Self {
        ScopeColumn { qualifier: qualifier.to_vec(), column, hidden: false }
    }

    fn full_name(&self) -> String {
        quoted(&self.qualifier.iter().chain([&self.column.name]).collect::<Vec<_>>())
    }
}

fn quoted(parts: &[&String]) -> String {
    parts.iter().map(|part| format!("`{}`", part.replace('`', "``"))).collect::<Vec<_>>().join(".")
}

/// Names without what all of them begin with: all but the last part beside a name of one part, all but the last two beside one
/// of two parts.
fn shortened(names: Vec<Vec<&String>>, parts: usize) -> Vec<Vec<&String>> {
    let Some(first) = names.first().cloned() else { return names };
    for last in 1..=2 {
        let prefix =
            |name: &[&String]| name[..name.len().saturating_sub(last)].iter().map(|it| (*it).clone()).collect();
        let of_first: Vec<String> = prefix(&first);
        if parts <= last && names.iter().all(|it| prefix(it) == of_first) {
            return names.into_iter().map(|it| it[it.len().saturating_sub(last)..].to_vec()).collect();
        }
    }
    names
}

fn ends_with(qualifier: &[String], parts: &[&str], same: impl Fn(&str, &str) -> bool) -> bool {
    parts.len() <= qualifier.len()
        && qualifier[qualifier.len() - parts.len()..].iter().zip(parts).all(|(a, b)| same(a, b))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut last = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let next = (last + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            last = row[j + 1];
            row[j + 1] = next;
        }
    }
    row.last().copied().unwrap_or(0)
}
