//! What a person who runs ruzhi is promised, seen from outside.

mod bad_input;
mod crash;
mod faults;
mod founding;
mod guard;
mod main_job;
mod secrets;
