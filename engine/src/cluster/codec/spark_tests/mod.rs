//! Statements of Spark are the same on the other side: planned, sent, planned on, sent on, and run.

mod arguments;
mod registry;
mod shapes;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::context::TaskContext;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use paceline_functions::{StructField, hive_row};
use paceline_sql::catalog::{Object, Session};
use paceline_sql::commands::{Action, plan_statement};
use paceline_sql::resolve::Resolved;

use super::{PlanCodec, to_proto};
use crate::cluster::client::numbered;
use crate::cluster::portable::portable;
use crate::io::s3::S3Settings;
use crate::io::stores::Stores;
use crate::position::LiftPositions;
use crate::session::planner::Planner;

/// A column of each type, in three partitions.
const TABLE: &str = "SELECT id AS l, CAST(id % 3 AS INT) AS g, IF(id = 4, NULL, CAST(id AS INT)) AS i, CAST(id AS SMALLINT) AS sh,
     CAST(id AS TINYINT) AS y, id / 4 AS d, CAST(id / 8 AS FLOAT) AS f, CAST(id / 4 AS DECIMAL(10, 2)) AS n,
     IF(id = 2, NULL, concat('a', id, ',b:', id % 2)) AS s, CAST(concat('x', id) AS BINARY) AS b, id % 2 = 0 AS t,
     date_add(DATE '2020-02-27', CAST(id AS INT)) AS dt, TIMESTAMP '2020-03-08 01:30:00' + make_dt_interval(0, CAST(id AS INT)) AS ts,
     TIMESTAMP_NTZ '2020-03-08 01:30:00' + make_dt_interval(CAST(id AS INT)) AS ntz, make_ym_interval(1, CAST(id AS INT)) AS ym,
     make_dt_interval(CAST(id AS INT), 3) AS dti, CAST(make_dt_interval(CAST(id AS INT)) AS INTERVAL DAY) AS dd,
     make_interval(0, 1, 0, CAST(id AS INT)) AS ci, array(CAST(id AS INT), NULL, 3) AS ai, array('b', concat('s', id)) AS az,
     map('k', CAST(id AS INT), concat('k', id), 2) AS m, named_struct('p', CAST(id AS INT), 'q', concat('q', id)) AS st,
     array(named_struct('k', concat('e', id), 'v', CAST(id AS INT))) AS ast, array(array(CAST(id AS INT)), array(7)) AS aai,
     concat('{\"p\": ', id, ', \"q\": [1, 2]}') AS j
 FROM range(9)";

/// What runs statements in two ways.
struct Both {
    session: Session,
    state: SessionState,
    elsewhere: Arc<TaskContext>,
    codec: PlanCodec,
}

impl Both {
    async fn new() -> Self {
        let config = crate::cluster::config().with_target_partitions(3).with_batch_size(4);
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(config)
            .with_optimizer_rules(crate::cluster::optimizer_rules(true))
            .with_analyzer_rule(Arc::new(LiftPositions))
            .with_query_planner(Arc::new(Planner { cluster: None }))
            .build();
        let elsewhere = SessionStateBuilder::new_from_existing(crate::cluster::executor::functions());
        let elsewhere = elsewhere.with_config(SessionConfig::new().with_batch_size(4)).build().task_ctx();
        let stores = Stores::new(S3Settings::default(), tokio::runtime::Handle::current());
        let codec = PlanCodec::new(Arc::new(stores));
        let mut both = Both { session: Session::default(), state, elsewhere, codec };
        both.session.set("spark.sql.session.timeZone", "America/Los_Angeles");
        both.table("t", TABLE).await;
        both
    }

    /// A table of a query's rows.
    async fn table(&mut self, name: &str, query: &str) {
        let Action::CreateTable { database, mut table, query: Some(query) } =
            plan_statement(&mut self.session, &format!("CREATE TABLE {name} AS {query}")).unwrap()
        else {
            unreachable!("it makes a table")
        };
        let columns: Vec<_> =
            table.columns.iter().map(|it| StructField { nullable: true, ..it.field.clone() }.to_arrow()).collect();
        let schema: SchemaRef = Arc::new(Schema::new(columns));
        let plan = self.state.create_physical_plan(&query.plan).await.unwrap();
        let rows = collect(plan, self.state.task_ctx()).await.unwrap();
        let rows: Vec<_> =
            rows.iter().map(|it| RecordBatch::try_new(Arc::clone(&schema), it.columns().to_vec()).unwrap()).collect();
        let mut partitions = vec![Vec::new(), Vec::new(), Vec::new()];
        for (at, batch) in rows.into_iter().enumerate() {
            partitions[at % 3].push(batch);
        }
        table.source = Some(provider_as_source(Arc::new(MemTable::try_new(schema, partitions).unwrap())));
        let database = self.session.catalog.database_mut(&database).unwrap();
        database.objects.insert(name.to_owned(), Object::Table(*table));
    }

    /// A query, if it can be resolved.
    fn resolve(&mut self, text: &str) -> std::result::Result<Resolved, paceline_functions::Error> {
        match plan_statement(&mut self.session, text)? {
            Action::Query(resolved) => Ok(resolved),
            action => unreachable!("{text} is no query but {action:?}"),
        }
    }

    /// A plan as the driver sends it, as the scheduler sends it on, and as it arrives.
    fn sent(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let arrived = |node: PhysicalPlanNode| {
            let mut bytes = Vec::new();
            node.try_encode(&mut bytes)?;
            let node = <PhysicalPlanNode as AsExecutionPlan>::try_decode(&bytes)?;
            node.try_into_physical_plan(&self.elsewhere, &self.codec)
        };
        let plan = arrived(to_proto(numbered(portable(plan)?)?, &self.codec)?)?;
        arrived(PhysicalPlanNode::try_from_physical_plan(plan, &self.codec)?)
    }

    /// The rows of a query in two ways, each in no order.
    async fn rows(&self, resolved: &Resolved) -> [Result<Vec<String>>; 2] {
        let plan = match self.state.create_physical_plan(&resolved.plan).await {
            Ok(plan) => plan,
            Err(error) => return [0, 1].map(|_| Err(DataFusionError::Plan(error.to_string()))),
        };
        let schema = plan.schema();
        // Sent before it runs: its filters learn from the rows that they see.
        let sent = self.sent(Arc::clone(&plan));
        let here = self.show(collect(plan, self.state.task_ctx()).await, resolved);
        let there = match sent {
            Ok(plan) => {
                assert_eq!(plan.schema(), schema, "{}", resolved.plan.display_indent());
                self.show(collect(plan, Arc::clone(&self.elsewhere)).await, resolved)
            }
            Err(error) => Err(error.context("on its way")),
        };
        [here, there]
    }

    fn show(&self, batches: Result<Vec<RecordBatch>>, resolved: &Resolved) -> Result<Vec<String>> {
        let types: Vec<_> = resolved.output.iter().map(|it| it.data_type.clone()).collect();
        let mut rows = Vec::new();
        for batch in batches? {
            for row in 0..batch.num_rows() {
                rows.push(hive_row(&batch, row, &types, &self.session.settings)?);
            }
        }
        rows.sort();
        Ok(rows)
    }

    /// What is different, if something is, or fails in both ways.
    async fn difference(&self, text: &str, resolved: &Resolved, fails: Option<bool>) -> Option<String> {
        let [here, there] = self.rows(resolved).await.map(|rows| rows.map_err(|error| error.strip_backtrace()));
        let is_wrong = here != there || fails.is_some_and(|fails| fails != here.is_err());
        is_wrong.then(|| format!("{text}\n  here:  {here:?}\n  there: {there:?}"))
    }
}
