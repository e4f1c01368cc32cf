//! Logs on standard error: text for a terminal, or one JSON object a line for log collectors.
//!
//! RUZHI_LOG sets the level, in the syntax of `tracing`. Only ruzhi's own events are written, whatever it says:
//! libraries log the requests, and the path of every WeCom call contains the access token. docs/reference/logs.md
//! lists what is never logged.

use std::fmt;
use std::io::IsTerminal as _;

use chrono::{SecondsFormat, Utc};
use clap::ValueEnum;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// The default of `ruzhi serve`: text on a terminal, JSON elsewhere.
    pub(super) fn of_a_server() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Starts logging. `usual` is the level where RUZHI_LOG is not set.
pub(super) fn begin(format: Format, usual: &str) {
    let filter = EnvFilter::try_from_env("RUZHI_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let own = filter_fn(|metadata| metadata.target().starts_with("ruzhi"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    match format {
        Format::Text => {
            let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_target(false);
            registry.with(lines.with_filter(filter).with_filter(own)).init();
        }
        Format::Json => {
            let lines = lines.fmt_fields(JsonFields::new()).event_format(JsonLine);
            registry.with(lines.with_filter(filter).with_filter(own)).init();
        }
    }
}

/// A line of JSON: time, level, message, and every field by its dotted name, including those of the enclosing spans.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        #[expect(
            clippy::disallowed_methods,
            reason = "a log has the time of the machine, also where a test shifts the clock"
        )]
        let now = Utc::now();
        line.insert("timestamp".to_owned(), now.to_rfc3339_opts(SecondsFormat::Millis, true).into());
        line.insert("level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                line.extend(object(fields));
            }
        }
        let mut fields = String::new();
        context.field_format().format_fields(Writer::new(&mut fields), event)?;
        line.extend(object(&fields));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Parses the fields as `JsonFields` writes them.
fn object(fields: &str) -> Map<String, Value> {
    serde_json::from_str(fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct LogBuffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for LogBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_object_with_the_fields_of_its_spans() {
        let written = LogBuffer::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let span = tracing::error_span!("run", tenant.id = "甲", run.id = "r1");
            span.in_scope(|| tracing::warn!(wecom.errcode = 60104, "a \"quoted\"\nmessage"));
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "a \"quoted\"\nmessage");
        assert_eq!(line["level"], "warn");
        assert_eq!(line["tenant.id"], "甲");
        assert_eq!(line["run.id"], "r1");
        assert_eq!(line["wecom.errcode"], 60104);
    }
}
