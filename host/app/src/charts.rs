//! Plain data series for the charts.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paging::{number, unless_empty, word_unless_empty};
use super::quarantine::{RuleGroup, by_rule};
use crate::app::App;
use crate::deployment::siblings;
use ruzhi_config as config;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, RemoteService, TenantId};
use ruzhi_store::{RunRow, RunState};

/// The interval between points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartStep {
    /// An hour.
    Hour,
    /// A day, in UTC or, where a tenant is named, in its time zone.
    #[default]
    Day,
}

/// Filter and range of a chart.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ChartQuery {
    /// Only this tenant. Tenants removed from the configuration still match; unknown tenants match nothing.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub tenant: Option<TenantId>,
    /// Only flows with this id. Flows removed from the configuration still match; unknown ones match nothing.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub flow: Option<FlowId>,
    /// The interval between points; a day by default.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub step: Option<ChartStep>,
    /// Number of points, the last of them now: 30 days or 48 hours by default, at most 400.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 400)]
    pub points: Option<u32>,
}

/// Runs over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunsChart {
    /// The interval between points.
    pub step: ChartStep,
    /// Oldest first, without gaps; the last is still in progress.
    pub points: Vec<RunsPoint>,
}

/// The runs that began in an hour or a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunsPoint {
    /// The start of the hour or day.
    pub at: DateTime<Utc>,
    /// Runs that completed.
    pub done: u64,
    /// Runs whose plan is held by the guard.
    pub held: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs under way.
    pub running: u64,
    /// Members created.
    pub created: u64,
    /// Members changed.
    pub updated: u64,
    /// Members disabled.
    pub disabled: u64,
    /// Members enabled.
    pub enabled: u64,
    /// Members deleted.
    pub deleted: u64,
}

/// Records in quarantine by rule, now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuarantineChart {
    /// The most frequent first.
    pub rules: Vec<RuleGroup>,
    /// Records in quarantine.
    pub records: u64,
}

/// API calls against the limits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallsChart {
    /// The time of this snapshot.
    pub at: DateTime<Utc>,
    /// By corp.
    pub corps: Vec<CorpCalls>,
}

/// Calls of a corp.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CorpCalls {
    /// The corp.
    pub corp: String,
    /// The tenants that write to it.
    pub tenants: Vec<TenantId>,
    /// Calls allowed per API in any minute.
    pub per_minute: u32,
    /// Calls allowed per API in any hour.
    pub per_hour: u32,
    /// By API.
    pub apis: Vec<ApiCalls>,
}

/// Calls of one API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiCalls {
    /// The API.
    pub api: String,
    /// Calls in the last minute.
    pub last_minute: u64,
    /// Calls in the last hour.
    pub last_hour: u64,
}

/// The most points in one chart.
const MOST: u32 = 400;

/// Runs over time.
pub async fn runs_chart(app: &App, asked: &ChartQuery) -> Result<RunsChart, Report> {
    let step = asked.step.unwrap_or_default();
    let usual = if step == ChartStep::Hour { 48 } else { 30 };
    let many = asked.points.unwrap_or(usual);
    let deployment = app.deployment();
    let of_tenant = |id: &TenantId| deployment.config.tenant(id);
    let zone = asked.tenant.as_ref().and_then(of_tenant).map_or(Tz::UTC, |tenant| tenant.timezone);
    let mut points = beginnings(app.clock.now(), step, many, zone);
    let since = points.first_key_value().map_or_else(|| app.clock.now(), |(at, _)| *at);
    let (tenant, flow) = (asked.tenant.as_ref(), asked.flow.as_ref());
    for counted in app.store.runs_count(tenant, flow, since).await? {
        let Some(point) = point(&mut points, counted.at) else { continue };
        *match counted.state {
            RunState::Done => &mut point.done,
            RunState::Held => &mut point.held,
            RunState::Failed => &mut point.failed,
            RunState::Running => &mut point.running,
        } += counted.runs;
    }
    let mut add = |run: RunRow| {
        // A run that only plans changes no member.
        if let Some(point) = point(&mut points, run.started_at).filter(|_| run.kind.writes()) {
            point.created += run.counts.created;
            point.updated += run.counts.updated;
            point.disabled += run.counts.disabled;
            point.enabled += run.counts.enabled;
            point.deleted += run.counts.deleted;
        }
    };
    app.store.runs_visit_changed(tenant, flow, since, &mut add).await?;
    Ok(RunsChart { step, points: points.into_values().collect() })
}

/// The point that a moment falls into.
fn point(points: &mut BTreeMap<DateTime<Utc>, RunsPoint>, at: DateTime<Utc>) -> Option<&mut RunsPoint> {
    points.range_mut(..=at).next_back().map(|(_, point)| point)
}

