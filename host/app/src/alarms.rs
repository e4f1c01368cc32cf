//! Alarms, standing and over.

use crate::app::App;
use ruzhi_message::Report;
use ruzhi_store::AlarmRow;

/// Every alarm: standing ones first, then those that are over, the latest first in each group.
pub async fn alarms(app: &App) -> Result<Vec<AlarmRow>, Report> {
    let mut alarms = app.store.alarms_list().await?;
    alarms.sort_by(|a, b| (a.over_at.is_some(), b.last_seen).cmp(&(b.over_at.is_some(), a.last_seen)));
    Ok(alarms)
}
