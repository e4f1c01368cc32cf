//! A progress bar, drawn only on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::Printer;
use ruzhi_sync::Progress;

pub(super) struct TerminalProgress {
    bar: ProgressBar,
    reading: &'static str,
    writing: &'static str,
}

impl TerminalProgress {
    pub(super) fn new(printer: &Printer) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, reading: printer.text("reading", "读取"), writing: printer.text("writing", "写入") }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for TerminalProgress {
    fn collected(&self, rows: u64) {
        self.bar.set_message(format!("{} {rows}", self.reading));
    }

    fn planned(&self, operations: u64) {
        self.bar.set_length(operations);
        self.bar.set_position(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {eta}") {
            self.bar.set_style(style);
        }
        self.bar.set_message(self.writing);
    }

    fn settled(&self, operations: u64) {
        self.bar.inc(operations);
    }
}
