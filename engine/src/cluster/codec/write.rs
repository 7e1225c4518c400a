//! The operator `WriteFiles` on its way: where to and how.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;

use super::{pairs_in, pairs_out, proto};
use crate::cluster::Numbering;
use crate::io::job_folder::JobFolder;
use crate::io::sink::{Target, WriteFilesExec};
use crate::io::stores::Stores;

pub(super) fn encode(node: &Arc<dyn ExecutionPlan>) -> Option<proto::WriteFiles> {
    let write = node.downcast_ref::<WriteFilesExec>()?;
    let folder = &write.target().folder;
    let (format, options) = write.target().given();
    Some(proto::WriteFiles {
        url: folder.url().to_string(),
        job: folder.job().to_owned(),
        appends: folder.appends(),
        format: format.to_owned(),
        options: pairs_out(options),
        numbering: write.numbering().marks(),
    })
}

pub(super) fn decode(
    write: proto::WriteFiles,
    input: Arc<dyn ExecutionPlan>,
    stores: &Stores,
) -> Result<Arc<dyn ExecutionPlan>> {
    let outer = |error| DataFusionError::External(Box::new(error));
    let folder = JobFolder::new(stores.place(&write.url).map_err(outer)?, &write.job);
    // What is there and stays is known to the driver alone.
    let folder = if write.appends { folder.appending(Vec::new()) } else { folder };
    let target = Target::new(folder, &write.format, &pairs_in(write.options)).map_err(outer)?;
    let exec = WriteFilesExec::new(target, input);
    Ok(Arc::new(exec.with_numbering(Numbering::from_marks(write.numbering))))
}
