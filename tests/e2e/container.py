# SPDX-License-Identifier: Apache-2.0
"""Judges that run the image: python, pip and dpkg of its own under runc, and its files against RECORD and dpkg's lists."""

import base64
import csv
import fnmatch
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import uuid
import zipfile

import yaml

from harness import ROOT, Failure, Skip, need, need_equal, need_program, run

NOBODY = 65532


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


class Container:
    """An unpacked image and its config; each call is one container without network, capabilities or new privileges."""

    def __init__(self, bundle, config):
        self.bundle = pathlib.Path(bundle)
        self.rootfs = self.bundle / "rootfs"
        self.config = config
        self.env = config["config"]["Env"]

    def call(self, *argv, uid=NOBODY, read_only=True, expect=0, mount=None, extra_env=(), input=None):
        program = need_program("runc")
        if os.getuid() != 0:
            raise Skip("runc is run as root here")
        mounts = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "nodev", "mode=1777"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]},
        ]
        if mount:
            mounts.append({"destination": "/mnt", "type": "bind", "source": str(mount), "options": ["bind", "ro"]})
        # Root needs these to write into folders of other owners when pip runs as a user would run it.
        capabilities = [] if uid else ["CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"]
        names = ("bounding", "effective", "inheritable", "permitted", "ambient")
        spec = {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": False, "user": {"uid": uid, "gid": uid}, "args": list(argv),
                "env": [*self.env, *extra_env], "cwd": self.config["config"].get("WorkingDir", "/"),
                "capabilities": {n: capabilities for n in names}, "noNewPrivileges": True},
            "root": {"path": str(self.rootfs), "readonly": read_only}, "hostname": "c", "mounts": mounts,
            "linux": {
                "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
                "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"]}}
        (self.bundle / "config.json").write_text(json.dumps(spec))
        return run(program, "run", "-b", self.bundle, f"imgbuild-e2e-{uuid.uuid4().hex[:12]}", expect=expect,
                   timeout=600, input=input)

    def python(self, code, **options):
        return self.call("python3", "-c", code, **options)


def import_torch(container, lock):
    """The promise of the whole project, with nothing on standard error."""
    version = lock["verified"]["torch"]
    ran = container.python("import torch; print(torch.__version__)")
    need_equal(version + "\n", ran.out, "standard output of import torch")
    need_equal("", ran.err, "standard error of import torch")
    ran = container.python("import torch; a = torch.arange(12.).reshape(3, 4); print((a @ a.T).sum().item(), "
                           "torch.version.cuda, torch.backends.cudnn.is_available() or True)")
    need_equal("1134.0", ran.out.split()[0], "a product of matrices on the CPU")


def import_numpy(container):
    ran = container.python("import numpy; print(numpy.arange(4).sum())")
    need_equal("6\n", ran.out, "numpy")
    need_equal("", ran.err, "standard error of import numpy")


def nccl_version(container, lock):
    """The library itself says the version that the lock promises."""
    locked = next(w["version"] for w in lock["wheels"] if w["name"].startswith("nvidia-nccl-"))
    ran = container.python(
        "import ctypes, glob, sys; l = ctypes.CDLL(glob.glob(sys.prefix + '/lib/python3*/site-packages/nvidia/nccl/lib/"
        "libnccl.so.2')[0]); v = ctypes.c_int(); assert l.ncclGetVersion(ctypes.byref(v)) == 0; "
        "print(f'{v.value // 10000}.{v.value // 100 % 100}.{v.value % 100}')")
    need_equal(".".join(locked.split(".")[:3]), ran.out.strip(), "version by ncclGetVersion")


def standard_library(container):
    ran = container.python("import ssl, sqlite3, ctypes, hashlib, lzma, bz2, zlib, venv; "
                           "print(len(ssl.create_default_context().get_ca_certs()))")
    need(int(ran.out) > 100, f"only {ran.out.strip()} certificate authorities are known")
    ran = container.python("import sys; print(sys.prefix, sys.flags.safe_path); print(*sys.path, sep='\\n')")
    need(ran.out.startswith("/opt/venv "), f"python3 is not the venv's: {ran.out}")
    need("dist-packages" not in ran.out, f"packages of the system leak into the venv:\n{ran.out}")


def pip_check(container):
    ran = container.call("pip", "check", extra_env=["PIP_NO_CACHE_DIR=1"])
    need_equal("No broken requirements found.\n", ran.out, "pip check")


def pip_list(container, lock):
    ran = container.call("pip", "list", "--format=json", "--disable-pip-version-check", extra_env=["PIP_NO_CACHE_DIR=1"])
    listed = {normal(p["name"]): p["version"] for p in json.loads(ran.out)}
    locked = {w["name"]: w["version"] for w in lock["wheels"]}
    need_equal(dict(sorted(locked.items())), dict(sorted(listed.items())), "pip list against the lock")


