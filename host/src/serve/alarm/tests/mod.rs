//! What the alarms promise.
