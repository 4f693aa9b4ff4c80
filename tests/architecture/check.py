#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the shape of the repository: direction of includes, one door a library, documents and file heads."""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, Results  # noqa: E402

# folder → folders whose headers it may include (itself always). What is not listed may not be included.
MAY_INCLUDE = {
    "builder/base": set(),
    "builder/oci": {"builder/base"},
    "builder/layer": {"builder/base", "builder/oci"},
    "builder/layout": {"builder/base", "builder/oci", "builder/layer"},
    "builder/inputs": {"builder/base", "builder/oci", "builder/layer"},
    "builder/manifest": {"builder/base", "builder/oci"},
    "builder/lock": {"builder/base", "builder/oci", "builder/layer/layer_format.h", "builder/manifest"},
    "builder/fetch": {"builder/base", "builder/oci", "builder/layer", "builder/inputs", "builder/manifest",
                      "builder/lock"},
    "builder/resolve": {"builder/base", "builder/oci", "builder/layer", "builder/layout", "builder/inputs",
                        "builder/manifest", "builder/lock", "builder/fetch"},
    "builder/assemble": {"builder/base", "builder/oci", "builder/layer", "builder/layout", "builder/inputs",
                         "builder/manifest", "builder/lock", "builder/fetch"},
    # The readers of ELF files and fat binaries are one: what `imgbuild facts` reads in wheels is what checks read in images.
    "builder/facts": {"builder/base", "builder/oci", "builder/layer", "builder/inputs", "builder/manifest", "builder/lock",
                      "builder/fetch", "builder/resolve", "validators/elf"},
    "builder/commands": {"builder"},
    "validators/judge": {"builder/base"},
    "validators/elf": {"builder/base"},
    "validators/image": {"builder/base", "builder/oci", "builder/layer", "builder/layout", "validators/elf"},
    "validators/checks": {"builder/base", "builder/oci", "builder/layer", "builder/layout", "builder/manifest",
                          "builder/lock", "validators/judge", "validators/elf", "validators/image"},
    "validators/runner": {"builder/base", "builder/oci", "builder/layer", "builder/layout", "validators/judge",
                          "validators/elf"},
    "validators/report": {"builder/base", "validators/judge"},
    "validators/sizing": {"builder/base", "builder/manifest", "validators/judge", "validators/report"},
    "validators/matrix": {"builder/base", "builder/manifest", "validators/judge", "validators/report",
                          "validators/sizing"},
    "validators/gate": {"builder/base", "validators/judge", "validators/report"},
    "validators/probes": set(),
    "validators/inside": {"builder/base", "validators/judge", "validators/report"},
    "validators/commands": {"builder", "validators"},
    "tests": {"builder", "validators", "tests"},
    "benchmarks": {"builder", "benchmarks", "tests/support"},
}

# library (pattern of its headers) → the only files that may include it.
DOORS = {
    r"curl/": {"builder/base/http.cc"},
    r"yaml-cpp/": {"builder/base/yaml.cc"},
    r"openssl/": {"builder/base/hash.cc", "builder/inputs/record_hash.cc"},
    r"nlohmann/": {"builder/base/json.h", "builder/base/json.cc"},
    r"archive(_entry)?\.h": {"builder/inputs/decompressor.cc"},
    r"libxml/": {"builder/fetch/"},
    r"toml\+\+/|toml\.hpp": {"builder/resolve/"},
    r"(zlib|zstd|zstd_errors)\.h": {"builder/layer/", "builder/inputs/"},
    r"(isa-l/|isa-l\.h|igzip_lib\.h)": {"builder/layer/", "builder/inputs/", "validators/image/"},
    r"CLI/": {"builder/commands/", "validators/"},
}

CPP = (".h", ".cc")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)

