//! A store of secrets for tests.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::secret::{NoCredentials, Secret, SecretStore};

/// Gives one secret after the other, whatever is asked for, and the last for ever.
pub fn secrets(in_turn: &[&'static str]) -> Arc<dyn SecretStore> {
    Arc::new(InTurn(Mutex::new(in_turn.to_vec())))
}

#[derive(Debug)]
struct InTurn(Mutex<Vec<&'static str>>);

#[async_trait]
impl SecretStore for InTurn {
    async fn get(&self, _: &str) -> Result<Secret, NoCredentials> {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = secrets.first().copied().unwrap_or_default();
        if secrets.len() > 1 {
            secrets.remove(0);
        }
        Ok(Secret::new(next.to_owned()))
    }
}
