#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Broken images: each must trip exactly the checks that it is made for, and the good one none.

  run.py [--only TEXT]          small images made here, for the static tier
  run.py --container [--lock FILE]   images that are started, for the container tier (see container.py)
  run.py --hostile [--lock FILE]     images that mean harm, through the whole program (see hostile.py)
  run.py --flagship LAYOUT [MANIFEST] [--lock FILE]   the real image with one thing changed (see flagship.py)
  run.py --build-flagship [MANIFEST] [--lock FILE]    the same, building it first
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, Results, imgbuild, imgcheck, need, need_equal, run, scratch  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases  # noqa: E402
import container  # noqa: E402
import hostile  # noqa: E402
import image as images  # noqa: E402
import parts  # noqa: E402


def static_report(layout, manifest, lock=None, timeout=600):
    """Check → its result, and the exit code."""
    command = [imgcheck(), "check", layout, "--tier", "static", "--format", "json"]
    if manifest:
        command += ["--manifest", manifest]
    if lock:
        command += ["--lock", lock]
    ran = run(*command, expect=None, timeout=timeout)
    if ran.code not in (0, 1, 3):
        raise Failure(f"imgcheck could not look\n{ran.describe()}")
    report = json.loads(ran.out)
    return {check["id"]: check for check in report["checks"]}, ran.code


def statuses(report):
    return {check: result["status"] for check, result in report.items()}


def describe(report, ids):
    lines = []
    for check in ids:
        result = report.get(check, {})
        lines.append(f"{check}: {result.get('status')}: {result.get('reason')}")
        lines += [f"    {f['status']}: {f['message']}" for f in result.get("findings", [])
                  if f["status"] != "pass"][:6]
    return "\n".join(lines)


def judge(report, code, expected, says):
    """`expected`: every check → status."""
    wrong = [check for check, status in expected.items() if statuses(report).get(check) != status]
    wrong += sorted(report.keys() - expected.keys())
    if wrong:
        wanted = ", ".join(f"{c} {expected.get(c, 'absent')}" for c in wrong)
        raise Failure(f"expected {wanted}; got\n{describe(report, wrong)}")
    need_equal(1 if "fail" in expected.values() else 3 if "blocked" in expected.values() else 0, code, "exit code")
    if says:
        check, text = says
        seen = "\n".join([report[check]["reason"]] + [f"{f['message']}: {f['actual']}" for f in report[check]["findings"]])
        need(text in seen, f"{check} does not say '{text}':\n{describe(report, [check])}")


class Corpus:
    def __init__(self, folder):
        self.folder = folder
        self.cache = {}
        self.made = parts.Parts(folder / "parts")
        self.good = images.good_image(self.made)

    def write(self, name, image):
        target = self.folder / name
        image.write(target / "layout", self.cache)
        return target / "layout", image.write_manifest(target)

    def good_report(self):
        layout, manifest = self.write("good", self.good)
        report, code = static_report(layout, manifest)
        bad = [check for check, result in report.items() if result["status"] != "pass"]
        need(not bad, f"the good image does not pass\n{describe(report, bad)}")
        need_equal(0, code, "exit code for the good image")
        empty = [check for check, result in report.items() if not result["findings"]]
        need(not empty, f"passes without evidence: {empty}")
        return report

    def broken(self, case, good):
        image = self.good.copy()
        case.change(image, self.made)
        layout, manifest = self.write(case.name, image)
        report, code = static_report(layout, manifest)
        expected = {check: "pass" if case.rest == "as good" else "blocked" for check in good}
        expected.update(case.expected)
        judge(report, code, expected, (next(iter(case.expected)), case.says))

    def without_manifest(self, good):
        """Nothing fails for want of a manifest, and what needs one says so."""
        layout, _ = self.write("no-manifest", self.good)
        report, code = static_report(layout, None)
        need_equal(0, code, "exit code")
        skipped = {check for check, result in report.items() if result["status"] == "skipped"}
        need_equal({"IMG-SIZE", "ARCH-LIST", "PAIR-PROMISE"}, skipped, "skipped checks")
        for check in skipped:
            need_equal("no manifest was given", report[check]["reason"], f"reason of {check}")
        need_equal(good.keys() - skipped,
                   {check for check, result in report.items() if result["status"] == "pass"}, "passed checks")


def listed_checks():
    ran = run(imgcheck(), "list", "--json")
    found = json.loads(ran.out)
    return found["checks"] if isinstance(found, dict) else found


def complete():
    """Each check of the program has a broken image, an explanation and a line in the documentation."""
    broken = {check for case in cases.CASES + container.CASES
              for check, status in case.expected.items() if status in ("fail", "warn")}
    path = ROOT / "docs/checks.md"
    document = path.read_text() if path.exists() else ""
    problems = []
    machines = (ROOT / "tests/gpu/run.py").read_text()  # a GPU's faults are those of a machine, not of an image
    for check in listed_checks():
        name = check["id"]
        if name not in broken and not (check["tier"] in ("gpu", "multi-gpu") and f'"{name}"' in machines):
            problems.append(f"{name}: no broken image")
        explained = run(imgcheck(), "explain", name, expect=None)
        if explained.code != 0 or len(explained.out.split()) < 30:
            problems.append(f"{name}: no explanation")
        if name not in document:
            problems.append(f"{name}: not in docs/checks.md")
    unknown = broken - {check["id"] for check in listed_checks()}
    problems += [f"{name}: a broken image of a check that is not there" for name in sorted(unknown)]
    need(not problems, "\n".join(problems))


def small_images(only):
    results = Results("corpus", only)
    with scratch("corpus") as folder:
        corpus = Corpus(folder)
        good = corpus.good_report  # run even when --only names another
        report = None
        try:
            report = good()
            results.record("pass", "good")
        except Failure as problem:
            results.record("fail", "good", str(problem))
        if report is not None:
            results.run("without-manifest", corpus.without_manifest, report)
            for case in cases.CASES:
                results.run(case.name, corpus.broken, case, report)
        results.run("complete", complete)
    return results.finish()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", nargs="?", default=str(ROOT / "manifests/pytorch-2.8.0-cu128-py311.yaml"))
    parser.add_argument("--container", action="store_true")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--flagship", metavar="LAYOUT")
    parser.add_argument("--build-flagship", action="store_true")
    parser.add_argument("--lock")
    parser.add_argument("--only")
    options = parser.parse_args()
    if options.container:
        return container.main(options)
    if options.hostile:
        return hostile.main(options)
    if options.flagship:
        import flagship
        return flagship.main(options)
    if options.build_flagship:
        import flagship
        with scratch("corpus-flagship") as folder:
            options.flagship = folder / "good"
            lock = ["--lock", options.lock] if options.lock else []
            run(imgbuild(), "build", options.manifest, "-o", options.flagship, *lock)
            return flagship.main(options)
    return small_images(options.only)


if __name__ == "__main__":
    sys.exit(main())
