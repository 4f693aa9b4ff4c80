# SPDX-License-Identifier: Apache-2.0
"""What imgcheck reads of ELF files against who knows better: the image's own ld.so, and NVIDIA's cuobjdump out of the image."""

import json
import re

from harness import Failure, Skip, imgcheck, need, run

# Runs in the image. ld.so says for each file what a process of it would map; /proc/self/fd and the like never occur.
TRACE = r"""
import json, os, subprocess, sys
os.environ["LD_TRACE_LOADED_OBJECTS"] = "1"  # unlike --list it goes on when a library is missing
found = {}
for path in json.load(sys.stdin):
    ran = subprocess.run(["/lib64/ld-linux-x86-64.so.2", path], capture_output=True, text=True)
    libraries = {}
    for line in ran.stdout.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if not arrow:
            continue
        file = rest.rpartition(" (0x")[0] or rest
        libraries[name] = None if rest == "not found" else os.path.realpath(file)
    found[path] = libraries if ran.returncode == 0 or libraries else ran.stderr.strip()
print(json.dumps(found))
"""


def inspected(layout):
    """Path → what `imgcheck inspect` says of each ELF file."""
    ran = run(imgcheck(), "inspect", layout.folder, "--json", "--progress", "quiet")
    return {found["path"]: found for found in json.loads(ran.out)["objects"]}


def same_files_as_ld_so(layout, box):
    """For every ELF file with needs, every name leads to the same file, and nothing else is mapped."""
    objects = {path: found for path, found in inspected(layout).items() if found["libraries"]}
    need(len(objects) > 20, f"only {len(objects)} ELF files need anything")
    ran = box.call("python3", "-c", TRACE, uid=0, input=json.dumps(sorted(objects)))
    traced = json.loads(ran.out)
    problems, names = [], 0
    for path, found in objects.items():
        theirs = traced[path]
        if isinstance(theirs, str):
            problems.append(f"{path}: ld.so says: {theirs}")
            continue
        ours = {library["name"]: library["path"] for library in found["libraries"]}
        # The loader is there before anything is looked for.
        for loader in [name for name in ours.keys() ^ theirs.keys() if name.rpartition("/")[2].startswith("ld-linux")]:
            ours.pop(loader, None)
            theirs.pop(loader, None)
        names += len(theirs)
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name, "(not named)") != theirs.get(name, "(not named)"):
                problems.append(f"{path}: {name}: imgcheck says {ours.get(name, '(not named)')}, "
                                f"ld.so {theirs.get(name, '(not named)')}")
    if problems:
        raise Failure(f"{len(problems)} differences:\n" + "\n".join(problems[:30]))
    print(f"        {names:,} names of {len(objects):,} files")


def same_gpu_code_as_cuobjdump(layout, box):
    """Architectures of the registered fat binaries; cuobjdump is the one that triton brings into the image."""
    objects = inspected(layout)
    tool = next((path for path in box.rootfs.glob("opt/venv/lib/python3*/site-packages/triton/backends/nvidia/bin/cuobjdump")),
                None)
    if not tool:
        raise Skip("the image has no cuobjdump")
    inside = "/" + str(tool.relative_to(box.rootfs))
    judged = [path for path in objects if re.search(r"/lib(torch_cuda|nccl|cudnn_ops)\.so[.0-9]*$", path)]
    need(len(judged) == 3, f"only {judged} are there")
    for path in judged:
        code = objects[path]["gpuCode"]
        listed = re.findall(r"\.(sm_\d+)([a-z]?)\.cubin$", box.call(inside, "--list-elf", path).out, re.M)
        # Code of one architecture alone begins with sm_90a; cuobjdump 12.8 calls a few plain cubins of cuBLAS "sm_50a".
        machine = [name + (suffix if int(name[3:]) >= 90 else "") for name, suffix in listed]
        ptx = re.findall(r"\.sm_(\d+[a-z]?)\.ptx$", box.call(inside, "--list-ptx", path, expect=None).out, re.M)
        need(machine, f"cuobjdump finds nothing in {path}")
        need(set(machine) == set(code["machine"]),
             f"{path}: imgcheck {code['machine']}, cuobjdump {sorted(set(machine))}")
        need({f"compute_{number}" for number in ptx} == set(code["ptx"]),
             f"{path}: PTX: imgcheck {code['ptx']}, cuobjdump {sorted(set(ptx))}")
        print(f"        {path.rpartition('/')[2]}: {' '.join(code['machine'])}, PTX {' '.join(code['ptx']) or 'none'}")
