//! The pages: functions that give HTML.
