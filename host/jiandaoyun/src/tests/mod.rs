//! Behaviour of the client and of values read from the configuration.

mod client;
mod filter;
mod http;
mod script;

use std::sync::Arc;

use super::{ApiVersion, FormAddress, FormClient, FormClientSettings};
use ruzhi_model::FixedClock;

const KEY: &str = "the-api-key-not-to-be-shown";

fn settings(base_url: &str) -> FormClientSettings {
    FormClientSettings {
        base_url: base_url.parse().unwrap(),
        api_key: KEY.into(),
        proxy: None,
        per_second: None,
    }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock("2026-05-01T08:00:00Z".parse().unwrap()))
}

fn client(script: &script::FormScript) -> FormClient {
    FormClient::over(Box::new(script.clone()), settings("https://jiandaoyun.invalid"), clock()).unwrap()
}

fn form(api: ApiVersion) -> FormAddress {
    FormAddress {
        api,
        app_id: "6399c24287cae90008d24e0b".to_owned(),
        entry_id: "63e0706d0e33350008189952".to_owned(),
    }
}
