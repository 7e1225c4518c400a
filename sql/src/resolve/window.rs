//! `OVER`: a function over a window of rows.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{
    Expr as Plan, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};
use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, DayTimeField, Error, Resolve, Result, Typed, find, over_window};
use paceline_syntax::tree::{Expr, Frame, FrameBound, FrameUnits, Ident, SortItem, Window};

use super::correlation::has_subquery;
use super::expression::LATERAL;
use super::{Names, Resolver, cast, evaluate};

/// A key that rows are sorted by.
pub(crate) struct SortKey {
    pub(crate) value: Typed,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

impl SortKey {
    pub(crate) fn to_sort(&self, expr: Plan) -> Sort {
        Sort::new(expr, !self.descending, self.nulls_first)
    }

    fn shown(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let nulls = if self.nulls_first { "NULLS FIRST" } else { "NULLS LAST" };
        format!("{} {direction} {nulls}", self.value.name)
    }
}

impl Resolver<'_> {
    pub(crate) fn sort_key(&mut self, item: &SortItem, names: Names<'_>) -> Result<SortKey> {
        let value = self.expr(&item.value, names)?;
        Ok(SortKey { value, descending: item.descending, nulls_first: item.nulls_first })
    }

    /// `f(…) OVER …`
    pub(crate) fn over(&mut self, typed: Typed, window: &Window, function: &str, names: Names<'_>) -> Result<Typed> {
        let Window::Spec { partition_by, order_by, frame, .. } = self.window(window)? else {
            return Err(Error::new("MISSING_WINDOW_SPECIFICATION", "A window is not defined."));
        };
        let partition_by = self.exprs(&partition_by, names)?;
        let mut keys = Vec::new();
        for item in &order_by {
            keys.push(self.sort_key(item, names)?);
        }
        let is_window = find(function).is_some_and(|it| matches!(it.resolve, Resolve::Window(_)));
        let has_frame = frame.is_some();
        let (frame, shown) = match &frame {
            Some(frame) => self.frame(frame, &keys)?,
            None => default_frame(function, is_window, &keys, &typed),
        };
        if is_window && keys.is_empty() && function != "nth_value" {
            return Err(Error::new(
                "_LEGACY_ERROR_TEMP_1037",
                format!("Window function {} requires window to be ordered, please add ORDER BY clause.", typed.name),
            ));
        }
        let whole = ["percentile_cont", "percentile_disc", "median"].contains(&function);
        if whole && (!keys.is_empty() || has_frame) {
            return Err(Error::new(
                "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC",
                format!("Cannot specify ORDER BY or a window frame for {}.", typed.name),
            ));
        }
        let mut spec = Vec::new();
        if !partition_by.is_empty() {
            let shown: Vec<&str> = partition_by.iter().map(|it| it.name.as_str()).collect();
            spec.push(format!("PARTITION BY {}", shown.join(", ")));
        }
        if !keys.is_empty() {
            spec.push(format!("ORDER BY {}", keys.iter().map(SortKey::shown).collect::<Vec<_>>().join(", ")));
        }
        spec.push(shown);
        let name = format!("{} OVER ({})", typed.name, spec.join(" "));
        if name.contains(LATERAL) {
            return Err(Error::new(
                "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW",
                format!(
                    "The feature is not supported: Referencing a lateral column alias in window expression \"{name}\"."
                ),
            ));
        }
        if let Plan::AggregateFunction(call) = &typed.expr {
            if call.params.distinct {
                return Err(Error::new(
                    "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
                    format!("Distinct window functions are not supported: \"{name}\"."),
                ));
            }
            if call.params.filter.is_some() && !function.starts_with("regr_") {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_1030",
                    "Window aggregate function with filter predicate is not supported yet.",
                ));
            }
        }
        let typed = if matches!(typed.expr, Plan::AggregateFunction(_)) { over_window(typed)? } else { typed };
        let partition: Vec<Plan> = partition_by.into_iter().map(|it| it.expr).collect();
        let order: Vec<Sort> = keys.iter().map(|key| key.to_sort(key.value.expr.clone())).collect();
        let changed = typed.expr.transform_down(|expr| {
            let mut call = match expr {
                Plan::AggregateFunction(call) if call.params.filter.is_some() => {
                    return Err(Error::new(
                        "_LEGACY_ERROR_TEMP_1030",
                        "window aggregate function with filter predicate is not supported yet.",
                    )
                    .into());
                }
                Plan::AggregateFunction(call) => WindowFunction {
                    fun: WindowFunctionDefinition::AggregateUDF(call.func),
                    params: datafusion::logical_expr::expr::WindowFunctionParams {
                        args: call.params.args,
                        partition_by: Vec::new(),
                        order_by: Vec::new(),
                        window_frame: frame.clone(),
                        filter: call.params.filter,
                        null_treatment: call.params.null_treatment,
                        distinct: call.params.distinct,
                    },
                },
                Plan::WindowFunction(call) => *call,
                other => return Ok(Transformed::no(other)),
            };
            call.params.partition_by = partition.clone();
            call.params.order_by = order.clone();
            call.params.window_frame = frame.clone();
            Ok(Transformed::new(Plan::WindowFunction(Box::new(call)), true, TreeNodeRecursion::Jump))
        })?;
        if !changed.transformed {
            return Err(Error::new(
                "UNSUPPORTED_EXPR_FOR_WINDOW",
                format!("Expression \"{}\" not supported within a window function.", typed.name),
            ));
        }
        Ok(Typed { expr: changed.data, name, nullable: true, ..typed })
    }

    /// The window itself, where a name stands for one.
    /// Subqueries are made joins of in a projection, but not in the node of the windows.
    pub(super) fn below_windows(&mut self, plan: LogicalPlan, windows: &mut [(Plan, String)]) -> Result<LogicalPlan> {
        let mut parts: Vec<&mut Plan> = Vec::new();
        for (window, _) in windows {
            let Plan::WindowFunction(call) = window else { continue };
            let call = &mut call.params;
            parts.extend(call.args.iter_mut().chain(&mut call.partition_by).filter(|it| has_subquery(it)));
            parts.extend(call.order_by.iter_mut().map(|key| &mut key.expr).filter(|it| has_subquery(it)));
        }
        let (plan, columns) = self.with_columns(plan, parts.iter().map(|it| (**it).clone()).collect())?;
        for (part, column) in parts.into_iter().zip(columns) {
            *part = column;
        }
        Ok(plan)
    }

    fn window(&mut self, window: &Window) -> Result<Window> {
        match window {
            Window::Spec { .. } => Ok(window.clone()),
            Window::Named(name) => self.named_window(name, 0),
        }
    }

    fn named_window(&mut self, name: &Ident, depth: usize) -> Result<Window> {
        let found = self.windows.iter().rev().find(|it| self.same(&it.name.value, &name.value)).cloned();
        match found.map(|it| it.window) {
            Some(Window::Named(other)) if depth < 20 => self.named_window(&other, depth + 1),
            Some(window @ Window::Spec { .. }) => Ok(window),
            _ => Err(Error::new(
                "_LEGACY_ERROR_TEMP_1004",
                format!("Window specification {} is not defined in the WINDOW clause.", name.value),
            )),
        }
    }

    fn frame(&mut self, frame: &Frame, keys: &[SortKey]) -> Result<(WindowFrame, String)> {
        let (units, shown) = match frame.units {
            FrameUnits::Rows => (WindowFrameUnits::Rows, "ROWS"),
            FrameUnits::Range => (WindowFrameUnits::Range, "RANGE"),
        };
        let bounded = |bound: &FrameBound| matches!(bound, FrameBound::Preceding(_) | FrameBound::Following(_));
        if frame.units == FrameUnits::Range {
            if keys.is_empty() {
                return Err(Error::new(
                    "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER",
                    "A range window frame cannot be used in an unordered window specification.",
                ));
            }
            if keys.len() > 1 && (bounded(&frame.start) || bounded(&frame.end)) {
                return Err(Error::new(
                    "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER",
                    "A range window frame with value boundaries cannot be used in a window specification with multiple order by expressions.",
                ));
            }
        }
        let key = if units == WindowFrameUnits::Range { keys.first() } else { None };
        let (start, from) = self.bound(&frame.start, key)?;
        let (end, to) = self.bound(&frame.end, key)?;
        Ok((WindowFrame::new_bounds(units, start, end), format!("{shown} BETWEEN {from} AND {to}")))
    }

    fn bound(&mut self, bound: &FrameBound, key: Option<&SortKey>) -> Result<(WindowFrameBound, String)> {
        let (expr, preceding) = match bound {
            FrameBound::UnboundedPreceding => {
                return Ok((WindowFrameBound::Preceding(ScalarValue::Null), "UNBOUNDED PRECEDING".to_owned()));
            }
            FrameBound::UnboundedFollowing => {
                return Ok((WindowFrameBound::Following(ScalarValue::Null), "UNBOUNDED FOLLOWING".to_owned()));
            }
            FrameBound::CurrentRow => return Ok((WindowFrameBound::CurrentRow, "CURRENT ROW".to_owned())),
            FrameBound::Preceding(expr) => (expr, true),
            FrameBound::Following(expr) => (expr, false),
        };
        let (value, shown, is_cast) = self.distance(expr, key)?;
        let negative = value.as_ref().is_some_and(|(_, negative)| *negative);
        let Some((value, _)) = value else {
            return Ok((WindowFrameBound::CurrentRow, shown));
        };
        let towards_past = preceding != negative;
        let name = match (preceding, is_cast) {
            (true, true) => format!("(- {shown}) FOLLOWING"),
            (true, false) => format!("{shown} PRECEDING"),
            (false, _) => format!("{shown} FOLLOWING"),
        };
        let bound = if towards_past { WindowFrameBound::Preceding(value) } else { WindowFrameBound::Following(value) };
        Ok((bound, name))
    }

    /// How far a bound is away, always positive, and whether it was negative.
    fn distance(&mut self, expr: &Expr, key: Option<&SortKey>) -> Result<Distance> {
        let scope = super::Scope::default();
        let typed = self.expr(expr, Names::of(&scope))?;
        let shown = typed.name.clone();
        let wrong = || {
            Error::new(
                "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
                format!("The data type of the bound \"{shown}\" does not match the expected data type."),
            )
        };
        let key_type = key.map(|key| key.value.data_type.clone());
        let is_cast = key_type.as_ref().is_some_and(|it| it.is_numeric() && it != &typed.data_type);
        let typed = match &key_type {
            None => cast(typed, &DataType::Int, &self.settings)?,
            Some(to) if to.is_numeric() && (typed.data_type.is_numeric() || typed.data_type == DataType::String) => {
                cast(typed, to, &self.settings)?
            }
            Some(DataType::Date) if matches!(typed.data_type, DataType::DayTime(_, to) if to != DayTimeField::Day) => {
                return Err(Error::new(
                    "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE",
                    format!(
                        "The data type \"DATE\" used in the order specification does not match the data type \"{}\" which is used in the range frame.",
                        typed.data_type.sql()
                    ),
                ));
            }
            Some(DataType::Date) if typed.data_type.is_integral() => cast(typed, &DataType::Int, &self.settings)?,
            Some(DataType::Date | DataType::Timestamp | DataType::TimestampNtz) => typed,
            Some(_) => return Err(wrong()),
        };
        let value = evaluate(&typed)?;
        if value.is_null() {
            return Err(wrong());
        }
        let zero = ScalarValue::new_zero(&value.data_type())?;
        let negative = value < zero;
        let value = if negative { value.arithmetic_negate()? } else { value };
        let value = match (&key_type, value) {
            (None, ScalarValue::Int32(Some(rows))) => ScalarValue::UInt64(Some(u64::from(rows.unsigned_abs()))),
            (Some(DataType::Date), ScalarValue::Int32(Some(days))) => ScalarValue::new_interval_mdn(0, days, 0),
            (_, ScalarValue::DurationMicrosecond(Some(micros))) => {
                ScalarValue::new_interval_mdn(0, 0, micros.checked_mul(1000).ok_or_else(wrong)?)
            }
            (_, ScalarValue::IntervalYearMonth(Some(months))) => ScalarValue::new_interval_mdn(months, 0, 0),
            (_, other) => other,
        };
        Ok((Some((value, negative)), shown, is_cast))
    }
}

