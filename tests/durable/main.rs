//! Creates whose process dies or whose store goes away: told by what Google holds after another process has recovered.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "nothing reaches into a test; it stops at the first surprise, and waits in the time of other processes"
)]

mod crash;
mod enroll_crash;
mod mortal;
mod outage;
mod program;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod requests;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/temporary.rs"]
mod temporary;
