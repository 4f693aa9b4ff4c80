# SPDX-License-Identifier: Apache-2.0
"""Hostile images through the whole program: each ends in bounded time and memory with a clear finding and the right exit
code, and leaves the machine as it was: no file touched, no process, no mount, no control group, no folder of a container.
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import time
import uuid
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import Failure, Results, Skip, imgcheck, need, need_equal, need_program, scratch  # noqa: E402

import container  # noqa: E402
import image as images  # noqa: E402
from image import Entry, elf, file, folder, link  # noqa: E402

MOST_MEMORY = 1 << 30
KEPT = "what is not to be touched\n"


class Ran:
    def __init__(self, code, out, err, seconds, memory, pid):
        self.code, self.out, self.err, self.seconds, self.memory, self.pid = code, out, err, seconds, memory, pid


def peak_memory(pid):
    """Of the process alone: what the kernel says after its end counts its children too."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return max([int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")], default=0)


class Machine:
    """Runs imgcheck and compares the machine before and after."""

    def __init__(self, scratch_folder):
        self.folder = scratch_folder
        self.store = scratch_folder / "store"
        self.canary = scratch_folder / "canary"
        self.canary.mkdir()
        (self.canary / "file").write_text(KEPT)
        os.chmod(self.canary / "file", 0o640)
        self.token = f"CORPUS_TOKEN={uuid.uuid4().hex}"
        self.before = self.state()

    def state(self):
        """Everything of the canary that an image could change."""
        found = {}
        for path in [self.canary, *sorted(self.canary.rglob("*"))]:
            about = path.lstat()
            text = path.read_text() if path.is_file() else ""
            found[str(path)] = (about.st_mode, about.st_uid, about.st_gid, about.st_mtime_ns, about.st_nlink, text)
        return found

    def check(self, image, *options, most_seconds):
        command = [str(imgcheck()), "check", str(image), "--format", "json", "-q", "--cache-dir", str(self.store), *options]
        out, err = self.folder / "out", self.folder / "err"
        start = time.monotonic()
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=self.folder)
            deadline = start + most_seconds
            memory = 0
            while True:
                memory = max(memory, peak_memory(child.pid))
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > deadline:
                    child.kill()
                    os.waitpid(child.pid, 0)
                    raise Failure(f"not done after {most_seconds} s: {' '.join(command)}")
                time.sleep(0.05)
        child.returncode = os.waitstatus_to_exitcode(status)
        ran = Ran(child.returncode, out.read_text(errors="replace"), err.read_text(errors="replace"),
                  time.monotonic() - start, memory, child.pid)
        self.untouched(ran)
        return ran

    def untouched(self, ran):
        need_equal(self.before, self.state(), "files outside")
        need(ran.memory < MOST_MEMORY, f"imgcheck took {ran.memory >> 20} MiB of memory")
        deadline = time.monotonic() + 5  # the kernel ends a namespace's processes, but not in no time
        while (left := self.left_over(ran)) and time.monotonic() < deadline:
            time.sleep(0.1)
        need(not left, f"left behind: {left}")

    def left_over(self, ran):
        left = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.token.encode() in (process / "environ").read_bytes():
                    left.append(f"process {process.name}: {(process / 'cmdline').read_bytes()!r}")
            except OSError:
                continue
        left += [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(self.folder) in line]
        left += [str(p) for p in pathlib.Path("/sys/fs/cgroup").rglob(f"imgcheck-{ran.pid}-*")]
        for place in ("containers", "tmp"):
            left += [str(p) for p in (self.store / place).glob("*") if p.name != "lock"]
        return left


# --- Images ----------------------------------------------------------------------------------------


