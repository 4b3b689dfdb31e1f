//! What goes to the facade: the answers of calls, and notices, in the order in which they came to be. One weak threadsafe
//! function carries them all. A promise of napi's own is a threadsafe function each, with a handle in the event loop that
//! every wake-up looks at; and what two of them carry can arrive in either order.

use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use napi::Status;
use napi::bindgen_prelude::{Either3, FnArgs, Function, Latin1String};
use napi::threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::model::CalendarError;
use crate::service::{Cancel, to_text};

/// A ticket, or a text, which crosses in half the time where it is ASCII.
type Crossing = Either3<i32, Latin1String, String>;
/// Of each message its ticket and its text.
pub(super) type Batch = FnArgs<(Vec<Crossing>,)>;
type Wake = ThreadsafeFunction<(), (), Batch, Status, false, true>;

/// The ticket of what no call asked for.
const NOTICE: i32 = 0;

/// Messages that the facade has not taken yet. What comes while it is being woken goes along.
pub(super) struct Outbox {
    waiting: Arc<Mutex<Vec<Crossing>>>,
    wake: Wake,
    /// `AbortSignal`s of calls at work.
    signals: DashMap<i32, Cancel>,
}

impl Outbox {
    pub(super) fn to(tell: &Function<'_, Batch, ()>) -> napi::Result<Arc<Self>> {
        let waiting: Arc<Mutex<Vec<Crossing>>> = Arc::default();
        let batch = Arc::clone(&waiting);
        let wake = tell.build_threadsafe_function::<()>().weak::<true>().build_callback(
            move |_: ThreadsafeCallContext<()>| {
                Ok(Batch::from((std::mem::take(&mut *batch.lock().unwrap_or_else(PoisonError::into_inner)),)))
            },
        )?;
        Ok(Arc::new(Self { waiting, wake, signals: DashMap::new() }))
    }

    /// A call that begins; `number` is the facade's, and above 0.
    pub(super) fn ticket(self: &Arc<Self>, number: i32) -> Ticket {
        let cancel = Cancel::default();
        self.signals.insert(number, cancel.clone());
        Ticket { outbox: Arc::clone(self), number, cancel, answer: None }
    }

    pub(super) fn cancel(&self, number: i32) {
        if let Some(cancel) = self.signals.get(&number) {
            cancel.cancel();
        }
    }

    pub(super) fn notice(&self, text: String) {
        self.put(NOTICE, text);
    }

    fn put(&self, ticket: i32, text: String) {
        let text = if text.is_ascii() { Either3::B(Latin1String::from(text)) } else { Either3::C(text) };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let sleeps = waiting.is_empty();
        waiting.extend([Either3::A(ticket), text]);
        drop(waiting);
        if sleeps {
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// A call at work. It is answered when this is dropped, however it ends: without an answer, by a panic, as failed without
/// words, of which the facade makes INTERNAL.
pub(super) struct Ticket {
    outbox: Arc<Outbox>,
    number: i32,
    pub(super) cancel: Cancel,
    answer: Option<Result<String, CalendarError>>,
}

impl Ticket {
    pub(super) fn answered(mut self, answer: Result<String, CalendarError>) {
        self.answer = Some(answer);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.outbox.signals.remove(&self.number);
        match self.answer.take() {
            Some(Ok(text)) => self.outbox.put(self.number, text),
            Some(Err(error)) => self.outbox.put(-self.number, to_text(&error)),
            None => self.outbox.put(-self.number, String::new()),
        }
    }
}
