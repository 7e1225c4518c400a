//! `paceline config`

use std::path::PathBuf;

use paceline_engine::api_defaults::PATTERNS;
use paceline_engine::cluster::sizing::SPARK_KEYS;
use paceline_engine::enrich::Values;
use paceline_engine::function_options;
use paceline_engine::settings::{KEYS, SETTINGS, find_setting};

use crate::ExitCode;
use crate::enrich::{Flags, gather};

/// Which settings are shown.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// File with settings, one NAME=value a line
    #[arg(long, value_name = "FILE", default_value = ".env")]
    env_file: PathBuf,
}

/// Prints all settings.
#[expect(clippy::print_stdout, reason = "the settings are the result")]
pub fn start(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let values: Values = gather(&arguments.flags, &arguments.env_file)?;
    println!("# paceline enrich: flag, environment or {}\n", arguments.env_file.display());
    for (row, value) in values.list() {
        let shown = value.map_or("(not set)".to_owned(), |(value, source)| format!("{} ({source})", masked(value)));
        println!("{:<20} {shown}\n{:<20} {}", row.name, "", row.meaning);
    }
    println!("\n# the engine: --conf KEY=VALUE\n");
    for key in KEYS {
        println!("{:<24} {}", key.name, key.meaning);
    }
    for (name, meaning) in PATTERNS {
        println!("{name}\n{:<24} {meaning}", "");
    }
    println!("\n# Spark's for statements: --conf KEY=VALUE, or SET KEY = VALUE in SQL\n");
    for setting in SETTINGS {
        println!("{}\n{:<24} {} (default {})", setting.key, "", setting.meaning, setting.default);
    }
    println!("\n# Spark's: --conf KEY=VALUE of paceline cluster and executor, those of partitions of paceline run\n");
    for key in SPARK_KEYS.iter().filter(|key| find_setting(key.name).is_none()) {
        println!("{}\n{:<24} {}", key.name, "", key.meaning);
    }
    println!("\n# an API function: OPTIONS (key 'value', …)\n");
    for row in function_options() {
        let default = row.default.map_or(String::new(), |default| format!(" (default: {default})"));
        println!("{:<24} {}{default}", row.key, row.meaning);
    }
    Ok(ExitCode::SUCCESS)
}

/// A URL may carry a password or a token; neither is shown.
fn masked(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let rest = rest.split_once('?').map_or(rest.to_owned(), |(place, _)| format!("{place}?…"));
    match rest.split_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}
