//! The person at a terminal: who they are, the use cases of `app` on their behalf, and the audit rows of what a command
//! does by itself.
//!
//! A row is written through a separate connection, so that a command that stops because `ruzhi serve` holds the store
//! leaves its row too. If the row cannot be written, nothing is done.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::deployment;
use super::printer::Printer;
use ruzhi_app::audit::{self, Actor, AuditRequest};
use ruzhi_app::deployment::Deployment;
use ruzhi_app::{App, PATIENCE, Principal};
use ruzhi_config::{Config, Role};
use ruzhi_guest_runtime::ComponentRegistry;
use ruzhi_message::{Report, sanitize};
use ruzhi_model::SystemClock;
use ruzhi_store::Access;

/// The source of the request.
const TERMINAL: &str = "terminal";

/// Characters of a name or a reason in the log.
const MOST_SAID: usize = 300;

/// The use cases, over the store beside the process that may run flows.
pub(super) async fn app(config: &Config, registry: ComponentRegistry) -> Result<App, Report> {
    let store = deployment::store(config, Access::Beside).await?;
    let quit = CancellationToken::new();
    let deployment = Deployment::new(config.clone(), store, Arc::new(registry), quit);
    Ok(App::of_command(deployment, Arc::new(SystemClock)))
}

/// The user of the terminal. They could stop the process and open the store, so they are an operator.
pub(super) fn principal(printer: &Printer) -> Principal {
    Principal {
        name: terminal_user(),
        role: Role::Operator,
        origin: TERMINAL.to_owned(),
        lang: printer.lang,
        patience: PATIENCE,
    }
}

/// Runs an action requested at a terminal, and logs the actor and the outcome.
pub(super) async fn recorded<T>(
    config: &Config,
    asking: AuditRequest<'_>,
    work: impl Future<Output = Result<T, Report>>,
) -> Result<T, Report> {
    recorded_as(config, asking, work, |_| audit::DONE.to_owned()).await
}

/// The same for a command whose result determines the outcome.
pub(super) async fn recorded_as<T>(
    config: &Config,
    mut asking: AuditRequest<'_>,
    work: impl Future<Output = Result<T, Report>>,
    outcome: impl FnOnce(&T) -> String,
) -> Result<T, Report> {
    let log = deployment::store(config, Access::Beside).await?;
    asking.subject = asking.subject.as_deref().map(line);
    asking.detail = asking.detail.as_deref().map(line);
    let who = terminal_user();
    let actor = Actor { who: &who, role: Role::Operator, origin: TERMINAL };
    let row = audit::row(&SystemClock, actor, asking);
    let result = audit::recorded(log.as_ref(), row, work, outcome).await;
    log.close().await;
    result
}

/// A text reduced to one line of the log.
pub(super) fn line(text: &str) -> String {
    sanitize::line(text, MOST_SAID)
}

/// The operating system user running the command; under `sudo`, also the user who called it.
pub(super) fn terminal_user() -> String {
    let user = user();
    // Only root can have been reached by sudo; any other user can set the variable at will.
    let sudo = std::env::var("SUDO_USER").ok().filter(|before| user.uid == Some(0) && is_name(before));
    line(&match sudo.filter(|before| *before != user.name) {
        Some(before) => format!("{before} (sudo {})", user.name),
        None => user.name,
    })
}

struct User {
    uid: Option<u32>,
    name: String,
}

/// Looked up by user id, never by an environment variable, which the user can set.
fn user() -> User {
    let Some(uid) = std::fs::metadata("/proc/self").ok().map(|process| process.uid()) else {
        return User { uid: None, name: asked_for_by_id().unwrap_or_else(|| "unknown".to_owned()) };
    };
    let known = std::fs::read_to_string("/etc/passwd").ok().and_then(|users| named(&users, uid));
    // A user from a directory service is not in `/etc/passwd`.
    let name = known.or_else(asked_for_by_id).unwrap_or_else(|| format!("uid {uid}"));
    User { uid: Some(uid), name }
}

/// The name of a user id in the text of `/etc/passwd`.
fn named(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|user| {
        let mut parts = user.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(uid) && is_name(name)).then(|| name.to_owned())
    })
}

fn asked_for_by_id() -> Option<String> {
    let told = std::process::Command::new("/usr/bin/id").arg("-un").output().ok()?;
    let name = String::from_utf8(told.stdout).ok()?.trim().to_owned();
    (told.status.success() && is_name(&name)).then_some(name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && !name.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_known_by_the_id() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nx:y\nwang:x:1000:1000::/home/wang:/bin/sh\n";
        assert_eq!(named(users, 0).as_deref(), Some("root"));
        assert_eq!(named(users, 1000).as_deref(), Some("wang"));
        assert_eq!(named(users, 1001), None);
        assert_eq!(named("a b:x:7:7::/:\n", 7), None, "no name has a space in it");
    }

    #[test]
    fn what_is_said_is_one_line_of_the_log() {
        assert_eq!(line("a\nb\tc"), "a b c");
        assert_eq!(line(&"x".repeat(1000)).len(), MOST_SAID);
    }
}
