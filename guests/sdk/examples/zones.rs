//! Prints the compact table of time zones as JSON, for the SDKs of other languages:
//! `cargo run --manifest-path guests/Cargo.toml -p ruzhi-guest --example zones`.
//!
//! `names` is lines of `name number`, sorted; `zones` are `[start in data, length, first offset's number, rule]`, rule 255
//! being none; `rules` are `[standard, daylight, start, end]`, and a turn `[month, week, weekday, second]`. How `data`
//! is packed is written in `build.rs`.
#![allow(clippy::print_stdout, reason = "it is what was asked for")]

use serde_json::json;

type Turn = (u8, u8, u8, i32);

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

fn main() {
    let zones = json!({
        "names": NAMES,
        "data": DATA.as_slice(),
        "offsets": OFFSETS.as_slice(),
        "zones": ZONES.as_slice(),
        "rules": RULES.as_slice(),
    });
    println!("{zones}");
}
