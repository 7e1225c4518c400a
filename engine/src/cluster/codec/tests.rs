//! Plans go to another process and are the same there.

use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::execution::FunctionRegistry;
use datafusion::physical_plan::displayable;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use paceline_sql::commands::Action;

use super::*;
use crate::cluster::client::numbered;
use crate::io::job_folder::JobFolder;
use crate::io::s3::S3Settings;
use crate::io::sink::{Target, WriteFiles};
use crate::{Session, Settings};

async fn session(folder: &std::path::Path) -> Session {
    std::fs::write(folder.join("in.csv"), "id;email\n1;a\n2;b\n").unwrap();
    std::fs::write(folder.join("in.json"), "{\"id\":1}\n").unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, b"{\"id\":1}\n").unwrap();
    std::fs::write(folder.join("in.json.gz"), gz.finish().unwrap()).unwrap();
    let session = Session::new(Settings::default()).unwrap();
    let at = folder.display();
    for statement in [
        format!(
            "CREATE TEMPORARY VIEW records USING csv OPTIONS (path '{at}/in.csv', header 'true', sep ';', mode 'FAILFAST')"
        ),
        format!("CREATE TEMPORARY VIEW plain USING json OPTIONS (path '{at}/in.json')"),
        format!("CREATE TEMPORARY VIEW packed USING json OPTIONS (path '{at}/in.json.gz')"),
        "CREATE TEMPORARY FUNCTION f(id STRING, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE> USING API \
         OPTIONS (endpoint 'http://127.0.0.1:1/x', rate_limit_calls '5', on_error 'dead_letter', max_failed_percent '50')"
            .to_owned(),
        "CREATE TEMPORARY FUNCTION g(id BIGINT) RETURNS STRING DETERMINISTIC USING API OPTIONS \
         (endpoint 'http://127.0.0.1:1/y', rate_limit_calls 'unlimited')"
            .to_owned(),
    ] {
        session.sql(&statement, "job").await.unwrap();
    }
    session
}

async fn plan(session: &Session, query: &str, output: &str) -> Arc<dyn ExecutionPlan> {
    let Action::Query(query) = session.plan(query).await.unwrap() else { unreachable!("it is a query") };
    let state = session.context().state();
    let query = crate::session::plan::with_names(&query).unwrap();
    let folder = JobFolder::new(session.stores().place(output).unwrap(), "job");
    let target = Target::new(folder, "csv", &[("header".to_owned(), "true".to_owned())]).unwrap();
    let plan = match output {
        "" => query,
        _ => WriteFiles::plan(target, query).unwrap(),
    };
    state.create_physical_plan(&plan).await.unwrap()
}

#[tokio::test]
async fn every_operator_of_ours_is_the_same_on_the_other_side() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path()).await;
    let codec = PlanCodec::new(Arc::new(Stores::new(S3Settings::default(), tokio::runtime::Handle::current())));
    let output = folder.path().join("out").display().to_string();
    for query in [
        "SELECT f(id, email).status AS status FROM records",
        "SELECT id, CASE WHEN id > '1' THEN f(id, email) END.score AS score FROM records",
        "SELECT g(id) AS answer FROM plain UNION ALL SELECT g(id) FROM packed",
        "SELECT g(p.n) AS answer FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM packed) p JOIN \
         (SELECT id, row_number() OVER (ORDER BY id) AS n FROM packed) q ON p.n = q.n",
        "SELECT count(*) AS n, g(max(p.id)) AS answer FROM packed p JOIN plain q ON p.id = q.id GROUP BY p.id",
    ] {
        let sent = numbered(plan(&session, query, &output).await).unwrap();
        let mut bytes = Vec::new();
        let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(&sent), &codec).unwrap();
        AsExecutionPlan::try_encode(&node, &mut bytes).unwrap();
        let node = <PhysicalPlanNode as AsExecutionPlan>::try_decode(&bytes).unwrap();
        let context = session.context().task_ctx();
        let arrived = node.try_into_physical_plan(&context, &codec).unwrap();
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
        assert_eq!(shown(&arrived), shown(&sent), "{query}");
        let mut again = Vec::new();
        let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(&arrived), &codec).unwrap();
        AsExecutionPlan::try_encode(&node, &mut again).unwrap();
        assert!(again == bytes, "{query}: what is sent on differs");
        // Nobody calls anything where the plan only passes through.
        let failed = datafusion::physical_plan::collect(arrived, context).await.unwrap_err().to_string();
        assert!(failed.contains("nobody calls"), "{failed}");
    }
}

#[tokio::test]
async fn executors_know_every_function_that_sessions_know() {
    let session = Session::new(Settings::default()).unwrap();
    let state = session.context().state();
    let registry = BallistaFunctionRegistry::from(&crate::cluster::executor::functions());
    for name in state.scalar_functions().keys() {
        assert_eq!(registry.udf(name).unwrap().name(), state.scalar_functions()[name].name());
    }
    for name in state.aggregate_functions().keys() {
        assert_eq!(registry.udaf(name).unwrap().name(), state.aggregate_functions()[name].name());
    }
    for name in state.window_functions().keys() {
        assert_eq!(registry.udwf(name).unwrap().name(), state.window_functions()[name].name());
    }
    assert!(state.scalar_functions().len() > 100);
}
