//! The program knows which version of WebAssembly's engine it was built with.

const LOCK: &str = "../../Cargo.lock";

fn main() {
    println!("cargo::rerun-if-changed={LOCK}");
    let lock = std::fs::read_to_string(LOCK).unwrap_or_default();
    let version = lock
        .split("\n\n")
        .find_map(|package| package.split_once("name = \"wasmtime\"\nversion = \""))
        .and_then(|(_, rest)| rest.split('"').next());
    println!("cargo::rustc-env=RUZHI_WASMTIME={}", version.unwrap_or("unknown"));
}
