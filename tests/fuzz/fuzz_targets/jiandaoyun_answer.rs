//! Any answer of JianDaoYun → the client: rows with ids, or an error message fit for a person.
//!
//! The first byte selects the version of the routes, the second the status; the rest is the body of every answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruzhi_jiandaoyun::ApiVersion;
use tokio::runtime::Builder;

fuzz_target!(|bytes: &[u8]| {
    let [api, status, body @ ..] = bytes else { return };
    let api = [ApiVersion::V1, ApiVersion::V2, ApiVersion::V4, ApiVersion::V5][usize::from(*api) % 4];
    let status = [200, 200, 200, 400, 403, 429, 502][usize::from(*status) % 7];
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(ruzhi_jiandaoyun::fuzzing::answered(status, body, api));
});
