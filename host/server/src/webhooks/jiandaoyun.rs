//! Pushes of JianDaoYun (数据推送): `POST /hooks/jiandaoyun/{tenant}/{flow}?nonce=…&timestamp=…`.
//!
//! A push is signed with the SHA-1 of `nonce:body:secret:timestamp`, with the body as received and the timestamp in
//! seconds, in the header `X-JDY-Signature`; `X-JDY-DeliverId` identifies it, and stays the same when it is sent again.
//! The service waits 2 s for a 2xx, retries up to five times, and stops pushing after a hundred failures, so every
//! genuine push is answered with 200, whatever its content.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::delivery::{self, in_time, is_of_now};
use super::known::{self, SourceFields};
use super::outcome::{IdleReason, PushOutcome, PushRejection};
use super::push::FormPush;
use super::signature::SignatureClaim;
use crate::state::AppState;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Wake;
use ruzhi_jiandaoyun::FormAddress;
use ruzhi_metrics as metrics;
use ruzhi_model::{Digest, FlowId, TenantId};
use ruzhi_store::WakeKind;

/// The largest JianDaoYun body that is read: a row with every field filled is far smaller.
pub(super) const LARGEST_PUSH: usize = 4 * 1024 * 1024;
const SIGNATURE: &str = "x-jdy-signature";
const DELIVERY: &str = "x-jdy-deliverid";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PushParams {
    nonce: String,
    timestamp: String,
}

/// A flow that takes pushes.
pub(super) struct PushReceiver {
    pub(super) deployment: Arc<Deployment>,
    pub(super) tenant: TenantId,
    pub(super) flow: FlowId,
    form: FormAddress,
    secret: SecretString,
}

impl PushReceiver {
    /// The flow of this name, if it takes pushes.
    pub(super) fn find(deployment: Arc<Deployment>, tenant: &str, flow: &str) -> Option<Self> {
        let of = deployment.config.tenants.iter().find(|of| of.id.as_str() == tenant)?;
        let to = of.flows.iter().find(|to| to.id.as_str() == flow)?;
        let (tenant, flow, form, secret) =
            (of.id.clone(), to.id.clone(), to.source.form.clone(), to.push.clone()?);
        Some(Self { deployment, tenant, flow, form, secret })
    }
}

/// Receives a push.
pub(super) async fn take(
    State(state): State<Arc<AppState>>,
    Extension(fields): Extension<SourceFields>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> StatusCode {
    let receiver =
        path.ok().and_then(|Path((tenant, flow))| PushReceiver::find(state.app.deployment(), &tenant, &flow));
    let Some(receiver) = receiver else {
        metrics::webhook(metrics::RemoteService::Jiandaoyun, PushRejection::Unknown.as_str());
        return PushRejection::Unknown.status();
    };
    let received = receive(&state, &fields, &receiver, request).await;
    metrics::webhook(metrics::RemoteService::Jiandaoyun, received.as_str());
    let (tenant, flow) = (&receiver.tenant, &receiver.flow);
    let span = tracing::info_span!("push", tenant.id = tenant.as_str(), flow.id = flow.as_str());
    span.in_scope(|| match received {
        PushOutcome::Wake => {
            tracing::info!("a push of JianDaoYun wakes the flow");
            state.app.scheduler.wake(tenant, flow, Wake::Push);
        }
        PushOutcome::WakeLate => {
            if let Some(unsaid) = state.webhook_limits.says_late(state.app.clock.now()) {
                tracing::warn!(
                    unsaid,
                    "a push of JianDaoYun that was not signed just now wakes the flow; see whether this machine's clock is right"
                );
            }
            state.app.scheduler.wake(tenant, flow, Wake::Push);
        }
        PushOutcome::Nothing(why) => {
            tracing::debug!(reason = why.as_str(), "a push of JianDaoYun wakes no flow: {}", why.as_str());
        }
        PushOutcome::Rejected(why) => {
            if let Some(unsaid) = state.webhook_limits.reports_rejection(state.app.clock.now()) {
                tracing::warn!(reason = why.as_str(), unsaid, "a push of JianDaoYun is rejected: {}", why.as_str());
            }
        }
    });
    received.status()
}

/// The result of a push.
pub(super) async fn receive(
    state: &AppState,
    fields: &SourceFields,
    receiver: &PushReceiver,
    request: Request,
) -> PushOutcome {
    let headers = request.headers().clone();
    let Some((signed, claim)) = signed(request.uri(), &headers) else {
        return PushOutcome::Rejected(PushRejection::Signature);
    };
    let arrived = match state.webhook_limits.body(request, LARGEST_PUSH).await {
        Ok(arrived) => arrived,
        Err(why) => return PushOutcome::Rejected(why),
    };
    let body = arrived.bytes.as_slice();
    if !is_genuine(&signed, &claim, body, &receiver.secret) {
        return PushOutcome::Rejected(PushRejection::Signature);
    }
    let now = state.app.clock.now();
    let wake = if is_of_now(&signed.timestamp, now) { PushOutcome::Wake } else { PushOutcome::WakeLate };
    let PushReceiver { deployment, tenant, flow, form, .. } = receiver;
    let row = match FormPush::read(body, form) {
        FormPush::Nothing(why) => return PushOutcome::Nothing(why),
        FormPush::Look => None,
        FormPush::LookAt(row) => Some(row),
    };
    let source = format!("jiandaoyun/{tenant}/{flow}");
    let names = delivery_names(&headers, &claim);
    let asked = async {
        let known = match row.filter(|_| !known::is_collecting(&state.app.live, tenant, flow)) {
            Some(row) => known::is_known(deployment, fields, tenant, flow, row).await?,
            None => false,
        };
        let wakes = Some((tenant, flow, WakeKind::Push)).filter(|_| !known);
        Ok(match delivery::is_new(deployment.store.as_ref(), &source, &names, now, wakes).await? {
            false => PushOutcome::Nothing(IdleReason::Duplicate),
            true if known => PushOutcome::Nothing(IdleReason::Known),
            true => wake,
        })
    };
    in_time(asked).await.unwrap_or(wake)
}

/// The claimed signature of the push, if it is well-formed.
fn signed(uri: &Uri, headers: &HeaderMap) -> Option<(PushParams, SignatureClaim)> {
    let Query(signed) = Query::<PushParams>::try_from_uri(uri).ok()?;
    let signature = headers.get(SIGNATURE)?.to_str().ok()?.trim();
    // The service's documentation shows a prefix that it never sends.
    let signature = signature.strip_prefix("sha1=").unwrap_or(signature);
    let claim = SignatureClaim::read(signature, &signed.timestamp, &signed.nonce)?;
    Some((signed, claim))
}

/// True if the push was signed with the secret.
fn is_genuine(signed: &PushParams, claim: &SignatureClaim, body: &[u8], secret: &SecretString) -> bool {
    let (nonce, timestamp) = (signed.nonce.as_bytes(), signed.timestamp.as_bytes());
    let secret = secret.expose_secret().as_bytes();
    claim.is_of([nonce, b":", body, b":", secret, b":", timestamp])
}

/// The names under which a delivery is remembered: the signature itself, and the id given by the service. The id is not
/// signed, so by itself it would allow an overheard push to be replayed; neither are the spelling of the signature and
/// the boundary between nonce and body.
fn delivery_names(headers: &HeaderMap, claim: &SignatureClaim) -> Vec<String> {
    let name = headers.get(DELIVERY).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut names = vec![Digest::of_parts([b"signature".as_slice(), claim.bytes()])];
    if !name.is_empty() {
        names.push(Digest::of(name));
    }
    names.into_iter().map(String::from).collect()
}
