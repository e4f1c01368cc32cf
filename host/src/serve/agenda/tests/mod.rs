//! Rules of the agenda.
