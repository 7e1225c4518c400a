//! The files of rows of one task, one open at a time: a folder after the other, and within it a file after the other.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use uuid::Uuid;

use super::folders::stretches;
use super::node::Target;
use super::rows::Rows;
use super::staged::StagedFile;

pub(super) struct Files<'a> {
    target: &'a Target,
    task: usize,
    tasks: usize,
    /// Where the partition columns stand, and the others.
    folded: Vec<usize>,
    kept: Vec<usize>,
    folder: Folder,
    open: Option<Rows>,
    staged: Vec<StagedFile>,
}

/// Where files are written now. Each has an id of its own, so that the name of a file is used once only.
struct Folder {
    name: String,
    id: Uuid,
    files: usize,
}

impl Folder {
    fn new(name: String) -> Self {
        Folder { name, id: Uuid::new_v4(), files: 0 }
    }
}

impl<'a> Files<'a> {
    /// Those of a task, by its number, of so many.
    pub fn new(target: &'a Target, task: usize, tasks: usize, schema: &Schema) -> Result<Self> {
        let folded = target.layout.columns(schema)?;
        let kept = (0..schema.fields().len()).filter(|at| !folded.contains(at)).collect();
        let folder = Folder::new(String::new());
        Ok(Files { target, task, tasks, folded, kept, folder, open: None, staged: Vec::new() })
    }

    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.folded.is_empty() {
            return self.write_here(batch.clone()).await;
        }
        for stretch in stretches(batch, &self.target.layout.partition_by, &self.folded)? {
            if stretch.folder != self.folder.name {
                self.close().await?;
                self.folder = Folder::new(stretch.folder);
            }
            let rows = batch.slice(stretch.rows.start, stretch.rows.len()).project(&self.kept)?;
            self.write_here(rows).await?;
        }
        Ok(())
    }

    async fn write_here(&mut self, mut batch: RecordBatch) -> Result<()> {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                closed => {
                    let name = self.target.file_name(self.task, self.folder.id, self.folder.files);
                    self.folder.files += 1;
                    closed.insert(Rows::open(self.target, &self.folder.name, &name, self.tasks, batch.schema()).await?)
                }
            };
            let room = self.target.layout.most_rows.map_or(u64::MAX, |most| most.get() - open.rows());
            let now = usize::try_from(room).unwrap_or(usize::MAX).min(batch.num_rows());
            open.write(&batch.slice(0, now)).await?;
            batch = batch.slice(now, batch.num_rows() - now);
            if batch.num_rows() == 0 {
                return Ok(());
            }
            self.close().await?;
        }
    }

    async fn close(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            self.staged.push(open.finish().await?);
        }
        Ok(())
    }

    pub async fn finish(mut self) -> Result<Vec<StagedFile>> {
        self.close().await?;
        Ok(self.staged)
    }
}
