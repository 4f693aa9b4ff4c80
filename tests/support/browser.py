# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium over its debugging pipe: pages, what they log and request, and scripts run in them."""

import base64
import json
import os
import select
import shlex
import subprocess
import tempfile
import time


class BrowserError(Exception):
    """The browser does not answer, or a script in the page throws."""


class Browser:
    """One Chromium with one page. Use as a context manager."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.TemporaryDirectory(prefix="browser-", dir=os.environ.get("IMG_TEST_SCRATCH"))
        self.events, self.buffer, self.number, self.session = [], b"", 0, None

    def __enter__(self):
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()
        arguments = [self.program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
                     f"--user-data-dir={self.folder.name}", "about:blank"]
        line = f"exec {shlex.join(arguments)} 3<&{to_read} 4>&{from_write}"
        self.process = subprocess.Popen(["bash", "-c", line], pass_fds=(to_read, from_write),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_read)
        os.close(from_write)
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            session, self.session = self.session, None
            self.call("Browser.close", limit=20)
            self.session = session
        except (BrowserError, OSError):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.to_write)
        os.close(self.from_read)
        self.folder.cleanup()

    def read_message(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.from_read], [], [], left)[0]:
                raise BrowserError("the browser does not answer in time")
            piece = os.read(self.from_read, 1 << 16)
            if not piece:
                raise BrowserError("the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters=None, limit=120):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters or {}}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + limit
        while True:
            answer = self.read_message(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def open(self, address):
        """Loads a page anew, also when only the fragment differs, and forgets what came before."""
        self.call("Page.navigate", {"url": "about:blank"})
        self.run("1")
        self.events.clear()
        self.call("Page.navigate", {"url": address})
        deadline = time.monotonic() + 120
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            if time.monotonic() > deadline:
                raise BrowserError(f"'{address}' does not load")
            time.sleep(0.05)

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def logged(self):
        """Everything on the console, and every exception."""
        self.run("1")  # events that are under way come before its answer
        texts = []
        for event in self.events:
            if event["method"] == "Runtime.exceptionThrown":
                texts.append("exception: " + json.dumps(event["params"]["exceptionDetails"])[:500])
            elif event["method"] == "Log.entryAdded":
                texts.append("log: " + event["params"]["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled":
                texts.append("console: " + json.dumps(event["params"]["args"])[:500])
        return texts

    def requested(self):
        """Addresses of all requests, the page's own included."""
        self.run("1")
        return [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]

    def view(self, width, height, phone=False, dark=False):
        self.call("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone})
        self.call("Emulation.setEmulatedMedia",
                  {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def press(self, key, code=None, number=0):
        for kind in ("keyDown", "keyUp"):
            parameters = {"type": kind, "key": key, "code": code or key, "windowsVirtualKeyCode": number}
            if key == "Enter" and kind == "keyDown":
                parameters["text"] = "\r"
            self.call("Input.dispatchKeyEvent", parameters)

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", {"format": "png"})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def accessible_nodes(self):
        """(role, name) of everything that assistive technology sees."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
                for node in nodes if not node.get("ignored")]
