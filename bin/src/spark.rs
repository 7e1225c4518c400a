//! What is said of Spark's settings and of the size that they give a cluster.

use paceline_engine::cluster::sizing::{ClusterConf, Sizing};

use crate::progress::say;

/// Settings as pairs of key and value.
pub type Pairs = Vec<(String, String)>;

/// Spark's settings, and the others.
pub fn apart(conf: &[(String, String)]) -> (Pairs, Pairs) {
    conf.iter().cloned().partition(|(key, _)| key.starts_with("spark."))
}

/// Says what of Spark's settings was not taken as it was given.
pub fn warn(conf: &ClusterConf, pairs: &[(String, String)]) {
    for warning in conf.warnings.iter().chain(&conf.left_to_sessions(pairs)) {
        say(&format!("warning: {warning}"));
    }
}

/// Says which limits an executor has, and why, except where the flags for slots, memory and disk say so.
pub fn say_size(sizing: &Sizing, given: [bool; 3]) {
    for (why, _) in sizing.why.iter().zip(given).filter(|(_, given)| !given) {
        tracing::info!(why, "limit of this executor");
        say(why);
    }
}
