//! A body whose end its connection's place learns of.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::places::Place;

/// A body, and what its end means.
pub(super) struct Watched {
    body: Body,
    place: Arc<Place>,
    end: End,
}

/// What the end of a body means for its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The request is whole, and is being answered.
    Whole,
    /// The answer is given.
    Given,
    /// It was told.
    Told,
}

impl Watched {
    /// The body of a request that has come in.
    pub(super) fn arriving(body: Body, place: &Arc<Place>) -> Self {
        let mut watched = Self { body, place: Arc::clone(place), end: End::Whole };
        if watched.body.is_end_stream() {
            watched.tell();
        } else {
            place.arriving();
        }
        watched
    }

    /// The body of an answer.
    pub(super) fn leaving(body: Body, place: &Arc<Place>) -> Self {
        // Also where nobody read the request's body to its end: what is sent now is an answer.
        place.answering();
        Self { body, place: Arc::clone(place), end: End::Given }
    }

    fn tell(&mut self) {
        match std::mem::replace(&mut self.end, End::Told) {
            End::Whole => self.place.answering(),
            End::Given => self.place.answered(),
            End::Told => {}
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.tell();
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // Of an answer the end is when it is let go of: by then it was written as far as it could be.
        if self.end == End::Whole && (matches!(polled, Poll::Ready(None)) || self.body.is_end_stream()) {
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
