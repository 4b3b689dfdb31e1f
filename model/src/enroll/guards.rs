//! What an enrollment does so that no promise breaks. Each can be taken out.

/// See the module. `true`: as the code does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a guard of its own, and any one can be missing")]
pub struct Guards {
    /// The journal has the intent before anything is done.
    pub intent_first: bool,
    /// A transaction's claim is on the record before the event is read.
    pub claim_first: bool,
    /// A claim waits while somebody takes the attendee off.
    pub wait_while_removing: bool,
    /// `added` is noted before the PATCH that adds.
    pub added: bool,
    /// Success leaves `kept` behind where the attendee was added.
    pub kept: bool,
    /// Who takes the attendee off says so on the record first.
    pub removing: bool,
    /// The record is asked again between the read and the removal.
    pub recheck: bool,
    /// Only the last claim takes the attendee off.
    pub claims: bool,
    /// The success is in the journal before the records are told.
    pub commit_first: bool,
    /// The success is in the journal before the caller hears of it.
    pub result_before_told: bool,
    /// The success is a compare-and-set on the fencing token.
    pub result_cas: bool,
    /// A result of unknown fate is told as unknown.
    pub unknown_told: bool,
    /// Who takes over acts only on a put that is known to be applied.
    pub known_puts: bool,
    /// Who lost its lease sends nothing more.
    pub lease_check: bool,
    /// Who lost its lease puts no claim on a record either.
    pub claim_lease_check: bool,
    /// An undo that does not find its claim writes the record again.
    pub rewrite: bool,
    /// A record that nobody needs is overwritten, not deleted.
    pub overwrite: bool,
    /// An undo that reads "absent" moves the etag on before it drops the record.
    pub etag_move: bool,
    /// An undo closes on reading its own nonce, not on an acknowledgement.
    pub nonce_read: bool,
    /// What another kept stays kept, also for one whose own add has landed.
    pub kept_by_others: bool,
    /// An add is sent with If-Match.
    pub if_match_add: bool,
    /// A removal is sent with If-Match.
    pub if_match_expel: bool,
    /// What was added is read back.
    pub read_back: bool,
    /// A success leaves on the record what it was read in; who claims later reads again what is older.
    pub told_in: bool,
    /// So does a removal.
    pub removed_in: bool,
}

impl Guards {
    /// As the code is.
    pub const ALL: Self = Self {
        intent_first: true,
        claim_first: true,
        wait_while_removing: true,
        added: true,
        kept: true,
        removing: true,
        recheck: true,
        claims: true,
        commit_first: true,
        result_before_told: true,
        result_cas: true,
        unknown_told: true,
        known_puts: true,
        lease_check: true,
        claim_lease_check: true,
        rewrite: true,
        overwrite: true,
        etag_move: true,
        nonce_read: true,
        kept_by_others: true,
        if_match_add: true,
        if_match_expel: true,
        read_back: true,
        told_in: true,
        removed_in: true,
    };
}
