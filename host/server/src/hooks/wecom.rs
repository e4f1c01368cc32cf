//! Callbacks of WeCom (接收事件服务器): `GET|POST /hooks/wecom/{tenant}`.
//!
//! When the address is entered in the console, WeCom sends one GET request and expects the decrypted `echostr`,
//! unchanged. Events come with POST. They report changes made by others: WeCom sends no callback for writes with the
//! sync secret. So an event wakes a drift check and nothing else, and a lost event is made up for by the next scheduled
//! check.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use super::delivery::{self, in_time, is_of_now};
use super::envelope::{self, EnvelopeError, Signed};
use super::event::{self, Event};
use super::signature::Claim;
use super::{LARGEST_CALLBACK, Nothing, Received, Refused};
use crate::Process;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Wake;
use ruzhi_config::CallbackSettings;
use ruzhi_metrics as meter;
use ruzhi_model::{Digest, FlowId, TenantId};
use ruzhi_store::WakeKind;

/// A tenant that takes callbacks.
pub(super) struct Receiver {
    deployment: Arc<Deployment>,
    pub(super) tenant: TenantId,
    /// A drift check compares the whole directory with the whole ledger, so one flow does it for all.
    flow: FlowId,
    corp_id: String,
    settings: CallbackSettings,
}

impl Receiver {
    /// The tenant of this name, if it takes callbacks.
    pub(super) fn find(deployment: Arc<Deployment>, tenant: &str) -> Option<Self> {
        let of = deployment.config.tenants.iter().find(|of| of.id.as_str() == tenant)?;
        let (tenant, flow) = (of.id.clone(), of.flows.first()?.id.clone());
        let (corp_id, settings) = (of.wecom.corp_id.clone(), of.wecom.callback.clone()?);
        Some(Self { deployment, tenant, flow, corp_id, settings })
    }
}

/// Answers the verification that proves ownership of this address.
pub(super) async fn verify(
    State(process): State<Arc<Process>>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let receiver = path.ok().and_then(|Path(tenant)| Receiver::find(process.app.deployment(), &tenant));
    let Some(receiver) = receiver else {
        return Refused::Unknown.status().into_response();
    };
    match echo(&process, &receiver, &uri) {
        Ok(message) => {
            tracing::info!(
                tenant.id = receiver.tenant.as_str(),
                "the address of WeCom's callbacks is verified"
            );
            let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (headers, message).into_response()
        }
        Err(why) => {
            let (tenant, reason) = (receiver.tenant.as_str(), why.as_str());
            if let Some(unsaid) = process.gate.says_refused(process.app.clock.now()) {
                tracing::warn!(
                    tenant.id = tenant,
                    reason,
                    unsaid,
                    "a verification by WeCom is refused: {reason}"
                );
            }
            why.status().into_response()
        }
    }
}

