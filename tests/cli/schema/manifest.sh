# SPDX-License-Identifier: Apache-2.0
# The schema holds for every manifest that we ship, and does not hold for anything.
imgbuild schema manifest >manifest.json
imgbuild schema recipe >recipe.json
/usr/bin/python3 - "$ROOT" <<'PYTHON'
import json, pathlib, sys
import jsonschema, yaml

root = pathlib.Path(sys.argv[1])
# Scalars of our YAML are text, whatever they look like.
load = lambda path: yaml.load(path.read_text(), Loader=yaml.BaseLoader)
def text_or_typed(document):
    if isinstance(document, dict):
        return {k: text_or_typed(v) for k, v in document.items()}
    if isinstance(document, list):
        return [text_or_typed(v) for v in document]
    return {"true": True, "false": False}.get(document, document)

for kind, folder in (("manifest", "manifests"), ("recipe", "layers")):
    schema = json.load(open(f"{kind}.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    count = 0
    for path in sorted((root / folder).rglob("*.yaml")):
        document = text_or_typed(load(path))
        if document["schema"] not in ("imgbuild/v1", "imglayer/v1"):
            continue
        if (document["schema"] == "imgbuild/v1") != (kind == "manifest"):
            continue
        count += 1
        for error in judge.iter_errors(document):
            print(f"{path.relative_to(root)}: {list(error.absolute_path)}: {error.message[:200]}")
        if judge.is_valid(dict(document, pakages=[])):
            print(f"{path.relative_to(root)}: an unknown key is accepted")
    print(kind, "schema:", "some" if count else "no", "documents")
PYTHON
