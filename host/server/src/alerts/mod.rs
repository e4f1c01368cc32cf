//! Notifies people of events, with the suggested next step.
//!
//! Observations (a run that ended, a look at the flows, a count in the store) go into the [`detector`], which turns
//! them into conditions that hold or no longer hold; the [`state`] turns these into alerts and knows which channels
//! were told; the [`delivery`] sends messages to group robots and other addresses. The first two are pure. One task
//! owns all three, and no caller ever waits for it.

mod address;
mod condition;
mod delivery;
mod detector;
pub mod handle;
mod message;
mod notifier;
mod state;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use address::Addresses;
pub(crate) use condition::label;
use handle::AlertInbox;
use notifier::Notifier;

use ruzhi_app::App;

/// Sends alerts until the process is to end, and once more then.
pub async fn run(app: Arc<App>, hearing: AlertInbox) {
    let AlertInbox { heard, active } = hearing;
    let (store, clock) = (Arc::clone(&app.store), Arc::clone(&app.clock));
    let quit = app.deployment().quit.clone();
    let addresses = Box::new(move || Addresses::of(&app.deployment().config));
    let transport = Arc::new(delivery::AlertHttp::new());
    Notifier::new(store, clock, addresses, transport, active).run(quit, heard).await;
}
