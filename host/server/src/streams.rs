//! Event streams followed at the same time. Each keeps its connection for minutes, so they may not take all
//! connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// Most streams at the same time, given as many connections.
const MOST: usize = 1024;

/// The free places for streams.
pub(super) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Streams {
    /// Limits the number of streams.
    pub(super) fn held_to(&self, most: usize) {
        self.0.forget_permits(MOST.saturating_sub(most));
    }

    /// Takes a place for a stream, given back when dropped.
    pub(super) fn begin(&self) -> Result<OwnedSemaphorePermit, Report> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            Report::new(
                exit::FAILED,
                "events.full",
                Text::new(
                    "as many streams of events are followed as there may be",
                    "正在跟踪的事件流已达上限",
                ),
                Some(Text::new(
                    "close unused pages, or ask again in a minute",
                    "请关闭无人查看的页面，或一分钟后重试",
                )),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_there_may_be() {
        let streams = Streams::default();
        streams.held_to(2);
        let first = streams.begin().unwrap();
        let _second = streams.begin().unwrap();
        assert_eq!(streams.begin().unwrap_err().code(), "events.full");
        drop(first);
        assert!(streams.begin().is_ok());
    }
}
