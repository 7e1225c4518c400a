//! Flight SQL: statements of ADBC and JDBC tools, planned by a session of the connection that they come on, and run where jobs
//! run. Needs the cluster's token, as all of the scheduler does.

mod connection;
mod identity;
mod info;
mod known;
mod served;
mod server;
mod status;
mod types;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use futures::StreamExt;
use paceline_engine::Settings;
use paceline_engine::cluster::Access;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::transport::Server;

use crate::ServiceError;
use crate::listen::Listener;
use connection::{Connection, Guest};
use identity::Identity;
use served::Served;
use server::Statements;

/// The first port that is tried where none is named, and how many behind it.
const PORT: u16 = 32010;
const PORTS: u16 = 16;
/// Connections that have a session at a time: each has threads of its own.
const SESSIONS: usize = 64;
/// A connection whose other side is gone without closing it is noticed after both.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_WITHIN: Duration = Duration::from_secs(20);
/// Largest message that is taken.
const MESSAGE_BYTES: usize = 16 << 20;

/// A port that is listened on.
pub struct FlightSql {
    listener: TcpListener,
    access: Access,
}

impl FlightSql {
    /// Listens. Without a port it is 32010 or the next that is free.
    ///
    /// # Errors
    /// The port is taken, or anybody could reach it.
    pub async fn bind(address: IpAddr, port: Option<u16>, access: Access) -> Result<Self, ServiceError> {
        let listener = crate::listen::bind("Flight SQL", address, port, PORT..=PORT + PORTS, &access).await?;
        Ok(FlightSql { listener, access })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Its URI, as drivers take it.
    ///
    /// # Errors
    /// The system does not say where it listens.
    pub fn uri(&self) -> std::io::Result<String> {
        let scheme = if self.access.tls().is_some() { "grpc+tls" } else { "grpc" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// Serves until `stop` ends, with sessions of these settings.
    ///
    /// # Errors
    /// It cannot go on.
    pub async fn serve(self, settings: Settings, stop: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let listener = Listener::new(self.listener, self.access.tls());
        let (settings, places) = (Arc::new(settings), Arc::new(Semaphore::new(SESSIONS)));
        let guests = listener
            .connections()
            .map(move |socket| Ok::<_, std::io::Error>(Guest::new(socket, Arc::clone(&settings), Arc::clone(&places))));
        let identity = Identity::new(self.access);
        let statements = FlightServiceServer::new(Served::new(Statements::new(identity.clone())))
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(usize::MAX);
        let guarded = tonic::service::interceptor::InterceptedService::new(statements, identity);
        let served = Server::builder()
            .http2_keepalive_interval(Some(PING_EVERY))
            .http2_keepalive_timeout(Some(PING_WITHIN))
            .add_service(guarded)
            .serve_with_incoming_shutdown(guests, stop)
            .await;
        served.map_err(|error| ServiceError::Internal(format!("Flight SQL cannot be served: {error}")))
    }
}

/// The connection that a request came on.
fn connection<T>(request: &tonic::Request<T>) -> Result<Arc<Connection>, tonic::Status> {
    let found = request.extensions().get::<Arc<Connection>>().cloned();
    found.ok_or_else(|| tonic::Status::internal("the request came on no connection"))
}
