//! Components that import something.

use super::*;

/// Every interface of WASI 0.2 that a component can import.
const WASI_0_2: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:cli/run",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:clocks/timezone",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
    "wasi:http/types",
    "wasi:http/outgoing-handler",
    "wasi:http/incoming-handler",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:sockets/network",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
    "wasi:config/store",
    "wasi:keyvalue/store",
    "wasi:keyvalue/atomics",
    "wasi:keyvalue/batch",
    "wasi:logging/logging",
    "wasi:blobstore/blobstore",
    "wasi:nn/graph",
    "wasi:messaging/producer",
    "wasi:tls/types",
];

/// Every interface of WASI 0.3.
const WASI_0_3: &[&str] = &[
    "wasi:cli/types",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:cli/run",
    "wasi:clocks/types",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/system-clock",
    "wasi:clocks/timezone",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
    "wasi:http/types",
    "wasi:http/handler",
    "wasi:http/client",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:sockets/types",
    "wasi:sockets/ip-name-lookup",
];

fn importing(import: &str, instance: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(component (import "{import}" (instance {instance})))"#)).unwrap()
}

const FUNCTION: &str = r#"(export "call" (func (result string)))"#;

#[test]
fn every_interface_of_wasi_is_refused_by_name_with_the_way_to_build_without() {
    let of = |names: &'static [&'static str], version: &'static str| {
        names.iter().map(move |name| format!("{name}@{version}"))
    };
    let drafts = of(WASI_0_3, "0.3.0-rc-2025-09-16");
    for import in
        of(WASI_0_2, "0.2.0").chain(of(WASI_0_2, "0.2.8")).chain(of(WASI_0_3, "0.3.0")).chain(drafts)
    {
        let error = refused(&importing(&import, FUNCTION), "guest.import", &[&import]);
        says_both(&error.hint(), &["wasm32-unknown-unknown", "--stub-wasi"]);
    }
}

#[test]
fn a_function_of_any_other_name_is_refused() {
    for import in ["ruzhi:mapping/types@0.2.0", "ruzhi:mapping/diagnostics@0.2.0", "acme:erp/lookup"] {
        refused(&importing(import, FUNCTION), "guest.import", &[import]);
    }
    let bare = wat::parse_str(r#"(component (import "now" (func (result u64))))"#).unwrap();
    refused(&bare, "guest.import", &["`now`"]);
    let module = wat::parse_str(r#"(component (import "code" (core module)))"#).unwrap();
    refused(&module, "guest.import", &["`code`"]);
    let component = wat::parse_str(r#"(component (import "part" (component)))"#).unwrap();
    refused(&component, "guest.damaged", &["import"]);
}

#[test]
fn a_resource_is_something_to_call_even_among_the_contract_s_types() {
    let resource = r#"(export "handle" (type (sub resource)))"#;
    refused(
        &importing("ruzhi:mapping/types@0.2.0", resource),
        "guest.import",
        &["ruzhi:mapping/types@0.2.0"],
    );
    let nested = r#"(export "inner" (instance (export "call" (func))))"#;
    refused(&importing("ruzhi:mapping/types@0.2.0", nested), "guest.import", &["ruzhi:mapping/types@0.2.0"]);
}

#[test]
fn types_may_be_imported_from_any_package() {
    let types = r#"(type $t (record (field "seconds" u64))) (export "datetime" (type (eq $t)))"#;
    // Only the contract is missing in this case.
    refused(&importing("wasi:clocks/wall-clock@0.2.6", types), "guest.contract", &[]);
    let own = Component::from_bytes(&ENGINE, None, &Module::default().component()).unwrap();
    assert_eq!(own.inspection().imports, ["ruzhi:mapping/types@0.2.0"]);
}
