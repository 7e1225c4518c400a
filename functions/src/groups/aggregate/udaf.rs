//! A fold as DataFusion sees it: with the type that was resolved, the constants of the call and the session's settings.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::distinct::Distinct;
use super::fold::{Context, Fold, How};
use super::gathered::Gathered;
use crate::{DataType, Settings, Typed};

/// An aggregate of our own in a plan.
#[derive(Clone)]
pub struct SparkAggregate {
    pub(crate) fold: &'static Fold,
    pub(crate) context: Context,
    shown: String,
    signature: Signature,
}

impl SparkAggregate {
    pub(crate) fn new(fold: &'static Fold, context: Context) -> Self {
        let constants: Vec<_> = context.parameters.iter().map(|bits| f64::from_bits(*bits).to_string()).collect();
        let shown =
            if constants.is_empty() { fold.name.to_owned() } else { format!("{}[{}]", fold.name, constants.join(",")) };
        SparkAggregate { fold, context, shown, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    /// A call of it.
    pub(crate) fn call(
        fold: &'static Fold,
        settings: &Settings,
        arguments: Vec<Typed>,
        parameters: &[f64],
        returns: (DataType, bool),
        name: String,
    ) -> Typed {
        let (data_type, nullable) = returns;
        let context = Context {
            returns: data_type.to_field(fold.name, nullable),
            inputs: arguments.iter().map(|argument| argument.data_type.to_arrow()).collect(),
            parameters: parameters.iter().map(|value| value.to_bits()).collect(),
            settings: settings.clone(),
        };
        let udaf = Arc::new(AggregateUDF::new_from_impl(SparkAggregate::new(fold, context)));
        let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
        let expr = Expr::AggregateFunction(AggregateFunction::new_udf(udaf, arguments, false, None, Vec::new(), None));
        Typed { expr, data_type, nullable, name, foldable: false }
    }
}

impl AggregateUDFImpl for SparkAggregate {
    fn name(&self) -> &str {
        &self.shown
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(self.context.returns.data_type().clone())
    }

    fn return_field(&self, _arguments: &[FieldRef]) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(self.context.returns.clone()))
    }

    fn is_nullable(&self) -> bool {
        self.context.returns.is_nullable()
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            return Ok(Box::new(Distinct::new(self.fold, self.context.clone())));
        }
        Ok(match &self.fold.how {
            How::Total(total) => total.accumulator(&self.context),
            How::State(make, _) => make(&self.context),
            How::Gather(gather) => Box::new(Gathered::new(gather, self.context.clone())),
        })
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            return exec_err!("DISTINCT is not there for windows");
        }
        Ok(match &self.fold.how {
            How::Total(total) => total.accumulator(&self.context),
            How::State(..) => Box::new(Distinct::sliding(self.fold, self.context.clone())),
            How::Gather(gather) => Box::new(Gathered::sliding(gather, self.context.clone())),
        })
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> DataFusionResult<Vec<FieldRef>> {
        let field =
            |at: usize, data_type: Arrow| Arc::new(Field::new(format!("{}[{at}]", arguments.name), data_type, true));
        let lists = || {
            let list = |(at, input): (usize, &Arrow)| field(at, Arrow::new_list(input.clone(), true));
            self.context.inputs.iter().enumerate().map(list).collect()
        };
        if arguments.is_distinct {
            return Ok(lists());
        }
        Ok(match &self.fold.how {
            How::Total(total) => total.state().into_iter().enumerate().map(|(at, part)| field(at, part)).collect(),
            How::State(_, parts) => parts.iter().enumerate().map(|(at, part)| field(at, part.clone())).collect(),
            How::Gather(_) => lists(),
        })
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        !arguments.is_distinct && matches!(self.fold.how, How::Total(_))
    }

    fn create_groups_accumulator(
        &self,
        _arguments: AccumulatorArgs<'_>,
    ) -> DataFusionResult<Box<dyn GroupsAccumulator>> {
        match &self.fold.how {
            How::Total(total) => Ok(total.groups(&self.context)),
            _ => exec_err!("{} has no form for many groups at once", self.fold.name),
        }
    }

    fn default_value(&self, data_type: &Arrow) -> DataFusionResult<ScalarValue> {
        if self.context.returns.is_nullable() {
            ScalarValue::try_from(data_type)
        } else {
            ScalarValue::new_default(data_type)
        }
    }
}

impl PartialEq for SparkAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.fold.name == other.fold.name && self.context == other.context
    }
}

impl Eq for SparkAggregate {}

impl Hash for SparkAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fold.name.hash(state);
        self.context.hash(state);
    }
}

impl fmt::Debug for SparkAggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shown)
    }
}
