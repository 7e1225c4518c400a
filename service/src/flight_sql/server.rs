//! The commands of Flight SQL. What has no method here, nor in `served`, is refused by name by the trait.

use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any, CommandGetCatalogs,
    CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandPreparedStatementQuery,
    CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery, CommandStatementUpdate,
    DoPutPreparedStatementResult, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightDescriptor,
    FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket,
};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use paceline_engine::{EngineError, Outcome, Prepared};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use super::connection::{Rows, answered};
use super::identity::{AUTHORIZATION, Identity};
use super::{connection, info, known, status};

/// Actions beside those of the trait.
const CANCEL: &str = "CancelFlightInfo";
const CLOSE: &str = "CloseSession";
/// `CloseSessionResult { status: CLOSED }` of Flight.proto, which arrow-flight has no message for.
const CLOSED: [u8; 2] = [8, 1];

type Data = <Statements as FlightService>::DoGetStream;
type Results = <Statements as FlightService>::DoActionStream;
type Greetings = BoxStream<'static, Result<HandshakeResponse, Status>>;

/// The server. What it knows of a client is with the client's connection.
pub struct Statements {
    identity: Identity,
}

impl Statements {
    pub fn new(identity: Identity) -> Self {
        Statements { identity }
    }
}

/// What says where a result is: here, under this ticket.
fn found(descriptor: FlightDescriptor, ticket: &impl ProstMessageExt, schema: &Schema) -> Result<FlightInfo, Status> {
    let ticket = Ticket::new(ticket.as_any().encode_to_vec());
    let info = FlightInfo::new().try_with_schema(schema).map_err(|error| Status::internal(error.to_string()))?;
    Ok(info.with_descriptor(descriptor).with_endpoint(FlightEndpoint::new().with_ticket(ticket)))
}

/// One batch as a result.
pub(super) fn data(batch: arrow_flight::error::Result<arrow::array::RecordBatch>) -> Result<Response<Data>, Status> {
    let batch = batch.map_err(Status::from)?;
    let data = FlightDataEncoderBuilder::new().with_schema(batch.schema());
    Ok(Response::new(data.build(stream::iter([Ok(batch)])).map_err(Status::from).boxed()))
}

async fn begun<T>(text: &str, request: &Request<T>, descriptor: FlightDescriptor) -> Result<FlightInfo, Status> {
    let connection = connection(request)?;
    let rows = match connection.open(text).await? {
        Prepared::Query(query) => Rows::Query(query),
        Prepared::Done(outcome) => answered(outcome),
    };
    let schema = Arc::clone(rows.schema());
    let ticket = TicketStatementQuery { statement_handle: connection.keep(rows)?.into() };
    found(descriptor, &ticket, &schema)
}

/// Carries out a statement that has no rows, and counts those that it wrote.
async fn updated<T>(text: &str, request: &Request<T>) -> Result<i64, Status> {
    match connection(request)?.open(text).await? {
        Prepared::Query(_) => {
            Err(Status::invalid_argument("a query has rows: execute it as a query, not as an update"))
        }
        Prepared::Done(Outcome::Written(written)) => Ok(i64::try_from(written.records_written).unwrap_or(i64::MAX)),
        Prepared::Done(_) => Ok(0),
    }
}

/// The handle in the ticket of a result.
fn handle(info: &FlightInfo) -> Result<Vec<u8>, Status> {
    let ticket = info.endpoint.first().and_then(|endpoint| endpoint.ticket.as_ref());
    let any = ticket.and_then(|ticket| Any::decode(&*ticket.ticket).ok());
    let ticket = any.and_then(|any| any.unpack::<TicketStatementQuery>().ok().flatten());
    let ticket = ticket.ok_or_else(|| Status::invalid_argument("that is no result of a statement"))?;
    Ok(ticket.statement_handle.to_vec())
}

#[tonic::async_trait]
impl FlightSqlService for Statements {
    type FlightService = Statements;

