#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `imgbuild` says and leaves behind when something goes wrong around it.

  tests/faults/run.py [TEXT]      only tests whose name holds TEXT

Nothing here needs a network: a server on loopback plays index and mirror, and images are made of local files.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import fake_world as world  # noqa: E402
from harness import ROOT, Failure, Results, Skip, imgbuild, need, need_equal, need_program, run, scratch  # noqa: E402
from oci import Layout  # noqa: E402

BIG = 600_000


def environment(store, **more):
    """Everything of the machine that could help or disturb is left out."""
    return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(store.parent / "home"), "LC_ALL": "C.UTF-8",
            "IMGBUILD_CACHE_DIR": str(store), "IMGBUILD_TOOLS": str(ROOT / ".tools"), **more}


class World:
    """A manifest whose lock names three wheels and a deb, and a store for it."""

    def __init__(self, folder, size=BIG):
        self.folder = folder
        (folder / "home").mkdir()
        wheels = {}
        for name in ("alpha", "beta", "gamma-x"):
            file, data = world.make_wheel(name, size=size)
            wheels[file] = (name, "1.0", data)
        self.manifest, self.files = world.wheels_to_fetch(folder, wheels)
        self.store = folder / "store"
        self.first = "alpha-1.0-py3-none-any.whl"

    def fetch(self, server=None, *more, expect=0, before=(), env=None, timeout=120):
        sources = server.sources if server else ["--offline"]
        return run(*before, imgbuild(), "fetch", self.manifest, *sources, "--progress", "plain", *more, expect=expect,
                   env=env or environment(self.store), timeout=timeout)

    def verify(self, expect=0):
        return run(imgbuild(), "cache", "verify", env=environment(self.store), expect=expect)

    def blob(self, name):
        return self.store / "blobs/sha256" / world.sha256(self.files[name])

    def complete(self):
        for name, data in self.files.items():
            need(self.blob(name).exists(), f"{name} is not in the store")
            need_equal(data, self.blob(name).read_bytes(), f"bytes of {name} in the store")

    def only_whole_blobs(self):
        """Promise a: whatever is visible under a digest has it."""
        folder = self.store / "blobs/sha256"
        for path in folder.iterdir() if folder.exists() else ():
            if not path.name.endswith(".bad"):
                need_equal(path.name, world.sha256(path.read_bytes()), "a visible blob")


def local_image(folder, **how):
    """A manifest with its lock that builds from local files alone."""
    manifest = world.files_image(folder, **how)
    run(imgbuild(), "lock", manifest, env=environment(folder / "lock-store"))
    return manifest


def build(manifest, store, target, *more, expect=0, before=(), env=None):
    return run(*before, imgbuild(), "build", manifest, "-o", target, "--offline", "--progress", "plain", *more,
               expect=expect, env=env or environment(store), timeout=300)


# --- network -------------------------------------------------------------------------------------

def fetches_all(folder):
    w = World(folder)
    with world.Server(w.files) as server:
        w.fetch(server)
        w.complete()
        before = len(server.requests)
        w.fetch(server)
        need_equal(before, len(server.requests), "requests of a fetch that has everything")
    w.fetch()  # offline, from the store


def missing_files_are_all_named(folder):
    w = World(folder)
    gone = ["beta-1.0-py3-none-any.whl", "tiny_1.0_amd64.deb"]
    with world.Server({n: d for n, d in w.files.items() if n not in gone}) as server:
        ran = w.fetch(server, expect=3)
    for name in gone:
        need(name in ran.err, f"the message does not name {name}:\n{ran.err}")
    need(w.first not in ran.err.split("error:", 1)[1], f"the message names {w.first}, which is there:\n{ran.err}")
    need(re.search(r"^hint: .*imgbuild lock", ran.err, re.M), f"no hint to lock anew:\n{ran.err}")


def offline_names_all(folder):
    w = World(folder)
    ran = w.fetch(expect=3)
    for name in w.files:
        need(name in ran.err, f"the message does not name {name}:\n{ran.err}")


