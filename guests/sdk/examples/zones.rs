//! Prints the packed time zones as the SDK of another language keeps them:
//! `cargo run -p ruzhi-guest --example zones -- typescript`.
//!
//! The tables are those that `build.rs` makes for `src/zone.rs`; the bytes are in base64.

use std::process::ExitCode;

/// Month, week, weekday, second of the day.
type Turn = (u8, u8, u8, i32);

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("typescript") => print_typescript(),
        _ => {
            eprintln!("usage: zones typescript");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn print_typescript() {
    println!("/**");
    println!(" * The IANA time zones from 1970 on, packed. Made, not written, from the tables of the Rust SDK by");
    println!(" * `cargo run -p ruzhi-guest --example zones -- typescript`.");
    println!(" */");
    println!();
    println!("import type {{ Turn }} from \"./zone.ts\";");
    println!();
    println!("/** Per line a zone's name in lower case and its number in {{@link ZONES}}. */");
    println!("export const NAMES = `{NAMES}`;");
    println!();
    println!("/** The transitions of all zones, in base64. */");
    println!("export const DATA =\n  \"{}\";", base64(&DATA));
    println!();
    println!("/** Offsets in seconds east of Greenwich. */");
    println!("export const OFFSETS: readonly number[] = {OFFSETS:?};");
    println!();
    println!("/** Per zone: the start of its data, its length, its first offset, its rule (255 none). */");
    println!("// prettier-ignore");
    println!("export const ZONES: readonly (readonly [start: number, length: number, first: number, rule: number])[] = [");
    for zones in ZONES.chunks(6) {
        let zones: Vec<_> = zones.iter().map(|(a, b, c, d)| format!("[{a}, {b}, {c}, {d}]")).collect();
        println!("  {},", zones.join(", "));
    }
    println!("];");
    println!();
    println!("/** Summer time: the offsets without and with it, when it starts and ends. */");
    println!("export const RULES: readonly (readonly [standard: number, daylight: number, start: Turn, end: Turn])[] = [");
    for (standard, daylight, start, end) in &RULES {
        println!("  [{standard}, {daylight}, {}, {}],", turn(start), turn(end));
    }
    println!("];");
}

fn turn((month, week, weekday, second): &Turn) -> String {
    format!("[{month}, {week}, {weekday}, {second}]")
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
