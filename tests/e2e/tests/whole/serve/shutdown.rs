//! The process ends within ten seconds, and leaves nothing unsettled.