/// The frame where none is given, and how Spark shows it.
fn default_frame(function: &str, is_window: bool, keys: &[SortKey], typed: &Typed) -> (WindowFrame, String) {
    let frame = if keys.is_empty() {
        WindowFrame::new_bounds(
            WindowFrameUnits::Rows,
            WindowFrameBound::Preceding(ScalarValue::Null),
            WindowFrameBound::Following(ScalarValue::Null),
        )
    } else {
        WindowFrame::new_bounds(
            WindowFrameUnits::Range,
            WindowFrameBound::Preceding(ScalarValue::Null),
            WindowFrameBound::CurrentRow,
        )
    };
    let shown = match function {
        "lead" | "lag" => {
            // Both show how far they look, lag as a negative distance.
            let offset = typed.name.split(", ").nth(1).unwrap_or("1").trim_end_matches(')').to_owned();
            let offset = match (function, offset.strip_prefix('-')) {
                ("lag", Some(rest)) => rest.to_owned(),
                ("lag", None) => format!("-{offset}"),
                _ => offset,
            };
            format!("ROWS BETWEEN {offset} FOLLOWING AND {offset} FOLLOWING")
        }
        "cume_dist" => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
        _ if is_window && function != "nth_value" => "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
        _ if keys.is_empty() => "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_owned(),
        _ => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
    };
    (frame, shown)
}

/// How far away, and whether the number is to be added as it is; how it is shown; whether it was negative.
type Distance = (Option<(ScalarValue, bool)>, String, bool);
