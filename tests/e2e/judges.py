# SPDX-License-Identifier: Apache-2.0
"""Judges of a finished image that run nothing of it: our own reading of the specification, skopeo, umoci, crane."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import jsonschema

from harness import ROOT, Failure, Skip, imgbuild, need, need_equal, need_program, run
from oci import Layout, canonical_tar_problems

SCHEMAS = pathlib.Path(__file__).parent / "schema"
CRANE = "github.com/google/go-containerregistry/cmd/crane@v0.22.1"


def validator(name):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    descriptor = json.loads((SCHEMAS / "descriptor.schema.json").read_text())
    resolver = jsonschema.RefResolver("", schema, store={"descriptor.schema.json": descriptor})
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def schema_problems(name, document):
    return [f"{name}: {'/'.join(map(str, e.absolute_path))}: {e.message}"
            for e in validator(name).iter_errors(document)]


def follows_schemas(layout):
    problems = (schema_problems("oci-layout", layout.marker) + schema_problems("index", layout.index)
                + schema_problems("manifest", layout.manifest) + schema_problems("config", layout.config))
    need(not problems, "\n".join(problems))
    # A judge that accepts everything is none.
    broken = dict(layout.manifest, layers=[dict(layout.layers[0], size=-1)])
    need(schema_problems("manifest", broken), "the schema accepts a negative size")


def follows_specification(layout, lock):
    """What a schema cannot say."""
    config, manifest = layout.config, layout.manifest
    with_layer = [h for h in config["history"] if not h.get("empty_layer")]
    need_equal(len(manifest["layers"]), len(with_layer), "history lines that stand for a layer")
    need(all(h.get("created_by") for h in with_layer), "a history line does not say what made the layer")
    need_equal({"os": config["os"], "architecture": config["architecture"]},
               layout.manifest_descriptor["platform"], "platform in index and config")
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    need_equal(canonical, layout.blob(layout.manifest_descriptor).read_bytes(), "canonical form of the manifest")
    need(not config["created"].startswith("1970"), "the image claims to be from 1970")
    env = dict(e.split("=", 1) for e in config["config"]["Env"])
    need("LD_LIBRARY_PATH" not in env, "LD_LIBRARY_PATH is set in the image")
    need("/opt/venv/bin" == env["PATH"].split(":")[0], f"PATH does not begin with the venv: {env['PATH']}")
    if "cuda" in lock["verified"]:
        need_equal("all", env.get("NVIDIA_VISIBLE_DEVICES"), "NVIDIA_VISIBLE_DEVICES")
        need_equal("compute,utility", env.get("NVIDIA_DRIVER_CAPABILITIES"), "NVIDIA_DRIVER_CAPABILITIES")
        need(env.get("NVIDIA_REQUIRE_CUDA", "").startswith("cuda>="), "NVIDIA_REQUIRE_CUDA sets no floor")
    for descriptor in (layout.manifest_descriptor, manifest["config"], *manifest["layers"]):
        mode = layout.blob(descriptor).stat().st_mode & 0o777
        need(mode & 0o444 == 0o444, f"blob {descriptor['digest']} has mode {mode:o}: others cannot read it")


def layers_are_canonical(layout):
    problems = []
    for number in range(len(layout.layers)):
        problems += [f"layer {number}: {p}" for p in canonical_tar_problems(layout, number)]
    need(not problems, "\n".join(problems[:20]))


def no_driver_inside(layout):
    """The driver's own libraries come from the host: one in the image would win over it."""
    driver = re.compile(r"(^|/)(libcuda\.so|libnvidia-ml\.so|libnvidia-ptxjitcompiler\.so|libcudadebugger\.so)[.0-9]*$")
    for number in range(len(layout.layers)):
        for _, member in layout.entries(number):
            need(not driver.search(member.name), f"layer {number} holds '{member.name}', a file of the driver")


def reference(layout):
    name = layout.manifest_descriptor.get("annotations", {}).get("org.opencontainers.image.ref.name")
    need(name, "index.json gives the image no org.opencontainers.image.ref.name")
    return name


def skopeo_inspect(layout):
    program = need_program("skopeo")
    image = f"oci:{layout.folder}:{reference(layout)}"
    raw = subprocess.run([program, "inspect", "--raw", image], stdout=subprocess.PIPE, check=True).stdout
    need_equal(layout.digest, "sha256:" + hashlib.sha256(raw).hexdigest(), "digest of what skopeo reads")
    seen = json.loads(run(program, "inspect", image).out)
    need_equal(layout.digest, seen["Digest"], "digest by skopeo inspect")
    need_equal([d["digest"] for d in layout.layers], seen["Layers"], "layers by skopeo inspect")


