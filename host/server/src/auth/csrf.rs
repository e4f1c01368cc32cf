//! The token by which a form proves that it comes from a page of the session.

/// The header with a session's own token.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// The form field with a session's own token.
pub(crate) const CSRF_FIELD: &str = "csrf";

/// The token that the caller's forms have to bring back: put into a request's extensions once access is granted. None
/// for a caller without a session.
#[derive(Debug, Clone)]
pub(crate) struct CsrfToken(pub(crate) Option<String>);
