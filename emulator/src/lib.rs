//! A Google Calendar and OAuth server, in memory or over HTTP, with scripted and seeded faults. For tests.
//!
//! In reading order:
//! - [`Emulator`] is the handle: one request in ([`Emulator::exchange`]), a [`Verdict`] out, which says what the
//!   network does with the reply. No sockets, no tasks; all time is tokio's, paused or not.
//! - `world` holds the truth and the methods of the API; `event` what Google makes of an event.
//! - [`fault`] says what can go wrong and when.
//! - [`server`] puts an emulator on a real socket and plays its verdicts; `control` is the JSON API below `/_control/`.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics is a test that fails"))]

mod account;
mod calendar;
mod call;
mod clock;
mod control;
mod emulator;
mod event;
pub mod fault;
mod fields;
mod mail;
mod operation;
mod parameters;
mod record;
mod reply;
pub mod server;
mod verdict;
mod world;

pub use account::{Credentials, NewUser};
pub use calendar::Role;
pub use emulator::Emulator;
pub use fault::{Fault, Match, Profile, Rule, When};
pub use mail::{Mail, MailKind};
pub use operation::Operation;
pub use record::{ConnectionId, RequestRecord, TokenRecord};
pub use server::{Identity, Server};
pub use verdict::Verdict;
pub use world::{Behaviour, CLIENT_ID, CLIENT_SECRET, ConferenceOutcome, Counts, NewCalendar, Options};
