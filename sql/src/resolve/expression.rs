//! Expressions to typed expressions.

use datafusion::common::Column;
use datafusion::logical_expr::Expr as Plan;
use paceline_functions::cast::{CastMode, cast as explicit_cast};
use paceline_functions::coercion::coerce_all;
use paceline_functions::operators::{BinaryOperator, binary, not};
use paceline_functions::{DataType, Error, Result, Typed, find};
use paceline_syntax::tree::{Expr, ExprKind, Ident, NamedExpr, WrittenAlias};

use super::negation::negated;
use super::scope::Lookup;
use super::{First, Names, Resolver, data_type};

/// How Spark shows a column of the same select list within an expression.
pub(super) const LATERAL: &str = "lateralAliasReference";

impl Resolver<'_> {
    /// An expression as the names here mean it.
    pub(crate) fn expr(&mut self, expr: &Expr, names: Names<'_>) -> Result<Typed> {
        let in_filter = self.in_filter;
        if let (true, ExprKind::Not(operand)) = (in_filter, &*expr.kind)
            && let Some(negated) = negated(operand)
        {
            return self.deeper(|it| it.expr(&negated, names));
        }
        self.in_filter &= keeps_filter(&expr.kind);
        let typed = self.deeper(|it| it.expr_kind(&expr.kind, names));
        self.in_filter = in_filter;
        typed.map_err(|error| error.at(expr.span.start))
    }

    /// An expression that refers to no column.
    pub(crate) fn constant(&mut self, expr: &Expr) -> Result<Typed> {
        let scope = super::Scope::default();
        self.expr(expr, Names::of(&scope))
    }

    pub(crate) fn exprs<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        names: Names<'_>,
    ) -> Result<Vec<Typed>> {
        exprs.into_iter().map(|expr| self.expr(expr, names)).collect()
    }

    fn expr_kind(&mut self, kind: &ExprKind, names: Names<'_>) -> Result<Typed> {
        match kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Column(parts) => self.column(parts, names),
            ExprKind::ComputedColumn(name) => {
                let name = self.identifier(name)?;
                self.column(&name.parts, names)
            }
            ExprKind::Star(_) => {
                Err(Error::new("INVALID_USAGE_OF_STAR_OR_REGEX", "Invalid usage of '*' in an expression."))
            }
            ExprKind::Field(base, name) => {
                let base = self.expr(base, names)?;
                self.field(base, &name.value)
            }
            ExprKind::Subscript(base, index) => {
                let (base, index) = (self.expr(base, names)?, self.expr(index, names)?);
                self.subscript(base, index)
            }
            ExprKind::Unary(op, operand) => {
                let operand = self.expr(operand, names)?;
                self.unary(*op, operand)
            }
            ExprKind::Binary(left, op, right) => {
                let (left, right) = (self.expr(left, names)?, self.expr(right, names)?);
                self.binary(*op, left, right)
            }
            ExprKind::And(operands) => self.chain(BinaryOperator::And, operands, names),
            ExprKind::Or(operands) => self.chain(BinaryOperator::Or, operands, names),
            ExprKind::Not(operand) => {
                let operand = self.expr(operand, names)?;
                not(operand, &self.settings)
            }
            ExprKind::Predicate { operand, negated, predicate } => self.predicate(operand, *negated, predicate, names),
            ExprKind::Case { operand, whens, otherwise } => {
                let (mut conditions, mut results) = (Vec::new(), Vec::new());
                for when in whens {
                    let mut condition = self.expr(&when.condition, names)?;
                    if let Some(operand) = operand {
                        let operand = self.expr(operand, names)?;
                        condition = binary(BinaryOperator::Equal, operand, condition, &self.settings)?;
                    }
                    conditions.push(condition);
                    results.push(self.expr(&when.result, names)?);
                }
                let otherwise = otherwise.as_ref().map(|it| self.expr(it, names)).transpose()?;
                self.case(conditions, results, otherwise)
            }
            ExprKind::Cast { operand, to, or_null } => {
                let operand = self.expr(operand, names)?;
                let to = data_type(to, &self.settings)?;
                let mode = match (or_null, self.settings.ansi) {
                    (true, _) => CastMode::Try,
                    (false, true) => CastMode::Ansi,
                    (false, false) => CastMode::Legacy,
                };
                let same = operand.data_type == to;
                let typed = explicit_cast(operand, &to, mode, &self.settings)?;
                // A constant that is cast is no longer a literal to the rules that look for one.
                if same && typed.as_literal().is_some() {
                    let expr = datafusion::logical_expr::cast(typed.expr, to.to_arrow());
                    return Ok(Typed { expr, ..typed });
                }
                Ok(typed)
            }
            ExprKind::Struct(fields) => self.structure("struct", fields, names),
            ExprKind::Row(fields) => self.structure("named_struct", fields, names),
            ExprKind::Call(call) => self.function_call(call, names),
            ExprKind::Special(form) => self.special(form, names),
            ExprKind::Exists(query) => self.exists(query, names),
            ExprKind::Subquery(query) => self.scalar_subquery(query, names),
            ExprKind::Lambda(..) => Err(Error::new(
                "UNEXPECTED_INPUT_TYPE",
                "A lambda function should only be used in a higher order function.",
            )),
            ExprKind::NamedParameter(name) => Err(Error::new(
                "UNBOUND_SQL_PARAMETER",
                format!("Found the unbound parameter: {}. Please, fix args and provide a mapping.", name.value),
            )),
            ExprKind::PositionalParameter => {
                Err(Error::new("UNBOUND_SQL_PARAMETER", "Found an unbound positional parameter."))
            }
        }
    }

    /// A column, or fields of one.
    pub(crate) fn column(&mut self, idents: &[Ident], names: Names<'_>) -> Result<Typed> {
        let parts: Vec<&str> = idents.iter().map(|it| it.value.as_str()).collect();
        let Some(first) = parts.first().copied() else {
            return Err(names.scope.unresolved(&parts));
        };
        if let Some((_, value)) = self.lambdas.iter().rev().find(|(name, _)| self.same(name, first)) {
            let value = value.clone();
            return self.fields_of(value, &parts[1..]);
        }
        if names.first == First::Alias
            && let Some(found) = self.alias(first, names)?
        {
            return self.fields_of(found, &parts[1..]);
        }
        match names.scope.find(&parts, self.settings.case_sensitive) {
            Lookup::Column(found, used) => return self.fields_of(found, &parts[used..]),
            Lookup::Ambiguous(found) => {
                return Err(Error::new(
                    "AMBIGUOUS_REFERENCE",
                    format!("Reference `{}` is ambiguous, could be: [{}].", parts.join("`.`"), found.join(", ")),
                ));
            }
            Lookup::None => {}
        }
        if let Some(window) = self.time_window_named(first) {
            return self.fields_of(window.clone(), &parts[1..]);
        }
        if let Some(found) = self.alias(first, names)? {
            let found = self.fields_of(found, &parts[1..])?;
            let name = format!("{LATERAL}({})", parts.last().copied().unwrap_or(first));
            return Ok(Typed { name, ..found });
        }
        if let Some((found, used)) = self.outer_column(&parts)? {
            return self.fields_of(found, &parts[used..]);
        }
        if let [name] = parts.as_slice()
            && let Some(found) = self.niladic(name)?
        {
            return Ok(found);
        }
        Err(names.scope.unresolved(&parts))
    }

    /// A column of the select list by its alias.
    fn alias(&self, name: &str, names: Names<'_>) -> Result<Option<Typed>> {
        let mut found: Vec<&Typed> = Vec::new();
        for (alias, typed) in names.aliases {
            if self.same(alias, name) && !found.iter().any(|it| it.expr == typed.expr) {
                found.push(typed);
            }
        }
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some((*one).clone())),
            many if names.first == First::Alias => Err(Error::new(
                "AMBIGUOUS_REFERENCE",
                format!(
                    "Reference `{name}` is ambiguous, could be: [{}].",
                    vec![format!("`{name}`"); many.len()].join(", ")
                ),
            )),
            many => Err(Error::new(
                "AMBIGUOUS_LATERAL_COLUMN_ALIAS",
                format!("Lateral column alias `{name}` is ambiguous and has {} matches.", many.len()),
            )),
        }
    }

    pub(crate) fn outer_column(&mut self, parts: &[&str]) -> Result<Option<(Typed, usize)>> {
        let sensitive = self.settings.case_sensitive;
        let Some(outer) = self.outer.last_mut() else { return Ok(None) };
        let Lookup::Column(found, used) = outer.scope.find(parts, sensitive) else { return Ok(None) };
        let Plan::Column(Column { name, .. }) = &found.expr else {
            // The column of a query still further out.
            return Err(Error::unsupported("a subquery that refers to a query further out than the one around it"));
        };
        let field = found.data_type.to_field(name, found.nullable);
        let expr = Plan::OuterReferenceColumn(field.into(), Column::new_unqualified(name.clone()));
        outer.used.push(expr.clone());
        let of = outer.scope.columns.iter().find(|it| it.column.expr == found.expr);
        let mut full: Vec<&str> = of.map_or_else(Vec::new, |it| it.qualifier.iter().map(String::as_str).collect());
        full.push(&found.name);
        let name = format!("outer({})", full.join("."));
        Ok(Some((Typed { expr, name, ..found }, used)))
    }

    /// `CURRENT_DATE` and its like, where no column has that name.
    fn niladic(&mut self, name: &str) -> Result<Option<Typed>> {
        const NAMES: [&str; 7] = [
            "current_date",
            "current_timestamp",
            "localtimestamp",
            "current_user",
            "user",
            "current_catalog",
            "current_database",
        ];
        let lower = name.to_lowercase();
        if lower == "grouping__id" {
            let typed = self.grouping("grouping_id", &[], Names::of(&super::Scope::default()))?;
            return Ok(Some(Typed { name: lower, ..typed }));
        }
        if !NAMES.contains(&lower.as_str()) {
            return Ok(None);
        }
        self.call_named(&lower, Vec::new()).map(Some)
    }

    pub(crate) fn same(&self, a: &str, b: &str) -> bool {
        if self.settings.case_sensitive { a == b } else { a.to_lowercase() == b.to_lowercase() }
    }

    fn fields_of(&mut self, base: Typed, fields: &[&str]) -> Result<Typed> {
        fields.iter().try_fold(base, |base, field| self.field(base, field))
    }

    /// `CASE WHEN … THEN … ELSE … END`
    fn case(&mut self, conditions: Vec<Typed>, results: Vec<Typed>, otherwise: Option<Typed>) -> Result<Typed> {
        let mut name = "CASE".to_owned();
        for (condition, result) in conditions.iter().zip(&results) {
            name += &format!(" WHEN {} THEN {}", condition.name, result.name);
        }
        if let Some(otherwise) = &otherwise {
            name += &format!(" ELSE {}", otherwise.name);
        }
        name += " END";
        let foldable = conditions.iter().chain(&results).chain(&otherwise).all(|it| it.foldable);
        let mut values = results;
        let has_else = otherwise.is_some();
        values.extend(otherwise);
        let mut values = coerce_all(values, "casewhen", &name, &self.settings)?;
        let nullable = !has_else || values.iter().any(|it| it.nullable);
        let data_type = values.first().map_or(DataType::Void, |it| it.data_type.clone());
        let last = if has_else { values.pop() } else { None };
        let mut whens = Vec::new();
        for (condition, value) in conditions.into_iter().zip(values) {
            let condition = match &condition.data_type {
                DataType::Boolean => condition,
                DataType::Void => super::cast(condition, &DataType::Boolean, &self.settings)?,
                other => {
                    return Err(Error::new(
                        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                        format!(
                            "Cannot resolve \"{name}\" due to data type mismatch: parameter requires the \"BOOLEAN\" type, however \"{}\" has the type \"{}\".",
                            condition.name,
                            other.sql()
                        ),
                    ));
                }
            };
            whens.push((Box::new(condition.expr), Box::new(value.expr)));
        }
        let expr = Plan::Case(datafusion::logical_expr::Case::new(None, whens, last.map(|it| Box::new(it.expr))));
        Ok(Typed { expr, data_type, nullable, name, foldable })
    }

    /// `base.name`
    pub(crate) fn field(&mut self, base: Typed, name: &str) -> Result<Typed> {
        paceline_functions::field(base, name, &self.settings)
    }

    /// `base[index]`
    pub(crate) fn subscript(&mut self, base: Typed, index: Typed) -> Result<Typed> {
        paceline_functions::subscript(base, index, &self.settings)
    }

    /// A call of a function by its name in the table.
    pub(crate) fn call_named(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        match find(name) {
            Some(function) => self.call(function, name, arguments),
            None => self.stand_in(name, arguments),
        }
    }

    fn structure(&mut self, function: &str, fields: &[NamedExpr], names: Names<'_>) -> Result<Typed> {
        let (mut arguments, mut shown) = (Vec::new(), Vec::new());
        let mut at = 0;
        for field in fields {
            let values = match &*field.value.kind {
                ExprKind::Star(target) => self.star(target, names.scope)?,
                _ => vec![self.expr(&field.value, names)?],
            };
            for value in values {
                at += 1;
                let name = match (&field.alias, &*field.value.kind) {
                    (Some(WrittenAlias::Name(alias)), _) => alias.value.clone(),
                    (_, ExprKind::Column(parts)) => parts.last().map_or_else(String::new, |it| it.value.clone()),
                    (_, ExprKind::Star(_)) => value.name.clone(),
                    (_, ExprKind::Field(_, name)) => name.value.clone(),
                    _ => format!("col{at}"),
                };
                shown.push(match &field.alias {
                    Some(_) => format!("{} AS {name}", value.name),
                    None => value.name.clone(),
                });
                arguments.push(Typed::literal(name.as_str().into(), DataType::String, name));
                arguments.push(value);
            }
        }
        let typed = self.call_named("named_struct", arguments)?;
        Ok(match function {
            "struct" => Typed { name: format!("struct({})", shown.join(", ")), ..typed },
            _ => typed,
        })
    }
}

/// Whether what stands within is a condition of the filter itself, where NULL is as good as FALSE.
fn keeps_filter(kind: &ExprKind) -> bool {
    match kind {
        ExprKind::And(_) | ExprKind::Exists(_) => true,
        ExprKind::Not(operand) => matches!(*operand.kind, ExprKind::Exists(_)),
        ExprKind::Predicate { predicate, .. } => matches!(predicate, paceline_syntax::tree::Predicate::InQuery(_)),
        _ => false,
    }
}
