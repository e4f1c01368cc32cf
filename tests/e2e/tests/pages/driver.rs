//! A browser session over W3C WebDriver: requests with JSON.
//!
//! Existing clients turn on a feature of serde_json for every crate of the workspace, and with it the order of an
//! object's keys in the program under test.

use reqwest::Method;
use serde_json::{Value, json};

/// The name under which WebDriver returns elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A non-printing key, by its code in WebDriver.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Tab = 0xE004,
    Enter = 0xE007,
    Escape = 0xE00C,
}

/// The browser's error for a failed command.
pub(crate) type Told = Result<Value, String>;

/// A session.
pub(crate) struct Driver {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    session: String,
}

/// An element of a page.
#[derive(Debug, Clone)]
pub(crate) struct Element(Value);

impl Element {
    /// The element as a script argument.
    pub(crate) fn argument(&self) -> Value {
        self.0.clone()
    }

    fn id(&self) -> &str {
        self.0[ELEMENT].as_str().unwrap_or_default()
    }
}

impl Driver {
    /// A session of the driver at this port.
    pub(crate) fn new(port: u16, capabilities: &Value) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut driver = Self { runtime, client, session: format!("http://127.0.0.1:{port}/session") };
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let begun = driver.post("", &wanted)?;
        let id = begun["sessionId"].as_str().ok_or_else(|| begun.to_string())?;
        driver.session = format!("{}/{id}", driver.session);
        Ok(driver)
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Told {
        let request = self.client.request(method, format!("{}{path}", self.session));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.runtime.block_on(async {
            let answer = request.send().await.map_err(|error| error.to_string())?;
            let good = answer.status().is_success();
            let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
            let value = answer["value"].take();
            if good { Ok(value) } else { Err(value["message"].as_str().unwrap_or("no message").to_owned()) }
        })
    }

    /// Posts a command.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Told {
        self.ask(Method::POST, path, Some(body))
    }

    /// Gets a value.
    pub(crate) fn get(&self, path: &str) -> Told {
        self.ask(Method::GET, path, None)
    }

    /// Deletes a resource.
    pub(crate) fn delete(&self, path: &str) -> Told {
        self.ask(Method::DELETE, path, None)
    }

    /// Runs a script in the page.
    pub(crate) fn script(&self, how: &str, script: &str, arguments: Vec<Value>) -> Told {
        self.post(&format!("/execute/{how}"), &json!({ "script": script, "args": arguments }))
    }

    /// The elements found on the page, `using` a `css selector` or an `xpath`.
    pub(crate) fn find_all(&self, using: &str, value: &str) -> Result<Vec<Element>, String> {
        let found = self.post("/elements", &json!({ "using": using, "value": value }))?;
        Ok(found.as_array().into_iter().flatten().cloned().map(Element).collect())
    }

    /// True if the element is visible.
    pub(crate) fn shows(&self, element: &Element) -> bool {
        self.get(&format!("/element/{}/displayed", element.id())) == Ok(Value::Bool(true))
    }

    /// Clicks it.
    pub(crate) fn click(&self, element: &Element) -> Told {
        self.post(&format!("/element/{}/click", element.id()), &json!({}))
    }

    /// Types into it.
    pub(crate) fn write(&self, element: &Element, text: &str) -> Told {
        self.post(&format!("/element/{}/value", element.id()), &json!({ "text": text }))
    }

    /// Presses a key, wherever the focus is.
    pub(crate) fn key(&self, key: Key) -> Told {
        let letter = char::from_u32(key as u32).map(String::from).unwrap_or_default();
        let strokes =
            [json!({ "type": "keyDown", "value": letter }), json!({ "type": "keyUp", "value": letter })];
        self.post(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }),
        )
    }
}
