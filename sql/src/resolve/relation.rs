//! What stands in FROM.

use std::sync::Arc;

use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr as Plan, Filter, Limit, LogicalPlan, Projection, TableScanBuilder, lit};
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Name, Relation as Tree, RelationKind, Sample, SampleMethod, Step, TableAlias};

use super::scope::{Relation, Scope, ScopeColumn, column};
use super::{Outer, Resolved, Resolver, cast, evaluate};
use crate::catalog::{CATALOG, Found, Object, Table, View, ViewSource, no_table};

/// Formats of files that a query may name.
const FILES: [&str; 7] = ["parquet", "csv", "json", "orc", "avro", "text", "binaryfile"];

impl Resolver<'_> {
    /// The cross product of relations; those that are LATERAL see those before them.
    pub(crate) fn from(&mut self, relations: &[Tree]) -> Result<Relation> {
        let mut all: Option<Relation> = None;
        for relation in relations {
            all = Some(match all {
                None => self.relation(relation)?,
                Some(left) if relation.lateral => {
                    let (first, steps) = (self.lateral(left, relation, &[])?, &relation.steps);
                    self.steps(first, steps)?
                }
                Some(left) => {
                    let right = self.relation(relation)?;
                    self.cross(left, right)?
                }
            });
        }
        Ok(all.unwrap_or_else(|| self.one_row()))
    }

    /// A relation with its joins and pivots.
    pub(crate) fn relation(&mut self, relation: &Tree) -> Result<Relation> {
        self.deeper(|it| {
            let first = it.source(&relation.kind)?;
            it.steps(first, &relation.steps)
        })
    }

    fn steps(&mut self, first: Relation, steps: &[Step]) -> Result<Relation> {
        steps.iter().try_fold(first, |left, step| match step {
            Step::Join(join) => self.join(left, join),
            Step::Pivot(pivot) => self.pivot(left, pivot),
            Step::Unpivot(unpivot) => self.unpivot(left, unpivot),
        })
    }

    pub(crate) fn source(&mut self, kind: &RelationKind) -> Result<Relation> {
        match kind {
            RelationKind::Table { name, as_of, sample, alias } => {
                if as_of.is_some() {
                    return Err(Error::new(
                        "UNSUPPORTED_FEATURE.TIME_TRAVEL",
                        "The feature is not supported: Time travel on the relation.",
                    ));
                }
                let name = self.reference(name)?;
                let relation = self.table(&name).map_err(|error| error.at(name.span.start))?;
                let relation = self.sampled(relation, sample.as_ref())?;
                aliased(relation, alias)
            }
            RelationKind::Subquery { query, sample, alias } => {
                let relation = self.query(query)?;
                let relation = self.sampled(relation, sample.as_ref())?;
                let scope = relation.scope.renamed(&[], &[])?;
                aliased(Relation { plan: relation.plan, scope }, alias)
            }
            RelationKind::Nested { relation, sample, alias } => {
                let relation = self.relation(relation)?;
                let relation = self.sampled(relation, sample.as_ref())?;
                aliased(relation, alias)
            }
            RelationKind::Values(rows, alias) => self.values(rows, alias),
            RelationKind::Function { name, arguments, alias } => self.table_function(name, arguments, alias),
        }
    }

    /// A common table expression, view or table.
    pub(crate) fn table(&mut self, name: &Name) -> Result<Relation> {
        let parts: Vec<String> = name.parts.iter().map(|part| part.value.clone()).collect();
        if let [only] = parts.as_slice()
            && let Some(at) = self.find_cte(only)
        {
            return self.cte(at);
        }
        let session = self.session;
        let looked_up = match parts.as_slice() {
            // A view is read in the database that was current when it was made.
            [only]
                if self.database != session.catalog.current
                    && !session.catalog.temporary.contains_key(&only.to_lowercase()) =>
            {
                vec![self.database.clone(), only.clone()]
            }
            _ => parts.clone(),
        };
        match session.catalog.find(&looked_up) {
            Some(Found::Temporary(view, global)) => {
                self.temporary.get_or_insert_with(|| format!("`{}`", view.name));
                let qualifier =
                    if global { vec!["global_temp".to_owned(), view.name.clone()] } else { vec![view.name.clone()] };
                self.view(view, &qualifier)
            }
            Some(Found::Object(database, Object::View(view))) => {
                self.view(view, &[CATALOG.to_owned(), database.to_owned(), view.name.clone()])
            }
            Some(Found::Object(database, Object::Table(table))) => {
                self.scan(&[CATALOG.to_owned(), database.to_owned(), table.name.clone()], table)
            }
            None => match parts.as_slice() {
                [format, path] if FILES.contains(&format.to_lowercase().as_str()) => self.files(format, path),
                _ => Err(no_table(&parts)),
            },
        }
    }

    /// ``csv.`path` ``
    fn files(&mut self, format: &str, path: &str) -> Result<Relation> {
        let format = format.to_lowercase();
        let session = self.session;
        match session.files.get(&(format.clone(), path.to_owned())) {
            Some(table) => self.scan(&[format, path.to_owned()], table),
            None => {
                session.want(&format, path);
                Err(Error::new("PATH_NOT_FOUND", format!("Path does not exist: {path}.")))
            }
        }
    }

    fn scan(&mut self, qualifier: &[String], table: &Table) -> Result<Relation> {
        let Some(source) = &table.source else {
            return Err(Error::unsupported(format!("reading the table {}", table.name)));
        };
        let alias = self.id();
        let scan = TableScanBuilder::new(TableReference::bare(alias.clone()), Arc::clone(source)).build()?;
        let (mut exprs, mut columns) = (Vec::new(), Vec::new());
        for it in &table.columns {
            let id = self.id();
            let from = Column::new(Some(TableReference::bare(alias.clone())), it.field.name.clone());
            // A file may hold texts as views, or instants in nanoseconds: each type has one form here.
            let (held, wanted) = (source.schema(), it.field.data_type.to_arrow());
            let held = held.field_with_name(&it.field.name).map(|field| field.data_type().clone());
            let same = held.is_ok_and(|held| held.equals_datatype(&wanted));
            let expr =
                if same { Plan::Column(from) } else { datafusion::logical_expr::cast(Plan::Column(from), wanted) };
            exprs.push(expr.alias(id.clone()));
            let typed = column(&id, it.field.data_type.clone(), it.field.nullable, &it.field.name);
            columns.push(ScopeColumn::new(qualifier, typed));
        }
        let plan = LogicalPlan::TableScan(scan);
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?);
        Ok(Relation { plan, scope: Scope { columns } })
    }

    /// A table's rows with new columns at a place.
    pub(crate) fn widened(
        &mut self,
        database: &str,
        table: &Table,
        at: usize,
        new: &[crate::catalog::Column],
    ) -> Result<Resolved> {
        let qualifier = [CATALOG.to_owned(), database.to_owned(), table.name.clone()];
        let mut relation = self.scan(&qualifier, table)?;
        let mut columns: Vec<_> = relation.scope.columns.iter().map(|it| it.column.clone()).collect();
        let mut added = Vec::new();
        for it in new {
            let value = match &it.default {
                Some(text) => {
                    let parsed = paceline_syntax::parse_expression(text, self.session.grammar())
                        .map_err(|error| Error::new(error.class(), error.message()))?;
                    self.constant(&parsed.value)?
                }
                None => paceline_functions::Typed::null(it.field.data_type.clone(), "NULL")?,
            };
            let value = super::store_cast(value, &it.field.data_type, &self.settings)?;
            added.push(paceline_functions::Typed { name: it.field.name.clone(), ..value });
        }
        columns.splice(at..at, added);
        let (plan, columns) = self.project(relation.plan, columns)?;
        relation = Relation { plan, scope: Self::scope_of(columns) };
        self.finish(relation)
    }

    /// A view's query, under the settings and in the database of when it was made.
    fn view(&mut self, view: &View, qualifier: &[String]) -> Result<Relation> {
        let settings = std::mem::replace(&mut self.settings, Arc::clone(&view.settings));
        let database = std::mem::replace(&mut self.database, view.database.clone());
        let ctes = std::mem::take(&mut self.ctes);
        let windows = std::mem::take(&mut self.windows);
        let lambdas = std::mem::take(&mut self.lambdas);
        self.outer.push(Outer { scope: Scope::default(), used: Vec::new() });
        let relation = match &view.source {
            ViewSource::Query(query) => self.query(query).and_then(|it| self.as_declared(it, view)),
            ViewSource::Files(table) => self.scan(&[], table),
        };
        self.outer.pop();
        (self.settings, self.database, self.ctes) = (settings, database, ctes);
        (self.windows, self.lambdas) = (windows, lambdas);
        let relation = relation?;
        let names: Vec<String> = view.columns.iter().map(|it| it.field.name.clone()).collect();
        let scope = relation.scope.renamed(qualifier, &names)?;
        Ok(Relation { plan: relation.plan, scope })
    }

    /// A view has the columns and types that it was made with.
    fn as_declared(&mut self, relation: Relation, view: &View) -> Result<Relation> {
        let columns: Vec<_> = relation.scope.visible().map(|it| it.column.clone()).collect();
        let columns = if columns.len() > view.columns.len() && view.names.is_empty() {
            // Columns that its tables got since are not the view's.
            let find = |name: &str| columns.iter().find(|it| self.same(&it.name, name)).cloned();
            view.columns.iter().filter_map(|it| find(&it.field.name)).collect()
        } else {
            columns
        };
        if columns.len() != view.columns.len() {
            return Err(Error::new(
                "INCOMPATIBLE_VIEW_SCHEMA_CHANGE",
                format!(
                    "The SQL query of view {} has an incompatible schema change and column {} cannot be resolved.",
                    view.name,
                    view.columns.last().map_or("", |it| it.field.name.as_str())
                ),
            ));
        }
        if columns.iter().zip(&view.columns).all(|(it, declared)| it.data_type == declared.field.data_type) {
            let scope = Self::scope_of(columns);
            return Ok(Relation { plan: relation.plan, scope });
        }
        let settings = Arc::clone(&self.settings);
        let columns = columns
            .into_iter()
            .zip(&view.columns)
            .map(|(it, declared)| cast(it, &declared.field.data_type, &settings))
            .collect::<Result<_>>()?;
        let (plan, columns) = self.project(relation.plan, columns)?;
        Ok(Relation { plan, scope: Self::scope_of(columns) })
    }

    /// TABLESAMPLE: the first rows, or as Spark has it those whose random number is below the fraction.
    fn sampled(&mut self, relation: Relation, sample: Option<&Sample>) -> Result<Relation> {
        let Some(sample) = sample else { return Ok(relation) };
        let rows = match &sample.method {
            SampleMethod::Percent(percent) if *percent >= 100.0 => return Ok(relation),
            SampleMethod::Percent(percent) if *percent <= 0.0 => 0,
            SampleMethod::Rows(rows) => {
                let scope = Scope::default();
                let typed = self.expr(rows, super::Names::of(&scope))?;
                let typed = cast(typed, &DataType::Long, &self.settings)?;
                match evaluate(&typed)? {
                    datafusion::scalar::ScalarValue::Int64(Some(rows)) if rows >= 0 => rows,
                    _ => {
                        return Err(Error::new(
                            "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
                            "The limit expression is invalid.",
                        ));
                    }
                }
            }
            SampleMethod::Percent(percent) => return self.fraction(relation, percent / 100.0, sample.seed),
            SampleMethod::Bucket(bucket, of) => {
                return self.fraction(relation, f64::from(*bucket) / f64::from(*of), sample.seed);
            }
        };
        let plan = Limit { skip: None, fetch: Some(Box::new(lit(rows))), input: Arc::new(relation.plan) };
        Ok(Relation { plan: LogicalPlan::Limit(plan), scope: relation.scope })
    }

    fn fraction(&mut self, relation: Relation, fraction: f64, seed: Option<i64>) -> Result<Relation> {
        let seed = seed.map(|seed| Typed::literal(seed.into(), DataType::Long, ""));
        let random = self.call_named("rand", seed.into_iter().collect())?;
        let plan = Filter::try_new(random.expr.lt(lit(fraction)), Arc::new(relation.plan))?;
        Ok(Relation { plan: LogicalPlan::Filter(plan), scope: relation.scope })
    }
}

/// `AS t(a, b)`
pub(crate) fn aliased(relation: Relation, alias: &TableAlias) -> Result<Relation> {
    let Some(name) = &alias.name else { return Ok(relation) };
    let names: Vec<String> = alias.columns.iter().map(|it| it.value.clone()).collect();
    let scope = relation.scope.renamed(std::slice::from_ref(&name.value), &names)?;
    Ok(Relation { plan: relation.plan, scope })
}