def server_errors_are_retried(folder):
    w = World(folder)
    with world.Server(w.files, {w.first: [500, 503, 429], "tiny_1.0_amd64.deb": [502]}) as server:
        w.fetch(server)
        w.complete()
        need_equal(4, server.count(w.first), "requests of a file that fails three times")


def server_errors_end(folder):
    w = World(folder)
    with world.Server(w.files, {w.first: [500] * 50}) as server:
        ran = w.fetch(server, expect=3)
        need(server.count(w.first) < 12, "retries have no bound")
    need(w.first in ran.err and "500" in ran.err, f"neither file nor status is named:\n{ran.err}")
    w.only_whole_blobs()


def cut_downloads_go_on(folder):
    w = World(folder)
    with world.Server(w.files, {w.first: [("cut", 200_000), ("cut", 100_000)]}) as server:
        w.fetch(server)
        w.complete()
        ranges = [r for p, r in server.requests if p.endswith(w.first)]
        need(any(r and int(r.split("=")[1].rstrip("-")) > 0 for r in ranges), f"no download was continued: {ranges}")


def wrong_bytes_are_refused(folder):
    w = World(folder)
    evil = bytearray(w.files[w.first])
    evil[len(evil) // 2] ^= 1
    with world.Server(w.files, {w.first: [("bytes", bytes(evil))] * 20}) as server:
        ran = w.fetch(server, expect=4)
        need(server.count(w.first) <= 3, "a wrong file was fetched again and again")
    need(world.sha256(w.files[w.first]) in ran.err and world.sha256(evil) in ran.err, f"the digests are not named:\n{ran.err}")
    need(not w.blob(w.first).exists(), "a wrong file is in the store under the right name")
    w.only_whole_blobs()
    with world.Server(w.files) as server:
        w.fetch(server)
        w.complete()


def login_page_is_refused(folder):
    w = World(folder)
    page = b"<html>please log in</html>"
    with world.Server(w.files, {w.first: [("bytes", page)] * 20}) as server:
        ran = w.fetch(server, expect=(3, 4))
    need(w.first in ran.err, f"the file is not named:\n{ran.err}")
    need(not w.blob(w.first).exists(), "a login page is in the store")


def nobody_listens(folder):
    w = World(folder)
    with world.Server(w.files) as server:
        sources = server.sources
    ran = run(imgbuild(), "fetch", w.manifest, *sources, expect=3, env=environment(w.store), timeout=300)
    need("hint: " not in ran.err or "lock" not in ran.err.split("hint: ")[1],
         f"a dead network is taken for files that are gone:\n{ran.err}")


def password_is_not_shown(folder):
    w = World(folder)
    with world.Server(w.files, {w.first: [500] * 50}) as server:
        sources = [s.replace("http://", "http://user:hidden-word@") for s in server.sources]
        ran = run(imgbuild(), "fetch", w.manifest, *sources, "-v", expect=3, env=environment(w.store))
    need("hidden-word" not in ran.err + ran.out, f"the password is shown:\n{ran.err}")


# --- interruption --------------------------------------------------------------------------------

def interrupted(folder, number, code):
    w = World(folder)
    with world.Server(w.files, {w.first: [("stall",)]}) as server:
        child = subprocess.Popen([imgbuild(), "fetch", w.manifest, *server.sources, "--progress", "plain"],
                                 env=environment(w.store), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        world.wait_until(lambda: server.count(w.first), "the stalling request")
        child.send_signal(number)
        _, err = child.communicate(timeout=20)
        need_equal(code, child.returncode, f"exit code after signal {number}\n{err.decode()}")
    w.only_whole_blobs()
    with world.Server(w.files) as server:
        w.fetch(server)
        w.complete()


def killed_at_every_step(folder, command, calls, check, limit=400):
    """Runs `command` under strace, which kills it at the N-th of these system calls, for each N until it survives."""
    strace = need_program("strace")
    for number in range(1, limit):
        before = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
                  f"inject={calls}:signal=SIGKILL:when={number}"]
        ran = command(before)
        if ran.code == 0:
            need(number > 2, f"only {number - 1} calls of {calls} were seen")
            return number - 1
        if ran.code not in (-9, 137):
            raise Failure(f"killed at call {number} of {calls}, yet\n{ran.describe()}")
        check(number)
    raise Failure(f"still killed at call {limit}")


def fetch_killed(folder, calls):
    w = World(folder, size=3000)
    with world.Server(w.files) as server:

        def command(before):
            shutil.rmtree(w.store, ignore_errors=True)
            return w.fetch(server, before=before, expect=None)

        def check(number):
            w.only_whole_blobs()
            ran = w.fetch(server, expect=None)
            need(ran.code == 0, f"after a kill at call {number} of {calls}\n{ran.describe()}")
            w.complete()
            w.verify()

        print(f"        killed at {killed_at_every_step(folder, command, calls, check)} places")


def build_killed(folder, calls):
    manifest = local_image(folder, payload=20_000)
    (folder / "home").mkdir()
    store, target = folder / "store", folder / "image"
    build(manifest, folder / "other-store", folder / "reference")
    reference = Layout(folder / "reference").digest

    def command(before):
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)
        return build(manifest, store, target, before=before, expect=None)

    def check(number):
        if target.exists():
            layout = Layout(target)  # whole or not at all
            layout.verify_blobs()
        ran = build(manifest, store, target, expect=None)
        need(ran.code == 0, f"after a kill at call {number} of {calls}\n{ran.describe()}")
        need_equal(reference, Layout(target).digest, f"digest after a kill at call {number} of {calls}")
        run(imgbuild(), "cache", "verify", env=environment(store))
        left = [p.name for p in folder.iterdir() if p.name.startswith((".imgbuild-", ".tmp-"))]
        need(not left, f"leftovers beside the image after the next build: {left}")

    print(f"        killed at {killed_at_every_step(folder, command, calls, check)} places")


