//! A function with lambdas as DataFusion sees it, complete in itself: kernel, types of the variables, type and settings.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDFImpl,
    LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::Settings;
use crate::nested::retype;

/// What computes a function with lambdas.
pub(crate) struct LambdaKernel {
    /// Unique among these kernels; plans and the wire have it.
    pub(crate) name: &'static str,
    /// Computes it.
    pub(crate) run: fn(&LambdaCall<'_>) -> Result<ArrayRef>,
}

/// What such a kernel gets.
pub(crate) struct LambdaCall<'a> {
    /// The arguments that are no lambdas.
    pub(crate) values: Vec<ArrayRef>,
    /// Those that are.
    lambdas: Vec<&'a LambdaArgument>,
    /// The variables' fields, for each lambda.
    parameters: &'a [Vec<FieldRef>],
    /// Rows of this batch.
    pub(crate) rows: usize,
    /// The field to return.
    pub(crate) returns: &'a Field,
    /// Of the session.
    pub(crate) settings: &'a Settings,
}

impl LambdaCall<'_> {
    /// The body of a lambda for variables of these values; each is for a row of the batch, whose columns the body sees too.
    pub(crate) fn evaluate(&self, lambda: usize, variables: &[ArrayRef], row_of: &UInt32Array) -> Result<ArrayRef> {
        let (Some(body), Some(fields)) = (self.lambdas.get(lambda), self.parameters.get(lambda)) else {
            return exec_err!("there is no lambda {lambda}");
        };
        let variables = variables
            .iter()
            .zip(fields)
            .map(|(variable, field)| retype(variable, field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        let closures: Vec<_> = variables.iter().map(|variable| move || Ok(Arc::clone(variable))).collect();
        let closures: Vec<&dyn Fn() -> Result<ArrayRef>> =
            closures.iter().map(|closure| closure as &dyn Fn() -> Result<ArrayRef>).collect();
        let spread = |columns: &[ArrayRef]| {
            Ok(columns.iter().map(|column| take(column, row_of, None)).collect::<Result<Vec<_>, _>>()?)
        };
        body.evaluate(&closures, spread)?.into_array(row_of.len())
    }

    /// An argument that is no lambda.
    pub(crate) fn value(&self, at: usize) -> Result<&ArrayRef> {
        match self.values.get(at) {
            Some(value) => Ok(value),
            None => exec_err!("there is no argument {at}"),
        }
    }

    /// How many lambdas there are.
    pub(crate) fn lambdas(&self) -> usize {
        self.lambdas.len()
    }
}

/// A function with lambdas in a plan.
#[derive(Clone)]
pub struct SparkLambda {
    pub(crate) kernel: &'static LambdaKernel,
    pub(crate) parameters: Vec<Vec<FieldRef>>,
    pub(crate) returns: FieldRef,
    pub(crate) settings: Arc<Settings>,
    signature: HigherOrderSignature,
}

impl SparkLambda {
    pub(crate) fn new(
        kernel: &'static LambdaKernel,
        parameters: Vec<Vec<FieldRef>>,
        returns: FieldRef,
        settings: Arc<Settings>,
    ) -> Self {
        let signature = HigherOrderSignature::variadic_any(Volatility::Immutable);
        SparkLambda { kernel, parameters, returns, settings, signature }
    }
}

impl HigherOrderUDFImpl for SparkLambda {
    fn name(&self) -> &str {
        self.kernel.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        _fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        Ok(LambdaParametersProgress::Complete(self.parameters.clone()))
    }

    fn return_field_from_args(&self, _arguments: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::clone(&self.returns))
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let mut values = Vec::new();
        let mut lambdas = Vec::new();
        for argument in &arguments.args {
            match argument {
                ValueOrLambda::Value(value) => values.push(value.to_array(arguments.number_rows)?),
                ValueOrLambda::Lambda(lambda) => lambdas.push(lambda),
            }
        }
        let made = (self.kernel.run)(&LambdaCall {
            values,
            lambdas,
            parameters: &self.parameters,
            rows: arguments.number_rows,
            returns: &self.returns,
            settings: &self.settings,
        })?;
        Ok(ColumnarValue::Array(retype(&made, self.returns.data_type())?))
    }
}

impl PartialEq for SparkLambda {
    fn eq(&self, other: &Self) -> bool {
        self.kernel.name == other.kernel.name
            && self.parameters == other.parameters
            && self.returns == other.returns
            && self.settings == other.settings
    }
}

impl Eq for SparkLambda {}

impl Hash for SparkLambda {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.name.hash(state);
        self.parameters.hash(state);
        self.returns.hash(state);
        self.settings.hash(state);
    }
}

impl fmt::Debug for SparkLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kernel.name)
    }
}
