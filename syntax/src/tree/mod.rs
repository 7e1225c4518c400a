//! The syntax tree: what a statement says, unresolved and without the way it was written.
//! It never decides what a name means; parentheses, comments, letter case of keywords and synonyms are gone.

mod data_type;
mod expression;
mod literal;
mod name;
mod query;
mod relation;
mod statement;
mod table;
mod walk;
mod window;
mod write;

pub use self::data_type::{ColumnDef, DataType, StructField};
pub use self::expression::{
    Argument, BinaryOp, CurrentValue, DatetimeUnit, Expr, ExprKind, FunctionCall, NamedExpr, Nulls, Percentile,
    Predicate, Quantifier, SpecialForm, Truth, UnaryOp, When, WrittenAlias, WrittenUnit,
};
pub use self::literal::{Interval, IntervalPart, IntervalUnit, Literal};
pub use self::name::{Ident, Name, Reference, Span};
pub use self::query::{
    Cte, GroupBy, Grouping, Hint, LateralView, Limit, Query, QueryBody, Select, SetBranch, SetOp, SetQuantifier,
    SortItem, Transform, TransformOutput,
};
pub use self::relation::{
    AsOf, Join, JoinConstraint, JoinKind, Pivot, PivotValue, Relation, RelationKind, Sample, SampleMethod, Step,
    TableAlias, TableArgument, Unpivot, UnpivotColumn,
};
pub use self::statement::{
    DescribeFunctionName, ExplainMode, Limits, Property, ResourceKind, SetStatement, Show, Statement, TimeZone,
};
pub use self::table::{
    AlterColumn, AlterTable, BucketSpec, ColumnOption, ColumnPosition, CreateFunction, CreateTable, FileFormat,
    NewColumn, PartitionField, PartitionSpec, PartitionValue, RowFormat, SkewSpec, Statistics, TableClauses,
    TableColumn, Transformation, TransformationArgument,
};
pub use self::window::{Frame, FrameBound, FrameUnits, NamedWindow, Window};
pub use self::write::{Assignment, Insert, InsertColumns, InsertTarget, Merge, MergeAction, MergeClause, MergeSource};
