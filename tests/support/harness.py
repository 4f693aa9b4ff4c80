# SPDX-License-Identifier: Apache-2.0
"""How every Python test of this project runs programs and says what passed.

A suite is a program that makes one Results and ends with `sys.exit(results.finish())`. Each result is a line
on standard output and, when $IMG_TEST_RESULTS names a file, a line `status<TAB>name` in it; ci/test counts those.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Skip(Exception):
    """Raised by a test that cannot be done here; its text is the reason."""


class Failure(Exception):
    """Raised by a test that found something wrong; its text says what, with both sides."""


class Results:
    """Runs tests, prints one line each, counts."""

    def __init__(self, suite, only=None):
        self.suite = suite
        self.only = only
        self.counts = {"pass": 0, "fail": 0, "skip": 0}

    def run(self, name, test, *args):
        """Runs `test(*args)`; returns its value, or None when it failed or was skipped."""
        full = f"{self.suite}.{name}"
        if self.only and self.only not in full:
            return None
        start = time.monotonic()
        value, status, text = None, "pass", ""
        try:
            value = test(*args)
        except Skip as reason:
            status, text = "skip", str(reason)
        except Failure as problem:
            status, text = "fail", str(problem)
        except Exception:  # a broken test is a failed one
            status, text = "fail", traceback.format_exc()
        self.record(status, name, text, time.monotonic() - start)
        return value

    def record(self, status, name, text="", seconds=None):
        """Counts one result and prints its line."""
        self.count(status, name)
        took = "" if seconds is None else f" ({seconds:.1f} s)"
        if status == "skip":
            print(f"  skip  {self.suite}.{name}: {text}")
        else:
            print(f"  {status}  {self.suite}.{name}{took}")
            if text:
                print("        " + text.rstrip().replace("\n", "\n        "))
        sys.stdout.flush()

    def count(self, status, name):
        """Counts one result without printing it."""
        self.counts[status] += 1
        path = os.environ.get("IMG_TEST_RESULTS")
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{status}\t{self.suite}.{name}\n")

    def finish(self):
        """Exit code: 0 only when something ran and nothing failed."""
        return 1 if self.counts["fail"] or not sum(self.counts.values()) else 0


class Ran:
    """A finished program."""

    def __init__(self, argv, code, out, err, seconds):
        self.argv, self.code, self.out, self.err, self.seconds = argv, code, out, err, seconds

    def describe(self):
        tail = "\n".join(self.err.splitlines()[-25:])
        return f"{' '.join(map(str, self.argv))}\nexit {self.code}\nstdout: {self.out[-1500:]!r}\nstderr:\n{tail}"


def run(*argv, env=None, cwd=None, timeout=1800, expect=0, umask=None, input=None):
    """Runs a program to its end. `expect`: the exit code (or several) that is right; None: any."""
    start = time.monotonic()
    done = subprocess.run(
        [str(a) for a in argv], env=env, cwd=cwd, timeout=timeout, input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        umask=-1 if umask is None else umask)
    ran = Ran(argv, done.returncode, done.stdout, done.stderr, time.monotonic() - start)
    if expect is not None and ran.code not in (expect if isinstance(expect, tuple) else (expect,)):
        raise Failure(f"expected exit {expect}\n{ran.describe()}")
    return ran


def need(condition, message):
    if not condition:
        raise Failure(message)


def need_equal(expected, got, what):
    if expected != got:
        raise Failure(f"{what}\nexpected: {expected}\ngot:      {got}")


def need_program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise Skip(f"no program '{name}' here")
    return found


@contextlib.contextmanager
def scratch(prefix):
    """A folder of this test, removed at the end whatever modes lie in it."""
    base = os.environ.get("IMG_TEST_SCRATCH")
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=base))
    try:
        yield path
    finally:
        remove_tree(path)


def remove_tree(path):
    def make_writable(function, name, _):
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(name), 0o700)
            os.chmod(name, 0o700)
            function(name)

    shutil.rmtree(path, onerror=make_writable)


def imgbuild():
    """The program under test: $IMGBUILD, else the release build."""
    path = pathlib.Path(os.environ.get("IMGBUILD", ROOT / "build/bin/imgbuild"))
    if not path.exists():
        raise SystemExit(f"error: no program '{path}'; run ci/build first")
    return path.resolve()


def imgcheck():
    """The other program under test: $IMGCHECK, else the release build."""
    path = pathlib.Path(os.environ.get("IMGCHECK", ROOT / "build/bin/imgcheck"))
    if not path.exists():
        raise Failure(f"no program '{path}'; run ci/build first")
    return path.resolve()