# --- disk ----------------------------------------------------------------------------------------

@contextlib.contextmanager
def small_disk(folder, options):
    if os.getuid() != 0:
        raise Skip("mounting a small disk needs root")
    folder.mkdir()
    mounted = run("mount", "-t", "tmpfs", "-o", options, "none", folder, expect=None)
    if mounted.code:
        raise Skip(f"no tmpfs can be mounted here: {mounted.err.strip()}")
    try:
        yield
    finally:
        run("umount", folder, expect=None)


def fetch_on_full_disk(folder):
    w = World(folder)
    w.store = folder / "disk/store"
    with world.Server(w.files) as server, small_disk(folder / "disk", "size=1m"):
        ran = w.fetch(server, expect=3)
        need("disk/store" in ran.err or "space" in ran.err, f"the message does not speak of space:\n{ran.err}")
        w.only_whole_blobs()
        run("mount", "-o", "remount,size=64m", folder / "disk")
        w.fetch(server)
        w.complete()
        w.verify()


def build_on_full_disks(folder):
    """Every size from hopeless to enough: an error that says so, or the right image; never anything between."""
    manifest = local_image(folder)
    (folder / "home").mkdir()
    build(manifest, folder / "other-store", folder / "reference")
    reference = Layout(folder / "reference").digest
    full = 0
    for kilobytes in (64, 128, 200, 256, 300, 400, 600, 800, 1000, 1400, 2000, 6000):
        with small_disk(folder / f"disk{kilobytes}", f"size={kilobytes}k"):
            disk = folder / f"disk{kilobytes}"
            ran = build(manifest, disk / "store", disk / "image", expect=(0, 3))
            if ran.code == 0:
                need_equal(reference, Layout(disk / "image").digest, f"digest on a disk of {kilobytes} kB")
            else:
                full += 1
                need("pace" in ran.err, f"{kilobytes} kB: the message does not speak of space:\n{ran.err}")
                need(not (disk / "image").exists(), f"{kilobytes} kB: a partial image is visible")
    need(1 < full < 12, f"{full} of 12 disks were too small; the sizes test nothing")


