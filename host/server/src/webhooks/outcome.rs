//! The outcome of a push.

use axum::http::StatusCode;

/// The result of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushOutcome {
    /// Something has changed, or may have.
    Wake,
    /// The same, though signed long ago or ahead of time.
    WakeLate,
    /// There is nothing to do, for this reason.
    Nothing(IdleReason),
    /// It was rejected.
    Rejected(PushRejection),
}

/// The reasons why a genuine push wakes no flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdleReason {
    /// It was taken before.
    Duplicate,
    /// A test of the connection.
    Test,
    /// It is of another form.
    OtherForm,
    /// All fields of the row that the flow reads are as last read.
    Known,
    /// An event about neither members nor departments.
    OtherEvent,
}

/// The reasons why a push is rejected. The sender learns only the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushRejection {
    /// There is no such receiver.
    Unknown,
    /// It is not signed, or not with the secret.
    Signature,
    /// It was signed too long ago, or ahead of the time.
    Stale,
    /// Its body is larger than any the service sends.
    TooLarge,
    /// Its body did not arrive.
    Late,
    /// The maximum number of large bodies is being read.
    Busy,
    /// Its body broke off, or is not of the service's form.
    Unreadable,
}

impl PushOutcome {
    /// Its name in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Wake => "accepted",
            Self::WakeLate => "accepted late",
            Self::Nothing(why) => why.as_str(),
            Self::Rejected(why) => why.as_str(),
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Wake | Self::WakeLate | Self::Nothing(_) => StatusCode::OK,
            Self::Rejected(why) => why.status(),
        }
    }
}

impl IdleReason {
    /// Its name in the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Test => "test",
            Self::OtherForm => "other form",
            Self::Known => "known",
            Self::OtherEvent => "other event",
        }
    }
}

impl PushRejection {
    /// Its name in the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Signature => "signature",
            Self::Stale => "stale",
            Self::TooLarge => "too large",
            Self::Late => "late",
            Self::Busy => "busy",
            Self::Unreadable => "unreadable",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Signature | Self::Stale => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            // The service sends it again.
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
        }
    }
}
