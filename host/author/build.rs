//! The binary carries the example projects and their SDKs for `ruzhi guest new`. The macro that embeds a folder notices
//! a file that changes, but not one that is new.

const EMBEDDED: [&str; 8] = [
    "../../guests/sdk",
    "../../guests/jingxintai",
    "../../guests/typescript/sdk",
    "../../guests/typescript/jingxintai",
    "../../guests/python/sdk",
    "../../guests/python/jingxintai",
    "../../wit/v0.1",
    "../../wit/v0.2",
];

fn main() {
    for folder in EMBEDDED {
        println!("cargo::rerun-if-changed={folder}");
    }
}
