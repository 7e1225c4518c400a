//! Whole processes, whose quotas are leased from one keeper, on paused time.

use std::sync::{Arc, Mutex};

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::*;
use crate::caller::{Caller, Fate};
use crate::client::{Outgoing, Transport, causes};
use crate::quota::Quotas;
use crate::spec::ApiFunction;
use crate::testing::{Script, Step};

/// A keeper in the same process; while it is down nobody reaches it.
#[derive(Debug)]
struct Near {
    keeper: Mutex<Keeper>,
    down: Mutex<bool>,
    messages: Mutex<usize>,
    /// Of a message to it.
    delay: Duration,
}

impl Near {
    fn start() -> Arc<Self> {
        Self::behind(MS * 5)
    }

    fn behind(delay: Duration) -> Arc<Self> {
        let keeper = Mutex::new(Keeper::new(None, false, Instant::now()));
        Arc::new(Near { keeper, down: Mutex::default(), messages: Mutex::default(), delay })
    }
}

#[async_trait]
impl Leases for Near {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Result<Grant, Refused>>, LinkError> {
        *self.messages.lock().unwrap() += 1;
        sleep(self.delay).await;
        if *self.down.lock().unwrap() {
            return Err(LinkError("down".into()));
        }
        let mut keeper = self.keeper.lock().unwrap();
        Ok(asks.iter().map(|ask| keeper.ask(ask, Instant::now(), SystemTime::now())).collect())
    }
}

