//! A transaction as the facade drives it, step by step.

use serde_json::{Value, json};
use surecal::model::{CalendarError, Outcome};
use surecal::service::Cancel;

use super::{Process, Told, args, parsed};

/// Who is added.
pub const EVA: &str = "eva@example.com";

impl Process {
    /// Begins a transaction, or hears what became of an earlier one.
    pub async fn begin_until(&self, options: &Value, cancel: Cancel) -> Told {
        parsed(self.service.transaction_begin(&args(options), cancel).await)
    }
}

/// A transaction at work.
#[derive(Clone)]
pub struct Tx {
    process: Process,
    id: u32,
}

impl Tx {
    pub async fn begin(process: &Process, options: &Value) -> Self {
        Self::begun(process, options).await.unwrap()
    }

    /// As [`Self::begin`], where it may fail.
    pub async fn begun(process: &Process, options: &Value) -> Result<Self, CalendarError> {
        let begun = process.begin_until(options, Cancel::default()).await?;
        Ok(Self { process: process.clone(), id: u32::try_from(begun["id"].as_u64().unwrap()).unwrap() })
    }

    pub async fn add(&self, event_id: &str) -> Told {
        let body = json!({ "eventId": event_id, "attendee": { "email": EVA } });
        parsed(self.process.service.transaction_add(self.id, &body.to_string()).await)
    }

    pub async fn create(&self, event: &Value, options: &Value) -> Told {
        parsed(self.process.service.transaction_create(self.id, &args(options), &event.to_string()).await)
    }

    /// A step that the program undoes by a function.
    pub async fn step(&self) {
        self.noted_step(&json!({})).await.unwrap();
    }

    /// A step's number: `{}`, or `{ name, args }` of one that a handler undoes.
    pub async fn noted_step(&self, step: &Value) -> Told {
        parsed(self.process.service.transaction_step(self.id, &step.to_string()).await)
    }

    pub async fn roll_back(&self) -> Value {
        parsed(self.process.service.transaction_roll_back(self.id).await).unwrap()
    }

    pub async fn commit(&self) -> Told {
        parsed(self.process.service.transaction_commit(self.id).await)
    }

    /// Everything back, and the error as the caller hears it.
    pub async fn refused(&self, mut error: CalendarError) -> CalendarError {
        let back = self.roll_back().await;
        let outcomes = [Outcome::NotSent, Outcome::Rejected, Outcome::Unknown, Outcome::Applied];
        error.outcome = outcomes.into_iter().find(|outcome| back["outcome"] == outcome.name()).unwrap();
        let names = |list: &str| serde_json::from_value(back[list].clone()).unwrap();
        error.rollback.done = names("rolledBack");
        error.rollback.pending = names("rollbackPending");
        error.rollback.failed = names("rollbackFailed");
        error
    }
}
