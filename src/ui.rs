//! A screen: what it looks like, and what its keys do.

pub mod controls;
pub mod view;