    async fn do_handshake(
        &self,
        _request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Greetings>, Status> {
        let bearer = self.identity.bearer()?;
        let payload = bearer.as_bytes().to_vec().into();
        let reply = stream::iter([Ok(HandshakeResponse { protocol_version: 0, payload })]);
        let mut response: Response<Greetings> = Response::new(reply.boxed());
        response.metadata_mut().insert(AUTHORIZATION, bearer);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let descriptor = request.get_ref().clone();
        Ok(Response::new(begun(&query.query, &request, descriptor).await?))
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let text = connection(&request)?.prepared(&query.prepared_statement_handle)?;
        let descriptor = request.get_ref().clone();
        Ok(Response::new(begun(&text, &request, descriptor).await?))
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        let connection = connection(&request)?;
        let (rows, reading) = connection.read(&ticket.statement_handle)?;
        let session = connection.session().await?;
        let (schema, stop) = (Arc::clone(rows.schema()), reading.stop.clone());
        let cancelled = || Status::cancelled("the statement was cancelled");
        let rows = match rows {
            Rows::There { batches, .. } => stream::iter(batches.into_iter().map(Ok)).boxed(),
            Rows::Query(query) => {
                let rows = tokio::select! {
                    rows = session.stream_of(&query) => rows.map_err(|error| status::of(&error))?,
                    () = stop.cancelled() => return Err(cancelled()),
                };
                rows.map_err(|error| FlightError::from(status::of(&EngineError::from(error)))).boxed()
            }
        };
        let stopped = stream::once(async move { stop.is_cancelled() })
            .filter_map(move |stopped| std::future::ready(stopped.then(|| Err(FlightError::from(cancelled())))));
        let rows = rows.take_until(reading.stop.clone().cancelled_owned()).chain(stopped);
        let data = FlightDataEncoderBuilder::new().with_schema(schema).build(rows).map_err(Status::from);
        // Session and result live as long as somebody reads.
        let data = data.map(move |data| {
            let _of = (&session, &reading);
            data
        });
        Ok(Response::new(data.boxed()))
    }

    async fn do_put_statement_update(
        &self,
        ticket: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        updated(&ticket.query, &request).await
    }

    async fn do_put_prepared_statement_update(
        &self,
        query: CommandPreparedStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        let text = connection(&request)?.prepared(&query.prepared_statement_handle)?;
        updated(&text, &request).await
    }

    async fn do_put_prepared_statement_query(
        &self,
        _query: CommandPreparedStatementQuery,
        _request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        Err(Status::unimplemented("statements take no parameters: write their values into the text"))
    }

    async fn do_put_statement_ingest(
        &self,
        _ticket: CommandStatementIngest,
        _request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(Status::unimplemented("rows cannot be uploaded: write them as files, and read those"))
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let (handle, columns) = connection(&request)?.prepare(&query.query).await?;
        let dataset_schema = match columns {
            Some(columns) => FlightInfo::new().try_with_schema(&columns).map(|info| info.schema),
            None => Ok(bytes::Bytes::new()),
        };
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.into(),
            dataset_schema: dataset_schema.map_err(|error| Status::internal(error.to_string()))?,
            parameter_schema: bytes::Bytes::new(),
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        connection(&request)?.forget(&query.prepared_statement_handle);
        Ok(())
    }

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        request: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let info = FlightInfo::decode(query.info).map_err(|error| Status::invalid_argument(error.to_string()))?;
        if connection(&request)?.cancel(&handle(&info)?) {
            return Ok(ActionCancelQueryResult { result: CancelStatus::Cancelled as i32 });
        }
        Err(Status::not_found("this connection has no such result"))
    }

    async fn do_action_fallback(&self, request: Request<Action>) -> Result<Response<Results>, Status> {
        let reply = match request.get_ref().r#type.as_str() {
            CANCEL => {
                let asked = CancelFlightInfoRequest::decode(&*request.get_ref().body);
                let info = asked.map_err(|error| Status::invalid_argument(error.to_string()))?.info.unwrap_or_default();
                if !connection(&request)?.cancel(&handle(&info)?) {
                    return Err(Status::not_found("this connection has no such result"));
                }
                CancelFlightInfoResult::new(CancelStatus::Cancelled).encode_to_vec()
            }
            CLOSE => {
                connection(&request)?.close().await;
                CLOSED.to_vec()
            }
            other => return Err(Status::unimplemented(format!("there is no action '{other}'"))),
        };
        Ok(Response::new(stream::iter([Ok(arrow_flight::Result::new(reply))]).boxed()))
    }

    async fn list_custom_actions(&self) -> Option<Vec<Result<ActionType, Status>>> {
        let action = |name: &str, description: &str| {
            Ok(ActionType { r#type: name.to_owned(), description: description.to_owned() })
        };
        Some(vec![
            action(CANCEL, "Cancels a result that is read, or was not yet."),
            action(CLOSE, "Ends the session of the connection: its views, functions and settings."),
        ])
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        found(request.into_inner(), &query, &query.into_builder().schema()).map(Response::new)
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        _request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        data(known::catalogs(query))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        found(request.into_inner(), &query, &query.clone().into_builder().schema()).map(Response::new)
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        data(known::schemas(&*connection(&request)?.session().await?, query))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        found(request.into_inner(), &query, &query.clone().into_builder().schema()).map(Response::new)
    }

    async fn do_get_tables(&self, query: CommandGetTables, request: Request<Ticket>) -> Result<Response<Data>, Status> {
        data(known::tables(&*connection(&request)?.session().await?, query))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        found(request.into_inner(), &query, &query.into_builder().schema()).map(Response::new)
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        _request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        data(known::table_types(query))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let all = info::all().map_err(Status::from)?;
        found(request.into_inner(), &query, &query.clone().into_builder(&all).schema()).map(Response::new)
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        _request: Request<Ticket>,
    ) -> Result<Response<Data>, Status> {
        data(info::all().and_then(|all| query.into_builder(&all).build()))
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}
