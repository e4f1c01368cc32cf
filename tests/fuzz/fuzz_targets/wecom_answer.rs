//! Any answer of WeCom → the client: done, refused with a message fit for a person, or retried.
//!
//! The first byte decides if the token is given, the second gives the status; the rest is the body of every answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio::runtime::Builder;

fuzz_target!(|bytes: &[u8]| {
    let [lets_in, status, body @ ..] = bytes else { return };
    let status = [200, 200, 200, 403, 429, 500, 502][usize::from(*status) % 7];
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(ruzhi_wecom::fuzzing::answered(status, body, lets_in % 4 != 0));
});
