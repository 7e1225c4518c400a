//! Calls of functions that the session was told of.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use paceline_functions::{Error, Result, Typed};
use paceline_syntax::tree::FunctionCall;

use super::{Names, Resolver, cast};
use crate::catalog::Declared;

impl Resolver<'_> {
    /// A call of a function that the session was told of.
    pub(super) fn call_declared(
        &mut self,
        function: &Declared,
        call: &FunctionCall,
        names: Names<'_>,
    ) -> Result<Typed> {
        let unsupported = |what: &str| {
            Error::new(
                "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                format!("The function `{}` does not support {what}.", function.name),
            )
        };
        if call.distinct {
            return Err(unsupported("DISTINCT"));
        }
        if call.filter.is_some() {
            return Err(unsupported("FILTER clause"));
        }
        let given = self.arguments(&function.name, &call.arguments, names)?;
        if given.len() != function.arguments.len() {
            return Err(Error::new(
                "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                format!(
                    "The `{}` requires {} parameters but the actual number is {}.",
                    function.name,
                    function.arguments.len(),
                    given.len()
                ),
            ));
        }
        for it in &names.scope.columns {
            if let Expr::Column(column) = &it.column.expr {
                self.names.insert(column.name.clone(), it.column.name.clone());
            }
        }
        let shown: Vec<&str> = given.iter().map(|it| it.name.as_str()).collect();
        let name = format!("{}({})", function.name, shown.join(", "));
        let settings = Arc::clone(&self.settings);
        let arguments = given
            .into_iter()
            .zip(&function.arguments)
            .map(|(it, declared)| Ok(cast(it, &declared.data_type, &settings)?.expr))
            .collect::<Result<_>>()?;
        let expr = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&function.function), arguments));
        Ok(Typed { expr, data_type: function.returns.clone(), nullable: true, name, foldable: false })
    }
}
