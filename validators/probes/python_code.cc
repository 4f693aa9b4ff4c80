// SPDX-License-Identifier: Apache-2.0
// Python sources, as text: they must work in every interpreter from 3.8 on.
#include "validators/probes/python_code.h"

namespace probe {

const char* const kLoadCode = R"python(
import ctypes, json, os, sys, time

out = os.fdopen(3, "w", buffering=1)

def event(kind, **members):
    out.write(json.dumps(dict(members, event=kind)) + "\n")

known = set()

def report_mapped():
    with open("/proc/self/maps") as maps:
        for line in maps:
            parts = line.rstrip("\n").split(None, 5)
            if len(parts) == 6 and "x" in parts[1] and parts[5].startswith("/") and parts[5] not in known:
                known.add(parts[5])
                event("mapped", path=parts[5])

def number(version):
    return version[0] * 10000 + version[1] * 100 + version[2]

def words(error):
    """The first line, since numpy writes a page, and what was at the root of it."""
    text = "%s: %s" % (type(error).__name__, str(error).strip().split("\n")[0].strip())
    root = error.__cause__
    while root is not None and root.__cause__ is not None:
        root = root.__cause__
    return text if root is None else "%s, because of %s" % (text, words(root))

start = time.perf_counter()
try:
    import torch
except BaseException as error:
    event("import", module="torch", ok=False, error=words(error))
    sys.exit(0)
event("import", module="torch", ok=True, seconds=time.perf_counter() - start)

about = {"version": torch.__version__, "cuda": torch.version.cuda or "", "folder": os.path.dirname(torch.__file__)}
try:
    about["cudnn_compiled"] = number(torch._C._cudnn.getCompileVersion())
except Exception:
    pass
try:
    about["archs"] = torch._C._cuda_getArchFlags() or ""
except Exception:
    pass
event("torch", **about)
report_mapped()

for path in sorted(known):
    if os.path.basename(path).startswith("libcudnn.so"):
        cudnn = ctypes.CDLL(path)
        for name in ("cudnnGraphVersionCheck", "cudnnOpsVersionCheck", "cudnnCnnVersionCheck", "cudnnAdvVersionCheck"):
            if hasattr(cudnn, name):
                event("call", function=name, rc=int(getattr(cudnn, name)()))
report_mapped()
)python";

const char* const kDetailCode = R"python(
import importlib.util, json, os, sys, time

opened, failed = 0, 0

def hook(name, arguments):
    global opened, failed
    if name == "open" and isinstance(arguments[0], (str, bytes)):
        if os.path.lexists(arguments[0]):
            opened += 1
        else:
            failed += 1

sys.addaudithook(hook)
import torch

watched = (opened, failed)
missing = []
for name, module in sorted(sys.modules.items()):
    source = getattr(module, "__file__", None) or ""
    if source.endswith(".py") and os.path.isfile(source):
        cached = importlib.util.cache_from_source(source)
        if not os.path.exists(cached):
            missing.append(name)

files, resident = {}, 0
is_file = False
with open("/proc/self/smaps") as smaps:
    for line in smaps:
        parts = line.rstrip("\n").split(None, 5)
        if "-" in parts[0] and not parts[0].endswith(":"):
            is_file = len(parts) == 6 and parts[5].startswith("/")
            if is_file:
                files[parts[5]] = True
        elif parts[0] == "Rss:" and is_file:
            resident += int(parts[1]) * 1024
size = 0
for path in files:
    try:
        size += os.stat(path).st_size
    except OSError:
        pass
read = {}
with open("/proc/self/io") as io:
    for line in io:
        key, value = line.split(":")
        read[key] = int(value)

with os.fdopen(3, "w") as out:
    out.write(json.dumps({
        "event": "detail", "modules": len(sys.modules), "opened": watched[0], "failed_opens": watched[1],
        "mapped_files": len(files), "mapped_bytes": size, "resident_bytes": resident,
        "read_calls_bytes": read.get("rchar", 0), "storage_bytes": read.get("read_bytes", 0),
        "missing_bytecode": len(missing), "missing_example": missing[0] if missing else ""}) + "\n")
)python";

