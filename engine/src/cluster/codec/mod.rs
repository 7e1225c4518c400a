//! How a physical plan travels: Paceline's operators as `proto/plan.proto` has them, all others as Ballista and DataFusion do.

mod call;
mod fields;
mod positions;
mod scan;
mod write;

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::arrow::datatypes::{Fields, Schema};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::proto_decode::PhysicalExprDecodeCtx;
use datafusion::physical_expr_common::physical_expr::proto_encode::PhysicalExprEncodeCtx;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::generated::datafusion_common as protobuf_common;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use prost::Message;

use crate::io::stores::Stores;
use crate::unordered::UnorderedExec;
pub(super) use fields::to_proto;
use proto::operator::Kind;

/// What `proto/plan.proto` says.
mod proto {
    tonic::include_proto!("paceline.plan.v1");
}

/// Begins what is ours. Messages are decoded leniently, so trying one after the other would find what is not there.
const TAG: &[u8] = b"paceline/1:";

/// The codec that client, scheduler and executors share.
#[derive(Debug)]
pub struct PlanCodec {
    others: BallistaPhysicalExtensionCodec,
    stores: Arc<Stores>,
}

impl PlanCodec {
    /// A codec that finds destinations in `stores`.
    pub fn new(stores: Arc<Stores>) -> Self {
        PlanCodec { others: BallistaPhysicalExtensionCodec::default(), stores }
    }
}

/// What an operator needs to take expressions along.
#[derive(Clone, Copy)]
struct Carrier<'a> {
    codec: &'a PlanCodec,
    converter: &'a dyn PhysicalProtoConverterExtension,
}

impl PhysicalExtensionCodec for PlanCodec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let carrier = Carrier { codec: self, converter };
        let kind = if let Some(call) = call::encode(&node, carrier)? {
            Kind::ApiCall(call)
        } else if let Some(write) = write::encode(&node) {
            Kind::WriteFiles(write)
        } else if let Some(scan) = scan::encode(&node, carrier)? {
            Kind::FileScan(scan)
        } else if let Some(positions) = positions::encode(&node) {
            Kind::Positions(positions)
        } else if node.is::<UnorderedExec>() {
            Kind::Unordered(proto::Unordered {})
        } else {
            return self.others.try_encode(node, buf, converter);
        };
        buf.extend_from_slice(TAG);
        proto::Operator { kind: Some(kind) }.encode(buf).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(ours) = buf.strip_prefix(TAG) else {
            return self.others.try_decode(buf, inputs, context, converter);
        };
        let carrier = Carrier { codec: self, converter };
        let kind = proto::Operator::decode(ours).map_err(damaged)?.kind;
        match (kind.ok_or_else(|| damaged("it is of a newer version"))?, inputs) {
            (Kind::FileScan(scan), []) => scan::decode(&scan, carrier, context),
            (Kind::ApiCall(call), [input]) => call::decode(call, Arc::clone(input), carrier, context),
            (Kind::Positions(positions), [input]) => positions::decode(positions, Arc::clone(input)),
            (Kind::Unordered(_), [input]) => Ok(Arc::new(UnorderedExec::new(Arc::clone(input)))),
            (Kind::WriteFiles(write), [input]) => write::decode(write, Arc::clone(input), &self.stores),
            (_, inputs) => Err(damaged(format!("it has {} inputs", inputs.len()))),
        }
    }

    // Functions of ours are complete in themselves; all others are known to executors by name, and take no bytes along.

    fn try_encode_udf(&self, udf: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        match paceline_functions::encode(udf)? {
            Some(bytes) => buf.extend(bytes),
            None => self.others.try_encode_udf(udf, buf)?,
        }
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        if buf.is_empty() { self.others.try_decode_udf(name, buf) } else { paceline_functions::decode(name, buf) }
    }

    fn try_encode_higher_order_function(&self, udf: &HigherOrderUDF, buf: &mut Vec<u8>) -> Result<()> {
        match paceline_functions::encode_lambda(udf)? {
            Some(bytes) => buf.extend(bytes),
            None => self.others.try_encode_higher_order_function(udf, buf)?,
        }
        Ok(())
    }

    fn try_decode_higher_order_function(&self, name: &str, buf: &[u8]) -> Result<Arc<HigherOrderUDF>> {
        match buf {
            [] => self.others.try_decode_higher_order_function(name, buf),
            _ => paceline_functions::decode_lambda(name, buf),
        }
    }

    fn try_encode_udaf(&self, udaf: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        match paceline_functions::encode_aggregate(udaf)? {
            Some(bytes) => buf.extend(bytes),
            None => self.others.try_encode_udaf(udaf, buf)?,
        }
        Ok(())
    }

    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        match buf {
            [] => self.others.try_decode_udaf(name, buf),
            _ => paceline_functions::decode_aggregate(name, buf),
        }
    }

    fn try_encode_udwf(&self, udwf: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        match paceline_functions::encode_window(udwf)? {
            Some(bytes) => buf.extend(bytes),
            None => self.others.try_encode_udwf(udwf, buf)?,
        }
        Ok(())
    }

    fn try_decode_udwf(&self, name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        match buf {
            [] => self.others.try_decode_udwf(name, buf),
            _ => paceline_functions::decode_window(name, buf),
        }
    }

    fn try_encode_expr(
        &self,
        expr: &Arc<dyn PhysicalExpr>,
        buf: &mut Vec<u8>,
        context: &PhysicalExprEncodeCtx<'_>,
    ) -> Result<()> {
        match paceline_functions::encode_field(expr)? {
            Some(bytes) => {
                buf.extend_from_slice(TAG);
                buf.extend(bytes);
                Ok(())
            }
            None => self.others.try_encode_expr(expr, buf, context),
        }
    }

    fn try_decode_expr(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn PhysicalExpr>],
        context: &PhysicalExprDecodeCtx<'_>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match buf.strip_prefix(TAG) {
            Some(field) => paceline_functions::decode_field(field, inputs),
            None => self.others.try_decode_expr(buf, inputs, context),
        }
    }
}

fn damaged(error: impl std::fmt::Display) -> DataFusionError {
    exec_datafusion_err!("an operator of the plan that came cannot be understood: {error}")
}

fn pairs_out(pairs: &[(String, String)]) -> Vec<proto::Pair> {
    pairs.iter().map(|(key, value)| proto::Pair { key: key.clone(), value: value.clone() }).collect()
}

fn pairs_in(pairs: Vec<proto::Pair>) -> Vec<(String, String)> {
    pairs.into_iter().map(|pair| (pair.key, pair.value)).collect()
}

fn fields_out(fields: &Fields) -> Result<Vec<u8>> {
    let schema = Schema::new(fields.clone());
    let schema =
        protobuf_common::Schema::try_from(&schema).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(schema.encode_to_vec())
}

fn fields_in(bytes: &[u8]) -> Result<Fields> {
    let schema = protobuf_common::Schema::decode(bytes).map_err(damaged)?;
    Ok(Schema::try_from(&schema).map_err(damaged)?.fields)
}

#[cfg(test)]
mod spark_tests;
#[cfg(test)]
mod tests;
