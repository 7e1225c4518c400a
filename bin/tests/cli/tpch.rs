//! Queries over the tables of TPC-H: a cluster says what a process alone says, also where its memory is far too small.

use super::cluster::Machines;
use super::*;

const TABLES: [&str; 8] = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

/// Views of the tables at a scale.
fn views(setting: &Setting, scale: &str) -> String {
    let output = setting.paceline(&["data", "tpch", "--scale", scale, "--out", "tpch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let view = |table: &&str| {
        format!(
            "CREATE TEMPORARY VIEW {table} USING parquet OPTIONS (path '{}');\n",
            setting.path(&format!("tpch/{table}"))
        )
    };
    TABLES.iter().map(view).collect()
}

fn all_queries() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/tpch/queries");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 22);
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn the_queries_of_tpch_say_the_same_on_a_cluster() {
    let setting = Setting::new("1000");
    let machines = Machines::new(&setting, 3);
    let (there, here) = machines.query(&(views(&setting, "0.02") + &all_queries()));
    assert!(here.matches("+--").count() >= 22, "{here}");
    assert_eq!(there, here);
}

#[test]
fn executors_that_do_not_share_a_disk_say_the_same() {
    let setting = Setting::new("1000");
    let machines = Machines::apart(&setting, 2);
    let sorted = "SELECT l_comment, l_orderkey FROM lineitem ORDER BY l_comment, l_orderkey LIMIT 20;\n";
    let joined = "SELECT count(*), max(a.l_comment || b.l_shipmode) FROM lineitem a JOIN lineitem b \
                  ON a.l_orderkey = b.l_orderkey AND a.l_comment = b.l_comment;\n";
    let (there, here) = machines.query(&(views(&setting, "0.1") + sorted + joined));
    assert_eq!(there, here);
}

#[test]
fn what_does_not_fit_into_memory_spills_and_what_cannot_spill_fails_alone() {
    let setting = Setting::new("1000");
    // 600,000 rows of some 180 bytes.
    let views = views(&setting, "0.1");
    let mut machines = Machines::sized(&setting, 2, &["--memory-pool", "24000000"]);
    let sorted = "SELECT max(n), max(l_comment) FROM (SELECT row_number() OVER (ORDER BY l_comment, l_orderkey, \
                  l_linenumber) AS n, l_comment, l_shipinstruct, l_shipmode FROM lineitem);\n";
    let joined = "SELECT count(*), sum(a.l_quantity), max(a.l_comment || b.l_shipinstruct) FROM lineitem a \
                  JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber;\n";
    let grouped = "SELECT count(*), max(c) FROM (SELECT l_orderkey, l_comment, l_shipdate, count(*) AS c \
                   FROM lineitem GROUP BY l_orderkey, l_comment, l_shipdate);\n";
    let fits = views.clone() + sorted + joined + grouped;
    let (there, here) = machines.query(&fits);
    assert_eq!(there, here);

    let cannot = "SELECT cardinality(array_agg(l_comment || l_shipinstruct || l_shipmode)) FROM lineitem;\n";
    std::fs::write(setting.path("cannot.sql"), views + cannot).unwrap();
    let output = machines.on(setting.paceline(&["run", "cannot.sql"])).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("out of memory"), "{}", said(&output));
    assert!(machines.are_all_alive());
    let (there, here) = machines.query(&fits);
    assert_eq!(there, here);
}
