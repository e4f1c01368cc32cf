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
use super::push::Push;
use super::signature::Claim;
use super::{LARGEST_PUSH, Nothing, Received, Refused};
use crate::Process;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Wake;
use ruzhi_config::Source;
use ruzhi_metrics as meter;
use ruzhi_model::{Digest, FlowId, TenantId};
use ruzhi_store::WakeKind;

const SIGNATURE: &str = "x-jdy-signature";
const DELIVERY: &str = "x-jdy-deliverid";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Signed {
    nonce: String,
    timestamp: String,
}

/// A flow that takes pushes.
pub(super) struct Receiver {
    pub(super) deployment: Arc<Deployment>,
    pub(super) tenant: TenantId,
    pub(super) flow: FlowId,
    form: Source,
    secret: SecretString,
}

impl Receiver {
    /// The flow of this name, if it takes pushes.
    pub(super) fn find(deployment: Arc<Deployment>, tenant: &str, flow: &str) -> Option<Self> {
        let of = deployment.config.tenants.iter().find(|of| of.id.as_str() == tenant)?;
        let to = of.flows.iter().find(|to| to.id.as_str() == flow)?;
        let (tenant, flow, form, secret) =
            (of.id.clone(), to.id.clone(), to.source.clone(), to.push.clone()?);
        Some(Self { deployment, tenant, flow, form, secret })
    }
}

/// Receives a push.
pub(super) async fn take(
    State(process): State<Arc<Process>>,
    Extension(fields): Extension<SourceFields>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> StatusCode {
    let receiver =
        path.ok().and_then(|Path((tenant, flow))| Receiver::find(process.app.deployment(), &tenant, &flow));
    let Some(receiver) = receiver else {
        meter::webhook(meter::Service::Jiandaoyun, Refused::Unknown.as_str());
        return Refused::Unknown.status();
    };
    let received = receive(&process, &fields, &receiver, request).await;
    meter::webhook(meter::Service::Jiandaoyun, received.as_str());
    let (tenant, flow) = (&receiver.tenant, &receiver.flow);
    let span = tracing::info_span!("push", tenant.id = tenant.as_str(), flow.id = flow.as_str());
    span.in_scope(|| match received {
        Received::Wake => {
            tracing::info!("a push of JianDaoYun wakes the flow");
            process.app.scheduler.wake(tenant, flow, Wake::Push);
        }
        Received::WakeLate => {
            if let Some(unsaid) = process.gate.says_late(process.app.clock.now()) {
                tracing::warn!(
                    unsaid,
                    "a push of JianDaoYun that was not signed just now wakes the flow; see whether this machine's clock is right"
                );
            }
            process.app.scheduler.wake(tenant, flow, Wake::Push);
        }
        Received::Nothing(why) => {
            tracing::debug!(reason = why.as_str(), "a push of JianDaoYun wakes no flow: {}", why.as_str());
        }
        Received::Refused(why) => {
            if let Some(unsaid) = process.gate.says_refused(process.app.clock.now()) {
                tracing::warn!(reason = why.as_str(), unsaid, "a push of JianDaoYun is refused: {}", why.as_str());
            }
        }
    });
    received.status()
}

/// The result of a push.
pub(super) async fn receive(
    process: &Process,
    fields: &SourceFields,
    receiver: &Receiver,
    request: Request,
) -> Received {
    let headers = request.headers().clone();
    let Some((signed, claim)) = signed(request.uri(), &headers) else {
        return Received::Refused(Refused::Signature);
    };
    let arrived = match process.gate.body(request, LARGEST_PUSH).await {
        Ok(arrived) => arrived,
        Err(refused) => return Received::Refused(refused),
    };
    let body = arrived.bytes.as_slice();
    if !is_genuine(&signed, &claim, body, &receiver.secret) {
        return Received::Refused(Refused::Signature);
    }
    let now = process.app.clock.now();
    let wake = if is_of_now(&signed.timestamp, now) { Received::Wake } else { Received::WakeLate };
    let Receiver { deployment, tenant, flow, form, .. } = receiver;
    let row = match Push::read(body, form) {
        Push::Nothing(why) => return Received::Nothing(why),
        Push::Look => None,
        Push::LookAt(row) => Some(row),
    };
    let source = format!("jiandaoyun/{tenant}/{flow}");
    let names = delivery_names(&headers, &claim);
    let asked = async {
        let known = match row.filter(|_| !known::is_collecting(&process.app.live, tenant, flow)) {
            Some(row) => known::is_known(deployment, fields, tenant, flow, row).await?,
            None => false,
        };
        let wakes = Some((tenant, flow, WakeKind::Push)).filter(|_| !known);
        Ok(match delivery::is_new(deployment.store.as_ref(), &source, &names, now, wakes).await? {
            false => Received::Nothing(Nothing::Duplicate),
            true if known => Received::Nothing(Nothing::Known),
            true => wake,
        })
    };
    in_time(asked).await.unwrap_or(wake)
}

/// The claimed signature of the push, if it is well-formed.
fn signed(uri: &Uri, headers: &HeaderMap) -> Option<(Signed, Claim)> {
    let Query(signed) = Query::<Signed>::try_from_uri(uri).ok()?;
    let signature = headers.get(SIGNATURE)?.to_str().ok()?.trim();
    // The service's documentation shows a prefix that it never sends.
    let signature = signature.strip_prefix("sha1=").unwrap_or(signature);
    let claim = Claim::read(signature, &signed.timestamp, &signed.nonce)?;
    Some((signed, claim))
}

/// True if the push was signed with the secret.
fn is_genuine(signed: &Signed, claim: &Claim, body: &[u8], secret: &SecretString) -> bool {
    let (nonce, timestamp) = (signed.nonce.as_bytes(), signed.timestamp.as_bytes());
    let secret = secret.expose_secret().as_bytes();
    claim.is_of([nonce, b":", body, b":", secret, b":", timestamp])
}

/// The names under which a delivery is remembered: the signature itself, and the id given by the service. The id is not
/// signed, so by itself it would allow an overheard push to be replayed; neither are the spelling of the signature and
/// the boundary between nonce and body.
fn delivery_names(headers: &HeaderMap, claim: &Claim) -> Vec<String> {
    let name = headers.get(DELIVERY).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut names = vec![Digest::of_parts([b"signature".as_slice(), claim.bytes()])];
    if !name.is_empty() {
        names.push(Digest::of(name));
    }
    names.into_iter().map(String::from).collect()
}
