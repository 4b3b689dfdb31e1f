//! What a transaction intends, as its journal entry keeps it, so that whoever finds the entry can undo it, or finish what
//! follows its success.

use serde::{Deserialize, Serialize};

use crate::model::Claim;

/// The steps of a transaction. Addresses and the application's arguments are in it only while it is open.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// In the order in which they are taken.
    pub steps: Vec<Step>,
    /// Something is still to be done, also after success.
    pub open: bool,
    /// It takes attendees off for good; nothing is undone.
    pub removal: bool,
    /// What the caller is told again who asks again with the same key; JSON text without addresses.
    pub answer: Option<String>,
}

/// One step, known to the journal before it is taken.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its place among all steps of its transaction.
    pub number: u32,
    /// What it does.
    pub act: Act,
    /// Nothing is left to do about it.
    pub closed: bool,
}

/// What a step does.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Act {
    /// Puts an attendee on an event's list, or (in a removal) takes one off.
    #[serde(rename_all = "camelCase")]
    Attendee {
        /// Which calendar; `primary` means the user's.
        calendar: String,
        /// Which event.
        event_id: String,
        /// Who.
        email: String,
        /// Whether they may have been mailed, so that an undo must mail them too.
        mailed: bool,
        /// The transaction went on without it: whether it arrived is settled afterwards.
        skipped: bool,
        /// `updated` of the state of the event that its success was read in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        updated: Option<String>,
    },
    /// Makes an event: an attempt with an entry of its own, whose group is the transaction.
    #[serde(rename_all = "camelCase")]
    Event {
        /// The attempt's claim, and its entry's name.
        claim: Claim,
    },
    /// The application's own step, undone by the handler of this name.
    #[serde(rename_all = "camelCase")]
    App {
        /// The handler's name in the configuration's `undo`.
        name: String,
        /// Its argument, as JSON text.
        args: String,
    },
}

impl Step {
    /// The transaction went on without it.
    #[must_use]
    pub const fn is_skipped(&self) -> bool {
        matches!(self.act, Act::Attendee { skipped: true, .. })
    }
}

impl Plan {
    /// What is not closed yet.
    #[must_use = "it only looks"]
    pub fn open_steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.steps.iter().filter(|step| !step.closed)
    }

    /// The events of those attendees' steps that are `wanted`, each once.
    pub fn event_ids(&self, wanted: impl Fn(&Step) -> bool) -> Vec<String> {
        let mut ids = Vec::new();
        for step in self.steps.iter().filter(|step| wanted(step)) {
            if let Act::Attendee { event_id, .. } = &step.act
                && !ids.contains(event_id)
            {
                ids.push(event_id.clone());
            }
        }
        ids
    }

    /// Notes that nothing is left to do about a step.
    pub fn close(&mut self, number: u32) {
        for step in self.steps.iter_mut().filter(|step| step.number == number) {
            step.closed = true;
        }
    }

    /// Nothing is left to do: who and with what is forgotten.
    pub fn finish(&mut self) {
        self.open = false;
        for step in &mut self.steps {
            step.closed = true;
            match &mut step.act {
                Act::Attendee { email, .. } => email.clear(),
                Act::App { args, .. } => args.clear(),
                Act::Event { .. } => {}
            }
        }
    }
}
