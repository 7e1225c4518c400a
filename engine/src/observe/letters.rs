//! The dead letters of a job, read where its statements wrote them.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;

use crate::EngineError;
use crate::io::job_folder::JobFolder;
use crate::io::stores::Stores;

/// Dead letters of a job's outputs, in the order of their files: after the first `skip`, at most `most`.
///
/// # Errors
/// They cannot be read.
pub async fn dead_letters(
    stores: &Stores,
    outputs: &[String],
    job: &str,
    mut skip: usize,
    most: usize,
) -> Result<Vec<Value>, EngineError> {
    let mut letters = Vec::new();
    for output in outputs {
        let folder = JobFolder::new(stores.place(output)?, job);
        // Those of other jobs stay beside them where each job replaces its own partitions only.
        let own = format!("job={job}");
        let is_own = |file: &Path| file.parts().all(|part| !part.as_ref().starts_with("job=") || part.as_ref() == own);
        for file in folder.dead_letters().await?.into_iter().filter(is_own) {
            let failed = |source| EngineError::Storage {
                action: "cannot read the dead letters at",
                url: file.to_string(),
                source,
            };
            let text = folder.objects().get(&file).await.map_err(failed)?.bytes().await.map_err(failed)?;
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                if letters.len() == most {
                    return Ok(letters);
                }
                letters.push(serde_json::from_slice(line).unwrap_or_else(|_| String::from_utf8_lossy(line).into()));
            }
        }
    }
    Ok(letters)
}
