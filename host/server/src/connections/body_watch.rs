//! A body that tells its connection's place when it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::slots::ConnectionSlot;

/// A body, and the meaning of its end.
pub(super) struct BodyWatch {
    body: Body,
    place: Arc<ConnectionSlot>,
    end: BodyEnd,
}

/// The meaning of a body's end for its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyEnd {
    /// The request is whole, and is being answered.
    Whole,
    /// The answer is given.
    Given,
    /// The end was reported.
    Reported,
}

impl BodyWatch {
    /// The body of a request that has come in.
    pub(super) fn arriving(body: Body, place: &Arc<ConnectionSlot>) -> Self {
        let mut watched = Self { body, place: Arc::clone(place), end: BodyEnd::Whole };
        if watched.body.is_end_stream() {
            watched.tell();
        } else {
            place.arriving();
        }
        watched
    }

    /// The body of an answer.
    pub(super) fn leaving(body: Body, place: &Arc<ConnectionSlot>) -> Self {
        // Also if the request's body was not read to its end: from now on an answer is being sent.
        place.answering();
        Self { body, place: Arc::clone(place), end: BodyEnd::Given }
    }

    fn tell(&mut self) {
        match std::mem::replace(&mut self.end, BodyEnd::Reported) {
            BodyEnd::Whole => self.place.answering(),
            BodyEnd::Given => self.place.answered(),
            BodyEnd::Reported => {}
        }
    }
}

impl Drop for BodyWatch {
    fn drop(&mut self) {
        self.tell();
    }
}

impl HttpBody for BodyWatch {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // An answer ends when its body is dropped: by then it was written as far as possible.
        if self.end == BodyEnd::Whole && (matches!(polled, Poll::Ready(None)) || self.body.is_end_stream()) {
            self.tell();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
