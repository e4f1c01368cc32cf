//! A headless browser and a person's actions in it. No fixed waits: every expected element is polled for until it
//! appears.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver::{Driver, Element, Key};

/// Longest wait for anything before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Delay between two polls.
const LOOK: Duration = Duration::from_millis(50);

/// A way to find elements.
const CSS: &str = "css selector";

const HINT: &str = "run `make browser` / 请先运行 `make browser`";

/// Folder for pictures of the pages.
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pages");

/// The kind of screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Desk,
    Phone,
    /// The narrowest width at which nothing may be cut off.
    Narrow,
}

impl Screen {
    fn size(self) -> (u32, u32) {
        match self {
            Self::Desk => (1280, 900),
            Self::Phone => (390, 844),
            Self::Narrow => (360, 740),
        }
    }
}

/// The browser, ended when dropped.
pub(crate) struct Browser {
    driver: Driver,
    child: Child,
    base: String,
    screen: Screen,
    _profile: TempDir,
}

impl Browser {
    /// A browser with this preferred language and screen, for the pages below this URL.
    pub(crate) fn open(base: &str, lang: &str, screen: Screen) -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver cannot be started ({error}): {HINT}"));
        let mut port = None;
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            port = line.split_once("on port ").map(|(_, port)| port.trim_end_matches('.').to_owned());
            said.push_str(&line);
            if line.contains("started successfully") && port.is_some() {
                break;
            }
        }
        let port: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{said}: {HINT}"));
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &data,
        ];
        let wishes = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments, "prefs": { "intl.accept_languages": lang } },
        });
        let driver = Driver::new(port, &wishes)
            .unwrap_or_else(|error| panic!("chromium cannot be started ({error}): {HINT}"));
        let mut browser = Self { driver, child, base: base.to_owned(), screen, _profile: profile };
        browser.look_at(screen);
        browser
    }

    fn tell(&self, method: &str, what: Value) {
        self.driver.post("/goog/cdp/execute", &json!({ "cmd": method, "params": what })).unwrap();
    }

    fn sized(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size);
    }

    /// Changes the screen.
    pub(crate) fn look_at(&mut self, screen: Screen) {
        let (width, height) = screen.size();
        self.sized(width, height);
        self.screen = screen;
    }

    /// Switches between light and dark.
    pub(crate) fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Goes to a path.
    pub(crate) fn go(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.driver.post("/url", &json!({ "url": url })).unwrap();
    }

    /// Clears all cookies, as a new visitor.
    pub(crate) fn forget(&self) {
        self.driver.delete("/cookie").unwrap();
    }

    /// The current path with its query.
    pub(crate) fn path(&self) -> String {
        let url = self.driver.get("/url").unwrap();
        let path = url.as_str().and_then(|url| url.strip_prefix(&self.base)).unwrap_or_default();
        path.split_once('#').map_or(path, |(path, _)| path).to_owned()
    }

    /// Runs a script in the page.
    pub(crate) fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.tried(script, arguments).unwrap()
    }

    fn tried(&self, script: &str, arguments: Vec<Value>) -> Result<Value, String> {
        self.driver.script("sync", script, arguments)
    }

    /// Runs a script that calls its last argument when it is done.
    pub(crate) fn script_told(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver.script("async", script, arguments).unwrap()
    }

    /// Polls until the condition holds.
    pub(crate) fn wait<T>(&self, what: &str, mut so: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = so() {
                return found;
            }
            if began.elapsed() > PATIENCE {
                self.picture("failed");
                panic!("{what} did not come within {PATIENCE:?}; {} says:\n{}", self.path(), self.text());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The visible text of the page; none while one page replaces another.
    pub(crate) fn text(&self) -> String {
        let text = self.tried("return document.body ? document.body.innerText : ''", vec![]);
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The visible text of one element.
    pub(crate) fn text_of(&self, selector: &str) -> Option<String> {
        let script = "const e = document.querySelector(arguments[0]); return e && e.innerText";
        self.tried(script, vec![json!(selector)]).ok()?.as_str().map(|text| text.trim().to_owned())
    }

    /// The source of the page, visible or not.
    pub(crate) fn source(&self) -> String {
        self.driver.get("/source").unwrap().as_str().unwrap().to_owned()
    }

    /// Waits until this text is visible.
    pub(crate) fn reads(&self, what: &str) {
        self.wait(what, || self.text().contains(what).then_some(()));
    }

    /// Number of elements of a kind.
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.driver.find_all(CSS, selector).unwrap().len()
    }

    fn find(&self, using: &str, value: &str) -> Element {
        self.wait(value, || {
            let found = self.driver.find_all(using, value).ok()?;
            found.into_iter().find(|one| self.driver.shows(one))
        })
    }

    /// Presses the first visible link, button or summary with this text.
    pub(crate) fn press(&self, words: &str) {
        let path =
            format!("//*[self::a or self::button or self::summary][contains(normalize-space(.), '{words}')]");
        self.click(&self.find("xpath", &path));
    }

    /// Presses the element of a selector.
    pub(crate) fn press_on(&self, selector: &str) {
        self.click(&self.find(CSS, selector));
    }

    fn click(&self, element: &Element) {
        let there = element.argument();
        self.script("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", vec![there]);
        self.driver.click(element).unwrap();
    }

    /// Writes into a field.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        self.driver.write(&self.find(CSS, selector), text).unwrap();
    }

    /// Presses a key, wherever the focus is.
    pub(crate) fn key(&self, key: Key) {
        self.driver.key(key).unwrap();
    }

    /// Saves a picture of the whole page to the build output.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        let (width, height) = self.screen.size();
        let whole = self.tried("return document.documentElement.scrollHeight", vec![]);
        let whole = whole.ok().and_then(|whole| whole.as_u64()).and_then(|whole| u32::try_from(whole).ok());
        self.sized(width, whole.unwrap_or(height).clamp(height, 6000));
        std::fs::create_dir_all(PICTURES).unwrap();
        let path = Path::new(PICTURES).join(format!("{name}.png"));
        let picture = self.driver.get("/screenshot").unwrap();
        let picture = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::write(&path, picture).unwrap();
        self.sized(width, height);
        path
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has ended already needs no ending.
        drop(self.driver.delete(""));
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
