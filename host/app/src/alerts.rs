//! Alerts, active and resolved.

use crate::app::App;
use ruzhi_message::Report;
use ruzhi_store::AlertRow;

/// Every alert: active ones first, then resolved ones, the latest first in each group.
pub async fn alerts(app: &App) -> Result<Vec<AlertRow>, Report> {
    let mut alerts = app.store.alerts_list().await?;
    alerts
        .sort_by(|a, b| (a.resolved_at.is_some(), b.last_seen).cmp(&(b.resolved_at.is_some(), a.last_seen)));
    Ok(alerts)
}
