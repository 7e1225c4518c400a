//! Expressions as the client sends them: what DataFusion drops of a field goes around the expression.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::{Result, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::to_proto::serialize_physical_expr_with_converter;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalPlanNodeExt, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::physical_expr_node::ExprType;
use datafusion_proto::protobuf::{PhysicalExprNode, PhysicalExtensionExprNode, PhysicalPlanNode};

use super::{PlanCodec, TAG};

/// A plan that has not travelled yet, as a message.
pub(in crate::cluster) fn to_proto(plan: Arc<dyn ExecutionPlan>, codec: &PlanCodec) -> Result<PhysicalPlanNode> {
    PhysicalPlanNode::try_from_physical_plan_with_converter(plan, codec, &WithFields)
}

/// Only the client needs it: what has arrived once keeps its field by itself.
struct WithFields;

impl PhysicalProtoConverterExtension for WithFields {
    fn physical_expr_to_proto(
        &self,
        expr: &Arc<dyn PhysicalExpr>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> Result<PhysicalExprNode> {
        let node = serialize_physical_expr_with_converter(expr, codec, self)?;
        if matches!(node.expr_type, Some(ExprType::Extension(_))) {
            return Ok(node);
        }
        let Some(field) = paceline_functions::encode_field(expr)? else { return Ok(node) };
        let around = PhysicalExtensionExprNode { expr: [TAG, &field].concat(), inputs: vec![node] };
        Ok(PhysicalExprNode { expr_id: None, expr_type: Some(ExprType::Extension(around)) })
    }

    fn execution_plan_to_proto(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> Result<PhysicalPlanNode> {
        PhysicalPlanNode::try_from_physical_plan_with_converter(Arc::clone(plan), codec, self)
    }

    fn proto_to_execution_plan(
        &self,
        _node: &PhysicalPlanNode,
        _context: &PhysicalPlanDecodeContext<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        internal_err!("a client only sends plans")
    }

    fn proto_to_physical_expr(
        &self,
        _node: &PhysicalExprNode,
        _columns: &Schema,
        _context: &PhysicalPlanDecodeContext<'_>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        internal_err!("a client only sends expressions")
    }
}
