//! Google's parameter `quotaUser`: whom a request counts against when one service account acts for many users.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Characters that Google takes at most.
pub const QUOTA_USER_AT_MOST: usize = 40;

/// What is sent. `Debug` is not implemented: a name can be a person's.
#[derive(Clone, PartialEq, Eq)]
pub enum QuotaUser {
    /// Nothing: the request counts against whoever the token names.
    Unsaid,
    /// A hash of the user's id.
    Hashed,
    /// This text, of 1 to 40 characters.
    Named(String),
}

impl QuotaUser {
    /// What is sent for a request of `user`.
    #[must_use]
    pub fn of(&self, user: &str) -> Option<String> {
        match self {
            Self::Unsaid => None,
            Self::Named(text) => Some(text.clone()),
            // 40 hex digits of it: no two users are counted as one, and Google does not learn the app's ids.
            Self::Hashed => {
                let mut text = HEXLOWER.encode(&Sha256::digest(user.as_bytes()));
                text.truncate(QUOTA_USER_AT_MOST);
                Some(text)
            }
        }
    }
}