def tar_of(*entries):
    """Plain tar of (name, Entry) in this order, with names and links as they are given."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, entry in entries:
            tar.addfile(entry.info(name), io.BytesIO(entry.data))
    return out.getvalue()


class Layers(images.Image):
    """An image of finished layers: (packed bytes, DiffID) each, or plain tars."""

    def __init__(self, *layers, env=()):
        super().__init__()
        self.finished = [(images.packed(one), images.digest(one)) if isinstance(one, bytes) else one for one in layers]
        self.config = {"Env": ["PATH=/usr/bin:/bin", *env], "Cmd": ["sh"]}

    def write(self, target, cache):
        self.layers = [{}] * len(self.finished)
        self.edit_documents = [self.put_digests, *self.edit_documents]
        for packed, _ in self.finished:
            (target / "blobs/sha256").mkdir(parents=True, exist_ok=True)
            (target / "blobs/sha256" / images.digest(packed)[7:]).write_bytes(packed)
        super().write(target, cache)

    def put_digests(self, config, manifest):
        config["rootfs"]["diff_ids"] = [diff_id for _, diff_id in self.finished]
        manifest["layers"] = [{"mediaType": images.GZIP_LAYER, "digest": images.digest(packed), "size": len(packed)}
                              for packed, _ in self.finished]


SHELL = ("bin/sh", file("#!/bin/sh\n", 0o755))


def hardlink(target):
    return Entry(kind=tarfile.LNKTYPE, link=target)


def names():
    """Names that lead out or mean nothing."""
    return {"up": "../x", "up-inside": "a/../../x", "absolute-up": "/../x", "dot-dot": "..", "dot-inside": "a/./x",
            "empty-part": "a//x", "invalid-utf8": "a/\udcff", "component-of-4-kib": "a" * 4096,
            "path-of-64-kib": "/".join(["a" * 200] * 330)}


def written_through(canary):
    """A link that leads out, and then every kind of entry below it."""
    out = link(str(canary))
    up = link("../" * 40 + str(canary).lstrip("/"))
    chain = [("x", link("y")), ("y", out)]
    for how, before in (("absolute", [("x", out)]), ("relative", [("x", up)]), ("chained", chain)):
        for kind, entry in (("file", file("owned")), ("folder", folder()), ("link", link("/etc")),
                            ("hard-link", hardlink("bin/sh")), ("over-the-file", file("owned"))):
            name = "x/file" if kind == "over-the-file" else "x/new"
            yield f"through-{how}-link-a-{kind}", [SHELL, *before, (name, entry)]
        yield f"{how}-hard-link-out", [SHELL, *before, ("h", hardlink("x/file"))]


def bomb(size):
    """One file of zeros: packed a thousandth of it."""
    info = tarfile.TarInfo("zeros")
    info.size = size
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    import hashlib
    plain, out = hashlib.sha256(), io.BytesIO()
    zeros = bytes(1 << 20)
    for block in (info.tobuf(), *[zeros] * (size >> 20), bytes(1024)):
        plain.update(block)
        out.write(packer.compress(block))
    out.write(packer.flush())
    return out.getvalue(), "sha256:" + plain.hexdigest()


def declared_size(text):
    """A header that declares more than there is."""
    data = bytearray(tarfile.TarInfo("huge").tobuf())
    data[124:136] = text
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data) + bytes(1024)


SMUGGLED = tar_of(("inner", file("x" * 600)))


def two_sizes():
    """PAX says one size and the header another, so that careless readers see the files of an inner archive."""
    info = tarfile.TarInfo("outer")
    info.size = len(SMUGGLED)
    record = f"{len(SMUGGLED)}"
    line = f" size={record}\n"
    length = len(line) + 2
    pax = f"{length}{line}".encode()
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, len(pax)
    info.size = 0
    return head.tobuf() + pax.ljust(512, b"\0") + info.tobuf() + SMUGGLED + bytes(1024)


# --- Cases -----------------------------------------------------------------------------------------

BOTH = "IMG-DIGEST,IMG-LAYER,DRV-STATE"


class Hostile:
    def __init__(self, scratch_folder, corpus):
        self.machine = Machine(scratch_folder)
        self.corpus = corpus  # container.Containers, whose unpacked layers are used
        self.number = 0

    def write(self, image):
        self.number += 1
        target = self.machine.folder / f"image-{self.number}"
        image.write(target, self.corpus.cache)
        return target

    def on_base(self, plain):
        """A layer on those of the small image, so that probes can start."""
        image = Layers(plain)
        self.corpus.base.place_under(image)
        return image

    def report(self, image, checks, most_seconds=120, options=(), expect=None):
        """Check → result, of a run that ended as it should."""
        ran = self.machine.check(self.write(image), "--check", checks, *options, most_seconds=most_seconds)
        if ran.code not in (0, 1, 3):
            raise Failure(f"exit {ran.code}: {ran.err}")
        report = json.loads(ran.out)
        seen = {check["id"]: check for check in report["checks"]}
        seen["notes"] = report["notes"]
        if expect is not None:
            got = {name: seen[name]["status"] for name in expect}
            need_equal(expect, got, f"statuses; reasons {[(n, seen[n]['reason']) for n in expect]}")
            code = 1 if "fail" in expect.values() else 3 if "blocked" in expect.values() else 0
            need_equal(code, ran.code, "exit code")
        return seen

    def refused(self, plain, says=""):
        """No proper layer: the static tier says which entry, the container tier starts nothing."""
        seen = self.report(Layers(plain) if isinstance(plain, (bytes, tuple)) else plain, BOTH,
                           expect={"IMG-LAYER": "fail", "DRV-STATE": "blocked"})
        need(seen["DRV-STATE"]["reason"].startswith("the image cannot be started: "), seen["DRV-STATE"]["reason"])
        text = seen["IMG-LAYER"]["reason"] + str([f["actual"] for f in seen["IMG-LAYER"]["findings"]])
        need(says in text, f"'{says}' is not in {text}")
        return seen

    def cannot_be_opened(self, image, codes, says):
        ran = self.machine.check(self.write(image), "--check", BOTH, most_seconds=30)
        need(ran.code in codes, f"exit {ran.code}: {ran.err or ran.out[:500]}")
        need(ran.err.startswith("error: ") and says in ran.err, ran.err)

    # Layers.

    def device_nodes(self):
        nodes = [("opt/sda", Entry(kind=tarfile.BLKTYPE, device=(8, 0))), ("opt/mem", Entry(kind=tarfile.CHRTYPE, device=(1, 1)))]
        seen = self.report(self.on_base(tar_of(*nodes)), "IMG-LAYER,DRV-STATE", expect={"IMG-LAYER": "fail", "DRV-STATE": "pass"})
        need("'opt/sda' is a block device, which is not made for a container" in seen["notes"], str(seen["notes"]))

    def setuid(self):
        plain = tar_of(("opt/setuid", file("x", 0o6755)))
        self.report(self.on_base(plain), "DRV-STATE", expect={"DRV-STATE": "pass"})
        found = [p for p in self.machine.store.rglob("setuid") if p.is_file()]
        need(found, "the file was not unpacked")
        need(not [p for p in found if p.stat().st_mode & 0o6000], "setuid bits reached the disk")

    def decompression_bomb(self):
        seen = self.report(Layers(bomb(1536 << 20)), "IMG-DIGEST,DRV-STATE", most_seconds=180,
                           expect={"IMG-DIGEST": "pass", "DRV-STATE": "blocked"})
        need("unpacks to too much" in seen["DRV-STATE"]["reason"], seen["DRV-STATE"]["reason"])

    def many_entries(self):
        plain = tar_of(*((f"many/{n:06}", file("")) for n in range(100_000)))
        self.report(self.on_base(plain), "IMG-LAYER,DRV-STATE", most_seconds=180, expect={"IMG-LAYER": "pass", "DRV-STATE": "pass"})

    def deep_path(self):
        deep = "/".join(["d"] * 400)
        self.report(self.on_base(tar_of((f"{deep}/file", file("x")))), "IMG-LAYER,DRV-STATE", most_seconds=180,
                    expect={"IMG-LAYER": "pass", "DRV-STATE": "pass"})

    # Links where the machine mounts or looks.

    def link_at(self, place, target, starts):
        seen = self.report(self.on_base(tar_of((place, link(target)))), "IMG-CONFIG,DRV-STATE", expect={"DRV-STATE": "pass" if starts else "blocked"})
        if not starts:
            need(place in seen["DRV-STATE"]["reason"], seen["DRV-STATE"]["reason"])

    def working_dir(self, path, *entries):
        image = Layers(tar_of(SHELL, *entries))
        image.config["WorkingDir"] = path
        seen = self.report(image, "DRV-STATE", expect={"DRV-STATE": "blocked"})
        need(seen["DRV-STATE"]["reason"].startswith("the image cannot be started: "), seen["DRV-STATE"]["reason"])

    # Layouts.

    def digest_as_path(self, digest):
        def edit(config, manifest):
            manifest["layers"][0]["digest"] = digest
        image = Layers(tar_of(SHELL))
        image.edit_documents.append(edit)
        self.cannot_be_opened(image, (2, 4), "digest")

    def names_as_paths(self):
        def edit(config, manifest):
            manifest["annotations"] = {"org.opencontainers.image.title": f"../../..{self.machine.canary}/owned",
                                       "org.opencontainers.image.ref.name": "/etc/owned\n"}
        image = self.on_base(tar_of(("opt/x", file("x"))))
        image.edit_documents.append(edit)
        self.report(image, "DRV-STATE", expect={"DRV-STATE": "pass"})

    def manifest_and_index_at_once(self):
        def edit(config, manifest):
            manifest["manifests"] = []
        image = Layers(tar_of(SHELL))
        image.edit_documents.append(edit)
        self.cannot_be_opened(image, (2, 4), "manifests")

    # What runs.

    def started(self, change, checks, most_seconds, expect):
        image = self.corpus.good.copy()
        change(image, self.corpus.libraries)
        image.config["Env"] = [*image.config["Env"], self.machine.token]
        return self.report(image, checks, most_seconds, ("--samples", "1"), expect)

    def library_that(self, code, expect, most_seconds=120, checks="VER-CUDART,VER-NCCL"):
        def change(image, libraries):
            source = f"#include <unistd.h>\n#include <string.h>\n#include <stdlib.h>\n#include <signal.h>\n" \
                     f"static void __attribute__((constructor)) run(void) {{ {code} }}\n"
            image.put(container.cuda_path("nccl"), elf(libraries.cc.library("libnccl.so.2", source=source)))
        return self.started(change, checks, most_seconds, expect)

    def sleeps(self):
        self.library_that("for (;;) pause();", {"VER-CUDART": "pass", "VER-NCCL": "fail"})

    def stops_itself(self):
        self.library_that("for (;;) kill(getpid(), SIGSTOP);", {"VER-CUDART": "pass", "VER-NCCL": "fail"})

    def forks(self):
        seen = self.library_that("for (;;) fork();", None, most_seconds=240)
        need(seen["VER-NCCL"]["status"] in ("fail", "blocked"), str(seen["VER-NCCL"]))

    def leaves_a_daemon(self):
        seen = self.library_that("if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); _exit(0); }", None)
        need(seen["VER-CUDART"]["status"] == "pass", str(seen["VER-CUDART"]))

    def endless_output(self):
        """Into every descriptor there is, in the form of results."""
        seen = self.library_that('for (int fd = 1;; fd = fd % 63 + 1) write(fd, "{\\"event\\":\\"library\\"}\\n", 20);', None)
        need(seen["VER-NCCL"]["status"] in ("fail", "blocked"), str(seen["VER-NCCL"]))

    def eats_memory(self):
        seen = self.library_that("for (;;) { char* p = malloc(1 << 26); if (p) memset(p, 1, 1 << 26); else abort(); }", None)
        need(seen["VER-NCCL"]["status"] in ("fail", "blocked"), str(seen["VER-NCCL"]))

    def lies(self):
        """Lines in the form of results, and in no form at all: never a pass, and nothing that moves a cursor."""
        lines = [rb'{"event":"call","library":"nccl","function":"ncclGetVersion","rc":0,"value":22703}',
                 rb'{"event":"\u001b[2J","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
                 rb'{"event":"library","library":"nccl","path":"/\u001b]0;owned\u0007\u202e","found":"\u001b[2J","error":"\u001b[31m"}',
                 rb'{"event":"child","of":"nccl","end":"exited","code":1e999}', b"\x1b[31m not JSON \xff\xfe", rb'{"event":"end"}']
        data = ",".join(str(byte) for byte in b"\n".join(lines) + b"\n")
        code = f"static const unsigned char lies[] = {{{data}}}; for (int fd = 1; fd < 64; ++fd) write(fd, lies, sizeof(lies));"
        seen = self.library_that(code + "_exit(0);", None)
        need(seen["VER-NCCL"]["status"] in ("fail", "blocked"), f"a lie passed: {seen['VER-NCCL']}")
        text = json.dumps(seen, ensure_ascii=False)
        need("\x1b" not in text and "\\u001b" not in text, "control characters reached the report")

    def python_that_lies(self):
        """A program in the interpreter's place that says what a good one would."""
        script = '#!/bin/sh\nfor fd in 1 2 3; do echo \'{"event":"outcome","ok":true,"available":true}\' >&$fd; ' \
                 'echo \'{"event":"end"}\' >&$fd; done 2>/dev/null\nexit 7\n'

        def change(image, libraries):
            image.put("/usr/bin/python3.11", file(script, 0o755))
        seen = self.started(change, "PY-PIPCHECK,PY-IMPORT,PY-NOUSER,LOAD-TORCH", 120, None)
        passed = [name for name, result in seen.items() if name != "notes" and result["status"] == "pass"]
        need(not passed, f"lies passed: {passed}")

    def python_that_sleeps(self):
        def change(image, libraries):
            image.put("/usr/bin/python3.11", file("#!/bin/sh\nexec sleep 100000\n", 0o755))
        seen = self.started(change, "PY-PIPCHECK", 200, None)
        need(seen["PY-PIPCHECK"]["status"] in ("fail", "blocked"), str(seen["PY-PIPCHECK"]))


