//! What machines read: metrics, health.
