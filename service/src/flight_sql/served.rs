//! What is served: the statements, and what arrow-flight's server has no way to say: the columns of a statement (GetSchema), and
//! lists that are the same for everybody.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{Any, Command};
use arrow_flight::{
    Action, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, PollInfo,
    SchemaResult, Ticket,
};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use super::server::{Statements, data};
use super::{connection, known, types};

/// The server. What is not here is [`Statements`]' to answer.
pub struct Served(Statements);

impl Served {
    pub fn new(statements: Statements) -> Self {
        Served(statements)
    }
}

fn command(bytes: &[u8]) -> Option<Command> {
    Command::try_from(Any::decode(bytes).ok()?).ok()
}

/// What a command lists that is the same for everybody; `None` for all other commands.
fn listed(bytes: &[u8]) -> Result<Option<RecordBatch>, Status> {
    Ok(Some(match command(bytes) {
        Some(Command::CommandGetPrimaryKeys(_)) => known::primary_keys(),
        Some(
            Command::CommandGetExportedKeys(_)
            | Command::CommandGetImportedKeys(_)
            | Command::CommandGetCrossReference(_),
        ) => known::foreign_keys(),
        Some(Command::CommandGetXdbcTypeInfo(query)) => {
            let all = types::all().map_err(Status::from)?;
            query.into_builder(&all).build().map_err(Status::from)?
        }
        _ => return Ok(None),
    }))
}

fn with_schema(schema: &Schema) -> Result<FlightInfo, Status> {
    FlightInfo::new().try_with_schema(schema).map_err(|error| Status::internal(error.to_string()))
}

#[tonic::async_trait]
impl FlightService for Served {
    type HandshakeStream = <Statements as FlightService>::HandshakeStream;
    type ListFlightsStream = <Statements as FlightService>::ListFlightsStream;
    type DoGetStream = <Statements as FlightService>::DoGetStream;
    type DoPutStream = <Statements as FlightService>::DoPutStream;
    type DoExchangeStream = <Statements as FlightService>::DoExchangeStream;
    type DoActionStream = <Statements as FlightService>::DoActionStream;
    type ListActionsStream = <Statements as FlightService>::ListActionsStream;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        self.0.handshake(request).await
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        self.0.list_flights(request).await
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        let Some(batch) = listed(&request.get_ref().cmd)? else {
            return self.0.get_flight_info(request).await;
        };
        let info = with_schema(&batch.schema())?;
        let descriptor = request.into_inner();
        let ticket = Ticket::new(descriptor.cmd.clone());
        let endpoint = FlightEndpoint::new().with_ticket(ticket);
        Ok(Response::new(info.with_descriptor(descriptor).with_endpoint(endpoint)))
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        self.0.poll_flight_info(request).await
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let text = match command(&request.get_ref().cmd) {
            Some(Command::CommandStatementQuery(query)) => query.query,
            Some(Command::CommandPreparedStatementQuery(query)) => {
                connection(&request)?.prepared(&query.prepared_statement_handle)?
            }
            // To tell where a list is carries nothing out, and tells its columns; what is no list is refused there.
            _ => {
                let info = self.get_flight_info(request).await?.into_inner();
                return Ok(Response::new(SchemaResult { schema: info.schema }));
            }
        };
        let columns = connection(&request)?.columns(&text).await?;
        let columns = columns.unwrap_or_else(|| Arc::new(Schema::empty()));
        Ok(Response::new(SchemaResult { schema: with_schema(&columns)?.schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        match listed(&request.get_ref().ticket)? {
            Some(batch) => data(Ok(batch)),
            None => self.0.do_get(request).await,
        }
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        self.0.do_put(request).await
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.0.do_exchange(request).await
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        self.0.do_action(request).await
    }

    async fn list_actions(&self, request: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        self.0.list_actions(request).await
    }
}
