//! Embeds the example projects and their SDKs for `ruzhi guest new`: the embedding macro notices a changed file, but
//! not a new one. Also records the version of the WebAssembly engine.

const EMBEDDED: [&str; 8] = [
    "../guests/sdk",
    "../guests/jingxintai",
    "../guests/typescript/sdk",
    "../guests/typescript/jingxintai",
    "../guests/python/sdk",
    "../guests/python/jingxintai",
    "../wit/v0.1",
    "../wit/v0.2",
];

const LOCK: &str = "../Cargo.lock";

fn main() {
    for folder in EMBEDDED {
        println!("cargo::rerun-if-changed={folder}");
    }
    println!("cargo::rerun-if-changed={LOCK}");
    let lock = std::fs::read_to_string(LOCK).unwrap_or_default();
    let version = lock
        .split("\n\n")
        .find_map(|package| package.split_once("name = \"wasmtime\"\nversion = \""))
        .and_then(|(_, rest)| rest.split('"').next());
    println!("cargo::rustc-env=RUZHI_WASMTIME={}", version.unwrap_or("unknown"));
}
