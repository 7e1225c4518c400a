//! What `*` stands for.

use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Expr, ExprKind, Ident};

use super::scope::{Lookup, Scope, ScopeColumn};
use super::{Names, Resolver, evaluate};

impl Resolver<'_> {
    /// With `spark.sql.parser.quotedRegexColumnNames`, a quoted name is a pattern: the columns that it fits.
    pub(crate) fn regex_columns(&mut self, expr: &Expr, scope: &Scope) -> Result<Option<Vec<ScopeColumn>>> {
        if !self.session.is_on("spark.sql.parser.quotedRegexColumnNames") {
            return Ok(None);
        }
        let ExprKind::Column(parts) = &*expr.kind else { return Ok(None) };
        let (qualifier, pattern) = match parts.as_slice() {
            [pattern] if pattern.quoted => (None, pattern),
            [table, pattern] if pattern.quoted => (Some(table.value.as_str()), pattern),
            _ => return Ok(None),
        };
        let insensitive = if self.settings.case_sensitive { "" } else { "(?i)" };
        let pattern = format!("{insensitive}^(?:{})$", pattern.value);
        let mut found = Vec::new();
        for it in scope.visible() {
            if qualifier.is_some_and(|table| !it.qualifier.last().is_some_and(|last| self.same(last, table))) {
                continue;
            }
            let name = Typed::literal(it.column.name.as_str().into(), DataType::String, "");
            let pattern = Typed::literal(pattern.as_str().into(), DataType::String, "");
            let fits = self.call_named("rlike", vec![name, pattern])?;
            if evaluate(&fits)? == ScalarValue::Boolean(Some(true)) {
                found.push(it.clone());
            }
        }
        Ok(Some(found))
    }

    /// The columns that `*` or `t.*` stands for, or the fields of a struct.
    pub(crate) fn star(&mut self, target: &[Ident], scope: &Scope) -> Result<Vec<Typed>> {
        if target.is_empty() {
            return Ok(scope.visible().map(|it| it.column.clone()).collect());
        }
        let parts: Vec<&str> = target.iter().map(|it| it.value.as_str()).collect();
        let sensitive = self.settings.case_sensitive;
        let columns = scope.qualified(&parts, sensitive);
        if !columns.is_empty() {
            return Ok(columns.into_iter().map(|it| it.column.clone()).collect());
        }
        let outer: Vec<String> = match self.outer.last() {
            Some(outer) => {
                outer.scope.qualified(&parts, sensitive).into_iter().map(|it| it.column.name.clone()).collect()
            }
            None => Vec::new(),
        };
        if !outer.is_empty() {
            let mut columns = Vec::new();
            for name in outer {
                let full: Vec<&str> = parts.iter().copied().chain([name.as_str()]).collect();
                if let Some((typed, _)) = self.outer_column(&full)? {
                    columns.push(Typed { name: name.clone(), ..typed });
                }
            }
            return Ok(columns);
        }
        if let Lookup::Column(..) = scope.find(&parts, sensitive) {
            let base = self.column(target, Names::of(scope))?;
            let DataType::Struct(fields) = base.data_type.clone() else {
                return Err(cannot_expand(&parts, scope));
            };
            return fields
                .iter()
                .map(|field| {
                    let typed = self.field(base.clone(), &field.name)?;
                    Ok(Typed { name: field.name.clone(), ..typed })
                })
                .collect();
        }
        Err(cannot_expand(&parts, scope))
    }
}

fn cannot_expand(parts: &[&str], scope: &Scope) -> Error {
    let columns: Vec<String> = scope.visible().map(|it| format!("`{}`", it.column.name)).collect();
    Error::new(
        "CANNOT_RESOLVE_STAR_EXPAND",
        format!(
            "Cannot resolve `{}`.* given input columns {}. Please check that the specified table or struct exists and is accessible in the input columns.",
            parts.join("`.`"),
            columns.join(", ")
        ),
    )
}
