//! What a service asks of the program around it: the user's tokens, and the objects that make them.

use std::sync::Arc;

use serde::Serialize;

use crate::google::BoxFuture;

/// A question. Holds tokens only where they are to be saved; `Debug` is not implemented for that reason.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Question {
    /// `tokenStore.load`.
    #[serde(rename_all = "camelCase")]
    LoadTokens {
        /// Whose.
        user_id: String,
    },
    /// `tokenStore.save`.
    #[serde(rename_all = "camelCase")]
    SaveTokens {
        /// Whose.
        user_id: String,
        /// The new ones.
        tokens: serde_json::Value,
    },
    /// An object with `getAccessToken()`.
    #[serde(rename_all = "camelCase")]
    AccessToken {
        /// Which object.
        auth_ref: u32,
        /// Google answered 401 to its last token.
        refused: bool,
    },
    /// The undo of a step of the application's own: `"done"`, or `"missing"` where nobody knows how.
    #[serde(rename_all = "camelCase")]
    UndoStep {
        /// The claim of the transaction whose function is meant; `None`: the handler of this name.
        transaction: Option<String>,
        /// The function's step in it.
        number: Option<u32>,
        /// The handler's name in the configuration's `undo`.
        name: Option<String>,
        /// Its argument, as JSON text.
        args: Option<String>,
    },
    /// `store.get`: `{ value, version }` or null.
    StoreGet {
        /// Which value.
        key: String,
    },
    /// `store.put`: true, or false when something else was there than expected.
    #[serde(rename_all = "camelCase")]
    StorePut {
        /// Which value.
        key: String,
        /// The new one.
        value: String,
        /// The version that must be there; `None`: the key must have no value.
        expected: Option<String>,
        /// The new version.
        version: String,
        /// How long it stays; `None`: it is open, never expires and is listed.
        ttl_ms: Option<u64>,
    },
    /// `store.delete`: true, or false when another version was there.
    StoreDelete {
        /// Which value.
        key: String,
        /// The version that must be there.
        expected: String,
    },
    /// `store.open`: `[{ key, value, version }]`.
    StoreOpen {
        /// What the keys begin with.
        prefix: String,
    },
}

/// The program threw, or gave something unusable. Its own words are not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostFault;

/// Who answers.
pub trait Host: Send + Sync {
    /// The answer as JSON text; `None`: there is nothing.
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>>;
}

/// A program that knows nothing.
pub(super) struct NoHost;

impl Host for NoHost {
    fn ask(&self, _: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// The default host.
pub(super) fn none() -> Arc<dyn Host> {
    Arc::new(NoHost)
}
