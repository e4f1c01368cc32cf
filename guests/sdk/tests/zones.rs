//! The time zones of the TypeScript SDK are those of this crate.

#[path = "../examples/zones.rs"]
#[allow(dead_code, reason = "an example's main")]
mod zones;

#[test]
fn typescript_has_the_zones_of_rust() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../typescript/sdk/zones.ts");
    let file = std::fs::read_to_string(path).unwrap_or_default();
    let remedy =
        "run `cargo run --manifest-path guests/Cargo.toml -p ruzhi-guest --example zones typescript`";
    assert!(file == zones::typescript(), "{path} is out of date: {remedy}");
}
