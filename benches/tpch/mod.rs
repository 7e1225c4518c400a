//! The queries of TPC-H on three executors beside a process alone, and queries over four times the memory of an executor.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use paceline_benches::{Table, median, paceline};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::cluster::Machines;
use super::{RUNS, Result};

const TABLES: [&str; 8] = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];
/// An executor's memory where it is scarce, in bytes.
const POOL: f64 = 1e9;

/// The tables at a scale, with the views of them.
struct Tables {
    folder: TempDir,
    views: String,
}

impl Tables {
    fn at(scale: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let made = Command::new(paceline()?)
            .args(["data", "tpch", "--scale", scale, "--out"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("the tables cannot be made".into());
        }
        let view = |table: &&str| {
            let path = folder.path().join(table);
            format!("CREATE TEMPORARY VIEW {table} USING parquet OPTIONS (path '{}');\n", path.display())
        };
        let views = TABLES.iter().map(view).collect();
        Ok(Tables { folder, views })
    }

    /// Runs a query, and returns what it said and how many seconds it took.
    fn run(&self, query: &str, flags: &[&str]) -> Result<(String, f64)> {
        let script = self.folder.path().join("query.sql");
        std::fs::write(&script, format!("{}{query}", self.views))?;
        let start = Instant::now();
        let Output { status, stdout, stderr } =
            Command::new(paceline()?).arg("run").arg(&script).args(flags).output()?;
        if !status.success() {
            return Err(format!("{query}\nfailed: {}", String::from_utf8_lossy(&stderr)).into());
        }
        Ok((String::from_utf8(stdout)?, start.elapsed().as_secs_f64()))
    }
}

/// All 22 queries at scale 1, here and there in turns.
pub fn tpch(_: &Runtime) -> Result<Table> {
    let (tables, machines) = (Tables::at("1")?, Machines::start(3, &[])?);
    let there = ["--cluster", &machines.at];
    let (mut alone, mut cluster) = (0.0, 0.0);
    for number in 1..=22 {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tpch/queries/q{number:02}.sql"));
        let query = std::fs::read_to_string(file)?;
        let (mut of_alone, mut of_cluster) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let (here, seconds) = tables.run(&query, &[])?;
            of_alone.push(seconds);
            let (there, seconds) = tables.run(&query, &there)?;
            of_cluster.push(seconds);
            if here != there {
                return Err(format!("query {number} says something else on the cluster").into());
            }
        }
        alone += median(of_alone);
        cluster += median(of_cluster);
    }
    let mut table = Table::begin("TPC-H at scale 1, 22 queries, each in a process of its own, the same answers");
    table.only("seconds alone", alone);
    table.only("seconds on 3 executors", cluster);
    table.at_most("3 executors ÷ alone", cluster / alone, 1.6);
    Ok(table)
}

/// A sort, a join and an aggregate over some 4.4 GB of rows, on executors with 1 GB.
pub fn spill(_: &Runtime) -> Result<Table> {
    let tables = Tables::at("4")?;
    let out = tables.folder.path().join("sorted");
    let queries = [
        (
            "a sort",
            format!(
                "INSERT OVERWRITE DIRECTORY '{}' USING parquet \
                 SELECT * FROM lineitem ORDER BY l_comment, l_orderkey, l_linenumber;",
                out.display()
            ),
        ),
        (
            "a join",
            "SELECT count(*), sum(a.l_quantity), max(b.l_comment) FROM lineitem a JOIN lineitem b \
             ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber AND a.l_comment = b.l_comment;"
                .to_owned(),
        ),
        (
            "an aggregate",
            "SELECT count(*), max(c) FROM (SELECT l_orderkey, l_linenumber, l_comment, l_shipinstruct, count(*) AS c \
             FROM lineitem GROUP BY l_orderkey, l_linenumber, l_comment, l_shipinstruct);"
                .to_owned(),
        ),
    ];
    let mut table = Table::begin("4.4 GB of rows on 3 executors with 1 GB each: an executor's most memory ÷ 1 GB");
    for (name, query) in queries {
        let machines = Machines::start(3, &["--memory-pool", "1000000000"])?;
        let (_, seconds) = tables.run(&query, &["--cluster", &machines.at])?;
        table.at_most(name, machines.peak_memory()? / POOL, 1.5);
        table.only(&format!("{name}, seconds"), seconds);
    }
    Ok(table)
}
