//! A program with rows of its own, in a transaction with the calendar.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use surecal::google::BoxFuture;
use surecal::model::{CalendarError, Code, Outcome};
use surecal::service::host::{Host, HostFault, Question};

use crate::support::{Google, Process, Told, Tx};

/// The name of the handler that undoes a named step.
const HANDLER: &str = "row";

/// Its rows, by the numbers of the steps that made them.
#[derive(Default)]
pub(crate) struct Program {
    rows: Mutex<BTreeSet<u64>>,
}

impl Program {
    pub(crate) fn on(google: &mut Google) -> Arc<Self> {
        let program = Arc::new(Self::default());
        google.host = Some(Arc::clone(&program) as Arc<dyn Host>);
        program
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.lock().unwrap().len()
    }

    /// A step whose undo a function knows, an attendee, an event, and a step whose undo a handler knows; then it throws, or not.
    pub(crate) async fn transact(&self, process: &Process, class: &str, lesson: &Value, throws: bool) -> Told {
        let tx = Tx::begun(process, &json!({})).await?;
        match self.steps(&tx, class, lesson, throws).await {
            Ok(()) => {}
            Err(error) => return Err(tx.refused(error).await),
        }
        match tx.commit().await {
            Err(error) if error.outcome != Outcome::Unknown => Err(tx.refused(error).await),
            told => told,
        }
    }

    async fn steps(&self, tx: &Tx, class: &str, lesson: &Value, throws: bool) -> Result<(), CalendarError> {
        self.insert(&tx.noted_step(&json!({})).await?);
        tx.add(class).await?;
        tx.create(lesson, &json!({})).await?;
        self.insert(&tx.noted_step(&json!({ "name": HANDLER, "args": "3" })).await?);
        if throws {
            return Err(CalendarError::new(Code::Internal, Outcome::Unknown, "the program threw"));
        }
        Ok(())
    }

    fn insert(&self, number: &Value) {
        self.rows.lock().unwrap().insert(number.as_u64().unwrap());
    }
}

impl Host for Program {
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        let Question::UndoStep { number, name, args, .. } = question else {
            return Box::pin(std::future::ready(Err(HostFault)));
        };
        let number = number.map_or_else(|| args.unwrap().parse().unwrap(), u64::from);
        assert!(name.is_none_or(|name| name == HANDLER));
        self.rows.lock().unwrap().remove(&number);
        Box::pin(std::future::ready(Ok(Some(r#""done""#.to_owned()))))
    }
}
