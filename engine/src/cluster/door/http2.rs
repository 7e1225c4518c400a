//! The HTTP/2 settings of both doors, made for streams of many megabytes.

use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;

/// What a peer may send of one stream before it is read on. A slow reader holds no more than this in each door.
const STREAM_WINDOW: u32 = 4 << 20;

/// The same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// With the default, 16 KiB, a byte costs a quarter more CPU time, and a tenth more under TLS.
const FRAME: u32 = 64 << 10;

const SEND_BUFFER: usize = 1 << 20;

/// Error messages travel in headers, and those of a query plan can be long.
const HEADERS: u32 = 64 << 10;

/// A peer that is gone without closing its socket is noticed after both.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_WITHIN: Duration = Duration::from_secs(20);

/// How long an HTTP/1 client may take for its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// More streams than a client opens, fewer than would hurt.
const STREAMS: u32 = 4096;

pub(super) fn server() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADERS)
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WITHIN);
    builder
}

pub(super) fn client() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADERS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WITHIN)
        .keep_alive_while_idle(true);
    builder
}
