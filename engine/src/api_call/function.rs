//! An API function as DataFusion sees it: a genuine async scalar function, which works batch by batch in any
//! DataFusion context. In Paceline's own sessions [`super::HoistApiCalls`] takes its place.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use paceline_udfs::dead_letter::{FailureKind, GivenUp};
use paceline_udfs::key::Lane;
use paceline_udfs::spec::OnError;
use paceline_udfs::{Caller, batch};

/// The function that calls through `caller`, to be registered in any DataFusion context.
pub fn api_function(caller: Arc<Caller>) -> ScalarUDF {
    let types: Vec<_> = caller.api().arguments.iter().map(|argument| argument.data_type().clone()).collect();
    let types = if types.is_empty() { TypeSignature::Nullary } else { TypeSignature::Exact(types) };
    AsyncScalarUDF::new(Arc::new(ApiFunctionUdf::new(caller, types))).into_scalar_udf()
}

/// The same function for a session with [`super::HoistApiCalls`], which finds it by its type. DataFusion's own async
/// wrapper would hide that. It takes anything here: the rule checks the arguments, with errors that name them.
pub(crate) fn liftable(caller: Arc<Caller>) -> ScalarUDF {
    let anything = TypeSignature::OneOf(vec![TypeSignature::Nullary, TypeSignature::VariadicAny]);
    ScalarUDF::new_from_impl(ApiFunctionUdf::new(caller, anything))
}

/// The caller behind a function, if it is an API function.
pub(crate) fn caller_of(function: &ScalarUDF) -> Option<&Arc<Caller>> {
    let inner: &dyn Any = function.inner().as_ref();
    inner.downcast_ref::<ApiFunctionUdf>().map(|udf| &udf.caller)
}

#[derive(Debug)]
struct ApiFunctionUdf {
    caller: Arc<Caller>,
    signature: Signature,
}

impl ApiFunctionUdf {
    fn new(caller: Arc<Caller>, types: TypeSignature) -> Self {
        // Volatile: two calls are two requests, so the optimizer must neither merge nor repeat them.
        ApiFunctionUdf { caller, signature: Signature::new(types, Volatility::Volatile) }
    }
}

/// Two are equal when they call the same thing through the same caller.
impl PartialEq for ApiFunctionUdf {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.caller, &other.caller)
    }
}

impl Eq for ApiFunctionUdf {}

impl Hash for ApiFunctionUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.caller.api().hash(state);
    }
}

impl ScalarUDFImpl for ApiFunctionUdf {
    fn name(&self) -> &str {
        &self.caller.api().name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.caller.api().returns.clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("the API function '{}' can only be called asynchronously", self.name())
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for ApiFunctionUdf {
    /// A row that is given up is NULL with `on_error 'null'`; otherwise it ends the query, as there is no place for
    /// dead letters here.
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let api = self.caller.api();
        let columns = args.args.iter().map(|value| value.to_array(args.number_rows)).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
        let schema = Arc::new(Schema::new(api.arguments.clone()));
        let arguments = RecordBatch::try_new_with_options(schema, columns, &options)?;
        let landed = match batch::send(&self.caller, &mut Lane::alone(api), &arguments).await {
            Ok(sent) => sent.land().await,
            Err(error) => Err(error),
        }
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
        match landed.given_up.first() {
            Some((_, given_up)) if api.options.failure.on_error != OnError::Null => {
                Err(given_up_error(&api.name, given_up))
            }
            _ => Ok(ColumnarValue::Array(landed.values)),
        }
    }
}

/// The kind of failure that such an error names, wherever its text comes from.
pub(crate) fn failure_kind(text: &str) -> Option<&'static str> {
    let rest = &text[..text.find(", attempts: ")?];
    let name = &rest[rest.rfind('(')? + 1..];
    FailureKind::ALL.iter().map(|kind| kind.name()).find(|known| *known == name)
}

/// The error that ends a query because of one row.
pub(super) fn given_up_error(function: &str, given_up: &GivenUp) -> DataFusionError {
    let failure = &given_up.failure;
    exec_datafusion_err!(
        "API function '{function}': {} ({}, attempts: {}); with on_error 'null' the row would stay with NULL, \
         with 'dead_letter' an INSERT would set it aside",
        failure.message,
        failure.kind,
        given_up.attempts
    )
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use paceline_udfs::retry::Failure;

    use super::*;

    #[test]
    fn an_error_names_the_kind_of_failure_for_whoever_reads_it() {
        for kind in FailureKind::ALL {
            let failure = Failure { kind, message: "it (says) no".into(), status: None, body: Default::default() };
            let given_up = GivenUp { failure, attempts: 3, at: SystemTime::UNIX_EPOCH };
            let error = given_up_error("f", &given_up).to_string();
            assert_eq!(failure_kind(&error), Some(kind.name()), "{error}");
        }
        assert_eq!(failure_kind("API function 'f': more than 10 % were given up"), None);
    }
}
