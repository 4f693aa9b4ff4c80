# SPDX-License-Identifier: Apache-2.0
"""What people use today to get the same packages into an image, each starting from the same folder of wheels."""

import json
import os
import pathlib
import shutil

from harness import ROOT, remove_tree, run
from measure import measure

PYTHON = "/usr/bin/python3"
UV = ROOT / ".tools/bin/uv"
BUILDKIT = ROOT / ".tools/buildkit/bin"
RUNC = shutil.which("runc", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def packed_size(layout):
    """Bytes of the layers of an OCI layout with one image."""
    return sum(layer["size"] for layer in layers_of(layout))


def unpacked_size(layout):
    """Bytes of the tars inside its gzip layers, counted by unpacking them."""
    return sum(int(run("bash", "-c", f"pigz -dc '{blob_of(layout, layer['digest'])}' | wc -c").out)
               for layer in layers_of(layout))


def blob_of(layout, digest):
    return layout / "blobs" / digest.replace(":", "/")


def layers_of(layout):
    index = json.loads((layout / "index.json").read_text())
    return json.loads(blob_of(layout, index["manifests"][0]["digest"]).read_text())["layers"]


class UvAndTar:
    """uv installs into a venv from a cold cache; then one tar of it is compressed. That makes neither a base nor an image."""

    def __init__(self, folder, wheels, requirements):
        self.folder, self.wheels, self.requirements = folder, wheels, requirements
        self.venv, self.cache = folder / "uv-venv", folder / "uv-cache"

    def make(self, compressor, out):
        self.clean()
        run(UV, "venv", "--quiet", "--python", PYTHON, self.venv)
        installed, _ = measure([UV, "pip", "install", "--quiet", "--compile-bytecode", "--no-deps", "--no-index", "--offline",
                                "--find-links", self.wheels, "--python", self.venv / "bin/python",
                                "--cache-dir", self.cache, "-r", self.requirements])
        packed, _ = measure(f"set -o pipefail; tar --sort=name --mtime=@0 --owner=0 --group=0 -C {self.venv} -cf - . "
                            f"| {compressor} > {out}")
        return installed + packed

    def unpacked(self):
        return int(run("bash", "-c", f"tar -C {self.venv} -cf - . | wc -c").out)

    def clean(self):
        remove_tree(self.venv)
        remove_tree(self.cache)


# Both get our own base image, so that the comparison is about the wheels, and pip of that image installs without a network.
PIP = "env PYTHONDONTWRITEBYTECODE= pip install --no-index --no-deps --find-links /wheels --no-cache-dir --compile"


class Buildah:
    """A container from the base, pip in it, commit, push to an OCI layout with gzip layers."""

    def __init__(self, folder, wheels, requirements, base):
        self.folder, self.wheels, self.requirements, self.base = folder, wheels, requirements, base
        self.out = folder / "buildah-image"
        self.command = (f"buildah --root {folder / 'buildah'} --runroot {folder / 'buildah-run'} --storage-driver overlay")

    @staticmethod
    def missing():
        return "no program 'buildah' here" if not shutil.which("buildah") else "needs root" if os.getuid() else ""

    def make(self):
        self.clean()
        usage, _ = measure(f"""set -e
            c=$({self.command} from oci:{self.base})
            {self.command} run --isolation oci --runtime {RUNC} --network none \
              -v {self.wheels}:/wheels:ro -v {self.requirements}:/requirements.txt:ro $c -- {PIP} -r /requirements.txt
            {self.command} commit --format oci $c bench
            {self.command} push bench oci:{self.out}:bench""")
        return usage

    def clean(self):
        for words in ("rm --all", "rmi --all --force"):
            run(*self.command.split(), *words.split(), expect=None)
        for path in (self.folder / "buildah", self.folder / "buildah-run", self.out):
            remove_tree(path)


class BuildKit:
    """A Dockerfile with the base and the wheels as named contexts, exported as an OCI layout with gzip layers."""

    def __init__(self, folder, wheels, requirements, base):
        self.folder, self.wheels, self.base = folder, wheels, base
        self.context, self.root, self.out = folder / "buildkit-context", folder / "buildkit", folder / "buildkit-image"
        self.context.mkdir()
        shutil.copy(requirements, self.context / "requirements.txt")
        (self.context / "Dockerfile").write_text(
            "FROM base\n"
            "RUN --network=none --mount=type=bind,from=wheels,target=/wheels --mount=type=bind,target=/context \\\n"
            f"  {PIP} -r /context/requirements.txt\n")

    @staticmethod
    def program(name):
        own = BUILDKIT / name
        return str(own) if own.exists() else shutil.which(name)

    @staticmethod
    def missing():
        if not BuildKit.program("buildkitd") or not BuildKit.program("buildctl"):
            return "no BuildKit here (ci/setup --full builds it where there is Go 1.25 or later)"
        return "needs root" if os.getuid() else ""

    def make(self):
        self.clean()
        index = json.loads((self.base / "index.json").read_text())
        socket = f"unix://{self.folder}/buildkit.sock"
        # The daemon is started and ended here, so that its time and memory count.
        usage, _ = measure(f"""set -e
            {self.program("buildkitd")} --root {self.root} --addr {socket} --oci-worker-binary {RUNC} \
              --oci-worker-snapshotter overlayfs --containerd-worker=false 2> {self.folder}/buildkitd.log &
            daemon=$!
            trap 'kill $daemon; wait $daemon || true' EXIT
            until {self.program("buildctl")} --addr {socket} debug workers >/dev/null 2>&1; do sleep 0.1; kill -0 $daemon; done
            {self.program("buildctl")} --addr {socket} build --progress plain --frontend dockerfile.v0 \
              --local context={self.context} --local dockerfile={self.context} \
              --oci-layout base={self.base} --opt context:base=oci-layout://base@{index["manifests"][0]["digest"]} \
              --local wheels={self.wheels} --opt context:wheels=local:wheels \
              --output type=oci,tar=false,dest={self.out},compression=gzip""")
        return usage

    def clean(self):
        for path in (self.root, self.out, self.folder / "buildkit.sock"):
            remove_tree(path) if path.is_dir() else pathlib.Path(path).unlink(missing_ok=True)
