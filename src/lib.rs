//! Google Calendar writes that can be believed.
//!
//! In reading order: [`model`] has the nouns, [`policy`] the decisions, [`google`] one exchange with Google, [`store`]
//! what is remembered, [`operation`] the verbs as protocols, [`service`] what a user holds. A file uses its own layer
//! or those before it. `binding` is the Node boundary, and the only place that names napi.

// Only what napi-derive makes may be unsafe; everything else forbids it.
#[forbid(unsafe_code)]
pub mod clock;
#[forbid(unsafe_code)]
pub mod google;
#[forbid(unsafe_code)]
pub mod model;
#[forbid(unsafe_code)]
pub mod operation;
#[forbid(unsafe_code)]
pub mod policy;
#[forbid(unsafe_code)]
pub mod service;
#[forbid(unsafe_code)]
pub mod store;

#[cfg(feature = "node")]
pub mod binding;

/// A call makes and drops hundreds of small texts, on three threads: with the C library's allocator a third of its time
/// went there.
#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
