//! Prints the compact table of time zones for the SDKs of other languages, as JSON or as TypeScript:
//! `cargo run --manifest-path guests/Cargo.toml -p ruzhi-guest --example zones [typescript]`.
//!
//! `names` is sorted lines of `name number`; `zones` are `[start in data, length, first offset's number, rule]`, rule
//! 255 being none; `rules` are `[standard, daylight, start, end]`, and a change `[month, week, weekday, second]`.
//! `build.rs` describes the packing of `data`; TypeScript has it in base64.
#![allow(clippy::print_stdout, reason = "it is what was asked for")]

use serde_json::json;

type Turn = (u8, u8, u8, i32);

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

fn main() {
    if std::env::args().any(|argument| argument == "typescript") {
        print!("{}", typescript());
        return;
    }
    let zones = json!({
        "names": NAMES,
        "data": DATA.as_slice(),
        "offsets": OFFSETS.as_slice(),
        "zones": ZONES.as_slice(),
        "rules": RULES.as_slice(),
    });
    println!("{zones}");
}

/// The file `zones.ts` of the TypeScript SDK.
pub(crate) fn typescript() -> String {
    let zones: String = ZONES
        .chunks(6)
        .map(|row| row.iter().map(|zone| json!(zone).to_string()).collect::<Vec<_>>().join(", "))
        .map(|row| format!("  {row},\n"))
        .collect();
    let rules: String = RULES.iter().map(|rule| format!("  {},\n", json!(rule))).collect();
    format!(
        "\
/**
 * The IANA time zones from 1970 on, packed. Made, not written, from the tables of the Rust SDK by
 * `cargo run --manifest-path guests/Cargo.toml -p ruzhi-guest --example zones typescript`.
 */

import type {{ Turn }} from \"./zone.ts\";

/** Per line a zone's name in lower case and its number in {{@link ZONES}}. */
export const NAMES =
  {NAMES:?};

/** The transitions of all zones, in base64. */
export const DATA =
  \"{}\";

/** Offsets in seconds east of Greenwich. */
export const OFFSETS: readonly number[] = {OFFSETS:?};

/** Per zone: the start of its data, its length, the number of its first offset, its rule (255 is none). */
export const ZONES: readonly (readonly [start: number, length: number, first: number, rule: number])[] = [
{zones}];

/** Summer time: the offsets without and with it, when it starts and when it ends. */
export const RULES: readonly (readonly [standard: number, daylight: number, start: Turn, end: Turn])[] = [
{rules}];
",
        base64(&DATA)
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, at| group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = DIGITS.get((group >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}