def out_of_inodes(folder):
    w = World(folder)
    w.store = folder / "disk/store"
    with world.Server(w.files) as server, small_disk(folder / "disk", "size=64m,nr_inodes=12"):
        w.fetch(server, expect=3)
        w.only_whole_blobs()


def read_only_store(folder):
    w = World(folder)
    w.store = folder / "disk/store"
    with world.Server(w.files) as server, small_disk(folder / "disk", "size=64m"):
        w.fetch(server)
        run("mount", "-o", "remount,ro", folder / "disk")
        ran = w.fetch(server, expect=None)
        run("mount", "-o", "remount,rw", folder / "disk")
    if ran.code:  # a store that cannot be written need not be usable, but it must be said
        need_equal(3, ran.code, f"exit code with a read-only store\n{ran.describe()}")
        need("disk/store" in ran.err and "--cache-dir" in ran.err, f"folder or way out is not named:\n{ran.err}")


def store_is_a_file(folder):
    w = World(folder)
    w.store.write_text("a file")
    ran = w.fetch(expect=3)
    need(str(w.store) in ran.err, f"the folder is not named:\n{ran.err}")
    need_equal("a file", w.store.read_text(), "the file that lay where the store should be")


# --- damage --------------------------------------------------------------------------------------

def damage(path, how, keep_date=True):
    stat = path.stat()
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    if how == "flip":
        data[len(data) // 2] ^= 1
    elif how == "truncate":
        data = data[:-7]
    elif how == "append":
        data += b"x"
    elif how == "zero":
        data = bytearray(len(data))
    elif how == "empty":
        data = b""
    path.write_bytes(bytes(data))
    path.chmod(0o444)
    if keep_date:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def damaged_blob_is_noticed(folder):
    w = World(folder)
    with world.Server(w.files) as server:
        w.fetch(server)
        for how in ("flip", "truncate", "append", "zero", "empty"):
            damage(w.blob(w.first), how)
            w.fetch(server)
            need_equal(w.files[w.first], w.blob(w.first).read_bytes(), f"the blob after damage '{how}' and a fetch")
        damage(w.blob(w.first), "flip")
        ran = w.verify(expect=(0, 1, 4))
        need(world.sha256(w.files[w.first])[:12] in ran.out + ran.err, f"verify does not name it:\n{ran.describe()}")
        need(ran.code != 0, "verify finds damage and exits 0")
        need(not w.blob(w.first).exists(), "verify leaves the damaged blob in its place")
        w.verify()
        w.fetch(server)
        w.complete()


def strange_things_in_the_store(folder):
    """A folder, a link or a pipe where a blob belongs is never taken for it."""
    w = World(folder)
    with world.Server(w.files) as server:
        for make in (lambda p: p.mkdir(), lambda p: p.symlink_to("/etc/passwd"), os.mkfifo):
            w.fetch(server)
            w.blob(w.first).unlink()
            make(w.blob(w.first))
            ran = w.fetch(server, expect=(0, 3, 4), timeout=60)
            if ran.code == 0:
                w.complete()
            else:
                need(world.sha256(w.files[w.first]) in ran.err, f"the thing in the way is not named:\n{ran.err}")
            shutil.rmtree(w.store)


def damaged_layer_is_made_anew(folder):
    manifest = local_image(folder)
    (folder / "home").mkdir()
    store = folder / "store"
    build(manifest, store, folder / "one")
    reference = Layout(folder / "one")
    for layer in reference.layers:
        path = store / "blobs/sha256" / layer["digest"].removeprefix("sha256:")
        if path.exists():
            # With its new date: a blob that gained a link has a new ctime anyway, so the store cannot go by that.
            damage(path, "flip", keep_date=False)
    build(manifest, store, folder / "two")
    second = Layout(folder / "two")
    need_equal(reference.digest, second.digest, "digest after a damaged layer")
    second.verify_blobs()


def edited_local_file_takes_effect(folder):
    manifest = local_image(folder)
    (folder / "home").mkdir()
    build(manifest, folder / "store", folder / "one")
    path = folder / "app/part0.bin"
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    build(manifest, folder / "store", folder / "two")
    need(Layout(folder / "one").digest != Layout(folder / "two").digest, "an edited file of the same size and date is not seen")


def damaged_fact_is_noticed(folder):
    w = World(folder)
    with world.Server(w.files) as server:
        w.fetch(server)
        facts = [p for p in (w.store / "facts").rglob("*.json")]
        need(facts, "there are no facts in the store")
        for text in ("", "{", "[]", "{}", "null"):
            for fact in facts:
                fact.chmod(0o644)
                fact.write_text(text)
            ran = w.fetch(server, expect=None)
            need(ran.code == 0, f"with facts that are {text!r}:\n{ran.describe()}")


def damaged_partial_download(folder):
    w = World(folder)
    partial = w.store / "partial" / (world.sha256(w.files[w.first]) + ".part")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"not the beginning of it" * 100)
    with world.Server(w.files) as server:
        w.fetch(server)
        w.complete()
        need(not partial.exists(), "the partial file is still there")


