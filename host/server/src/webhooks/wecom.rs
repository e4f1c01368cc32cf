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
use super::envelope::{self, EnvelopeError, EnvelopeParams};
use super::event::{self, CallbackEvent};
use super::outcome::{IdleReason, PushOutcome, PushRejection};
use super::signature::SignatureClaim;
use crate::state::AppState;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Wake;
use ruzhi_config::CallbackSettings;
use ruzhi_metrics as metrics;
use ruzhi_model::{Digest, FlowId, TenantId};
use ruzhi_store::WakeKind;

/// The largest WeCom body that is read.
const LARGEST_CALLBACK: usize = 1024 * 1024;

/// A tenant that takes callbacks.
pub(super) struct CallbackReceiver {
    deployment: Arc<Deployment>,
    pub(super) tenant: TenantId,
    /// A drift check compares the whole directory with the whole ledger, so one flow does it for all.
    flow: FlowId,
    corp_id: String,
    settings: CallbackSettings,
}

impl CallbackReceiver {
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
    State(state): State<Arc<AppState>>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let receiver = path.ok().and_then(|Path(tenant)| CallbackReceiver::find(state.app.deployment(), &tenant));
    let Some(receiver) = receiver else {
        return PushRejection::Unknown.status().into_response();
    };
    match echo(&state, &receiver, &uri) {
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
            if let Some(unsaid) = state.webhook_limits.reports_rejection(state.app.clock.now()) {
                tracing::warn!(
                    tenant.id = tenant,
                    reason,
                    unsaid,
                    "a verification by WeCom is rejected: {reason}"
                );
            }
            why.status().into_response()
        }
    }
}

