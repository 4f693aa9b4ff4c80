#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small world in the current folder for a case:  make_world.py files|image|wheels

`files` is a manifest without a lock, `image` has its lock.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import fake_world  # noqa: E402
import harness  # noqa: E402

here = pathlib.Path.cwd()
if sys.argv[1] == "files":
    fake_world.files_image(here)
elif sys.argv[1] == "image":
    harness.run(harness.imgbuild(), "lock", fake_world.files_image(here))
elif sys.argv[1] == "wheels":
    file, data = fake_world.make_wheel("alpha")
    _, files = fake_world.wheels_to_fetch(here, {file: ("alpha", "1.0", data)})
    for folder, suffix in (("wheels", ".whl"), ("debs", ".deb")):
        (here / "vault" / folder).mkdir(parents=True)
        for name, content in files.items():
            if name.endswith(suffix):
                (here / "vault" / folder / name).write_bytes(content)
else:
    raise SystemExit(f"error: no world '{sys.argv[1]}'")