const char* const kModulesCode = R"python(
import importlib.metadata, json, os, re, sys

def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()

def modules_of(distribution):
    """Top-level modules by the files of a distribution: top_level.txt is not always there, nor true."""
    found = set()
    for file in distribution.files or ():
        parts = file.parts
        if parts[0] in ("..", "/") or parts[0].endswith((".dist-info", ".data", ".egg-info")) or parts[0] == "__pycache__":
            continue
        name = parts[0]
        if len(parts) == 1:
            match = re.fullmatch(r"([A-Za-z_]\w*)(?:\.[\w-]+)?\.(?:py|so)", name)
            if match:
                found.add(match.group(1))
        elif name.isidentifier() and file.suffix in (".py", ".so"):
            found.add(name)
    return sorted(found)

out = os.fdopen(3, "w", buffering=1)
wanted = sys.argv[1:]
installed = {}
for distribution in importlib.metadata.distributions():
    name = distribution.metadata["Name"]
    if name:
        installed.setdefault(normal(name), distribution)
for name in wanted or sorted(installed):
    distribution = installed.get(normal(name))
    if distribution is None:
        continue
    out.write(json.dumps({"event": "package", "name": normal(name), "version": distribution.version}) + "\n")
    for module in modules_of(distribution):
        print("%s\t%s" % (normal(name), module))
)python";

const char* const kNoUserCode = R"python(
import json, os, pwd, sys

out = os.fdopen(3, "w", buffering=1)

def event(kind, **members):
    out.write(json.dumps(dict(members, event=kind)) + "\n")

def step(name, action, advice=False):
    try:
        value = action()
        event("step", name=name, ok=True, value="" if value is None else str(value)[:200])
    except BaseException as error:
        event("step", name=name, ok=False, advice=advice, error="%s: %s" % (type(error).__name__, error))

def has_entry():
    try:
        pwd.getpwuid(os.getuid())
        return True
    except KeyError:
        return False

def root_writable():
    return not os.statvfs("/").f_flag & os.ST_RDONLY

def temporary():
    import tempfile
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
        return file.name

def home():
    path = os.path.expanduser("~")
    if path == "~":
        raise OSError("'~' stands for no folder")
    return path

def tensor():
    import torch
    value = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    total = float((value @ value.t()).sum())
    if total != 83.0:
        raise ArithmeticError("a product of matrices is %r, not 83" % total)
    return torch.__version__

def user_name():
    import getpass
    return getpass.getuser()

def threads():
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return sum(pool.map(int, "12"))


event("circumstances", uid=os.getuid(), passwd_entry=has_entry(), root_writable=root_writable())
step("temporary file", temporary)
step("threads", threads)
step("home folder", home, advice=True)
step("user name", user_name, advice=True)
if len(sys.argv) > 1:
    step("import torch and multiply", tensor)
)python";

const char* const kCompileCode = R"python(
import json, os, sys, time

out = os.fdopen(3, "w", buffering=1)
start = time.perf_counter()
try:
    import torch
    import torch._dynamo

    def plain(a, b):
        return torch.nn.functional.gelu(a @ b).sum(dim=0) * 2 + a.mean()

    torch.manual_seed(0)
    a, b = torch.randn(33, 64), torch.randn(64, 17)
    compiled = torch.compile(plain)
    error = float((compiled(a, b) - plain(a, b)).abs().max() / plain(a, b).abs().max())
    count = int(torch._dynamo.utils.counters["stats"].get("unique_graphs", 0))
    result = {"ok": True, "max_error": error, "compiled": count, "output": ""}
except BaseException as problem:
    result = {"ok": False, "output": ("%s: %s" % (type(problem).__name__, problem))[-2000:]}
out.write(json.dumps(dict(result, event="outcome", seconds=time.perf_counter() - start)) + "\n")
)python";

}  // namespace probe
