//! How much may go wrong in one run. What is spent is counted in the state, so every fault can happen anywhere.

/// What the network, the store, the machines and the calendar's owner may still do. Each happens at most so often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    /// A write is applied, and its reply is lost.
    pub lost: u8,
    /// A write is on its way while its caller waits no more: it arrives at any later time, or never.
    pub late: u8,
    /// A write is applied, and a second copy of it arrives at any later time.
    pub repeated: u8,
    /// A write arrives twice at once, and its sender gets the answer to the second copy: a refusal. HTTP allows no
    /// intermediary to repeat a POST or a PATCH by itself. A create bears it; `tests/limits.rs` tells what it does to an enrollment.
    pub resent: u8,
    /// A write is acknowledged and not stored.
    pub dropped: u8,
    /// A write that carries the event itself is stored with other content.
    pub garbled: u8,
    /// A read shows what was there before.
    pub stale: u8,
    /// A process dies.
    pub crashes: u8,
    /// The lease of a process that still works runs out.
    pub slow: u8,
    /// A put to the store is applied after its caller stopped waiting, or never.
    pub late_puts: u8,
    /// The owner of the calendar changes or deletes something.
    pub owner: u8,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        lost: 0,
        late: 0,
        repeated: 0,
        resent: 0,
        dropped: 0,
        garbled: 0,
        stale: 0,
        crashes: 0,
        slow: 0,
        late_puts: 0,
        owner: 0,
    };
}