def make_small_wheel(folder):
    """A wheel made here: a module, a console script, data."""
    name = folder / "imgbuild_probe-1.0-py3-none-any.whl"
    files = {
        "imgbuild_probe/__init__.py": "def main():\n    print('probe runs')\n",
        "imgbuild_probe-1.0.data/data/share/imgbuild-probe/note.txt": "data\n",
        "imgbuild_probe-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: imgbuild-probe\nVersion: 1.0\n",
        "imgbuild_probe-1.0.dist-info/WHEEL":
            "Wheel-Version: 1.0\nGenerator: imgbuild tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "imgbuild_probe-1.0.dist-info/entry_points.txt": "[console_scripts]\nimgbuild-probe = imgbuild_probe:main\n",
    }
    rows = []
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(text)}")
        record = "imgbuild_probe-1.0.dist-info/RECORD"
        archive.writestr(record, "\n".join([*rows, f"{record},,"]) + "\n")
    return name


def files_below(folder):
    found = set()
    for base, _, names in os.walk(folder):
        found.update(os.path.join(base, n) for n in names)
    return found


def pip_install_and_uninstall(container, scratch):
    """As root on a writable copy: a new wheel comes and goes, and leaves nothing."""
    share = scratch / "share"
    share.mkdir()
    wheel = make_small_wheel(share)
    venv = container.rootfs / "opt/venv"
    before = files_below(venv)
    options = {"uid": 0, "read_only": False, "mount": share, "extra_env": ["PIP_NO_CACHE_DIR=1", "HOME=/root"]}
    container.call("pip", "install", "--no-index", "--disable-pip-version-check", f"/mnt/{wheel.name}", **options)
    need_equal("probe runs\n", container.call("imgbuild-probe").out, "console script of the installed wheel")
    container.call("pip", "uninstall", "--yes", "imgbuild-probe", **options)
    after = files_below(venv)
    # pip writes bytecode for itself while it runs as root.
    changed = {p for p in before ^ after if "/pip/" not in p or not p.endswith(".pyc")}
    need(not changed, "pip install and uninstall leave other files:\n" + "\n".join(sorted(changed)[:20]))


def pip_uninstall_of_ours(container, lock):
    """pip removes a wheel that we installed, whole: every file is in RECORD, its bytecode too."""
    for name in ("networkx", "numpy"):
        if any(w["name"] == name for w in lock["wheels"]):
            break
    else:
        raise Skip("no wheel in this image that could go")
    site = next((container.rootfs / "opt/venv/lib").glob("python3*")) / "site-packages"
    need((site / name).is_dir(), f"{name} is not there before")
    container.call("pip", "uninstall", "--yes", name, uid=0, read_only=False,
                   extra_env=["PIP_NO_CACHE_DIR=1", "HOME=/root"])
    left = [str(p) for p in site.glob(f"{name}*")]
    need(not left, f"after pip uninstall {name} there are left: {left}")


def record_is_true(container):
    """Every installed file has the hash that RECORD says, and every file of the venv is in some RECORD."""
    venv = container.rootfs / "opt/venv"
    site = next((venv / "lib").glob("python3*")) / "site-packages"
    owned, problems, hashed = set(), [], 0
    for info in sorted(site.glob("*.dist-info")):
        with open(info / "RECORD", newline="") as file:
            rows = list(csv.reader(file))
        names = [r[0] for r in rows]
        if names != sorted(names, key=lambda n: n.encode()):
            problems.append(f"{info.name}/RECORD is not sorted")
        for name, digest, size in rows:
            path = pathlib.Path(os.path.normpath(site / name))
            owned.add(path)
            if not path.is_file():
                problems.append(f"{info.name}: '{name}' is in RECORD and not there")
                continue
            if not digest:
                if not name.endswith(".pyc") and path != info / "RECORD":
                    problems.append(f"{info.name}: '{name}' has no hash in RECORD")
                continue
            algorithm, _, value = digest.partition("=")
            with open(path, "rb") as file:
                got = base64.urlsafe_b64encode(hashlib.file_digest(file, algorithm).digest()).rstrip(b"=").decode()
            hashed += 1
            if got != value or path.stat().st_size != int(size):
                problems.append(f"{info.name}: '{name}' is not what RECORD says")
        if (info / "INSTALLER").read_text() != "imgbuild\n":
            problems.append(f"{info.name}: INSTALLER is {(info / 'INSTALLER').read_text()!r}")
    ours = {"pyvenv.cfg"}
    for path in files_below(venv):
        relative = os.path.relpath(path, venv)
        if pathlib.Path(path) not in owned and relative not in ours and not re.fullmatch(r"bin/python[0-9.]*", relative):
            problems.append(f"'{relative}' is in no RECORD")
    need(not problems, "\n".join(problems[:30]))
    need(hashed > 100, f"only {hashed} files were compared")