fn caller(quotas: &Quotas, script: &Arc<Script>, options: &[(&str, &str)]) -> Arc<Caller> {
    let mut given = vec![("endpoint".to_owned(), "http://api.example/".to_owned())];
    given.extend(options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let api = Arc::new(ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap());
    let quota = quotas.get(&api.options.pace.quota, &api.options.pace.limits, SystemTime::now()).unwrap();
    Arc::new(Caller::new(api, quota, Arc::clone(script) as Arc<dyn Transport>, Handle::current()))
}

async fn call(caller: &Arc<Caller>, requests: usize) -> Vec<Fate> {
    let mut pending = Vec::new();
    for _ in 0..requests {
        pending.push(caller.submit(Outgoing::json(Bytes::new())).await);
    }
    let mut fates = Vec::new();
    for pending in pending {
        fates.push(pending.await.unwrap());
    }
    fates
}

/// Milliseconds after `start` of each request.
fn sent(script: &Script, start: Instant) -> Vec<u128> {
    script.seen().iter().map(|seen| (seen.at - start).as_millis()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_caller_calls_as_soon_as_the_first_lease_is_there_and_stops_when_it_ends() {
    let near = Near::start();
    let quotas = Quotas::shared(near.clone(), "p", &Handle::current());
    let script = Arc::new(Script::new(MS, []));
    let caller = caller(&quotas, &script, &[("rate_limit_calls", "2")]);
    sleep(MS * 700).await;
    let start = Instant::now();
    call(&caller, 1).await;
    assert!(sent(&script, start)[0] <= 20, "{:?}", sent(&script, start));
    *near.down.lock().unwrap() = true;
    tokio::select! {
        _ = call(&caller, 9) => panic!("all were sent"),
        () = sleep(SECOND * 10) => {}
    }
    let at = sent(&script, start);
    assert!((3..=6).contains(&at.len()) && *at.last().unwrap() < 2300, "{at:?}");
    *near.down.lock().unwrap() = false;
    call(&caller, 1).await;
    assert!(near.keeper.lock().unwrap().units("f").iter().sum::<u32>() == 2);
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_a_limit_and_a_breaker_and_a_goodbye_frees_the_rest() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let script = Arc::new(Script::new(MS * 10, []));
    let callers = [0, 1].map(|process: usize| caller(&processes[process], &script, &[("rate_limit_calls", "100")]));
    let start = Instant::now();
    tokio::join!(call(&callers[0], 300), call(&callers[1], 300));
    let at = sent(&script, start);
    assert!(at.windows(101).all(|calls| calls[100] - calls[0] >= 1000), "more than a hundred in a second");
    assert!(start.elapsed() < MS * 7000, "{:?}", start.elapsed());
    let [one, two] = processes;
    drop((one, script));
    sleep(MS * 100).await;
    let start = Instant::now();
    call(&callers[1], 200).await;
    assert!(start.elapsed() < MS * 3300, "{:?}", start.elapsed());
    drop(two);
}

#[tokio::test(start_paused = true)]
async fn what_one_process_does_not_need_any_more_the_other_has_after_two_messages() {
    let near = Near::behind(MS * 150);
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let scripts = [(); 2].map(|()| Arc::new(Script::new(MS, [])));
    let callers =
        [0, 1].map(|process: usize| caller(&processes[process], &scripts[process], &[("rate_limit_calls", "100")]));
    call(&callers[0], 200).await;
    let (start, before) = (Instant::now(), *near.messages.lock().unwrap());
    call(&callers[1], 100).await;
    let (first, last) = (sent(&scripts[1], start)[0], *sent(&scripts[1], start).last().unwrap());
    // It has ended 50 ms after its last call, and is asked about every 25; then a message, the other's next ask, 10 ms each.
    assert!(first < 300 && last < 1400, "{first} {last}");
    let messages = *near.messages.lock().unwrap() - before;
    assert!(messages < 80, "{messages}");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_stops_the_other_process_too() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let failing = Arc::new(Script::new(MS, vec![Step::Echo(500); 3]));
    let well = Arc::new(Script::new(MS, []));
    let options = [
        ("rate_limit_calls", "100"),
        ("breaker", "consecutive"),
        ("breaker_failures", "3"),
        ("breaker_open_for", "10 s"),
        ("retry_max_attempts", "1"),
    ];
    let (one, two) = (caller(&processes[0], &failing, &options), caller(&processes[1], &well, &options));
    call(&two, 1).await;
    call(&one, 3).await;
    sleep(SECOND).await;
    let start = Instant::now();
    let probe = async {
        sleep(MS * 100).await;
        call(&one, 1).await
    };
    tokio::join!(call(&two, 1), probe);
    let (probe, other) = (sent(&failing, start)[3..].to_vec(), sent(&well, start)[1..].to_vec());
    assert!((8000..9500).contains(&probe[0]), "{probe:?}");
    assert!((probe[0]..probe[0] + 600).contains(&other[0]), "{probe:?} {other:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_stops_the_other_process_too() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let limited = Arc::new(Script::new(MS, [Step::RetryAfter(429, "3")]));
    let well = Arc::new(Script::new(MS, []));
    let options = [("rate_limit_calls", "100")];
    let (one, two) = (caller(&processes[0], &limited, &options), caller(&processes[1], &well, &options));
    let start = Instant::now();
    let later = async {
        sleep(MS * 600).await;
        call(&two, 1).await
    };
    tokio::join!(call(&one, 1), later);
    assert!(sent(&well, start)[0] >= 3000, "{:?}", sent(&well, start));
}

#[tokio::test(start_paused = true)]
async fn what_the_cluster_refuses_ends_the_job_with_its_reason() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let script = Arc::new(Script::new(MS, []));
    let one = caller(&processes[0], &script, &[("rate_limit_calls", "100")]);
    call(&one, 1).await;
    let other = caller(&processes[1], &script, &[("rate_limit_calls", "50")]);
    let fates = call(&other, 1).await;
    assert!(matches!(&fates[0], Fate::Stop(reason) if reason.contains("allows 100 calls per 1s")), "{fates:?}");
    let adaptive = Limits::adaptive(NonZeroU32::MIN, limits(&[(9, 1)]).all()[0]).unwrap();
    let error = processes[0].get("x", &adaptive, SystemTime::now()).unwrap_err();
    expect!["quota 'x' is adaptive, which the processes of a cluster cannot share: give it a fixed rate (rate_limit_calls), or run the job in one process"].assert_eq(&causes(&error));
}
