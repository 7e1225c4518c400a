//! Functions of one row as DataFusion sees them: a kernel over arrays, with the type that was resolved and the session's
//! settings. Each is complete in itself, so that it can be carried to an executor (`codec`).

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::Result as DataFusionResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

use crate::{DataType, Settings, Typed};

/// What computes a function, once, over arrays.
pub struct Kernel {
    /// Unique among kernels; plans and the wire have it.
    pub name: &'static str,
    /// Whether it may give something else for the same arguments.
    pub volatile: bool,
    /// Computes it.
    pub run: fn(&Arguments<'_>) -> DataFusionResult<ColumnarValue>,
}

/// What a kernel gets.
pub struct Arguments<'a> {
    /// The values; a constant is a scalar.
    pub values: &'a [ColumnarValue],
    /// Their fields.
    pub fields: &'a [FieldRef],
    /// Rows of this batch.
    pub rows: usize,
    /// The Arrow field to return.
    pub returns: &'a Field,
    /// Of the session.
    pub settings: &'a Settings,
}

impl Arguments<'_> {
    /// An argument as an array of as many values as there are rows.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn array(&self, at: usize) -> DataFusionResult<ArrayRef> {
        self.values[at].to_array(self.rows)
    }
}

/// A kernel in a plan.
#[derive(Clone)]
pub struct SparkUdf {
    pub(crate) kernel: &'static Kernel,
    pub(crate) returns: FieldRef,
    pub(crate) settings: Arc<Settings>,
    signature: Signature,
}

impl SparkUdf {
    /// A kernel that returns values of this field.
    pub fn new(kernel: &'static Kernel, returns: FieldRef, settings: Arc<Settings>) -> Self {
        let volatility = if kernel.volatile { Volatility::Volatile } else { Volatility::Immutable };
        SparkUdf {
            kernel,
            returns,
            settings,
            signature: Signature::one_of(vec![TypeSignature::VariadicAny, TypeSignature::Nullary], volatility),
        }
    }

    /// A call of it.
    pub fn call(
        kernel: &'static Kernel,
        settings: &Arc<Settings>,
        arguments: Vec<Typed>,
        data_type: DataType,
        nullable: bool,
        name: impl Into<String>,
    ) -> Typed {
        let returns = Arc::new(data_type.to_field(kernel.name, nullable));
        let udf = ScalarUDF::new_from_impl(SparkUdf::new(kernel, returns, Arc::clone(settings)));
        let foldable = !kernel.volatile && arguments.iter().all(|argument| argument.foldable);
        let expr = Arc::new(udf).call(arguments.into_iter().map(|argument| argument.expr).collect::<Vec<Expr>>());
        Typed { expr, data_type, nullable, name: name.into(), foldable }
    }
}

/// The expression with every kernel in it free to return NULL: a column that it was made over may be NULL after all.
///
/// # Errors
/// The expression cannot be walked through.
pub fn may_be_null(expr: Expr) -> crate::Result<Expr> {
    let changed = expr.transform_up(|expr| {
        let Expr::ScalarFunction(call) = &expr else { return Ok(Transformed::no(expr)) };
        let Some(udf) = call.func.inner().downcast_ref::<SparkUdf>().filter(|it| !it.returns.is_nullable()) else {
            return Ok(Transformed::no(expr));
        };
        let returns = Arc::new(udf.returns.as_ref().clone().with_nullable(true));
        let udf = ScalarUDF::new_from_impl(SparkUdf::new(udf.kernel, returns, Arc::clone(&udf.settings)));
        Ok(Transformed::yes(Arc::new(udf).call(call.args.clone())))
    })?;
    Ok(changed.data)
}

impl ScalarUDFImpl for SparkUdf {
    fn name(&self) -> &str {
        self.kernel.name
    }

    /// Expressions of one name are the same to parts of the optimizer, so a cast to another type needs another.
    fn schema_name(&self, arguments: &[Expr]) -> DataFusionResult<String> {
        let mut settings = DefaultHasher::new();
        self.settings.hash(&mut settings);
        let names: Vec<String> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
        let (name, returns) = (self.kernel.name, self.returns.data_type());
        Ok(format!("{name}({}) {returns} {:x}", names.join(", "), settings.finish() as u16))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(self.returns.data_type().clone())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        Ok(Arc::clone(&self.returns))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        (self.kernel.run)(&Arguments {
            values: &arguments.args,
            fields: &arguments.arg_fields,
            rows: arguments.number_rows,
            returns: &self.returns,
            settings: &self.settings,
        })
    }
}

impl PartialEq for SparkUdf {
    fn eq(&self, other: &Self) -> bool {
        self.kernel.name == other.kernel.name && self.returns == other.returns && self.settings == other.settings
    }
}

impl Eq for SparkUdf {}

impl Hash for SparkUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.name.hash(state);
        self.returns.hash(state);
        self.settings.hash(state);
    }
}

impl fmt::Debug for SparkUdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kernel.name)
    }
}
