//! What is drawn, of boards in virtual time. Pictures are held against `tests/snapshots`; `BLESS=1` keeps new
//! ones.

#[path = "../../core/tests/support/boards/mod.rs"]
mod boards;
#[path = "../support/shot.rs"]
mod shot;

mod links;
mod names;
mod situations;
mod small;
mod told;
