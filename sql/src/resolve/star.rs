//! What `*` stands for.

use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::Ident;

use super::scope::{Lookup, Scope};
use super::{Names, Resolver};

impl Resolver<'_> {
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