/// An empty point for the start of each of the last hours or days, including the current one.
fn beginnings(
    now: DateTime<Utc>,
    step: ChartStep,
    many: u32,
    zone: Tz,
) -> BTreeMap<DateTime<Utc>, RunsPoint> {
    let local = now.with_timezone(&zone);
    let moment = |back: u32| match step {
        ChartStep::Hour => {
            let hour = now.timestamp() - now.timestamp().rem_euclid(3600);
            DateTime::from_timestamp(hour, 0)?.checked_sub_signed(TimeDelta::hours(i64::from(back)))
        }
        ChartStep::Day => {
            let day = local.date_naive().checked_sub_days(chrono::Days::new(u64::from(back)))?;
            // Where clocks are set forward at midnight, the day begins an hour later.
            let midnight = day.and_time(NaiveTime::MIN);
            let begins = zone.from_local_datetime(&midnight).earliest();
            let begins =
                begins.or_else(|| zone.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest());
            Some(begins?.with_timezone(&Utc))
        }
    };
    (0..many)
        .filter_map(moment)
        .map(|at| {
            let point = RunsPoint {
                at,
                done: 0,
                held: 0,
                failed: 0,
                running: 0,
                created: 0,
                updated: 0,
                disabled: 0,
                enabled: 0,
                deleted: 0,
            };
            (at, point)
        })
        .collect()
}

/// Records in quarantine by rule.
pub async fn quarantine_chart(app: &App, asked: &ChartQuery) -> Result<QuarantineChart, Report> {
    let (rules, records) = by_rule(app, asked.tenant.as_ref(), asked.flow.as_ref()).await?;
    Ok(QuarantineChart { rules, records })
}

/// API calls against the limits, from the stored runs of the last hour. A run's calls count as spread evenly over it.
pub async fn calls_chart(app: &App) -> Result<CallsChart, Report> {
    let now = app.clock.now();
    let (minute, hour) = (now - TimeDelta::minutes(1), now - TimeDelta::hours(1));
    let deployment = app.deployment();
    let config = &deployment.config;
    // One entry for each corp: its first tenant, all its tenants and its calls.
    let mut called: Vec<CorpUsage> = Vec::new();
    for tenant in &config.tenants {
        if !called.iter().any(|corp| corp.tenants.contains(&tenant.id)) {
            let tenants = siblings(config, tenant).map(|tenant| tenant.id.clone()).collect();
            called.push(CorpUsage { tenant, tenants, apis: BTreeMap::new() });
        }
    }
    let mut add = |run: RunRow| {
        let Some(corp) = called.iter_mut().find(|corp| corp.tenants.contains(&run.tenant)) else { return };
        let ended = run.ended_at.unwrap_or(now);
        let in_minute = share(run.started_at, ended, minute, now);
        let in_hour = share(run.started_at, ended, hour, now);
        for (api, calls) in &run.calls {
            #[expect(clippy::cast_precision_loss, reason = "a count of calls, far below 2^52")]
            let calls = *calls as f64;
            if api.service != RemoteService::Wecom {
                continue;
            }
            // The limit does not depend on the credential that made the call.
            let sums = corp.apis.entry(api.path.clone()).or_default();
            sums.0 += calls * in_minute;
            sums.1 += calls * in_hour;
        }
    };
    app.store.runs_visit_ended(hour, &mut add).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of counts")]
    let whole = |sum: f64| sum.round() as u64;
    let corps = called.into_iter().map(|CorpUsage { tenant, tenants, apis }| {
        let all = siblings(config, tenant).map(|tenant| &tenant.wecom);
        CorpCalls {
            corp: tenant.wecom.corp_id.clone(),
            per_minute: all.clone().map(|wecom| wecom.per_minute).min().unwrap_or_default(),
            per_hour: all.map(|wecom| wecom.per_hour).min().unwrap_or_default(),
            tenants,
            apis: apis
                .into_iter()
                .map(|(api, (last_minute, last_hour))| ApiCalls {
                    api,
                    last_minute: whole(last_minute),
                    last_hour: whole(last_hour),
                })
                .collect(),
        }
    });
    let corps = corps.collect();
    Ok(CallsChart { at: now, corps })
}

/// Calls counted for a corp.
struct CorpUsage<'c> {
    /// The first of its tenants.
    tenant: &'c config::TenantConfig,
    tenants: Vec<TenantId>,
    /// Calls in the last minute and the last hour, by API.
    apis: BTreeMap<String, (f64, f64)>,
}

/// The fraction of a span that lies between two moments, from 0 to 1.
fn share(began: DateTime<Utc>, ended: DateTime<Utc>, from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
    let milliseconds = |span: TimeDelta| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run, far below 2^52")]
        let length = span.num_milliseconds().max(0) as f64;
        length
    };
    let whole = milliseconds(ended - began);
    let part = milliseconds(ended.min(until) - began.max(from));
    if whole > 0.0 { part / whole } else { f64::from(u8::from(ended >= from && ended <= until)) }
}
