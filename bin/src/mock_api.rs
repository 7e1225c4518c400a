//! `paceline mock-api`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use paceline_engine::demo::{MockApi, MockApiOptions, OwnLimit};

use crate::ExitCode;
use crate::progress::say;

/// How the API behaves.
#[derive(clap::Args)]
pub struct Arguments {
    /// Port to serve on; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Address to serve on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Time from a request to its reply
    #[arg(long, default_value_t = 50)]
    latency_ms: u64,
    /// Of 100 requests, how many fail with status 500
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_percent: u8,
    /// Of 100 requests, how many lose their connection in the midst of the reply
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    reset_percent: u8,
    /// Most requests in any sliding period; more are answered with 429 and Retry-After (default: no limit)
    #[arg(long, value_name = "REQUESTS")]
    rate_limit: Option<NonZeroU32>,
    /// Length of that period, as 500ms or 2s
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = period, requires = "rate_limit")]
    rate_limit_period: Duration,
}

fn period(text: &str) -> Result<Duration, String> {
    let period = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if period.is_zero() { Err("the period must be longer than nothing".to_owned()) } else { Ok(period) }
}

/// Serves until Ctrl-C.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let latency = Duration::from_millis(arguments.latency_ms);
    let period = arguments.rate_limit_period;
    let limit = arguments.rate_limit.map(|requests| OwnLimit { requests, period });
    let Arguments { fail_percent, reset_percent, .. } = arguments;
    let options = MockApiOptions { latency, fail_percent, reset_percent, limit };
    let address = SocketAddr::new(arguments.host, arguments.port);
    let api = MockApi::start(address, options).map_err(|error| format!("cannot serve on {address}: {error}"))?;
    say(&format!("POST records to {}; GET /stats shows what arrived, POST /reset forgets it", api.url()));
    tokio::signal::ctrl_c().await?;
    say(&serde_json::to_string(&api.stats())?);
    Ok(ExitCode::SUCCESS)
}