/// Receives an event.
pub(super) async fn take(
    State(state): State<Arc<AppState>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> StatusCode {
    let receiver = path.ok().and_then(|Path(tenant)| CallbackReceiver::find(state.app.deployment(), &tenant));
    let Some(receiver) = receiver else {
        metrics::webhook(metrics::RemoteService::Wecom, PushRejection::Unknown.as_str());
        return PushRejection::Unknown.status();
    };
    let received = receive(&state, &receiver, request).await;
    metrics::webhook(metrics::RemoteService::Wecom, received.as_str());
    let (tenant, flow) = (&receiver.tenant, &receiver.flow);
    let span = tracing::info_span!("callback", tenant.id = tenant.as_str());
    span.in_scope(|| match received {
        PushOutcome::Wake => {
            tracing::info!("a callback of WeCom wakes a look for drift");
            state.app.scheduler.wake(tenant, flow, Wake::Callback);
        }
        PushOutcome::WakeLate => {
            if let Some(unsaid) = state.webhook_limits.says_late(state.app.clock.now()) {
                tracing::warn!(
                    unsaid,
                    "a callback of WeCom that was not signed just now wakes a look for drift; see whether this machine's clock is right"
                );
            }
            state.app.scheduler.wake(tenant, flow, Wake::Callback);
        }
        PushOutcome::Nothing(why) => {
            tracing::debug!(reason = why.as_str(), "a callback of WeCom wakes no flow: {}", why.as_str());
        }
        PushOutcome::Rejected(why) => {
            if let Some(unsaid) = state.webhook_limits.reports_rejection(state.app.clock.now()) {
                tracing::warn!(reason = why.as_str(), unsaid, "a callback of WeCom is rejected: {}", why.as_str());
            }
        }
    });
    received.status()
}

/// The sealed content of a verification.
pub(super) fn echo(
    state: &AppState,
    receiver: &CallbackReceiver,
    uri: &Uri,
) -> Result<Vec<u8>, PushRejection> {
    let mut signed = signed(uri)?;
    // Base64 has no spaces: a space is an unescaped plus sign.
    let ciphertext = std::mem::take(&mut signed.echostr).replace(' ', "+");
    let (message, _) = open(state, receiver, &signed, &ciphertext)?;
    // The answer reveals the sealed content, so it is given only while the request is fresh.
    if is_of_now(&signed.timestamp, state.app.clock.now()) { Ok(message) } else { Err(PushRejection::Stale) }
}

/// The result of an event.
pub(super) async fn receive(state: &AppState, receiver: &CallbackReceiver, request: Request) -> PushOutcome {
    let signed = match signed(request.uri()) {
        // Without a well-formed signature the body is not worth reading.
        Ok(signed) if signed.claim().is_some() => signed,
        _ => return PushOutcome::Rejected(PushRejection::Signature),
    };
    let arrived = state.webhook_limits.body(request, LARGEST_CALLBACK).await;
    let opened = match arrived.and_then(|arrived| message(state, receiver, signed, &arrived.bytes)) {
        Ok(opened) => opened,
        Err(why) => return PushOutcome::Rejected(why),
    };
    let mut names = vec![
        String::from(opened.ciphertext),
        // The boundaries between timestamp, nonce and ciphertext are not signed; their concatenation is.
        String::from(Digest::of_parts([b"signature".as_slice(), opened.claim.bytes()])),
    ];
    match CallbackEvent::read(&opened.message) {
        Ok(CallbackEvent::Contact(of)) => {
            names.push(Digest::of_parts(of.iter().map(String::as_bytes)).into());
        }
        Ok(CallbackEvent::Other(why)) => return PushOutcome::Nothing(why),
        // Genuine, and of an unknown kind.
        Err(event::XmlError) => {}
    }
    let CallbackReceiver { deployment, tenant, flow, .. } = receiver;
    let source = format!("wecom/{tenant}");
    let wakes = Some((tenant, flow, WakeKind::Callback));
    let now = state.app.clock.now();
    let asked = delivery::is_new(deployment.store.as_ref(), &source, &names, now, wakes);
    match in_time(asked).await {
        Some(false) => PushOutcome::Nothing(IdleReason::Duplicate),
        Some(true) | None if is_of_now(&opened.signed.timestamp, now) => PushOutcome::Wake,
        Some(true) | None => PushOutcome::WakeLate,
    }
}

struct CallbackMessage {
    signed: EnvelopeParams,
    claim: SignatureClaim,
    message: Vec<u8>,
    ciphertext: Digest,
}

fn message(
    state: &AppState,
    receiver: &CallbackReceiver,
    signed: EnvelopeParams,
    body: &[u8],
) -> Result<CallbackMessage, PushRejection> {
    let mut texts = event::texts(body).map_err(|event::XmlError| PushRejection::Unreadable)?;
    let ciphertext = texts.remove("Encrypt").ok_or(PushRejection::Unreadable)?;
    let ciphertext = ciphertext.trim();
    let (message, claim) = open(state, receiver, &signed, ciphertext)?;
    Ok(CallbackMessage { signed, claim, message, ciphertext: Digest::of(ciphertext) })
}

fn signed(uri: &Uri) -> Result<EnvelopeParams, PushRejection> {
    let Query(signed) = Query::<EnvelopeParams>::try_from_uri(uri).map_err(|_| PushRejection::Signature)?;
    Ok(signed)
}

fn open(
    state: &AppState,
    receiver: &CallbackReceiver,
    signed: &EnvelopeParams,
    ciphertext: &str,
) -> Result<(Vec<u8>, SignatureClaim), PushRejection> {
    let opened = envelope::open(&receiver.settings, &receiver.corp_id, signed, ciphertext);
    opened.map_err(|error| {
        if let Some(unsaid) = state.webhook_limits.reports_rejection(state.app.clock.now()) {
            let tenant = receiver.tenant.as_str();
            tracing::warn!(tenant.id = tenant, unsaid, "what WeCom sent cannot be opened: {error}");
        }
        match error {
            // A sender without the token learns nothing from the status; a sender with it learns nothing new.
            EnvelopeError::Signature => PushRejection::Signature,
            _ => PushRejection::Unreadable,
        }
    })
}
