//! Chromium, spoken to in its own protocol over two named pipes: no driver, and no library.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take. Nothing is waited for that does not tell when it is there.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser of its own, with nothing in it.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: File,
    messages: Receiver<Value>,
    last: i64,
    /// What has been said unasked and is not looked at yet.
    events: Vec<Value>,
    _folder: TempDir,
}

/// A page that is open.
#[derive(Debug)]
pub struct Tab<'b> {
    browser: &'b mut Browser,
    session: String,
}

impl Browser {
    /// Starts Chromium: what `CHROMIUM` names, or `chromium`.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let [commands, answers] = ["commands", "answers"].map(|name| folder.path().join(name));
        let made = Command::new("mkfifo").args([&commands, &answers]).status().expect("mkfifo is there");
        assert!(made.success());
        let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<"$COMMANDS" 4>"$ANSWERS""#, &chromium])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("COMMANDS", &commands)
            .env("ANSWERS", &answers)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium is installed: scripts/browser does it");
        // In the order in which the shell opens them: each waits for the other side.
        let commands = OpenOptions::new().write(true).open(commands).expect("the pipe can be opened");
        let answers = BufReader::new(File::open(answers).expect("the pipe can be opened"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, commands, messages, last: 0, events: Vec::new(), _folder: folder }
    }

    fn call(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let (Some(session), Some(fields)) = (session, message.as_object_mut()) {
            fields.insert("sessionId".to_owned(), session.into());
        }
        write!(self.commands, "{message}\0").expect("the browser listens");
        loop {
            let answer = self.messages.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{method} is not answered"));
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// Opens an empty page of this size, light or dark, with scripts or without.
    pub fn open(&mut self, (width, height): (u32, u32), is_dark: bool, has_script: bool) -> Tab<'_> {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let attached =
            self.call(None, "Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        let session = attached["sessionId"].as_str().expect("a session has a name").to_owned();
        self.events.clear();
        let mut tab = Tab { browser: self, session };
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        tab.call("Emulation.setDeviceMetricsOverride", size);
        let scheme = json!({ "name": "prefers-color-scheme", "value": if is_dark { "dark" } else { "light" } });
        let motion = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        tab.call("Emulation.setEmulatedMedia", json!({ "features": [scheme, motion] }));
        tab.call("Emulation.setScriptExecutionDisabled", json!({ "value": !has_script }));
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tab<'_> {
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// Waits for an event of this tab.
    fn wait_for(&mut self, method: &str) {
        let is_it = |event: &Value| event["method"] == method;
        while !self.browser.events.iter().any(is_it) {
            let event = self.browser.messages.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{method} never comes"));
            self.browser.events.push(event);
        }
    }

    fn forget(&mut self, method: &str) {
        self.browser.events.retain(|event| event["method"] != method);
    }

    /// Goes to an address, and waits until all of it is there.
    pub fn go(&mut self, address: &str) {
        self.forget("Page.loadEventFired");
        self.call("Page.navigate", json!({ "url": address }));
        self.wait_for("Page.loadEventFired");
    }

    /// What an expression gives, once it is there.
    pub fn ask(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until a condition holds, which is looked at whenever the page changes.
    pub fn until(&mut self, condition: &str) {
        let wait = format!(
            "new Promise((done) => {{
                const look = () => {{ if ({condition}) {{ observer.disconnect(); done(true); }} }};
                const observer = new MutationObserver(look);
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                look();
            }})"
        );
        assert_eq!(self.ask(&wait), true, "{condition}");
    }

    /// The text of the page, without a script of its own.
    pub fn text(&mut self) -> String {
        let document = self.call("DOM.getDocument", json!({ "depth": 0 }));
        let html = self.call("DOM.getOuterHTML", json!({ "nodeId": document["root"]["nodeId"] }));
        html["outerHTML"].as_str().unwrap_or_default().to_owned()
    }

    fn find(&mut self, selector: &str) -> Value {
        let document = self.call("DOM.getDocument", json!({ "depth": 0 }));
        let root = &document["root"]["nodeId"];
        let found = self.call("DOM.querySelector", json!({ "nodeId": root, "selector": selector }))["nodeId"].clone();
        assert_ne!(found, 0, "nothing is `{selector}`");
        found
    }

    /// Clicks in the middle of what a selector finds.
    pub fn click(&mut self, selector: &str) {
        let node = self.find(selector);
        self.call("DOM.scrollIntoViewIfNeeded", json!({ "nodeId": node }));
        let quad = self.call("DOM.getContentQuads", json!({ "nodeId": node }))["quads"][0].clone();
        let at = |one: usize, other: usize| {
            (quad[one].as_f64().unwrap_or_default() + quad[other].as_f64().unwrap_or_default()) / 2.0
        };
        let (x, y) = (at(0, 4), at(1, 5));
        for kind in ["mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 }),
            );
        }
    }

    /// Clicks what leads to another page, and waits for that.
    pub fn follow(&mut self, selector: &str) {
        self.forget("Page.loadEventFired");
        self.click(selector);
        self.wait_for("Page.loadEventFired");
    }

    /// Presses a key that stands for a character.
    pub fn press(&mut self, key: &str) {
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyDown", "key": key, "text": key }));
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key }));
    }

    /// Types into a field.
    pub fn fill(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// The size of the window from now on.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// A picture of the page, to be looked at.
    pub fn picture(&mut self, file: &Path) {
        let data = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = base64::engine::general_purpose::STANDARD.decode(data["data"].as_str().unwrap_or_default());
        std::fs::write(file, bytes.expect("a picture is in base 64")).expect("a picture can be written");
    }

    /// What has gone wrong since the page was opened: errors, warnings about the policy, and questions in boxes.
    pub fn complaints(&mut self) -> Vec<String> {
        // What has been said before this is here then.
        self.call("Page.getFrameTree", json!({}));
        let is_wrong = |event: &&Value| match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" | "Page.javascriptDialogOpening" | "Security.certificateError" => true,
            "Runtime.consoleAPICalled" => event["params"]["type"] != "debug",
            "Log.entryAdded" => matches!(event["params"]["entry"]["level"].as_str(), Some("error" | "warning")),
            _ => false,
        };
        self.browser.events.iter().filter(is_wrong).map(ToString::to_string).collect()
    }

    /// Which addresses were asked for.
    pub fn requests(&mut self) -> Vec<String> {
        self.call("Page.getFrameTree", json!({}));
        let asked = self.browser.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        asked.map(|event| event["params"]["request"]["url"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.call("Page.close", json!({}));
        }
    }
}
