//! What a plan reads, and which partition reads which part of it: a job that is resumed must find the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use serde::{Deserialize, Serialize};

/// What a plan reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// Partitions of its result.
    partitions: usize,
    /// For each scan and partition the files, or parts of files, in order: `path` or `path[start..end]`, in bytes.
    scans: Vec<Vec<Vec<String>>>,
    /// What each file was.
    inputs: BTreeMap<String, Input>,
}

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Input {
    bytes: u64,
    etag: Option<String>,
    modified: String,
}

impl Pins {
    /// Those of a plan.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut pins = Pins { partitions: plan.output_partitioning().partition_count(), ..Pins::default() };
        pins.add(plan);
        pins
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(source) = plan.downcast_ref::<DataSourceExec>()
            && let Some(scan) = source.data_source().downcast_ref::<FileScanConfig>()
        {
            let store = scan.object_store_url.as_str();
            let mut groups = Vec::new();
            for group in &scan.file_groups {
                let mut parts = Vec::new();
                for file in group.iter() {
                    let meta = &file.object_meta;
                    let input =
                        Input { bytes: meta.size, etag: meta.e_tag.clone(), modified: meta.last_modified.to_rfc3339() };
                    self.inputs.insert(format!("{store}{}", meta.location), input);
                    let range = file.range.as_ref().map(|range| format!("[{}..{}]", range.start, range.end));
                    parts.push(format!("{store}{}{}", meta.location, range.unwrap_or_default()));
                }
                groups.push(parts);
            }
            self.scans.push(groups);
        }
        plan.children().into_iter().for_each(|child| self.add(child));
    }

    /// In what `now` differs, in words; `None` where it does not.
    pub fn difference(&self, now: &Pins) -> Option<String> {
        for (path, was) in &self.inputs {
            match now.inputs.get(path) {
                None => return Some(format!("the input '{path}' is gone")),
                Some(is) if is != was => {
                    return Some(format!(
                        "the input '{path}' has changed: it had {} bytes ({}), now {} bytes ({})",
                        was.bytes, was.modified, is.bytes, is.modified
                    ));
                }
                Some(_) => {}
            }
        }
        if let Some(path) = now.inputs.keys().find(|path| !self.inputs.contains_key(*path)) {
            return Some(format!("the input '{path}' is new"));
        }
        if self.partitions != now.partitions || self.scans != now.scans {
            return Some(format!(
                "its rows were cut into {} partitions, now into {}, or elsewhere; paceline.partitions and the plan must be \
                 the same",
                self.partitions, now.partitions
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn pins(parts: &[&str], bytes: u64) -> Pins {
        let input = Input { bytes, etag: Some("e".to_owned()), modified: "2026-01-01T00:00:00+00:00".to_owned() };
        let scan = parts.iter().map(|part| vec![(*part).to_owned()]).collect();
        Pins { partitions: parts.len(), scans: vec![scan], inputs: BTreeMap::from([("in/a.csv".to_owned(), input)]) }
    }

    #[test]
    fn every_difference_is_said() {
        let was = pins(&["in/a.csv[0..5]", "in/a.csv[5..9]"], 9);
        assert_eq!(was.difference(&was), None);
        let difference = |now: &Pins| was.difference(now).unwrap();
        expect!["the input 'in/a.csv' has changed: it had 9 bytes (2026-01-01T00:00:00+00:00), now 10 bytes (2026-01-01T00:00:00+00:00)"].assert_eq(&difference(&pins(&["in/a.csv[0..5]", "in/a.csv[5..9]"], 10)));
        expect!["its rows were cut into 2 partitions, now into 1, or elsewhere; paceline.partitions and the plan must be the same"].assert_eq(&difference(&pins(&["in/a.csv"], 9)));
        expect!["the input 'in/a.csv' is gone"].assert_eq(&difference(&Pins::default()));
        expect!["the input 'in/a.csv' is new"].assert_eq(&Pins::default().difference(&was).unwrap());
    }
}