def skopeo_copy(layout, folder):
    """A copy to another layout keeps every digest (skopeo verifies blobs and DiffIDs on the way)."""
    program = need_program("skopeo")
    copy = folder / "copy"
    try:
        run(program, "copy", "--quiet", f"oci:{layout.folder}:{reference(layout)}", f"oci:{copy}:copied")
        copied = Layout(copy)
        need_equal(layout.digest, copied.digest, "digest after skopeo copy")
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def umoci_unpack(layout, bundle):
    program = need_program("umoci")
    if os.getuid() != 0:
        raise Skip("umoci keeps owners only as root")
    ran = run(program, "unpack", "--image", f"{layout.folder}:{reference(layout)}", bundle)
    need("warn" not in ran.err.lower(), f"umoci warns:\n{ran.err}")
    need((bundle / "rootfs/opt/venv/pyvenv.cfg").exists(), "no venv after umoci unpack")


def crane_program():
    """crane, built once into the project's tools by a Go toolchain that is new enough."""
    tools = ROOT / ".tools/bin"
    program = tools / "crane"
    if program.exists():
        return program
    go = shutil.which("go")
    if not go:
        raise Skip("crane needs a Go toolchain >= 1.25 to be built, and there is none")
    version = run(go, "env", "GOVERSION").out.strip()
    number = re.match(r"go(\d+)\.(\d+)", version)
    if not number or (int(number[1]), int(number[2])) < (1, 25):
        raise Skip(f"crane needs a Go toolchain >= 1.25 to be built, this one is {version}")
    built = run(go, "install", CRANE, env=dict(os.environ, GOBIN=str(tools), GOTOOLCHAIN="local", GOFLAGS="-mod=mod"),
                expect=None)
    if built.code:
        raise Skip(f"crane could not be built: {(built.err.strip().splitlines() or ['no reason'])[-1]}")
    return program


def crane_validate(layout, folder):
    """Pushes to a registry on this machine and lets crane read everything back: digests, sizes, DiffIDs, media types."""
    program = crane_program()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    blobs = folder / "registry"
    blobs.mkdir()
    server = subprocess.Popen([str(program), "registry", "serve", "--address", f"127.0.0.1:{port}",
                               "--disk", str(blobs)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise Failure("crane registry serve does not listen")
        name = f"127.0.0.1:{port}/image:t"
        pushed = run(program, "push", "--insecure", layout.folder, name).out
        need(layout.digest in pushed, f"crane pushes another digest: {pushed}")
        validated = run(program, "validate", "--insecure", "--remote", name)
        need("PASS" in validated.out + validated.err, validated.describe())
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(blobs, ignore_errors=True)


def same_content(one, other):
    """Both compressions hold the same tars, so the same DiffIDs and the same config."""
    need_equal(one.config["rootfs"], other.config["rootfs"], "DiffIDs of the two compressions")
    need_equal(one.manifest["config"]["digest"], other.manifest["config"]["digest"], "config of the two compressions")


def wrong_promise_is_refused(manifest, folder):
    """A promise that the wheel itself does not keep cannot be locked; the message says what the wheel is."""
    project = folder / "wrong"
    (project / "manifests").mkdir(parents=True)
    (project / "layers").symlink_to(ROOT / "layers")
    text = pathlib.Path(manifest).read_text()
    cuda = re.search(r'^(  cuda: )"([0-9.]+)"', text, flags=re.M)
    need(cuda, "the manifest promises no CUDA")
    promised = cuda[2]
    wrong = text.replace(cuda[0], cuda[1] + '"12.1"', 1)
    (project / "manifests/image.yaml").write_text(wrong)
    ran = run(imgbuild(), "lock", project / "manifests/image.yaml", "--progress", "plain", expect=2)
    message = ran.err[max(ran.err.find("error: "), 0):]
    said = re.fullmatch(
        r"error: .*manifests/image\.yaml:\d+:\d+: torch (?P<torch>[0-9.]+) of the PyPI index is built for CUDA (?P<cuda>[0-9.]+), "
        r"not 12\.1\n"
        r" +\d+ \|   cuda: \"12\.1\"\n"
        r" +\|         \^~+\n"
        r"  expected: 12\.1   \(versions\.cuda\)\n"
        r"  got:      (?P=cuda)   \(torch/version\.py in wheel 'torch-(?P=torch)-[^']+\.whl'\)\n"
        r"hint: torch (?P=torch) exists for CUDA (?P<variants>[0-9., ]+); the recipe's `index:` chooses which\n", message)
    need(said, f"the message is another one:\n{ran.err}")
    need_equal(promised, said["cuda"], "the CUDA that the message gives for the wheel")
    variants = said["variants"].split(", ")
    need(promised in variants and len(variants) > 1 and "12.1" not in variants, f"these variants cannot be right: {variants}")
    need(not (project / "manifests/image.lock.json").exists(), "a lock was written all the same")
