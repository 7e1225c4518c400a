//! SELECT: from its relations through grouping and windows to its columns, in order.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Distinct, Expr as Plan, Filter, LogicalPlan, Projection, Sort, Window};
use paceline_functions::{Error, Result, Typed};
use paceline_syntax::tree::{Expr, ExprKind, Select, SortItem, WrittenAlias};

use super::coerce::condition;
use super::correlation::{has_outer, has_subquery};
use super::expression::LATERAL;
use super::scope::{Relation, Scope, ScopeColumn};
use super::window::SortKey;
use super::{First, Names, Resolver};

/// A column of the select list.
pub(crate) struct Item {
    pub(crate) typed: Typed,
    /// The name of the column.
    pub(crate) name: String,
    /// Whether the name was given to it.
    pub(crate) named: bool,
    /// The qualifier, if it is a column of a relation.
    pub(crate) qualifier: Vec<String>,
}

impl Resolver<'_> {
    pub(crate) fn select(&mut self, select: &Select, order_by: &[SortItem]) -> Result<Relation> {
        let windows = self.windows.len();
        self.windows.extend(select.windows.iter().cloned());
        let time_window = self.time_window.take();
        let relation = self.select_in_order(select, order_by);
        self.time_window = time_window;
        self.windows.truncate(windows);
        relation
    }

    fn select_in_order(&mut self, select: &Select, order_by: &[SortItem]) -> Result<Relation> {
        let mut source = self.from(&select.from)?;
        for view in &select.lateral_views {
            source = self.lateral_view(source, view)?;
        }
        if let Some(filter) = &select.filter {
            source = self.filter(source, filter, "WHERE")?;
        }
        let Relation { plan, scope } = source;
        let plan = self.windows_of_select(plan, &scope, select, order_by)?;
        let (mut plan, mut items) = self.items(select, plan, &scope)?;
        let outputs: Vec<(String, Typed)> = items.iter().map(|it| (it.name.clone(), it.typed.clone())).collect();
        let named: Vec<(String, Typed)> =
            items.iter().filter(|it| it.named).map(|it| (it.name.clone(), it.typed.clone())).collect();
        let no_aliases =
            self.session.get("spark.sql.groupByAliases").is_some_and(|it| it.eq_ignore_ascii_case("false"));
        let aliases: &[(String, Typed)] = if no_aliases { &[] } else { &outputs };
        let groups = match &select.group_by {
            Some(group_by) => {
                Some(self.groups(group_by, &items, Names { scope: &scope, aliases, first: First::Scope })?)
            }
            None => None,
        };
        let mut having = match &select.having {
            Some(having) => {
                let names = Names { scope: &scope, aliases: &named, first: First::Scope };
                let in_filter = std::mem::replace(&mut self.in_filter, true);
                let typed = self.having(having, names, groups.as_ref());
                self.in_filter = in_filter;
                Some(condition(typed?, &self.settings, "HAVING")?)
            }
            None => None,
        };
        let output: Vec<Typed> = items.iter().map(|it| it.typed.clone()).collect();
        let mut keys: Vec<SortKey> = Vec::new();
        for item in order_by {
            keys.extend(self.order_item(item, &output, Self::output_first(&scope, &outputs))?);
        }
        let grouped = groups.is_some()
            || having.is_some()
            || items.iter().any(|it| has_aggregate(&it.typed.expr))
            || keys.iter().any(|key| has_aggregate(&key.value.expr));
        if grouped {
            let mut all = items.iter().map(|it| &it.typed).chain(groups.iter().flat_map(|it| &it.keys));
            if let Some(typed) = all.find(|it| has_outer(&it.expr)) {
                return Err(Error::new(
                    "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE",
                    format!(
                        "Unsupported subquery expression: Expressions referencing the outer query are not supported outside of WHERE/HAVING clauses: \"{}\".",
                        typed.name
                    ),
                ));
            }
            let all = items
                .iter_mut()
                .map(|it| &mut it.typed)
                .chain(having.iter_mut())
                .chain(keys.iter_mut().map(|key| &mut key.value));
            let groups = groups.unwrap_or_default();
            plan = self.merged_sessions(plan, &groups)?;
            plan = self.aggregate(plan, groups, all.collect())?;
        }
        if let Some(mut having) = having {
            plan = self.join_subqueries(plan, &mut [&mut having.expr], false)?;
            plan = LogicalPlan::Filter(Filter::try_new(having.expr, Arc::new(plan))?);
        }
        let all = items.iter_mut().map(|it| &mut it.typed).chain(keys.iter_mut().map(|key| &mut key.value));
        plan = self.windows_of(plan, all.collect())?;
        let all = items.iter_mut().map(|it| &mut it.typed.expr).chain(keys.iter_mut().map(|key| &mut key.value.expr));
        plan = self.join_subqueries(plan, &mut all.collect::<Vec<_>>(), true)?;
        self.columns(plan, items, keys, select.distinct)
    }

    /// The columns of the select list; generators among them are put below.
    fn items(&mut self, select: &Select, plan: LogicalPlan, scope: &Scope) -> Result<(LogicalPlan, Vec<Item>)> {
        let (mut plan, mut items, mut aliases) = (plan, Vec::new(), Vec::new());
        let mut generators = 0;
        for item in &select.items {
            if let ExprKind::Star(target) = &*item.value.kind {
                for typed in self.star(target, scope)? {
                    let qualifier = scope.columns.iter().find(|it| it.column.expr == typed.expr);
                    let qualifier = qualifier.map_or_else(Vec::new, |it| it.qualifier.clone());
                    items.push(Item { name: typed.name.clone(), typed, named: false, qualifier });
                }
                continue;
            }
            if let Some(columns) = self.regex_columns(&item.value, scope)? {
                for it in columns {
                    items.push(Item {
                        name: it.column.name.clone(),
                        typed: it.column,
                        named: false,
                        qualifier: it.qualifier,
                    });
                }
                continue;
            }
            let names = Names { scope, aliases: &aliases, first: First::Scope };
            if let Some((function, call)) = self.generator_call(&item.value) {
                generators += 1;
                if generators > 1 {
                    return Err(Error::new(
                        "UNSUPPORTED_GENERATOR.MULTI_GENERATOR",
                        "The generator is not supported: only one generator allowed per SELECT clause.",
                    ));
                }
                let arguments = self.arguments(function.name, &call.arguments, names)?;
                let outer = function.name.ends_with("_outer");
                let (below, columns) = self.generate(plan, scope, function, arguments, outer)?;
                plan = below;
                let given: Vec<String> = match &item.alias {
                    Some(WrittenAlias::Name(name)) => vec![name.value.clone()],
                    Some(WrittenAlias::Names(names)) => names.iter().map(|it| it.value.clone()).collect(),
                    None => Vec::new(),
                };
                if !given.is_empty() && given.len() != columns.len() {
                    return Err(Error::new(
                        "UDTF_ALIAS_NUMBER_MISMATCH",
                        format!(
                            "The number of aliases supplied in the AS clause does not match the number of columns output by the UDTF. Expected {} aliases, but got {}.",
                            columns.len(),
                            given.join(",")
                        ),
                    ));
                }
                for (at, typed) in columns.into_iter().enumerate() {
                    let name = given.get(at).cloned().unwrap_or_else(|| typed.name.clone());
                    items.push(Item {
                        typed: Typed { name: name.clone(), ..typed },
                        name,
                        named: !given.is_empty(),
                        qualifier: Vec::new(),
                    });
                }
                continue;
            }
            let typed = self.expr(&item.value, names)?;
            let item = match &item.alias {
                Some(WrittenAlias::Name(alias)) => {
                    let name = alias.value.clone();
                    aliases.push((name.clone(), Typed { name: name.clone(), ..typed.clone() }));
                    Item { typed, name, named: true, qualifier: Vec::new() }
                }
                Some(WrittenAlias::Names(_)) => {
                    return Err(Error::new(
                        "MULTI_ALIAS_WITHOUT_GENERATOR",
                        format!(
                            "Multi part aliasing (\"{}\") is not supported, as it is not a generator function.",
                            typed.name
                        ),
                    ));
                }
                None => {
                    let known = scope.columns.iter().find(|it| it.column.expr == typed.expr);
                    let cast_column = match &*item.value.kind {
                        ExprKind::Cast { operand, .. } => match &*operand.kind {
                            ExprKind::Column(parts) if !scope.columns.is_empty() => parts.last(),
                            _ => None,
                        },
                        _ => None,
                    };
                    let name = match (&*item.value.kind, cast_column) {
                        // A cast of a column alone keeps the column's name.
                        (_, Some(column)) => column.value.clone(),
                        (ExprKind::Column(parts), _)
                            if matches!(typed.expr, Plan::OuterReferenceColumn(..))
                                || typed.name.starts_with(LATERAL) =>
                        {
                            parts.last().map_or_else(|| typed.name.clone(), |it| it.value.clone())
                        }
                        (ExprKind::Column(_), _) => field_name(&typed).unwrap_or_else(|| typed.name.clone()),
                        _ => typed.name.clone(),
                    };
                    let qualifier = known.map_or_else(Vec::new, |it| it.qualifier.clone());
                    Item { typed, name, named: false, qualifier }
                }
            };
            items.push(item);
        }
        Ok((plan, items))
    }

    pub(crate) fn filter(&mut self, source: Relation, filter: &Expr, clause: &str) -> Result<Relation> {
        let source = self.windows_of_filter(source, filter)?;
        let in_filter = std::mem::replace(&mut self.in_filter, true);
        let typed = self.expr(filter, Names::of(&source.scope));
        self.in_filter = in_filter;
        self.time_window = None;
        let mut typed = condition(typed?, &self.settings, clause)?;
        if has_aggregate(&typed.expr) || has_window(&typed.expr) {
            return Err(Error::new(
                "INVALID_WHERE_CONDITION",
                format!(
                    "The WHERE condition \"{}\" contains invalid expressions: aggregate or window functions. Rewrite the query to avoid window functions, aggregate functions, and generator functions in the WHERE clause.",
                    typed.name
                ),
            ));
        }
        // What asks no subquery goes first: subqueries are computed for fewer rows then.
        let (asking, plain): (Vec<Plan>, Vec<Plan>) = split_conjunction_owned(std::mem::take(&mut typed.expr))
            .into_iter()
            .partition(|it| has_subquery(it) || it.is_volatile());
        let plan = match conjunction(plain) {
            Some(plain) => LogicalPlan::Filter(Filter::try_new(plain, Arc::new(source.plan))?),
            None => source.plan,
        };
        let Some(mut asking) = conjunction(asking) else { return Ok(Relation { plan, scope: source.scope }) };
        let plan = self.join_subqueries(plan, &mut [&mut asking], false)?;
        let plan = LogicalPlan::Filter(Filter::try_new(asking, Arc::new(plan))?);
        Ok(Relation { plan, scope: source.scope })
    }

    /// Windows, each set of the same keys in a node of its own.
    fn windows_of(&mut self, plan: LogicalPlan, exprs: Vec<&mut Typed>) -> Result<LogicalPlan> {
        let mut found: Vec<(Plan, String)> = Vec::new();
        for typed in exprs {
            if !has_window(&typed.expr) {
                continue;
            }
            let expr = std::mem::take(&mut typed.expr);
            let changed = expr.transform_down(|expr| {
                if !matches!(expr, Plan::WindowFunction(_)) {
                    return Ok(Transformed::no(expr));
                }
                let known = found.iter().find(|(it, _)| it == &expr).map(|(_, id)| id.clone());
                let id = known.unwrap_or_else(|| {
                    let id = self.id();
                    found.push((expr, id.clone()));
                    id
                });
                let column = Plan::Column(datafusion::common::Column::new_unqualified(id));
                Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
            })?;
            typed.expr = changed.data;
        }
        let mut plan = self.below_windows(plan, &mut found)?;
        while !found.is_empty() {
            let same = |a: &Plan, b: &Plan| match (a, b) {
                (Plan::WindowFunction(a), Plan::WindowFunction(b)) => {
                    a.params.partition_by == b.params.partition_by && a.params.order_by == b.params.order_by
                }
                _ => false,
            };
            let first = found[0].0.clone();
            let (now, later): (Vec<_>, Vec<_>) = found.into_iter().partition(|(it, _)| same(it, &first));
            let exprs = now.into_iter().map(|(expr, id)| expr.alias(id)).collect();
            plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(plan))?);
            found = later;
        }
        Ok(plan)
    }

    /// The projection, DISTINCT, and the order, which may need columns that are not selected.
    fn columns(&mut self, plan: LogicalPlan, items: Vec<Item>, keys: Vec<SortKey>, distinct: bool) -> Result<Relation> {
        let selected: Vec<Plan> = items.iter().map(|it| it.typed.expr.clone()).collect();
        let typed: Vec<Typed> = items.iter().map(|it| Typed { name: it.name.clone(), ..it.typed.clone() }).collect();
        let count = typed.len();
        let (mut all, mut places) = (typed, Vec::new());
        for key in &keys {
            places.push(match selected.iter().position(|it| it == &key.value.expr) {
                None if distinct && matches!(key.value.expr, Plan::Column(_)) => {
                    let columns = items.iter().map(|it| Typed { name: it.name.clone(), ..it.typed.clone() });
                    return Err(Self::scope_of(columns.collect()).unresolved(&[&key.value.name]));
                }
                // It is made of what is selected, or cannot be had.
                None if distinct => None,
                Some(place) => Some(place),
                None => {
                    all.push(key.value.clone());
                    Some(all.len() - 1)
                }
            });
        }
        let (mut plan, columns) = self.project(plan, all)?;
        let scope = Scope {
            columns: items
                .iter()
                .zip(&columns)
                .map(|(item, column)| {
                    let column = Typed { name: item.name.clone(), ..column.clone() };
                    ScopeColumn {
                        qualifier: if item.named { Vec::new() } else { item.qualifier.clone() },
                        column,
                        hidden: false,
                    }
                })
                .collect(),
        };
        if distinct {
            plan = LogicalPlan::Distinct(Distinct::All(Arc::new(plan)));
        }
        if !keys.is_empty() {
            let by = |(key, place): (&SortKey, Option<usize>)| match place {
                Some(place) => Ok(key.to_sort(columns[place].expr.clone())),
                None => Ok(key.to_sort(over_columns(&key.value, &selected, &columns)?)),
            };
            let sort = keys.iter().zip(places).map(by).collect::<Result<_>>()?;
            plan = LogicalPlan::Sort(Sort { expr: sort, input: Arc::new(plan), fetch: None });
        }
        if columns.len() > count {
            let mut kept: Vec<Plan> = Vec::new();
            for column in &columns[..count] {
                if !kept.contains(&column.expr) {
                    kept.push(column.expr.clone());
                }
            }
            plan = LogicalPlan::Projection(Projection::try_new(kept, Arc::new(plan))?);
        }
        Ok(Relation { plan, scope })
    }
}

