//! Google Calendar writes that can be believed.

pub mod clock;
pub mod google;
pub mod model;
pub mod operation;
pub mod policy;
pub mod service;
pub mod store;
