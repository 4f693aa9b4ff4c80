#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads reports as their receivers do: JSON by its schema, SARIF, JUnit XML, HTML."""

import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

import jsonschema

DUMP = sys.argv[1]
NAMES = ("sample", "hostile", "empty", "big")

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
# The parts of SARIF 2.1.0 that we write, with what the specification demands of them (section numbers of it).
SARIF = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},  # 3.13.2
        "runs": {"type": "array", "minItems": 1, "items": {
            "type": "object",
            "required": ["tool", "results"],  # 3.14.6
            "additionalProperties": False,
            "properties": {
                "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
                    "type": "object", "required": ["name", "rules"],  # 3.19.8
                    "properties": {
                        "name": {"type": "string"}, "semanticVersion": {"type": "string"},
                        "rules": {"type": "array", "uniqueItems": True, "items": {
                            "type": "object", "required": ["id"],  # 3.49.3
                            "properties": {
                                "id": {"type": "string"}, "name": {"type": "string"},
                                "shortDescription": TEXT, "fullDescription": TEXT,
                                "help": {"type": "object", "required": ["text"]},  # 3.12.4
                                "defaultConfiguration": {"type": "object", "properties": {
                                    "level": {"enum": ["none", "note", "warning", "error"]}}},
                                "properties": {"type": "object", "properties": {
                                    "security-severity": {"type": "string", "pattern": r"^\d+\.\d$"}}},
                            }}}}}}},
                "invocations": {"type": "array", "items": {
                    "type": "object", "required": ["executionSuccessful"],  # 3.20.14
                    "properties": {
                        "executionSuccessful": {"type": "boolean"}, "startTimeUtc": {"type": "string"},
                        "toolExecutionNotifications": {"type": "array", "items": {
                            "type": "object", "required": ["message"],  # 3.58.5
                            "properties": {"message": TEXT, "level": {"enum": ["none", "note", "warning", "error"]}}}}}}},
                "properties": {"type": "object"},
                "results": {"type": "array", "items": {
                    "type": "object", "required": ["message", "ruleId", "level", "locations"],  # 3.27
                    "additionalProperties": False,
                    "properties": {
                        "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": 0},
                        "level": {"enum": ["warning", "error"]}, "message": TEXT,
                        "locations": {"type": "array", "minItems": 1, "items": {
                            "type": "object", "required": ["physicalLocation"],
                            "properties": {
                                "physicalLocation": {"type": "object", "required": ["artifactLocation"], "properties": {
                                    "artifactLocation": {"type": "object", "required": ["uri"], "properties": {
                                        # 3.4.3: a relative reference; ours is ASCII and has no scheme
                                        "uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~%/-]+$"}}},
                                    "region": {"type": "object", "properties": {
                                        "startLine": {"type": "integer", "minimum": 1}}}}},
                                "logicalLocations": {"type": "array"}}}},
                        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                        "suppressions": {"type": "array", "items": {
                            "type": "object", "required": ["kind"],  # 3.35.2
                            "properties": {"kind": {"enum": ["inSource", "external"]},
                                           "status": {"enum": ["accepted", "underReview", "rejected"]},
                                           "justification": {"type": "string"}}}},
                    }}},
            }}},
    },
}


class Page(html.parser.HTMLParser):
    """Keeps open tags, ids and links; anything that loads or runs is an error."""

    VOID = {"meta", "br", "hr", "link", "img", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.problems = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "link", "iframe", "object", "embed", "form", "base"):
            self.problems.append(f"<{tag}>")
        self.problems += [f"attribute {name}" for name in attrs if name.startswith("on") or name in ("style", "src")]
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if "href" in attrs:
            self.links.append(attrs["href"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temp.name)
        subprocess.run([DUMP, str(cls.folder)], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def read(self, name, form):
        return (self.folder / f"{name}.{form}").read_text(encoding="utf-8")

    def test_json_follows_the_schema(self):
        schema = json.loads((self.folder / "schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for name in ("sample", "empty", "big"):
            validator.validate(json.loads(self.read(name, "json")))

    def test_schema_and_writer_have_the_same_keys(self):
        schema = json.loads((self.folder / "schema.json").read_text())

        def keys(part):
            found = set()
            for key, value in part.get("properties", {}).items():
                found.add(key)
                found |= keys(value)
            for value in part.get("$defs", {}).values():
                found |= keys(value)
            return found

        def written(value):
            if isinstance(value, list):
                return set().union(*map(written, value)) if value else set()
            if not isinstance(value, dict):
                return set()
            return set(value) | set().union(*map(written, value.values()))

        report = json.loads(self.read("sample", "json"))
        report["verdict"] = {"allowed": True, "exitCode": 0, "policy": "p", "reasons": []}
        for free in ("phases", "facts", "counts"):
            report[free] = {}
        self.assertEqual(written(report), keys(schema))

    def test_the_schema_refuses_what_is_wrong(self):
        schema = json.loads((self.folder / "schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        for break_it in (lambda r: r.pop("tiers"), lambda r: r["checks"][0].pop("findings"),
                         lambda r: r["checks"][0].update(status="ok"), lambda r: r.update(seconds="1")):
            report = json.loads(self.read("sample", "json"))
            break_it(report)
            self.assertFalse(validator.is_valid(report))

    def test_sarif_is_what_the_specification_demands(self):
        validator = jsonschema.Draft202012Validator(SARIF)
        for name in NAMES:
            sarif = json.loads(self.read(name, "sarif"))
            validator.validate(sarif)
            rules = sarif["runs"][0]["tool"]["driver"]["rules"]
            for result in sarif["runs"][0]["results"]:
                if "ruleIndex" in result:
                    self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])

    def test_sarif_is_within_the_limits_of_its_receiver(self):
        sarif = json.loads(self.read("big", "sarif"))
        self.assertLessEqual(len(sarif["runs"][0]["results"]), 5000)
        self.assertLessEqual(len(sarif["runs"][0]["tool"]["driver"]["rules"]), 1000)

    def test_junit_is_well_formed_and_adds_up(self):
        for name in NAMES:
            root = xml.fromstring(self.read(name, "junit"))
            self.assertEqual(root.tag, "testsuites")
            for suite in root:
                self.assertEqual(suite.tag, "testsuite")
                cases = suite.findall("testcase")
                self.assertEqual(int(suite.get("tests")), len(cases))
                for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                    self.assertEqual(int(suite.get(attribute)), len(suite.findall(f"testcase/{tag}")), name)
                for case in cases:
                    self.assertTrue(case.get("name") and case.get("classname"))
                    float(case.get("time"))
                    self.assertLessEqual(len(case.findall("failure") + case.findall("error") + case.findall("skipped")), 1)
            self.assertEqual(int(root.get("tests")), sum(int(suite.get("tests")) for suite in root))

    def test_html_is_balanced_and_loads_nothing(self):
        for name in NAMES:
            page = Page()
            page.feed(self.read(name, "html"))
            self.assertEqual(page.problems, [], name)
            self.assertEqual(page.open, [], name)
            for link in page.links:
                self.assertTrue(link.startswith("#"), link)
                self.assertIn(link[1:], page.ids, name)

    def test_ids_of_a_page_are_unique(self):
        page = Page()
        page.feed(self.read("sample", "html"))
        self.assertEqual(sorted(page.ids), sorted(set(page.ids)))

    def test_markdown_keeps_its_shape(self):
        for line in self.read("hostile", "markdown").splitlines():
            self.assertTrue(line == "" or line[0] in "#-|*16 M\\`" or line.startswith("  - "), line)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
