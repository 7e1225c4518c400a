//! What a process tells those who keep the cluster's pace and schedule its tasks: its asks for leases go to the one, its numbers
//! and what it runs to the other.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use paceline_udfs::lease::{Ask, Grant, Leases, LinkError, Refused};
use tokio::sync::OnceCell;
use tonic::transport::Channel;

use super::MESSAGE_BYTES;
use super::process::Process;
use super::reach::Reach;
use super::running::TaskId;
use super::service::proto::{self, answer::Answer, cluster_client::ClusterClient};
use crate::observe::memory::rss_permille;

/// The way to the keeper of the pace.
pub struct PaceLink {
    reach: Reach,
    process: String,
    client: OnceCell<ClusterClient<Channel>>,
    /// Whose numbers are brought up.
    numbers: OnceLock<Weak<Process>>,
}

impl fmt::Debug for PaceLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaceLink({})", self.reach.at())
    }
}

impl PaceLink {
    /// The way of a process, known by a name that no other has.
    pub fn new(reach: Reach, process: String) -> Arc<Self> {
        Arc::new(PaceLink { reach, process, client: OnceCell::new(), numbers: OnceLock::new() })
    }

    /// Brings the numbers of this process up from now on.
    pub(super) fn bring(&self, process: &Arc<Process>) {
        self.numbers.set(Arc::downgrade(process)).ok();
    }

    /// Brings numbers up now; returns which start of the other process took them.
    ///
    /// # Errors
    /// It cannot be reached.
    pub(super) async fn report(&self) -> Result<String, LinkError> {
        self.send(Vec::new()).await.map(|reply| reply.start)
    }

    async fn send(&self, asks: Vec<Vec<u8>>) -> Result<proto::LeaseReply, LinkError> {
        let channel = || async { self.reach.channel().await.map(ClusterClient::new) };
        let client = self.client.get_or_try_init(channel).await.map_err(|error| LinkError(Box::new(error)))?;
        let bytes = MESSAGE_BYTES as usize;
        let mut client = client.clone().max_encoding_message_size(bytes).max_decoding_message_size(bytes);
        let process = self.numbers.get().and_then(Weak::upgrade);
        let running = process.as_ref().map(|process| running_tasks(process));
        let numbers = process.map_or(Vec::new(), |process| process.numbers());
        let request = proto::LeaseRequest { process: self.process.clone(), asks, numbers, running };
        let reply = client.lease(request).await.map_err(|status| LinkError(status.message().into()))?;
        Ok(reply.into_inner())
    }
}

#[async_trait]
impl Leases for PaceLink {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Result<Grant, Refused>>, LinkError> {
        let asked = asks.len();
        let asks: Result<Vec<_>, _> = asks.iter().map(serde_json::to_vec).collect();
        let answers = self.send(asks.map_err(|error| LinkError(Box::new(error)))?).await?.answers;
        if answers.len() != asked {
            return Err(LinkError(format!("{} answers to {asked} asks", answers.len()).into()));
        }
        let read = |answer: proto::Answer| match answer.answer {
            Some(Answer::Grant(grant)) => serde_json::from_slice(&grant).map(Ok),
            Some(Answer::Refused(refused)) => serde_json::from_slice(&refused).map(Err),
            None => Ok(Err(Refused::Malformed)),
        };
        answers.into_iter().map(read).collect::<Result<_, _>>().map_err(|error| LinkError(Box::new(error)))
    }
}

fn running_tasks(process: &Process) -> proto::RunningTasks {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let task = |TaskId { job, stage, task }| proto::Task { job, stage: number(stage), task: number(task) };
    let (s3_received, s3_sent) = process.s3_bytes();
    proto::RunningTasks {
        tasks: process.running.all().into_iter().map(task).collect(),
        share: process.running.share,
        memory_permille: rss_permille(),
        cpu_permille: process.busy.permille(),
        s3_received,
        s3_sent,
    }
}
