//! surecal
pub mod clock;
pub mod google;
pub mod model;
pub mod policy;
