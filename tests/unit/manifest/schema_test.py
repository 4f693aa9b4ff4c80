#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every shipped manifest and recipe against the published JSON Schemas, and the schemas against the loader."""

import json
import pathlib
import subprocess
import sys
import unittest

import jsonschema
import yaml

DUMP, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
# Beside manifests and recipes lie tables with schemas of their own.
MANIFESTS = sorted(p for p in (ROOT / "manifests").rglob("*.yaml")
                   if str(yaml.safe_load(p.read_text()).get("schema")).startswith(("imgbuild/", "imglayer/")))
RECIPES = sorted((ROOT / "layers").rglob("*.yaml"))

# Every key that the loader reads; load_test.cc loads the same text.
EVERY_KEY = (ROOT / "tests/unit/manifest/every_key.yaml").read_text()


def dump(*files):
    out = subprocess.run([DUMP, *map(str, files)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def keys_of_schema(schema, found):
    """Names of all properties anywhere in a schema."""
    if isinstance(schema, dict):
        found.update(schema.get("properties", {}))
        for value in schema.values():
            keys_of_schema(value, found)
    elif isinstance(schema, list):
        for value in schema:
            keys_of_schema(value, found)
    return found


def keys_of_document(value, found):
    if isinstance(value, dict):
        found.update(value)
        for item in value.values():
            keys_of_document(item, found)
    elif isinstance(value, list):
        for item in value:
            keys_of_document(item, found)
    return found


class Schemas(unittest.TestCase):
    def setUp(self):
        everything = dump(*MANIFESTS, *RECIPES, ROOT / "tests/unit/manifest/every_key.yaml")
        self.files = everything["files"]
        self.manifest = jsonschema.Draft202012Validator(everything["manifestSchema"])
        self.recipe = jsonschema.Draft202012Validator(everything["recipeSchema"])

    def test_schemas_are_schemas(self):
        for validator in (self.manifest, self.recipe):
            jsonschema.Draft202012Validator.check_schema(validator.schema)

    def test_shipped_manifests_fit(self):
        self.assertGreaterEqual(len(MANIFESTS), 3)
        for path in MANIFESTS:
            document = self.files[str(path)]
            validator = self.recipe if document["schema"].startswith("imglayer/") else self.manifest
            with self.subTest(path=path):
                validator.validate(document)

    def test_shipped_recipes_fit(self):
        self.assertGreaterEqual(len(RECIPES), 7)
        for path in RECIPES:
            with self.subTest(path=path):
                self.recipe.validate(self.files[str(path)])

    def test_shipped_files_mean_the_same_to_another_yaml_reader(self):
        """An editor validates what its own reader sees: versions must be text there too."""
        for path in MANIFESTS + RECIPES:
            document = yaml.safe_load(path.read_text())
            validator = self.recipe if document["schema"].startswith("imglayer/") else self.manifest
            with self.subTest(path=path):
                validator.validate(document)

    def test_document_with_every_key_fits(self):
        self.manifest.validate(self.files[str(ROOT / "tests/unit/manifest/every_key.yaml")])

    def test_schema_and_loader_know_the_same_keys(self):
        known = keys_of_schema(self.manifest.schema, set()) | keys_of_schema(self.recipe.schema, set())
        used = keys_of_document(yaml.safe_load(EVERY_KEY), set())
        used |= {"layout", "digest"}  # a base of kind oci cannot stand beside the debian one
        self.assertEqual(known - used, set(), "keys of the schema that every_key.yaml does not use")

    def test_wrong_documents_do_not_fit(self):
        head = "schema: imgbuild/v1\nimage: {name: x, tag: t}\n"
        for text in (
            head,
            head + "layers: []\n",
            head + "layers: [base]\nconfg: {}\n",
            head + "layers: [base]\nversions: {python: 3.10}\n",
            head + "layers: [{name: a, kind: wheels, suite: x}]\n",
            head + "layers: [{name: a, kind: debian}]\n",
            head + "layers: [{kind: files}]\n",
            head + "layers: [{name: a, kind: files, files: [{path: /x}]}]\n",
            head + "layers: [base]\nconfig: {volumes: [x]}\n",
            head + "layers: [base]\nselftest: 'yes'\n",
        ):
            with self.subTest(text=text), self.assertRaises(jsonschema.ValidationError):
                self.manifest.validate(yaml.safe_load(text))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
