# SPDX-License-Identifier: Apache-2.0
# GPUs are asked for where no file says what they are; and one is there, but has another GPU.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
mkdir none
reason() {
  code=0
  imgcheck check image -q --tier container --gpus "$1" --cdi-spec-dir "$2" --check LOAD-TORCH --format json >report.json || code=$?
  /usr/bin/python3 -c "
import json
check = json.load(open(\"report.json\"))[\"checks\"][0]
print(check[\"status\"], check[\"reason\"])"
  echo "exit $code"
}
reason all none
mkdir some
printf "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: \"0\"\n" >some/nvidia.yaml
reason 1 some
printf "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevice: []\n" >some/nvidia.yaml
reason 0 some