# Hosts that a tracked file may name in an address: specifications, licences, documentation, examples.
ALLOWED_HOSTS = re.compile(
    r"(localhost|127\.0\.0\.1|\[::1\]|(.*\.)?example(\.(com|org|net))?|(.*\.)?(test|invalid)"
    r"|json-schema\.org|www\.apache\.org|opencontainers\.org|github\.com|peps\.python\.org"
    r"|packaging\.python\.org|keepachangelog\.com|reproducible-builds\.org|spdx\.org|www\.rfc-editor\.org"
    r"|datatracker\.ietf\.org|schemas\.xmlsoap\.org|json\.schemastore\.org)")
# Names that stand for a host even without an address; in pieces, so that this file does not hold them itself.
REGISTRY_NAMES = re.compile("|".join(
    re.escape(a) + r"\." + re.escape(b) for a, b in (
        ("pypi", "org"), ("pythonhosted", "org"), ("deb.debian", "org"), ("snapshot.debian", "org"),
        ("security.debian", "org"), ("registry.npmjs", "org"), ("proxy.golang", "org"), ("crates", "io"),
        ("download.pytorch", "org"), ("pypi.nvidia", "com"), ("index.docker", "io"), ("nvcr", "io"))))
MACHINE_PATHS = re.compile(r"(?<![A-Za-z0-9.])/(?:work|farm|Users)/|" + re.escape(str(ROOT)) + r"\b")
SPDX = "SPDX-License-Identifier: Apache-2.0"


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    names = sorted({n.decode() for n in out.split(b"\0") if n})
    return [n for n in names if (ROOT / n).is_file()]


FILES = tracked()


def text_of(name):
    """The file's text, or None for a binary file."""
    data = (ROOT / name).read_bytes()
    if b"\0" in data:
        return None
    return data.decode("utf-8", "replace")


def fail_with(problems):
    if problems:
        raise Failure("\n".join(sorted(problems)[:40]))


def cpp_files():
    return [f for f in FILES if f.endswith(CPP)]


def home_of(name):
    """The row of MAY_INCLUDE that governs a file: the longest folder that is listed."""
    folder = str(pathlib.PurePosixPath(name).parent)
    while folder not in (".", ""):
        if folder in MAY_INCLUDE:
            return folder
        folder = str(pathlib.PurePosixPath(folder).parent)
    return None


def covered(header, allowed):
    return any(header == a or header.startswith(a + "/") for a in allowed)


def include_direction():
    problems = []
    for name in cpp_files():
        home = home_of(name)
        if home is None:
            problems.append(f"{name}: its folder has no row in MAY_INCLUDE of {sys.argv[0]}")
            continue
        for quoted, _ in INCLUDE.findall(text_of(name)):
            if not quoted:
                continue
            if "/" not in quoted or not (ROOT / quoted).exists():
                problems.append(f"{name}: \"{quoted}\" is not a path from the repository root")
            elif not covered(quoted, MAY_INCLUDE[home] | {home}):
                problems.append(f"{name}: {home} may not include {quoted}")
    fail_with(problems)


def no_cycle():
    """The table itself has no circle."""
    problems = []
    seen = []

    def visit(home, path):
        if home in path:
            problems.append(" → ".join(path[path.index(home):] + (home,)))
            return
        if home not in seen:
            for other in sorted(MAY_INCLUDE.get(home, set()) - {"builder", "validators", home}):
                visit(other, path + (home,))
            seen.append(home)

    for home in sorted(MAY_INCLUDE):
        visit(home, ())
    fail_with(problems)


def one_door():
    problems = []
    for name in cpp_files():
        for _, system in INCLUDE.findall(text_of(name)):
            for pattern, doors in DOORS.items():
                if re.match(pattern, system) and not any(
                        name == d or (d.endswith("/") and name.startswith(d)) for d in doors):
                    if name.startswith("tests/"):
                        continue  # a test may look at bytes with the library itself
                    problems.append(f"{name}: <{system}> only in {', '.join(sorted(doors))}")
    fail_with(problems)


