//! A tab: what stands in it, what is typed into it, what it asked for and complained of.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::base64;
use super::link::Link;
use crate::deadline::wait_until;

/// How long a document may take to load.
const LOAD_PATIENCE: Duration = Duration::from_secs(30);

/// The colours that its user prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// The screen that a tab has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewport {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Pixels of the screen to a CSS pixel.
    pub scale: u32,
    /// The colours that its user prefers.
    pub scheme: Scheme,
}

/// A tab of a [`Chromium`](super::Chromium).
#[derive(Debug)]
pub struct Tab {
    link: Arc<Link>,
    session: String,
}

impl Tab {
    pub(super) fn open(link: Arc<Link>, url: &str, viewport: Viewport) -> Self {
        let call = |method, params| {
            let called = link.call(None, method, params);
            called.unwrap_or_else(|error| panic!("chromium: {error}"))
        };
        let target = call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = &target["targetId"];
        let attached =
            call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        let tab = Self { link, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        let Viewport { width, height, scale, scheme } = viewport;
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false,
        });
        tab.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        tab.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        tab.call("Page.navigate", json!({ "url": url }));
        let loaded = "location.href !== 'about:blank' && document.readyState === 'complete'";
        assert!(tab.comes_to(loaded, LOAD_PATIENCE), "{url} is not loaded");
        tab
    }

    /// What the JavaScript `expression` amounts to; a promise is waited for.
    ///
    /// # Panics
    ///
    /// When it throws.
    #[must_use]
    pub fn eval(&self, expression: &str) -> Value {
        let params = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true,
        });
        let mut result = self.call("Runtime.evaluate", params);
        let thrown = &result["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        result["result"]["value"].take()
    }

    /// Waits until `expression` is true, for at most `patience`; whether it came to be so.
    #[must_use]
    pub fn comes_to(&self, expression: &str, patience: Duration) -> bool {
        wait_until(patience, || self.eval(expression) == true)
    }

    /// Types `text` where the focus is.
    pub fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses and releases a key, `Tab` or `Enter`.
    pub fn press(&self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            _ => (0, key),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let params = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text,
            });
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// The whole document as a picture (PNG).
    #[must_use]
    pub fn picture(&self) -> Vec<u8> {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", params);
        let data = shot["data"].as_str().and_then(base64::decode);
        data.unwrap_or_else(|| panic!("chromium: no picture"))
    }

    /// Every address that something was asked for from, in their order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let url = |event: &Value| event["params"]["request"]["url"].as_str().map(str::to_owned);
        self.happened("Network.requestWillBeSent").iter().filter_map(url).collect()
    }

    /// Everything that a developer would see in red: errors, exceptions, what a policy refused.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let is_error = |event: &Value| {
            let params = &event["params"];
            params["type"] == "error" || params["entry"]["level"] == "error"
        };
        let mut complaints = self.happened("Runtime.exceptionThrown");
        complaints.extend(self.happened("Runtime.consoleAPICalled").into_iter().filter(is_error));
        complaints.extend(self.happened("Log.entryAdded").into_iter().filter(is_error));
        complaints.iter().map(|event| event["params"].to_string()).collect()
    }

    fn happened(&self, method: &str) -> Vec<Value> {
        let mut events = self.link.events(&self.session);
        events.retain(|event| event["method"] == method);
        events
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let called = self.link.call(Some(&self.session), method, params);
        called.unwrap_or_else(|error| panic!("chromium: {error}"))
    }
}
