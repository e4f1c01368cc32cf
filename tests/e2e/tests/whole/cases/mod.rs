//! Failures of 0.1.0 that occurred while the row stood still, one file for each kind. Every story ends with the corp's
//! books: no one was created twice, no one was invited twice.
//!
//! Kinds covered elsewhere: one member out of reach (`blame`), a wrong clock (`service_clock`), a full account in
//! numbers (`places`), a person's decision on a removed member (`removed`).

mod archived;
mod circles;
mod cursors;
mod dates;
mod leaders;
mod not_found;
mod odd_dates;
mod places;
mod references;
mod removed;
mod spellings;
mod stage;
mod waiting;