/// A key to sort by over the columns that were selected, where it is made of nothing else.
fn over_columns(key: &Typed, selected: &[Plan], columns: &[Typed]) -> Result<Plan> {
    let over = key.expr.clone().transform_down(|node| {
        Ok(match selected.iter().position(|it| *it == node) {
            Some(place) => Transformed::new(columns[place].expr.clone(), true, TreeNodeRecursion::Jump),
            None => Transformed::no(node),
        })
    })?;
    let is_selected = |it: &&Column| columns.iter().any(|column| column.expr == Plan::Column((**it).clone()));
    match over.data.column_refs().iter().all(is_selected) {
        true => Ok(over.data),
        false => Err(Error::new(
            "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT",
            format!("The sort key \"{}\" is not among the columns of SELECT DISTINCT.", key.name),
        )),
    }
}

/// The name of the field that is taken last, of `a.b.c`.
fn field_name(typed: &Typed) -> Option<String> {
    let Plan::ScalarFunction(call) = &typed.expr else { return None };
    if call.func.name() != "get_field" {
        return None;
    }
    match call.args.last() {
        Some(Plan::Literal(value, _)) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    }
}

pub(crate) fn has_aggregate(expr: &Plan) -> bool {
    expr.exists(|it| Ok(matches!(it, Plan::AggregateFunction(_)))).unwrap_or(false)
}

pub(crate) fn has_window(expr: &Plan) -> bool {
    expr.exists(|it| Ok(matches!(it, Plan::WindowFunction(_)))).unwrap_or(false)
}
