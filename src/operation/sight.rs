//! What stands at a derived id, as one read shows it.

use crate::google::Fetched;
use crate::model::Claims;
use crate::model::stamp::Stamp;

/// See the module.
pub enum Sight {
    /// 404. Proves nothing: a write may still be under way.
    Absent,
    /// Deleted; the id stays taken, so a late insert meets 409.
    Tombstone,
    /// A clean-up's placeholder. Whoever meets it deletes it.
    Fence(Fetched),
    /// Stamped with our request's fingerprint.
    Ours(Fetched, Claims),
    /// Stamped with another request's fingerprint.
    OtherRequest,
    /// At our derived id, but the stamps are gone: somebody's PUT wiped them.
    Unstamped(Fetched),
}

impl Sight {
    /// Reads what a get returned against the fingerprint looked for.
    #[must_use]
    pub fn of(found: Option<Fetched>, print: &str) -> Self {
        let Some(found) = found else { return Self::Absent };
        if found.cancelled() {
            return Self::Tombstone;
        }
        let stamp = Stamp::of(&found.event);
        if stamp.fence {
            return Self::Fence(found);
        }
        match stamp.print {
            None => Self::Unstamped(found),
            Some(there) if there == print => Self::Ours(found, stamp.claims),
            Some(_) => Self::OtherRequest,
        }
    }
}