def links_follow_includes():
    """CMake links of a library are not wider than its row."""
    problems = []
    for home, allowed in MAY_INCLUDE.items():
        cmake = ROOT / home / "CMakeLists.txt"
        if home in ("builder/commands", "validators/commands", "tests", "benchmarks") or not cmake.exists():
            continue
        for library in re.findall(r"\bimg_(\w+)", cmake.read_text()):
            other = f"builder/{library}"
            if other in MAY_INCLUDE and other != home and not any(
                    a == other or a.startswith(other + "/") for a in allowed):
                problems.append(f"{home}/CMakeLists.txt: links img_{library}, which it may not include")
    fail_with(problems)


def folders():
    """Folders that need a sentence: two levels deep, as far as they hold files."""
    found = set()
    for name in FILES:
        parts = pathlib.PurePosixPath(name).parts[:-1]
        for depth in (1, 2):
            if len(parts) >= depth:
                found.add("/".join(parts[:depth]))
    return found


def architecture_sentences():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| `([^`]+)/` \| (.+?) \|", text, re.M)
    told = {name: sentence for name, sentence in rows}
    problems = [f"ARCHITECTURE.md: no sentence for {f}/" for f in folders() - told.keys()]
    problems += [f"ARCHITECTURE.md: {f}/ is not there" for f in told.keys() - folders()]
    problems += [f"ARCHITECTURE.md: {f}/ has no sentence" for f, s in told.items() if len(s.split()) < 4]
    fail_with(problems)


def no_hosts_or_machine_paths():
    problems = []
    for name in FILES:
        text = text_of(name)
        if text is None or name == "LICENSE":
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for host in re.findall(r"(?:https?|ftp)://(?:[^@/\s\"'`]*@)?([A-Za-z0-9.\-\[\]:]*[A-Za-z0-9\]])", line):
                host = re.sub(r":\d+$", "", host)
                # Tests may use made-up one-word or reserved hosts.
                if "." in host and not ALLOWED_HOSTS.fullmatch(host):
                    problems.append(f"{name}:{number}: names the host '{host}'")
            if REGISTRY_NAMES.search(line):
                problems.append(f"{name}:{number}: names the host of a package registry")
            if MACHINE_PATHS.search(line) and name != "tests/architecture/check.py":
                problems.append(f"{name}:{number}: names a path of one machine")
    fail_with(problems)


def spdx_first():
    kinds = (".h", ".cc", ".py", ".sh", ".cmake", ".yaml", ".yml", "CMakeLists.txt")
    problems = []
    for name in FILES:
        text = text_of(name)
        if text is None:
            continue
        script = text.startswith("#!")
        if not (name.endswith(kinds) or script) or name.startswith("tests/corpus/") or "/data/" in name:
            continue
        lines = text.splitlines()
        head = lines[1] if script and len(lines) > 1 else lines[0] if lines else ""
        if SPDX not in head:
            problems.append(f"{name}: the first line (after #!) is not the SPDX line")
    fail_with(problems)


def one_job_sentence():
    """Each C++ file says its one job in the line after the SPDX line."""
    problems = []
    for name in cpp_files():
        lines = text_of(name).splitlines()
        if len(lines) < 2 or not re.match(r"// \S+ \S+", lines[1]):
            problems.append(f"{name}: the second line does not say the file's job")
    fail_with(problems)


def ci_scripts_run():
    problems = [f"{n}: is not executable" for n in
                ("ci/setup", "ci/build", "ci/image", "ci/test", ".ci/run") if not (ROOT / n).stat().st_mode & 0o100]
    fail_with(problems)


def main():
    results = Results("architecture")
    for test in (include_direction, no_cycle, links_follow_includes, one_door, architecture_sentences,
                 no_hosts_or_machine_paths, spdx_first, one_job_sentence, ci_scripts_run):
        results.run(test.__name__, test)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
