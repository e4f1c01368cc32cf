//! Numbers and addresses of people, masked.
