//! The transport over real sockets, against servers that misbehave. Each test counts what the server saw.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod connect;
mod frames;
mod http1;
mod http2;
mod server;