/// Receives an event.
pub(super) async fn take(
    State(process): State<Arc<Process>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> StatusCode {
    let receiver = path.ok().and_then(|Path(tenant)| Receiver::find(process.app.deployment(), &tenant));
    let Some(receiver) = receiver else {
        meter::webhook(meter::Service::Wecom, Refused::Unknown.as_str());
        return Refused::Unknown.status();
    };
    let received = receive(&process, &receiver, request).await;
    meter::webhook(meter::Service::Wecom, received.as_str());
    let (tenant, flow) = (&receiver.tenant, &receiver.flow);
    let span = tracing::info_span!("callback", tenant.id = tenant.as_str());
    span.in_scope(|| match received {
        Received::Wake => {
            tracing::info!("a callback of WeCom wakes a look for drift");
            process.app.scheduler.wake(tenant, flow, Wake::Callback);
        }
        Received::WakeLate => {
            if let Some(unsaid) = process.gate.says_late(process.app.clock.now()) {
                tracing::warn!(
                    unsaid,
                    "a callback of WeCom that was not signed just now wakes a look for drift; see whether this machine's clock is right"
                );
            }
            process.app.scheduler.wake(tenant, flow, Wake::Callback);
        }
        Received::Nothing(why) => {
            tracing::debug!(reason = why.as_str(), "a callback of WeCom wakes no flow: {}", why.as_str());
        }
        Received::Refused(why) => {
            if let Some(unsaid) = process.gate.says_refused(process.app.clock.now()) {
                tracing::warn!(reason = why.as_str(), unsaid, "a callback of WeCom is refused: {}", why.as_str());
            }
        }
    });
    received.status()
}

/// The sealed content of a verification.
pub(super) fn echo(process: &Process, receiver: &Receiver, uri: &Uri) -> Result<Vec<u8>, Refused> {
    let mut signed = signed(uri)?;
    // Base64 has no spaces: a space is an unescaped plus sign.
    let ciphertext = std::mem::take(&mut signed.echostr).replace(' ', "+");
    let (message, _) = open(process, receiver, &signed, &ciphertext)?;
    // The answer reveals the sealed content, so it is given only while the request is fresh.
    if is_of_now(&signed.timestamp, process.app.clock.now()) { Ok(message) } else { Err(Refused::Stale) }
}

/// The result of an event.
pub(super) async fn receive(process: &Process, receiver: &Receiver, request: Request) -> Received {
    let signed = match signed(request.uri()) {
        // Without a well-formed signature the body is not worth reading.
        Ok(signed) if signed.claim().is_some() => signed,
        _ => return Received::Refused(Refused::Signature),
    };
    let arrived = process.gate.body(request, LARGEST_CALLBACK).await;
    let opened = match arrived.and_then(|arrived| message(process, receiver, signed, &arrived.bytes)) {
        Ok(opened) => opened,
        Err(refused) => return Received::Refused(refused),
    };
    let mut names = vec![
        String::from(opened.ciphertext),
        // The boundaries between timestamp, nonce and ciphertext are not signed; their concatenation is.
        String::from(Digest::of_parts([b"signature".as_slice(), opened.claim.bytes()])),
    ];
    match Event::read(&opened.message) {
        Ok(Event::Contact(of)) => {
            names.push(Digest::of_parts(of.iter().map(String::as_bytes)).into());
        }
        Ok(Event::Other(why)) => return Received::Nothing(why),
        // Genuine, and of an unknown kind.
        Err(event::Malformed) => {}
    }
    let Receiver { deployment, tenant, flow, .. } = receiver;
    let source = format!("wecom/{tenant}");
    let wakes = Some((tenant, flow, WakeKind::Callback));
    let now = process.app.clock.now();
    let asked = delivery::is_new(deployment.store.as_ref(), &source, &names, now, wakes);
    match in_time(asked).await {
        Some(false) => Received::Nothing(Nothing::Duplicate),
        Some(true) | None if is_of_now(&opened.signed.timestamp, now) => Received::Wake,
        Some(true) | None => Received::WakeLate,
    }
}

struct Opened {
    signed: Signed,
    claim: Claim,
    message: Vec<u8>,
    ciphertext: Digest,
}

fn message(process: &Process, receiver: &Receiver, signed: Signed, body: &[u8]) -> Result<Opened, Refused> {
    let mut texts = event::texts(body).map_err(|event::Malformed| Refused::Unreadable)?;
    let ciphertext = texts.remove("Encrypt").ok_or(Refused::Unreadable)?;
    let ciphertext = ciphertext.trim();
    let (message, claim) = open(process, receiver, &signed, ciphertext)?;
    Ok(Opened { signed, claim, message, ciphertext: Digest::of(ciphertext) })
}

fn signed(uri: &Uri) -> Result<Signed, Refused> {
    let Query(signed) = Query::<Signed>::try_from_uri(uri).map_err(|_| Refused::Signature)?;
    Ok(signed)
}

fn open(
    process: &Process,
    receiver: &Receiver,
    signed: &Signed,
    ciphertext: &str,
) -> Result<(Vec<u8>, Claim), Refused> {
    let opened = envelope::open(&receiver.settings, &receiver.corp_id, signed, ciphertext);
    opened.map_err(|error| {
        if let Some(unsaid) = process.gate.says_refused(process.app.clock.now()) {
            let tenant = receiver.tenant.as_str();
            tracing::warn!(tenant.id = tenant, unsaid, "what WeCom sent cannot be opened: {error}");
        }
        match error {
            // A sender without the token learns nothing from the status; a sender with it learns nothing new.
            EnvelopeError::Signature => Refused::Signature,
            _ => Refused::Unreadable,
        }
    })
}
