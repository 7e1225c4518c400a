//! The logical node `WriteFiles`: rows in, a description of the staged files out.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use uuid::Uuid;

use super::format::OutputFormat;
use super::layout::Layout;
use super::staged::SCHEMA;
use crate::EngineError;
use crate::io::job_folder::JobFolder;

/// Where to and how a result is written.
#[derive(Clone, Debug)]
pub struct Target {
    /// The destination and the job that writes to it.
    pub folder: JobFolder,
    /// How it is written.
    pub format: OutputFormat,
    /// Over which files and folders.
    pub layout: Layout,
    /// The format and its options, as they were given.
    pub(super) given: Arc<(String, Vec<(String, String)>)>,
}

impl Target {
    /// The format by its name in SQL, with `OPTIONS (…)`.
    ///
    /// # Errors
    /// The format or an option is not known; the message lists those that are.
    pub fn new(
        folder: JobFolder,
        format: &str,
        options: &[(String, String)],
    ) -> std::result::Result<Self, EngineError> {
        let given = Arc::new((format.to_owned(), options.to_vec()));
        let (format, layout) = OutputFormat::parse(format, options)?;
        let folder = folder.keeping_other_partitions(layout.keeps_other_partitions);
        Ok(Target { folder, format, layout, given })
    }

    /// The name of a file of rows, as Spark has it.
    pub(super) fn file_name(&self, task: usize, id: Uuid, file: usize) -> String {
        let dot = if self.layout.partition_by.is_empty() { '-' } else { '.' };
        format!("part-{task:05}-{id}{dot}c{file:03}.{}", self.format.ending())
    }

    /// The format and its options, as they were given.
    pub(crate) fn given(&self) -> (&str, &[(String, String)]) {
        (&self.given.0, &self.given.1)
    }
}

/// Writes its input to a [`Target`].
#[derive(Clone, Debug)]
pub struct WriteFiles {
    /// Where to and how.
    pub target: Target,
    /// What is written.
    pub input: LogicalPlan,
    schema: DFSchemaRef,
}

impl WriteFiles {
    /// The node as a plan.
    ///
    /// # Errors
    /// Two columns of the input have the same name, a type that the format cannot hold, or no folders can be made of them.
    pub fn plan(target: Target, input: LogicalPlan) -> Result<LogicalPlan> {
        let mut names: Vec<_> = input.schema().fields().iter().map(|field| field.name().to_lowercase()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return plan_err!("the result has two columns named '{}'; rename one with AS", pair[0]);
        }
        let folded = target.layout.columns(input.schema().inner())?;
        let kept: Vec<_> = (0..names.len()).filter(|at| !folded.contains(at)).collect();
        target.format.check(&Arc::new(input.schema().inner().project(&kept)?))?;
        let schema = Arc::new(DFSchema::try_from(Arc::clone(&SCHEMA))?);
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(WriteFiles { target, input, schema }) }))
    }
}

impl PartialEq for WriteFiles {
    fn eq(&self, other: &Self) -> bool {
        self.target.folder.url() == other.target.folder.url() && self.input == other.input
    }
}

impl Eq for WriteFiles {}

impl Hash for WriteFiles {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.target.folder.url().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for WriteFiles {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for WriteFiles {
    fn name(&self) -> &str {
        "WriteFiles"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteFiles: {}{}", self.target.folder.url(), self.target.layout)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return plan_err!("WriteFiles has one input");
        };
        Ok(WriteFiles { input, ..self.clone() })
    }

    /// Every column of the input is written.
    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}
