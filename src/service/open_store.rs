//! Opens the store that the configuration names.

use std::path::Path;
use std::sync::Arc;

use super::config::StoreChoice;
use super::host::Host;
use super::host_store::HostStore;
use crate::clock::Clock;
use crate::google::Trust;
use crate::model::CalendarError;
use crate::store::{MemoryStore, RedisStore, SqliteStore, Store};

/// A `SQLite` file is opened at once, and an error told at once; a Redis server is connected when it is needed.
pub(super) fn open_store(
    choice: &StoreChoice,
    clock: &Clock,
    host: &Arc<dyn Host>,
    trust: &Trust,
) -> Result<Arc<dyn Store>, CalendarError> {
    Ok(match choice {
        StoreChoice::Memory => Arc::new(MemoryStore::new(clock.clone())),
        StoreChoice::Sqlite { path, synchronous } => {
            Arc::new(SqliteStore::open(Path::new(path), *synchronous, clock.clone())?)
        }
        StoreChoice::Redis { url, prefix } => Arc::new(RedisStore::trusting(url, prefix, trust)?),
        StoreChoice::Host => Arc::new(HostStore::new(Arc::clone(host))),
    })
}