def bytecode_is_checked(container):
    """Each .pyc is checked-hash and belongs to its source, so an edited source takes effect."""
    problems, count, without = [], 0, 0
    for root in ("opt/venv/lib", "usr/lib/python3.11"):
        for base, folders, names in os.walk(container.rootfs / root):
            for name in names:
                if name.endswith(".pyc"):
                    path = pathlib.Path(base) / name
                    head = path.read_bytes()[:16]
                    count += 1
                    flags = int.from_bytes(head[4:8], "little")
                    source = path.parent.parent / (name.split(".")[0] + ".py")
                    if flags != 3:
                        problems.append(f"{path}: flags {flags}, checked-hash is 3")
                    elif source.exists() and head[:4] == importlib.util.MAGIC_NUMBER and (
                            head[8:16] != importlib.util.source_hash(source.read_bytes())):
                        problems.append(f"{path}: hash of another source")
                elif name.endswith(".py") and root.startswith("opt") and "/bin" not in base:
                    pyc = pathlib.Path(base) / "__pycache__" / (name[:-3] + ".cpython-311.pyc")
                    without += not pyc.exists()
    need(not problems, "\n".join(problems[:20]))
    need(count > 500, f"only {count} .pyc files")
    need(without < 60, f"{without} sources have no bytecode")


def declared_drops(manifest):
    """Globs that the Debian recipes of a manifest declare as dropped, and their exceptions."""
    manifest = pathlib.Path(manifest)
    drop, keep = [], []
    for entry in yaml.safe_load(manifest.read_text())["layers"]:
        if isinstance(entry, dict):
            recipe = entry
        elif entry.startswith("."):
            recipe = yaml.safe_load((manifest.parent / entry).read_text())
        else:
            recipe = yaml.safe_load((ROOT / "layers" / f"{entry}.yaml").read_text())
        if recipe["kind"] == "debian":
            drop += [d["glob"] for d in recipe.get("drop", [])]
            keep += recipe.get("keep", [])
    return drop, keep


def glob_to_pattern(glob):
    """'**' crosses folders, '*' does not."""
    out = ""
    for part in re.split(r"(\*\*|\*|\?)", glob):
        out += {"**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(out)


def dpkg_verify(container, manifest):
    """dpkg misses exactly what the recipes declare as dropped."""
    drop, keep = declared_drops(manifest)
    drop, keep = [glob_to_pattern(g) for g in drop], [glob_to_pattern(g) for g in keep]
    dropped = lambda path: any(p.fullmatch(path) for p in drop) and not any(p.fullmatch(path) for p in keep)  # noqa: E731
    expected = set()
    for listing in (container.rootfs / "var/lib/dpkg/info").glob("*.list"):
        for path in filter(dropped, listing.read_text().splitlines()):
            here = container.rootfs / path[1:]
            if here.is_symlink() or not here.is_dir():  # folders stay, empty
                expected.add(path)
    ran = container.call("dpkg", "--verify", uid=0, expect=None)
    missing, other = set(), []
    for line in ran.out.splitlines():
        found = re.fullmatch(r"missing\s+(?:c )?(/.+)", line)
        if found:
            missing.add(found[1])
        else:
            other.append(line)
    need(not other, "dpkg --verify finds changed files:\n" + "\n".join(other[:20]))
    need_equal([], sorted(missing - expected)[:20], "missing and not declared as dropped")
    need_equal([], sorted(expected - missing)[:20], "declared as dropped and not missing for dpkg")
    there = [p for p in expected if os.path.lexists(container.rootfs / p[1:])]
    need_equal([], sorted(there)[:20], "declared as dropped and there")
    need(len(missing) > 100, f"only {len(missing)} files are dropped; this tests nothing")


def dpkg_audit(container):
    ran = container.call("dpkg", "--audit", uid=0)
    need_equal("", ran.out, "dpkg --audit")


def packages_are_the_locked(container, lock):
    ran = container.call("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\\n")
    listed = sorted(ran.out.splitlines())
    locked = sorted(f"{d['package']} {d['version']} {d['architecture']}" for d in lock["debs"])
    need_equal(locked, listed, "dpkg-query against the lock")


def nothing_of_the_host(container):
    for name in ("etc/resolv.conf", "etc/hostname", "etc/apt/sources.list", "etc/machine-id"):
        path = container.rootfs / name
        need(not path.exists() or path.read_bytes() == b"", f"/{name} holds something of the building host")
    need(not list((container.rootfs / "dev").iterdir()), "/dev is not empty")
    logs = files_below(container.rootfs / "var/log")
    need(not logs, f"logs of the build are left: {sorted(logs)[:5]}")
