//! Authentication and permissions.
//!
//! *With people in the configuration* everyone shows a token: a program with each request, as `Authorization: Bearer`,
//! a person once at `/login`, for a session. Tokens are compared by digest, each of them to the end and all of them
//! always. A session is a random number in a cookie that scripts and other sites cannot read; its digest is kept here
//! in memory, with the person's name and the digest of their token. A person removed from the configuration, or given
//! another token, therefore has no session any more, and the role is always the currently configured one.
//!
//! *Without people* any user of this machine is an operator called `local`. Then only loopback addresses are answered,
//! not through a proxy, and only under a name of this machine or of `server.url`: a page elsewhere with a name that was
//! made to point here (DNS rebinding) is denied, and so is a question made by a page of another site. If others are
//! meant to connect, by an address, a proxy, pushes or callbacks, the process does not start without people: requests
//! forwarded by a proxy look as if they were from this machine if the proxy does not name their origin.
//!
//! A request that changes something and comes with a session has to bring the session's own token (`csrf`), and must
//! not be marked by the browser as coming from another site.
//!
//! *Guessing.* Only wrong tokens count. After five in a minute from one address, `/login` makes it wait, even with a
//! right token: otherwise the limit would have no effect. Other addresses are not affected: no limit locks everyone
//! out. Behind a trusted proxy that names no clients all of them share one address, so there a right token is let in
//! all the same. While there are more than a hundred in a minute over all addresses, one is allowed to each address
//! instead of five. Sessions are never affected. IPv6 addresses count by their /64.

mod admission;
mod answer;
pub(crate) mod csrf;
mod denied;
mod headers;
mod language;
mod login;
mod origin;
mod session;
pub(crate) mod state;
pub(crate) mod throttle;
mod tokens;

pub use admission::layer;
pub use headers::add as keep_safe;
pub use login::routes;
