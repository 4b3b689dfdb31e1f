//! Undoes steps of the application's own by asking the program.

use std::sync::Arc;

use super::host::{Host, Question};
use crate::google::BoxFuture;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::transaction::{AppStep, AppSteps};

/// What the program answers when it has done it.
const DONE: &str = r#""done""#;

struct Asked(Arc<dyn Host>);

/// The program behind `host`.
pub(super) fn asked_of(host: &Arc<dyn Host>) -> Arc<dyn AppSteps> {
    Arc::new(Asked(Arc::clone(host)))
}

impl AppSteps for Asked {
    fn undo<'a>(&'a self, step: AppStep<'a>) -> BoxFuture<'a, Result<(), CalendarError>> {
        let question = match step {
            AppStep::Held { transaction, number } => Question::UndoStep {
                transaction: Some(transaction.to_owned()),
                number: Some(number),
                name: None,
                args: None,
            },
            AppStep::Named { name, args } => Question::UndoStep {
                transaction: None,
                number: None,
                name: Some(name.to_owned()),
                args: Some(args.to_owned()),
            },
        };
        Box::pin(async move {
            match self.0.ask(question).await {
                Ok(Some(answer)) if answer == DONE => Ok(()),
                Ok(_) => Err(CalendarError::new(
                    Code::Configuration,
                    Outcome::Unknown,
                    "A step of the program's own cannot be undone: the configuration's `undo` has no handler of its name. Add it and call recover().",
                )),
                Err(_) => Err(CalendarError::new(
                    Code::Internal,
                    Outcome::Unknown,
                    "The program's own undo of a step failed: it threw, or rejected.",
                )),
            }
        })
    }
}
