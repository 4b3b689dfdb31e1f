//! What a create does so that no promise breaks. Each can be taken out.

/// See the module. `true`: as the code does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a guard of its own, and any one can be missing")]
pub struct Guards {
    /// All attempts with one key write to one id.
    pub derived_id: bool,
    /// The journal has the intent before anything is sent.
    pub intent_first: bool,
    /// An adoption adds its claim to the list; it replaces nobody's.
    pub claims_list: bool,
    /// Only with its own claim on the event an attempt may rely on it.
    pub claim_check: bool,
    /// A clean-up deletes only what nobody else claims.
    pub only_ours: bool,
    /// An adoption is sent with If-Match.
    pub if_match_adopt: bool,
    /// A repair is sent with If-Match.
    pub if_match_repair: bool,
    /// A deletion is sent with If-Match.
    pub if_match_delete: bool,
    /// A clean-up that does not see its claim moves the etag on before it closes.
    pub etag_move: bool,
    /// It closes on reading its own nonce, not on an acknowledgement.
    pub nonce_read: bool,
    /// A clean-up that sees nothing fences the id.
    pub fence: bool,
    /// A fence has a stamp of its own.
    pub fence_stamp: bool,
    /// What differs on an event that others claim is judged by the journal: a failed one's garbled event is not an edit.
    pub fates: bool,
    /// What differs from a success is its owner's edit, and is left.
    pub owners_edit: bool,
    /// Only a success that was read back excuses a difference.
    pub verified_only: bool,
    /// An event whose stamps were wiped is compared before it is told as success.
    pub compare_first: bool,
    /// What an insert made is read back and compared.
    pub read_back: bool,
    /// The next generation's id is journalled before its insert.
    pub next_id: bool,
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
    /// A settled entry is overwritten, not deleted.
    pub overwrite: bool,
    /// A refusal is not believed before a look: it may be of a second copy.
    pub refusal_doubted: bool,
}

impl Guards {
    /// As the code is.
    pub const ALL: Self = Self {
        derived_id: true,
        intent_first: true,
        claims_list: true,
        claim_check: true,
        only_ours: true,
        if_match_adopt: true,
        if_match_repair: true,
        if_match_delete: true,
        etag_move: true,
        nonce_read: true,
        fence: true,
        fence_stamp: true,
        fates: true,
        owners_edit: true,
        verified_only: true,
        compare_first: true,
        read_back: true,
        next_id: true,
        result_before_told: true,
        result_cas: true,
        unknown_told: true,
        known_puts: true,
        lease_check: true,
        overwrite: true,
        refusal_doubted: true,
    };
}
