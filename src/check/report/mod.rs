//! What the findings look like: as text and as JSON.

pub mod json;
pub mod text;