def cases(hostile):
    canary = hostile.machine.canary
    for name, path in names().items():
        yield f"name-{name}", lambda path=path: hostile.refused(tar_of(SHELL, (path, file("x"))))
    for name, entries in written_through(canary):
        yield name, lambda entries=entries: hostile.refused(tar_of(*entries))
    for kind, entry in (("link", link(str(canary))), ("file", file("x")), ("hard-link", hardlink("bin/sh"))):
        yield f"root-as-{kind}", lambda entry=entry: hostile.refused(tar_of(SHELL, (".", entry)))
    for kind, entry in (("file", file("y")), ("link", link("/etc")), ("folder", folder())):
        yield f"path-twice-as-{kind}", lambda entry=entry: hostile.refused(tar_of(SHELL, SHELL, ("bin/sh", entry)))
    for name, target in (("up", "../../etc/passwd"), ("outside", str(canary / "file")), ("nothing", "absent"),
                         ("a-folder", "bin"), ("itself", "h")):
        yield f"hard-link-to-{name}", lambda target=target: hostile.refused(tar_of(SHELL, ("bin/x", file("x")), ("h", hardlink(target))))
    yield "whiteout-of-its-own-layer", lambda: hostile.report(
        Layers(tar_of(SHELL, ("bin/.wh.sh", file("")))), "IMG-LAYER", expect={"IMG-LAYER": "fail"})
    for name in (".wh.", ".wh..", ".wh..."):
        yield f"whiteout-{name.replace('/', '-')}", lambda name=name: hostile.refused(tar_of(SHELL, (name, file(""))))
    yield "size-of-8-tib", lambda: hostile.refused(declared_size(b"\x80\0\0\0" + (1 << 43).to_bytes(8, "big")))
    yield "size-negative", lambda: hostile.refused(declared_size(b"\xff" * 12))
    yield "two-sizes", lambda: hostile.refused(two_sizes())
    yield "second-archive", lambda: hostile.refused(tar_of(SHELL) + tar_of(("x", file("x"))))
    yield "device-nodes", hostile.device_nodes
    yield "setuid", hostile.setuid
    yield "decompression-bomb", hostile.decompression_bomb
    yield "many-entries", hostile.many_entries
    yield "deep-path", hostile.deep_path
    for place in ("proc", "sys", "dev", "tmp"):
        yield f"link-at-{place}", lambda place=place: hostile.link_at(place, str(canary), starts=False)
    yield "link-at-etc", lambda: hostile.link_at("etc", str(canary), starts=True)
    yield "link-at-passwd", lambda: hostile.link_at("etc/passwd", str(canary / "file"), starts=True)
    yield "working-dir-of-a-descriptor", lambda: hostile.working_dir("/proc/self/fd/8")
    yield "working-dir-by-a-link", lambda: hostile.working_dir("/w/fd/8", ("w", link("/proc/self")))
    yield "working-dir-up", lambda: hostile.working_dir("/opt/../proc/self/cwd")
    for text in ("sha256:../../canary/file", "sha256:" + "A" * 64, "sha256:" + "a" * 63, ""):
        yield f"digest-{text.replace('/', '-')[:20] or 'empty'}", lambda text=text: hostile.digest_as_path(text)
    yield "names-as-paths", hostile.names_as_paths
    yield "manifest-and-index", hostile.manifest_and_index_at_once
    yield "library-that-sleeps", hostile.sleeps
    yield "library-that-stops-itself", hostile.stops_itself
    yield "library-that-forks", hostile.forks
    yield "library-that-leaves-a-daemon", hostile.leaves_a_daemon
    yield "library-of-endless-output", hostile.endless_output
    yield "library-that-eats-memory", hostile.eats_memory
    yield "library-that-lies", hostile.lies
    yield "python-that-lies", hostile.python_that_lies
    if os.environ.get("IMG_TEST_FULL"):
        yield "python-that-sleeps", hostile.python_that_sleeps


def run_all(results, scratch_folder, corpus):
    hostile = Hostile(scratch_folder, corpus)
    for name, test in cases(hostile):
        results.run(name, test)


def main(options):
    results = Results("corpus.hostile", options.only)
    with scratch("corpus-hostile") as scratch_folder:
        try:
            need_program("runc")
            corpus = container.Containers(scratch_folder, options.lock)
        except (Failure, Skip) as problem:
            results.record("skip" if isinstance(problem, Skip) else "fail", "base", str(problem))
            return results.finish()
        run_all(results, scratch_folder, corpus)
    return results.finish()
