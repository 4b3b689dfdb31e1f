//! surecal
pub mod model;
