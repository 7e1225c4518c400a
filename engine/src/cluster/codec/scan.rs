//! Scans on their way whose reader DataFusion cannot carry.

use std::sync::Arc;

use datafusion::common::{GetExt, Result};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::PhysicalPlanDecodeContext;
use datafusion_proto::physical_plan::from_proto::{parse_protobuf_file_scan_config, parse_table_schema_from_proto};
use datafusion_proto::physical_plan::to_proto::serialize_file_scan_config;
use datafusion_proto::protobuf::FileScanExecConf;
use prost::Message;

use super::{Carrier, damaged, pairs_in, pairs_out, proto};
use crate::io::readers;

pub(super) fn encode(node: &Arc<dyn ExecutionPlan>, carrier: Carrier<'_>) -> Result<Option<proto::FileScan>> {
    let Some(scan) = node.downcast_ref::<DataSourceExec>() else { return Ok(None) };
    let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else { return Ok(None) };
    let Some((format, options)) = readers::given(config.file_source().as_ref()) else { return Ok(None) };
    let scan = serialize_file_scan_config(config, carrier.codec, carrier.converter)?;
    Ok(Some(proto::FileScan {
        format: format.to_owned(),
        options: pairs_out(options),
        compression: config.file_compression_type.get_ext().trim_start_matches('.').to_owned(),
        scan: scan.encode_to_vec(),
    }))
}

pub(super) fn decode(
    scan: &proto::FileScan,
    carrier: Carrier<'_>,
    context: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>> {
    let config = FileScanExecConf::decode(scan.scan.as_slice()).map_err(damaged)?;
    let schema = parse_table_schema_from_proto(&config)?;
    let compression: FileCompressionType = scan.compression.parse()?;
    let source =
        readers::source(&scan.format, &pairs_in(scan.options.clone()), compression, schema).map_err(damaged)?;
    let context = PhysicalPlanDecodeContext::new(context, carrier.codec);
    let config = parse_protobuf_file_scan_config(&config, &context, carrier.converter, source)?;
    let config = FileScanConfigBuilder::from(config).with_file_compression_type(compression).build();
    Ok(DataSourceExec::from_data_source(config))
}