# --- several builders ----------------------------------------------------------------------------

def two_fetches_share_downloads(folder):
    w = World(folder)
    script = {name: [("slow", 1.0)] for name in w.files}
    with world.Server(w.files, script) as server, concurrent.futures.ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(w.fetch, server) for _ in range(3)]
        for one in runs:
            one.result()
        for name in w.files:
            need_equal(1, server.count(name), f"downloads of {name} by three builders")
    w.complete()


def two_builds_at_once(folder):
    manifest = local_image(folder, payload=2_000_000)
    (folder / "home").mkdir()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        targets = [folder / f"image{i}" for i in range(3)]
        for one in [pool.submit(build, manifest, folder / "store", target) for target in targets]:
            one.result()
    digests = {Layout(t).digest for t in targets}
    need_equal(1, len(digests), "different digests of three builds at once")
    run(imgbuild(), "cache", "verify", env=environment(folder / "store"))


def a_dead_builders_lock_is_free(folder):
    w = World(folder)
    with world.Server(w.files, {w.first: [("stall",)]}) as server:
        child = subprocess.Popen([imgbuild(), "fetch", w.manifest, *server.sources], env=environment(w.store),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        world.wait_until(lambda: server.count(w.first), "the stalling request")
        child.kill()
        child.wait()
        w.fetch(server)
        w.complete()


def gc_waits_for_builders(folder):
    w = World(folder)
    with world.Server(w.files, {w.first: [("stall",)]}) as server:
        child = subprocess.Popen([imgbuild(), "fetch", w.manifest, *server.sources], env=environment(w.store),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        world.wait_until(lambda: server.count(w.first), "the stalling request")
        ran = run(imgbuild(), "cache", "gc", "--max-size", "0", env=environment(w.store), expect=None)
        child.send_signal(signal.SIGTERM)
        child.wait()
    need_equal(3, ran.code, f"gc while a builder runs\n{ran.describe()}")


# --- programs, streams, targets ------------------------------------------------------------------

def missing_programs_are_named(folder):
    """With a PATH that has nothing, what is needed is named with how to get it."""
    w = World(folder)
    empty = folder / "empty"
    empty.mkdir()
    env = environment(w.store, PATH=str(empty), IMGBUILD_TOOLS=str(empty))
    ran = run(imgbuild(), "lock", w.manifest, "-o", folder / "x.lock.json", "--source", "pypi=http://127.0.0.1:9/simple",
              "--source", "debian=http://127.0.0.1:9/debian", env=env, expect=None)
    if ran.code == 0:
        raise Failure(ran.describe())
    found = re.search(r"cannot find program '([a-z-]+)'", ran.err)
    # Programs in /usr/sbin and /sbin are found without PATH; on this machine that may be all it takes.
    need(found or ran.code == 3, f"no program is named:\n{ran.describe()}")
    if found:
        need_equal(3, ran.code, "exit code when a program is missing")
        need("hint: " in ran.err, f"how to get it is not said:\n{ran.err}")


def closed_standard_output(folder):
    manifest = local_image(folder)
    (folder / "home").mkdir()
    ran = run("sh", "-c", f'exec "{imgbuild()}" build "{manifest}" -o "{folder}/image" --offline >&-',
              env=environment(folder / "store"), expect=None)
    need(ran.code in (0, 3), f"exit {ran.code}\n{ran.err}")
    layout = Layout(folder / "image")
    # The next file that was opened must not have become standard output.
    for path in [folder / "image/oci-layout", folder / "image/index.json"]:
        need(layout.digest not in path.read_text() or path.name == "index.json", "the digest was printed into the image")
    layout.verify_blobs()


def broken_pipe(folder):
    w = World(folder)
    with world.Server(w.files) as server:
        w.fetch(server)
    done = subprocess.run(f'"{imgbuild()}" cache list | true; exit ${{PIPESTATUS[0]}}', shell=True, executable="/bin/bash",
                          env=environment(w.store), stderr=subprocess.PIPE, check=False)
    need(done.returncode in (0, 3, 141), f"a closed pipe ends in exit {done.returncode}: {done.stderr.decode()}")


def full_standard_output(folder):
    """An answer that could not be written is not success."""
    manifest = local_image(folder)
    (folder / "home").mkdir()
    ran = run("sh", "-c", f'exec "{imgbuild()}" build "{manifest}" -o "{folder}/image" --offline >/dev/full',
              env=environment(folder / "store"), expect=None)
    need_equal(3, ran.code, f"exit code when the digest cannot be printed\n{ran.err}")


def foreign_targets_stay(folder):
    manifest = local_image(folder)
    (folder / "home").mkdir()
    (folder / "mine").mkdir()
    (folder / "mine/thesis.txt").write_text("years of work")
    before = world.folder_digest(folder / "mine")
    ran = build(manifest, folder / "store", folder / "mine", expect=2)
    need("mine" in ran.err, f"the folder is not named:\n{ran.err}")
    need_equal(before, world.folder_digest(folder / "mine"), "a folder that is no layout")
    build(manifest, folder / "store", folder / "image")
    build(manifest, folder / "store", folder / "image")  # a layout may be replaced
    ran = build(manifest, folder / "store", folder / "no/such/folder/image", expect=None)
    need(ran.code in (0, 3), f"exit {ran.code}\n{ran.err}")


def wrong_clock(folder):
    library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if not library:
        raise Skip("libfaketime is not installed")
    manifest = local_image(folder)
    (folder / "home").mkdir()
    build(manifest, folder / "store", folder / "now")
    for date in ("@1970-01-02 00:00:00", "@2038-01-20 00:00:00", "-10y", "+10y"):
        env = environment(folder / "other-store", LD_PRELOAD=str(library), FAKETIME=date, NO_FAKE_STAT="1",
                          FAKETIME_DONT_FAKE_MONOTONIC="1")
        build(manifest, folder / "store", folder / "then", "--no-layer-cache", env=env)
        need_equal(Layout(folder / "now").digest, Layout(folder / "then").digest, f"digest on {date}")


def little_memory(folder):
    """Without memory it stops with a message, not with a wrong image."""
    manifest = local_image(folder)
    stopped = 0
    for kilobytes in range(60_000, 400_000, 3_000):
        limited = f'ulimit -v {kilobytes}; exec "{imgbuild()}" '
        if run("sh", "-c", limited + "version", expect=None).code:
            continue  # not even the dynamic loader and the libraries' own set-up had enough
        ran = run("sh", "-c", f'{limited} build "{manifest}" -o "{folder}/image" --offline',
                  env=environment(folder / "store"), expect=None)
        need(ran.code in (0, 3), f"exit {ran.code} with {kilobytes} kB\n{ran.err}")
        if ran.code == 0:
            break
        stopped += 1
        need(not (folder / "image").exists(), "a partial image is visible")
    else:
        raise Failure("400 MB of address space are not enough for a tiny image")
    need(stopped, "no limit stopped the program itself; the sizes test nothing")


def few_file_descriptors(folder):
    w = World(folder)
    with world.Server(w.files) as server:
        ran = run("sh", "-c", 'ulimit -n 24; exec "$@"', "sh", imgbuild(), "fetch", w.manifest, *server.sources,
                  env=environment(w.store), expect=None)
        need(ran.code in (0, 3), f"exit {ran.code}\n{ran.describe()}")
        w.only_whole_blobs()
        w.fetch(server)
        w.complete()


# --- locks ---------------------------------------------------------------------------------------

def broken_locks(folder):
    w = World(folder)
    path = w.manifest.with_suffix(".lock.json")
    good = path.read_text()
    broken = {
        "empty": "", "cut": good[:len(good) // 2], "no object": "[]",
        "a member twice": good.replace('"created"', '"python": "3.11", "created"', 1),
        "newer": json.dumps(dict(json.loads(good), lockVersion=99)),
        "unknown member": json.dumps(dict(json.loads(good), extra=1)),
        "an address": json.dumps(dict(json.loads(good), created="https://example.com/")),
        "deep": "[" * 100_000,
    }
    for name, text in broken.items():
        path.write_text(text)
        ran = w.fetch(expect=None)
        need_equal(2, ran.code, f"exit code for a lock that is '{name}'\n{ran.describe()}")
        need("image.lock.json" in ran.err, f"'{name}': the lock is not named:\n{ran.err}")
    for member, value in (("path", "../../etc/passwd.deb"), ("path", "/etc/x.deb"), ("sha256", "../x"), ("size", -1),
                          ("size", 1.5), ("sha256", "A" * 64), ("package", "a/b")):
        lock = json.loads(good)
        lock["debs"][0][member] = value
        path.write_text(json.dumps(lock))
        need_equal(2, w.fetch(expect=None).code, f"exit code for a deb whose {member} is {value!r}")
    for member, value in (("file", "../x.whl"), ("file", "a/b.whl"), ("file", ".whl"), ("name", "a b"), ("name", "../a")):
        lock = json.loads(good)
        lock["wheels"][0][member] = value
        path.write_text(json.dumps(lock))
        need_equal(2, w.fetch(expect=None).code, f"exit code for a wheel whose {member} is {value!r}")


def main():
    results = Results("faults", sys.argv[1] if len(sys.argv) > 1 else None)

    def test(name, function, *args):
        def body():
            with scratch("faults") as folder:
                function(folder, *args)
        results.run(name, body)

    for function in (fetches_all, missing_files_are_all_named, offline_names_all, server_errors_are_retried,
                     server_errors_end, cut_downloads_go_on, wrong_bytes_are_refused, login_page_is_refused,
                     nobody_listens, password_is_not_shown, fetch_on_full_disk, build_on_full_disks, out_of_inodes,
                     read_only_store, store_is_a_file, damaged_blob_is_noticed, strange_things_in_the_store,
                     damaged_layer_is_made_anew, edited_local_file_takes_effect, damaged_fact_is_noticed,
                     damaged_partial_download, two_fetches_share_downloads, two_builds_at_once,
                     a_dead_builders_lock_is_free, gc_waits_for_builders, missing_programs_are_named,
                     closed_standard_output, broken_pipe, full_standard_output, foreign_targets_stay, wrong_clock,
                     little_memory, few_file_descriptors, broken_locks):
        test(function.__name__, function)
    test("interrupted.sigint", interrupted, signal.SIGINT, 130)
    test("interrupted.sigterm", interrupted, signal.SIGTERM, 143)
    for calls in ("rename,renameat,renameat2", "fsync,fdatasync", "link,linkat,unlink,unlinkat"):
        test(f"fetch_killed.{calls.split(',')[0]}", fetch_killed, calls)
        test(f"build_killed.{calls.split(',')[0]}", build_killed, calls)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
