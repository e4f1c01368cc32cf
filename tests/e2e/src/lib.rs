//! Whole runs of the `ruzhi` binary against the simulator.
