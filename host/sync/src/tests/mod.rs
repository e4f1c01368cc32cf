//! Planner, ledger and settlement against a model over random histories of rows, rules, faults and crashes.
//!
//! The parts are the real ones: the planner over a world fed as the store feeds it, the order of waves, the reading of
//! verdicts, the reading back of operations in doubt. Around them is a model of the parts without meaning of their own
//! here: WeCom ([`directory`]), the store ([`company`]), and the calls of a run ([`run`]).

mod company;
mod directory;
mod gate;
mod history;
mod outcomes;
mod run;
