//! When which flow runs: pure, a function of the moment and of what has happened.
