//! A real browser without a window: Chromium, driven through its remote debugging protocol.

mod base64;
mod link;
mod tab;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::deadline::wait_until;
use crate::directory::Directory;
use crate::watchdog::Watchdog;

use link::Link;
pub use tab::{Scheme, Tab, Viewport};

/// The protocol goes through descriptors 3 and 4: no port that somebody else could reach. The
/// browser ends when they are closed, and so with the test's process.
const SCRIPT: &str = r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null 2>"$0/log""#;

const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
    "--mute-audio",
    // Tests run as root in containers, where the sandbox does not start; the only pages are ours.
    "--no-sandbox",
];

/// How long it may take to end by itself.
const END_PATIENCE: Duration = Duration::from_secs(3);

/// A browser, ended when dropped.
#[derive(Debug)]
pub struct Chromium {
    link: Arc<Link>,
    child: Child,
    _watchdog: Watchdog,
    _profile: Directory,
}

impl Chromium {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// When it does not start. Where `chromium` is missing, the message says how to install it.
    #[must_use]
    pub fn start() -> Self {
        let failed = |error| -> ! { panic!("chromium cannot be started: {error}") };
        let profile = Directory::create().unwrap_or_else(|error| failed(error));
        let watchdog = Watchdog::start(Some(profile.path())).unwrap_or_else(|error| failed(error));
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(profile.path())
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .args(ARGUMENTS)
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| failed(error));
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (to, from) = pipes.unwrap_or_else(|| panic!("chromium has no pipes"));
        let link = Link::over(to, from);
        let version = link.call(None, "Browser.getVersion", json!({}));
        assert!(
            version.is_ok(),
            "chromium does not answer ({version:?}); where it is missing: apt-get install \
             chromium; its log: {}",
            std::fs::read_to_string(profile.path().join("log")).unwrap_or_default()
        );
        Self { link, child, _watchdog: watchdog, _profile: profile }
    }

    /// Opens `url` in a tab of its own, and waits until it is loaded.
    ///
    /// # Panics
    ///
    /// When the browser does not do so.
    #[must_use]
    pub fn open(&self, url: &str, viewport: Viewport) -> Tab {
        Tab::open(self.link.clone(), url, viewport)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may be gone already; if it does not go, it is ended.
        drop(self.link.call(None, "Browser.close", json!({})));
        let ended = wait_until(END_PATIENCE, || !matches!(self.child.try_wait(), Ok(None)));
        if !ended {
            drop((self.child.kill(), self.child.wait()));
        }
    }
}
