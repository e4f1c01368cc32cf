//! Any body of a push and any envelope of a callback → the receivers: read or rejected.
//!
//! The signature stands before the end of the first line.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (signature, body) = bytes.split_at(end);
    ruzhi_server::webhooks::fuzzing::arrived(body.get(1..).unwrap_or_default(), &String::from_utf8_lossy(signature));
});
