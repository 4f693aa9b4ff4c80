#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests/cli/<verb>/<case>.sh and compares what they print with the files beside them.

  tests/cli/run.py [TEXT]      only cases whose name holds TEXT

A case is a shell script, run by `sh -eu` in an empty folder of its own with a clean environment:
  imgbuild    the program under test (a function-like name in PATH); cases of imgcheck/ have imgcheck as well
  $ROOT       the repository; $CASES the folder of the scripts; $IMGBUILD_CACHE_DIR an empty store of its own
Beside it may lie
  <case>.stdout.exact | .stdout.glob   standard output, whole
  <case>.stderr.exact | .stderr.glob   standard error, whole
  <case>.exit                          the exit code
Without them the expectation is silence and exit 0. In a .glob file each line is a shell pattern, and a line
`...` stands for any number of lines. The folder of the case, the repository, the version number and
the hex digits of a digest are replaced by $TMP, $ROOT, $VERSION and $HEX before comparing.
UPDATE_GOLDEN=1 rewrites .exact and .exit files to what came out and counts those cases as skipped.
"""

import difflib
import fnmatch
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, Results, Skip, imgbuild, imgcheck, need, scratch  # noqa: E402

CASES = ROOT / "tests/cli"


def environment(folder, programs):
    tools = folder / ".bin"
    tools.mkdir()
    for name, program in programs.items():
        (tools / name).symlink_to(program)
    return {
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(folder / ".home"),
        "IMGBUILD_CACHE_DIR": str(folder / ".cache"),
        "IMGBUILD_TOOLS": str(ROOT / ".tools"),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder / ".tmp"),
        "ROOT": str(ROOT),
        "CASES": str(CASES),
    }


def tidy(text, folder, version):
    text = text.replace(str(folder), "$TMP").replace(str(folder.parent), "$HOME_OF_CASE").replace(str(ROOT), "$ROOT")
    text = re.sub(rf"\b{re.escape(version)}\b", "$VERSION", text)
    return re.sub(r"sha256:[0-9a-f]{64}\b", "sha256:$HEX", text)


def glob_match(patterns, lines):
    """Lists of lines; `...` matches any run of lines."""
    if not patterns:
        return not lines
    if patterns[0] == "...":
        return any(glob_match(patterns[1:], lines[i:]) for i in range(len(lines) + 1))
    # [ and ] are literal: messages hold them, character classes are not needed.
    return bool(lines) and fnmatch.fnmatchcase(lines[0], patterns[0].replace("[", "[[]")) and glob_match(
        patterns[1:], lines[1:])


def compare(case, stream, got, update):
    exact, glob = case.with_suffix(f".{stream}.exact"), case.with_suffix(f".{stream}.glob")
    if glob.exists():
        wanted = glob.read_text()
        if glob_match(wanted.splitlines(), got.splitlines()):
            return None
        kind = "pattern"
    else:
        wanted = exact.read_text() if exact.exists() else ""
        if wanted == got:
            return None
        if update:
            exact.write_text(got)
            return None
        kind = "expected"
    diff = "\n".join(difflib.unified_diff(wanted.splitlines(), got.splitlines(), kind, "got", lineterm="", n=2))
    return f"{stream} differs from {(glob if glob.exists() else exact).name}:\n{diff}"


def run_case(case, program, version):
    update = os.environ.get("UPDATE_GOLDEN") == "1"
    with scratch("cli") as folder:
        folder = folder.resolve()
        (folder / ".home").mkdir()
        (folder / ".tmp").mkdir()
        work = folder / "work"
        work.mkdir()
        programs = {"imgbuild": program}
        if case.parent.name == "imgcheck":
            programs["imgcheck"] = imgcheck()
        done = subprocess.run(["sh", "-eu", str(case)], cwd=work, env=environment(folder, programs),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=300)
        out = tidy(done.stdout.decode("utf-8", "replace"), work, version)
        err = tidy(done.stderr.decode("utf-8", "replace"), work, version)
    if done.returncode == 77:  # the case says that it cannot run here; last line of stderr is the reason
        raise Skip((err.strip().splitlines() or ["no reason given"])[-1])
    exit_file = case.with_suffix(".exit")
    wanted_code = int(exit_file.read_text()) if exit_file.exists() else 0
    problems = []
    if done.returncode != wanted_code:
        if update:
            exit_file.write_text(f"{done.returncode}\n")
        else:
            problems.append(f"exit {done.returncode}, expected {wanted_code}")
    problems += filter(None, (compare(case, "stdout", out, update), compare(case, "stderr", err, update)))
    if problems:
        if done.returncode != wanted_code and not any("stderr" in p for p in problems):
            problems.append("stderr:\n" + err)
        raise Failure("\n".join(problems))
    if update:
        raise Skip("UPDATE_GOLDEN=1: rewritten, not compared")


def self_test():
    """The comparison itself can fail."""
    need(glob_match(["a*", "...", "z"], ["abc", "1", "2", "z"]), "glob_match refuses a match")
    need(not glob_match(["a"], ["a", "b"]), "glob_match ignores trailing lines")
    need(not glob_match([], ["b"]), "glob_match takes silence for anything")
    need(glob_match(["layers[3]"], ["layers[3]"]), "glob_match takes [ for a class")


def main():
    results = Results("cli", sys.argv[1] if len(sys.argv) > 1 else None)
    program = imgbuild()
    version = subprocess.run([str(program), "version"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split()[1]
    results.run("harness", self_test)
    for case in sorted(CASES.glob("*/*.sh")):
        results.run(f"{case.parent.name}.{case.stem}", run_case, case, program, version)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
