//! Settings of the two services for tests: knobs for behaviour the documents leave open, limits for rates.

use serde::{Deserialize, Serialize};

/// Behaviour that the references call a knob. The defaults are the references' defaults.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Delay of every answer; lets calls overlap, so that concurrency limits matter.
    pub latency_ms: u64,
    /// Seconds by which the `Date` of every answer is ahead of the simulator's clock, which stamps rows.
    pub clock_ahead_s: i64,
    /// Another `Date` for every answer, used verbatim; empty: none.
    pub date: Option<String>,
    /// Keep the last 10,000 requests for `GET /sim/requests`.
    pub log_requests: bool,
    /// `false`: every WeCom call but gettoken answers 60020.
    pub trusted_ip: bool,
    /// `true`: the sync secret may read contact details (an address configured before 2022-08-15).
    pub sync_ip_is_legacy: bool,
    /// `true`: a member's unknown department is created; `false`: 40066, as before 2024-05-31.
    pub dept_autocreate: bool,
    /// `true`: the last page of `user/list_id` carries `"next_cursor":""`; `false`: no such key.
    pub list_id_empty_cursor: bool,
    /// `true`: a body with `\uXXXX` escapes answers 40033.
    pub reject_unicode_escapes: bool,
    /// Polls of `batch/getresult` that answer "not done yet" before a job is done.
    pub job_polls: u32,
    /// Lifetime of an access token.
    pub token_ttl_s: u64,
    /// `true`: every gettoken gives a new token and ends the one before.
    pub new_token_each_fetch: bool,
    /// Most direct leaders of a member.
    pub direct_leader_max: usize,
    /// The code for a direct leader who is not in the directory: 60111 or 301021.
    pub leader_unknown_code: i32,
    /// `true`: a member may not be their own direct leader; 60111, as if they did not exist.
    pub leader_self_refused: bool,
    /// `true`: a disabled member takes one of the corp account's places.
    pub disabled_take_places: bool,
    /// Most departments of a member.
    pub member_departments_max: usize,
    /// Most characters of a department's name.
    pub department_name_max: usize,
    /// `true`: media/upload writes `created_at` as a number.
    pub created_at_is_number: bool,
    /// `true`: a JianDaoYun `limit` above 100 is refused; `false`: taken as 100.
    pub limit_over_100_is_error: bool,
    /// JianDaoYun's code for a missing or malformed Authorization header.
    pub missing_auth_code: i32,
    /// The status with which the address for any JSON (`/sink`) answers.
    pub sink_status: u16,
    /// Members whom the sync secret may not write, by their userids in any case: `out_of_reach_code` for each call and each
    /// row of a job that names one.
    pub out_of_reach: Vec<String>,
    /// The code for them.
    pub out_of_reach_code: i32,
    /// `true`: a body key that JianDaoYun or WeCom would silently ignore is recorded as a misunderstanding.
    pub unknown_keys_are_misunderstandings: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            clock_ahead_s: 0,
            date: None,
            log_requests: false,
            trusted_ip: true,
            sync_ip_is_legacy: false,
            dept_autocreate: true,
            list_id_empty_cursor: false,
            reject_unicode_escapes: false,
            job_polls: 1,
            token_ttl_s: 7200,
            new_token_each_fetch: false,
            direct_leader_max: 1,
            leader_unknown_code: 60111,
            leader_self_refused: false,
            disabled_take_places: true,
            member_departments_max: 100,
            department_name_max: 64,
            created_at_is_number: false,
            limit_over_100_is_error: false,
            missing_auth_code: 8301,
            sink_status: 200,
            out_of_reach: Vec::new(),
            out_of_reach_code: 60011,
            unknown_keys_are_misunderstandings: true,
        }
    }
}

/// Rates and quotas; 0 means none. The defaults are the services' own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `false` switches every limit below off at once.
    pub enabled: bool,
    /// JianDaoYun, per key and endpoint, on v5 routes: 8304 above it.
    pub jdy_per_second: u32,
    /// The same for writing a row, on the v5 route.
    pub jdy_write_per_second: u32,
    /// The same on older routes.
    pub jdy_old_per_second: u32,
    /// JianDaoYun, per company over all endpoints: 8303 above it.
    pub jdy_company_per_second: u32,
    /// WeCom, per corp and API: 45009 above it, for the length of the window.
    pub wecom_per_minute: u32,
    /// The same per hour.
    pub wecom_per_hour: u32,
    /// WeCom, per address and API. Every caller of the simulator has one address.
    pub wecom_ip_per_minute: u32,
    /// The same per hour.
    pub wecom_ip_per_hour: u32,
    /// WeCom, calls in flight per corp and API: 45033 above it.
    pub wecom_in_flight: u32,
    /// WeCom, wrong secrets before gettoken is blocked for an hour.
    pub wecom_wrong_secrets: u32,
    /// WeCom, most members of a corp: 45024 above it.
    pub wecom_members: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            jdy_per_second: 30,
            jdy_write_per_second: 20,
            jdy_old_per_second: 5,
            jdy_company_per_second: 50,
            wecom_per_minute: 10_000,
            wecom_per_hour: 150_000,
            wecom_ip_per_minute: 20_000,
            wecom_ip_per_hour: 600_000,
            wecom_in_flight: 0,
            wecom_wrong_secrets: 10,
            wecom_members: 0,
        }
    }
}

impl Limits {
    /// A limit in force.
    pub(crate) fn of(&self, limit: u32) -> u32 {
        if self.enabled { limit } else { 0 }
    }
}
