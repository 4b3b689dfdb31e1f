//! Creates whose process dies or whose store goes away: told by what Google holds after another process has recovered.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "nothing reaches into a test, and it stops at the first surprise"
)]

mod crash;
mod mortal;
mod outage;
mod program;
#[path = "../support/redis_server.rs"]
mod redis_server;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/temporary.rs"]
mod temporary;
