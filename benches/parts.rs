//! The parts on a row's way that cost CPU: the limiter's decision, a request's body, a reply's value.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use paceline_udfs::limiter::{Limiter, Rate};
use paceline_udfs::{ApiFunction, wire};

const ROWS: usize = 8192;

fn limiter(criterion: &mut Criterion) {
    let rate = Rate::Limited { calls: NonZeroU32::MIN.saturating_add(4999), period: Duration::from_secs(1) };
    criterion.bench_function("limiter: one decision", |bencher| {
        let mut now = Instant::now();
        let mut limiter = Limiter::new(rate, now.into());
        bencher.iter(|| {
            now += Duration::from_micros(201);
            black_box(limiter.admit(now.into()))
        });
    });
}

fn record(criterion: &mut Criterion) -> Result<(), Box<dyn std::error::Error>> {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ROWS as i64));
    let emails: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|id| format!("user{id}@example.com"))));
    let arguments = RecordBatch::try_from_iter([("id", ids), ("email", emails)])?;
    let fields = vec![Field::new("status", DataType::Utf8, true), Field::new("score", DataType::Float64, true)];
    let returns = DataType::Struct(fields.into());
    let replies = vec![Some(Bytes::from_static(br#"{"status":"ok","score":0.1234}"#)); ROWS];
    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Elements(ROWS as u64));
    for format in ["record", "array"] {
        let options = [("endpoint", "http://api.example/"), ("rate_limit_calls", "1"), ("format", format)];
        let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let api = ApiFunction::declare("f", Fields::empty(), returns.clone(), false, &options)?;
        group.bench_function(format!("rows to requests, {format}"), |bencher| {
            bencher.iter(|| {
                let rows = wire::objects(black_box(&arguments))?;
                let shares = wire::shares(&api, rows.len()).into_iter();
                Ok::<_, ArrowError>(shares.map(|share| wire::encode(&api, &rows[share], "")).collect::<Vec<_>>())
            });
        });
    }
    group.bench_function("values to an array", |bencher| {
        bencher.iter(|| wire::decode(&returns, black_box(&replies)));
    });
    group.finish();
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    limiter(&mut criterion);
    record(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
