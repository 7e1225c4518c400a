//! The aggregates of our own, by name: plans and the wire have the name, and this table says how each is computed.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType as Arrow, Field};
use datafusion::common::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::{collecting, count_min, hll, moments, percentile, single, sketches, totals};
use crate::Settings;

/// An aggregate of our own.
pub(crate) struct Fold {
    /// Unique among folds.
    pub(crate) name: &'static str,
    /// How it is computed.
    pub(crate) how: How,
}

/// How an aggregate is computed.
pub(crate) enum How {
    /// A sum and a count, which have a form for many groups at once.
    Total(totals::Total),
    /// A state of a fixed size; the types of its parts.
    State(fn(&Context) -> Box<dyn Accumulator>, &'static [Arrow]),
    /// All values are kept, and looked at in the end.
    Gather(Gather),
}

/// An aggregate that keeps values.
pub(crate) struct Gather {
    /// Which rows are not kept.
    pub(crate) skip: Skip,
    /// Leaves out what will not matter.
    pub(crate) compact: Option<Compact>,
    /// The result of all values.
    pub(crate) finish: fn(&[ArrayRef], &Context) -> Result<ScalarValue>,
}

/// The rows of columns that matter.
pub(crate) type Compact = fn(&[ArrayRef], &Context) -> Result<Vec<usize>>;

/// Rows that are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// Those with a NULL in any column.
    AnyNull,
    /// Those with a NULL in the last column.
    LastNull,
}

/// What an aggregate was resolved with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Context {
    /// What it returns.
    pub(crate) returns: Field,
    /// What it is of.
    pub(crate) inputs: Vec<Arrow>,
    /// Constants of the call, as the bits of doubles.
    pub(crate) parameters: Vec<u64>,
    /// Of the session.
    pub(crate) settings: Settings,
}

impl Context {
    /// A constant of the call.
    pub(crate) fn parameter(&self, at: usize) -> Option<f64> {
        self.parameters.get(at).map(|bits| f64::from_bits(*bits))
    }
}

/// All of them.
pub(crate) static FOLDS: &[&Fold] = &[
    &totals::SUM,
    &totals::TRY_SUM,
    &totals::AVG,
    &totals::TRY_AVG,
    &moments::SKEWNESS,
    &moments::KURTOSIS,
    &moments::CORR,
    &moments::COVAR_POP,
    &moments::COVAR_SAMP,
    &moments::REGR_AVGX,
    &moments::REGR_AVGY,
    &moments::REGR_R2,
    &moments::REGR_SXX,
    &moments::REGR_SXY,
    &moments::REGR_SYY,
    &moments::REGR_SLOPE,
    &moments::REGR_INTERCEPT,
    &collecting::LIST,
    &collecting::SET,
    &collecting::MODE,
    &collecting::MAX_BY,
    &collecting::MIN_BY,
    &collecting::MAX,
    &collecting::MIN,
    &percentile::PERCENTILE,
    &percentile::DISCRETE,
    &percentile::DISCRETE_BEFORE,
    &percentile::APPROXIMATE,
    &sketches::DISTINCT,
    &sketches::HISTOGRAM,
    &sketches::BITMAP,
    &sketches::BITMAP_OR,
    &hll::SKETCH,
    &hll::UNION,
    &count_min::SKETCH,
    &single::SINGLE,
];
