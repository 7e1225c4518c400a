//! Windows: what `OVER` and `WINDOW` say.

use super::{Expr, Ident, SortItem, Span};

/// What stands behind `OVER`.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// The name of a window.
    Named(Ident),
    /// A window of its own.
    Spec {
        /// `PARTITION BY`
        partition_by: Vec<Expr>,
        /// `ORDER BY`
        order_by: Vec<SortItem>,
        /// The frame, if it is given.
        frame: Option<Frame>,
        /// Where it is.
        span: Span,
    },
}

/// `WINDOW name AS (…)`
#[derive(Clone, Debug, PartialEq)]
pub struct NamedWindow {
    /// Its name.
    pub name: Ident,
    /// What it is.
    pub window: Window,
}

/// Which rows of the partition are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What is counted.
    pub units: FrameUnits,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends; without `BETWEEN`, at the current row.
    pub end: FrameBound,
    /// Where it is.
    pub span: Span,
}

/// What a frame counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnits {
    /// Rows.
    Rows,
    /// Values of the sort key.
    Range,
}

/// One end of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
    /// `CURRENT ROW`
    CurrentRow,
    /// `n PRECEDING`
    Preceding(Expr),
    /// `n FOLLOWING`
    Following(Expr),
}
