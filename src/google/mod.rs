//! One exchange with Google: over the wire ([`transport`]), until it is settled ([`send`]), as a verb ([`calendar`]).

use std::pin::Pin;

pub mod calendar;
pub mod error_body;
mod fault;
mod http_transport;
mod opening;
mod path;
pub mod scope;
pub mod send;
mod stop;
pub mod tally;
pub mod token;
pub mod transport;
pub mod wait;
mod watched_body;

pub use calendar::{Calendar, Delete, Fetched, Insert, InsertParams, Page, Patch, PatchParams, SendUpdates};
pub use scope::{Lease, Scope};
pub use send::{Answer, Exchange, Reply, Sender, SenderConfig};
pub use tally::{Tally, TallySnapshot};
pub use token::{Credentials, StaticToken, Token};
pub use transport::{HttpReply, HttpRequest, HttpTransport, Transport, TransportConfig};

/// A boxed future, as the traits of this crate return them.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
