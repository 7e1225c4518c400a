//! The operator `ApiCall` on its way: the function's declaration, its arguments, and no caller, which is made where it runs.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Fields, Schema};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::PhysicalPlanDecodeContext;
use datafusion_proto::protobuf::PhysicalExprNode;
use paceline_udfs::ApiFunction;
use prost::Message;

use super::{Carrier, damaged, fields_in, fields_out, pairs_in, pairs_out, proto};
use crate::api_call::{ApiCallExec, Asked, Callee};
use crate::cluster::Numbering;

pub(super) fn encode(node: &Arc<dyn ExecutionPlan>, carrier: Carrier<'_>) -> Result<Option<proto::ApiCall>> {
    let Some(call) = node.downcast_ref::<ApiCallExec>() else { return Ok(None) };
    let Asked { caller, arguments, guard, site } = call.asked();
    let expression = |expression: &Arc<dyn PhysicalExpr>| {
        Ok(carrier.converter.physical_expr_to_proto(expression, carrier.codec)?.encode_to_vec())
    };
    let api = caller.api();
    let returns = Fields::from(vec![Field::new("answer", api.returns.clone(), true)]);
    Ok(Some(proto::ApiCall {
        function: Some(proto::ApiFunction {
            name: api.name.clone(),
            arguments: fields_out(&api.arguments)?,
            returns: fields_out(&returns)?,
            deterministic: api.deterministic,
            options: pairs_out(&api.given),
        }),
        arguments: arguments.iter().map(expression).collect::<Result<_>>()?,
        guard: guard.as_ref().map(expression).transpose()?,
        site: site.to_string(),
        dead_letters: call.outbox().is_some(),
        numbering: call.numbering().marks(),
        columns: call.columns().to_vec(),
    }))
}

pub(super) fn decode(
    call: proto::ApiCall,
    input: Arc<dyn ExecutionPlan>,
    carrier: Carrier<'_>,
    context: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>> {
    let function = call.function.ok_or_else(|| damaged("its function is missing"))?;
    let returns = fields_in(&function.returns)?;
    let returns = returns.first().ok_or_else(|| damaged("its function has no type"))?.data_type().clone();
    let given = pairs_in(function.options);
    let arguments = fields_in(&function.arguments)?;
    let api = ApiFunction::declare(&function.name, arguments, returns, function.deterministic, &given);
    let api = Arc::new(api.map_err(damaged)?);

    let columns = input.schema();
    let context = PhysicalPlanDecodeContext::new(context, carrier.codec);
    let expression = |bytes: &Vec<u8>| {
        let node = PhysicalExprNode::decode(bytes.as_slice()).map_err(damaged)?;
        carrier.converter.proto_to_physical_expr(&node, &columns, &context)
    };
    let answer = Arc::new(Field::new(&call.site, api.returns.clone(), true));
    let schema = columns.fields().iter().cloned().chain([answer]).collect::<Fields>();
    let schema = Arc::new(Schema::new_with_metadata(schema, columns.metadata().clone()));
    let asked = Asked {
        arguments: call.arguments.iter().map(expression).collect::<Result<_>>()?,
        guard: call.guard.as_ref().map(expression).transpose()?,
        site: call.site.into(),
        caller: Callee::elsewhere(api),
    };
    let exec = ApiCallExec::new(asked, input, schema, call.dead_letters).with_columns(call.columns.into());
    Ok(Arc::new(exec.with_numbering(Numbering::from_marks(call.numbering))))
}
