//! The keys of both kinds of files, by section.

use super::toml_reader::Shape;

const GUARD: &[&str] = &[
    "leave_percent",
    "leave_least",
    "leave_most",
    "leave_day_percent",
    "leave_day_most",
    "leave_week_percent",
    "leave_week_most",
    "create_most",
    "update_most",
];

/// The keys of `ruzhi.toml`.
pub(super) const HOST: &[Shape] = &[
    Shape { path: "", keys: &["store", "server", "schedule", "alerts", "guest", "guard"] },
    Shape { path: "store", keys: &["url"] },
    Shape { path: "server", keys: &["listen", "url", "trusted_proxies", "token", "viewer_token", "people"] },
    Shape { path: "server.people", keys: &["name", "role", "token"] },
    Shape { path: "schedule", keys: &["at_once", "late_after"] },
    Shape { path: "alerts", keys: &["robot", "url", "lang"] },
    Shape { path: "guest", keys: &["memory", "deadline", "cache", "cache_limit"] },
    Shape { path: "guard", keys: GUARD },
];

/// The keys of a tenant's file.
pub(super) const TENANT: &[Shape] = &[
    Shape {
        path: "",
        keys: &[
            "name",
            "timezone",
            "grace",
            "protected",
            "existing",
            "removed",
            "wecom",
            "jiandaoyun",
            "guard",
            "alerts",
            "flows",
        ],
    },
    Shape {
        path: "wecom",
        keys: &["base_url", "corp_id", "secret", "read_secret", "proxy", "batch_from", "limits", "callback"],
    },
    Shape { path: "wecom.callback", keys: &["token", "aes_key"] },
    Shape { path: "wecom.limits", keys: &["per_minute", "per_hour", "in_flight"] },
    Shape { path: "jiandaoyun", keys: &["base_url", "api_key", "proxy", "limits"] },
    Shape { path: "jiandaoyun.limits", keys: &["per_second"] },
    Shape { path: "guard", keys: GUARD },
    Shape { path: "alerts", keys: &["robot", "url", "lang"] },
    Shape {
        path: "flows",
        keys: &["id", "schedule", "duplicates", "absent", "source", "guest", "push", "write_back"],
    },
    Shape { path: "flows.push", keys: &["secret"] },
    Shape { path: "flows.write_back", keys: &["outcome", "at", "lang"] },
    Shape {
        path: "flows.source",
        keys: &["api", "app_id", "entry_id", "filter", "fields", "request", "overlap"],
    },
    Shape { path: "flows.guest", keys: &["component", "sha256", "config", "change_percent", "change_least"] },
];

/// True if a key occurs in some section of some file.
pub(super) fn is_known(key: &str) -> bool {
    TENANT.iter().chain(HOST).any(|shape| shape.keys.contains(&key))
}
