//! One exchange with Google: over the wire ([`transport`]), until it is settled ([`send`]), as a verb ([`calendar`]).

use std::pin::Pin;

pub mod calendar;
pub mod error_body;
mod fault;
mod http_transport;
pub mod oauth;
mod opening;
mod path;
mod proxy;
mod quota_user;
pub mod scope;
pub mod send;
pub mod service_account;
mod shared_turns;
mod stop;
pub mod tally;
pub mod token;
pub mod transport;
mod trust;
pub mod wait;
mod watched_body;

pub use calendar::{
    Calendar, Delete, Fetched, Insert, InsertParams, NAMED, Page, Patch, PatchParams, SendUpdates, Written, json,
};
pub use fault::describe;
pub use http_transport::{HttpTokenEndpoint, Network};
pub use oauth::{GrantFailure, Issued, OauthClient, Passing, RefreshToken, TokenEndpoint};
pub use proxy::Proxy;
pub use quota_user::{QUOTA_USER_AT_MOST, QuotaUser};
pub use scope::{Hurry, Lease, Scope};
pub use send::{Answer, Exchange, Reply, Sender, SenderConfig};
pub use service_account::ServiceAccount;
pub use shared_turns::Allotter;
pub use tally::{Tally, TallySnapshot};
pub use token::{Credentials, StaticToken, Token};
pub use transport::{Body, HttpReply, HttpRequest, HttpTransport, Transport, TransportConfig};
pub use trust::Trust;

/// A boxed future, as the traits of this crate return them.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
