#!/usr/bin/python3
"""The JSON Schemas beside the readers in C: samples pass both, and a table of documents with one
thing changed is accepted or refused by both alike.

    test_schemas.py CONTRACT_READ FOLDER_OF_SCHEMAS
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

READER, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
DROP = object()  # a change that removes the member
failures = []


def without_comments(text):
    """JSON with comments and trailing commas as plain JSON."""
    out, i, in_string = [], 0, False
    while i < len(text):
        if in_string:
            if text[i] == "\\":
                out.append(text[i])
                i += 1
            elif text[i] == '"':
                in_string = False
        elif text[i] == '"':
            in_string = True
        elif text.startswith("//", i):
            i = text.index("\n", i)
        elif text[i] in "]}":
            while out and out[-1].isspace():
                out.pop()
            if out and out[-1] == ",":
                out.pop()
        out.append(text[i])
        i += 1
    return "".join(out)


def validator(kind):
    schema = json.loads((FOLDER / f"{kind}.schema.json").read_text())
    cls = jsonschema.validators.validator_for(schema)
    cls.check_schema(schema)
    return cls(schema)


def read_in_c(kind, text):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write(text)
        f.flush()
        spec = [str(FOLDER / "spec.sample.json")] if kind == "result" else []
        return subprocess.run([READER, kind, f.name, *spec], capture_output=True, text=True)


def check(kind, what, document, accepted, by_schema=None):
    """by_schema: what the schema is expected to say where it can say less than the reader."""
    text = document if isinstance(document, str) else json.dumps(document)
    plain = json.loads(without_comments(text))
    errors = [e.message for e in SCHEMAS[kind].iter_errors(plain)]
    if (not errors) != (accepted if by_schema is None else by_schema):
        failures.append(f"{kind}: {what}: schema says {errors or 'yes'}")
    answer = read_in_c(kind, text)
    if answer.returncode not in (0, 1) or (answer.returncode == 0) != accepted:
        failures.append(f"{kind}: {what}: reader says {answer.stderr.strip() or 'yes'}")
    return answer.stdout


def changed(document, path, value):
    """A copy with the member at 'path' (keys and indices) set to 'value'."""
    d = copy.deepcopy(document)
    at = d
    for step in path[:-1]:
        at = at[step]
    if value is DROP:
        del at[path[-1]]
    elif isinstance(at, list) and path[-1] == len(at):
        at.append(value)
    else:
        at[path[-1]] = value
    return d


def objects_in(value, path=()):
    """Paths of all objects, except maps whose keys are free."""
    if isinstance(value, dict):
        if not path or path[-1] not in ("env", "headers"):
            yield path
            for k, v in value.items():
                yield from objects_in(v, path + (k,))
    elif isinstance(value, list):
        for i, v in enumerate(value):
            yield from objects_in(v, path + (i,))


SCHEMAS = {kind: validator(kind) for kind in ("spec", "job", "result")}
rich_text = (FOLDER / "spec.sample.jsonc").read_text()
spec = json.loads(without_comments(rich_text))
job = json.loads((FOLDER / "job.sample.json").read_text())
result = json.loads((FOLDER / "result.sample.json").read_text())

# Samples, and what is written from them.
check("spec", "sample", (FOLDER / "spec.sample.json").read_text(), True)
for kind, text in (("spec", rich_text), ("job", json.dumps(job)), ("result", json.dumps(result))):
    written = check(kind, "sample", text, True)
    check(kind, "sample, written again", written, True)

# Every key of the schema of a spec is in the sample, so each is known to the reader.
known = set(SCHEMAS["spec"].schema["properties"])
if known - set(spec):
    failures.append(f"spec: keys without a sample: {known - set(spec)}")
for path in objects_in(spec):
    check("spec", f"unknown key in {path}", changed(spec, path + ("zzz",), 1), False)


def keys_in(schema):
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        schema = schema.values()
    if not isinstance(schema, (str, int)):
        for part in schema:
            yield from keys_in(part)


# ... and in the manual.
page = (FOLDER / "../../runner/pacewatch-spec.5").read_text()
for key in set(keys_in(SCHEMAS["spec"].schema)):
    if not re.search(rf"^\.(It .*Cm|Ss) {re.escape(key)}\b|dq{key}\\", page, re.M):
        failures.append(f"spec: '{key}' is not in pacewatch-spec(5)")

first = ("scenarios", 0, "endpoints", 0)
SPEC_CASES = [  # path, value, accepted
    (("start",), DROP, False), (("scenarios",), DROP, False), (("scenarios",), [], False),
    (("build",), DROP, True), (("load",), DROP, True), (("checks",), [], True),
    (("version",), 2, False), (("version",), "1", False), (("$schema",), 1, False),
    (("start", "command"), [], False), (("start", "command"), [""], False),
    (("start", "command"), "bin/shop", False), (("start", "command"), ["a", 1], False),
    (("start", "command"), {"sh": ["a"]}, True), (("start", "command"), {"sh": []}, False),
    (("start", "command"), {"sh": ["a"], "x": 1}, False),
    (("start", "env"), {"A": 1}, False), (("start", "env"), {"A=": "1"}, False),
    (("start", "env"), {"": "1"}, False), (("start", "env"), {}, True),
    (("start", "workdir"), "/run", False), (("start", "workdir"), "a/../..", False),
    (("start", "workdir"), "..", False), (("start", "workdir"), "a/..b/c", True),
    (("start", "stop_signal"), "STOP", False), (("start", "stop_signal"), "QUIT", True),
    (("start", "grace"), "5", False), (("start", "grace"), 5, False), (("start", "grace"), "0s", True),
    (("build", "timeout"), "-1s", False), (("build", "timeout"), "1.5m", True),
    (("build", "timeout"), "1,5m", False), (("build", "timeout"), "1h ", False),
    (("ready", "http"), "health", False), (("ready", "http"), "/a b", False),
    (("ready", "http"), "/a\nb", False), (("ready", "tcp"), True, False),
    (("ready", "tcp"), False, True), (("ready",), {"tcp": True}, True),
    (("ready", "status"), 99, False), (("ready", "status"), 599, True),
    (("ready", "status"), 200.5, False),
    (("load", "rate"), "2000", True), (("load", "rate"), 2000, False),
    (("load", "rate"), "2000/d", False), (("load", "arrival"), "even", False),
    (("load", "connections"), 0, False), (("load", "connections"), 50001, False),
    (("load", "pipeline"), 65, False), (("load", "threads"), 64, True),
    (("load", "close"), 1, False), (("load", "protocol"), "http3", False),
    (("load", "think"), 5, False), (("scenarios", 2, "session"), [], False),
    (("scenarios", 2, "session", 0, "weight"), 2, False),
    (("scenarios", 2, "data"), "/etc/passwd", False), (("scenarios", 2, "data"), "a/../..", False),
    (("scenarios", 2, "endpoints"), [{"path": "/"}], False),
    (("scenarios", 0, "name"), "", False), (("scenarios", 0, "name"), "a\nb", False),
    (("scenarios", 1, "name"), DROP, True), (("scenarios", 0, "endpoints"), [], False),
    (first + ("path",), DROP, False), (first + ("path",), "items", False),
    (first + ("path",), "", False), (first + ("method",), "", False),
    (first + ("method",), "GE T", False), (first + ("method",), "PATCH", True),
    (first + ("name",), "", False), (first + ("weight",), 0, False),
    (first + ("weight",), 1000001, False), (first + ("headers",), {"A b": "c"}, False),
    (first + ("headers",), {"A": "b\r\nC: d"}, False), (first + ("headers",), {"A": ""}, True),
    (first + ("body",), "", True), (first + ("body",), None, False),
    (first + ("expect", "status"), 600, False), (first + ("expect", "sha256"), "00", False),
    (("sensitivity", "p99"), 0.05, False), (("sensitivity", "p99"), "5", False),
    (("sensitivity", "rounds", "least"), 9, False), (("sensitivity", "rounds", "most"), 501, False),
    (("checks", 0, "metric"), "p98", False), (("checks", 0, "metric"), DROP, False),
    (("checks", 0, "max"), DROP, False), (("checks", 0, "max"), 5, False),
    (("checks", 0, "scenario"), DROP, True), (("confirm", "reruns"), 4, False),
    (("confirm", "reruns"), 0, True), (("triggers", "branches"), "main", False),
    (("triggers", "branches"), [1], False), (("report", "when"), "never", False),
    (("report", "gate"), "yes", False), (("limits", "memory"), "1GB", True),
    (("limits", "memory"), "1G", False), (("limits", "tasks"), 0, False),
    (("ignore", 0, "reason"), DROP, False), (("ignore", 0, "until"), "2026-13-01", False),
    (("ignore", 0, "until"), "soon", False), (("ignore", 0, "metric"), "x", False),
]
for path, value, accepted in SPEC_CASES:
    check("spec", f"{path} = {value}", changed(spec, path, value), accepted)

SPEC_READER_ONLY = [  # what a schema cannot say, or says less exactly
    (("checks", 0, "scenario"), "nowhere"), (("ignore", 0, "scenario"), "nowhere"),
    (("checks", 0, "max"), "5%"), (("load", "rate"), "0/s"), (("limits", "memory"), "1B"),
    (("sensitivity", "p99"), "0%"), (("start", "grace"), "61s"),
    (("scenarios", 2), spec["scenarios"][0]), (first + ("path",), "/{random:9:1}"), (("scenarios", 0, "load"), {"rate": "9/s", "think": "1s"}),
]
for path, value in SPEC_READER_ONLY:
    check("spec", f"{path} = {value}", changed(spec, path, value), False, by_schema=True)

JOB_CASES = [
    (("job",), 0, False), (("job",), DROP, False), (("attempt",), 1001, False),
    (("kind",), "", False), (("kind",), "0123456789abcdef", False), (("kind",), DROP, False),
    (("seed",), -1, False), (("seed",), 2**63 - 1, True), (("seed",), 2**63, False),
    (("seed",), DROP, False), (("base",), None, True), (("base",), DROP, True),
    (("base",), [], False), (("head",), None, False), (("head",), DROP, False),
    (("head", "sha"), "xyz", False), (("head", "sha"), "a" * 64, True),
    (("head", "sha"), "a" * 41, False), (("head", "tree"), DROP, False),
    (("rounds",), 0, False), (("rounds",), 1001, False), (("aa_rounds",), -1, False),
    (("sandbox",), 1, False), (("sandbox",), DROP, False), (("build_network",), None, False),
    (("beat_every_ns",), 1, False), (("beat_every_ns",), DROP, True), (("spec",), DROP, False),
    (("spec",), {}, False), (("something_newer",), 1, True),
]
for path, value, accepted in JOB_CASES:
    check("job", f"{path} = {value}", changed(job, path, value), accepted)
check("job", "more A/A rounds than rounds", changed(job, ("aa_rounds",), 31), False, by_schema=True)
check("job", "looks that go down", changed(job, ("looks",), [15, 10]), False, by_schema=True)
check("job", "a look at the end", changed(job, ("looks",), [30]), False, by_schema=True)
check("job", "a spec that is none", changed(job, ("spec",), "{}"), False, by_schema=True)

arm = ("rounds", 0, "arms", 0)
RESULT_CASES = [
    (("job",), DROP, False), (("attempt",), 0, False), (("outcome",), "slower", False),
    (("outcome",), "failed", False), (("failure",), {"class": "build", "text": ""}, False),
    (("failure",), DROP, True), (("started_ms",), -1, False), (("host",), None, False),
    (("host",), "x" * 256, False), (("artifacts",), DROP, False), (("artifacts", "base"), None, True),
    (("artifacts", "base"), DROP, True), (("artifacts", "base"), 7, False),
    (("artifacts", "base", "digest"), "00", False), (("artifacts", "base", "cached"), 1, False),
    (("identity", "cpu_model"), 1, False), (("identity",), {}, True), (("noise", "x"), None, True),
    (("noise", "x"), "1", False), (("rounds",), [], True), (("rounds",), {}, False),
    (("rounds", 0, "kind"), "abba", False), (("rounds", 0, "void"), "a reason", True),
    (("rounds", 0, "void"), DROP, True), (("rounds", 0, "void"), True, False),
    (("rounds", 0, "n"), DROP, False), (arm + ("side",), "tail", False),
    (arm + ("copy",), 3, False), (arm + ("place",), -1, False), (arm + ("gauges",), [], False),
    (arm + ("samples",), DROP, False), (arm + ("hists",), {}, False),
    (arm + ("samples", 0, "metric"), "p98", False), (arm + ("samples", 0, "value"), -1, False),
    (arm + ("samples", 0, "value"), None, False), (arm + ("samples", 0, "endpoint"), -2, False),
    (arm + ("hists", 0, "hist"), "a*b=", False), (arm + ("hists", 0, "count"), -1, False),
    (("something_newer",), 1, True),
]
for path, value, accepted in RESULT_CASES:
    check("result", f"{path} = {value}", changed(result, path, value), accepted)
for path, value in [
    (("rounds", 0, "n"), 2), (arm + ("place",), 1), (arm + ("copy",), 1),
    (arm + ("samples", 0, "scenario"), 9), (arm + ("hists", 0, "count"), 1),
    (arm + ("hists", 0, "hist"), "AAAA"),
    (arm + ("samples", 1), result["rounds"][0]["arms"][0]["samples"][0]),
]:
    check("result", f"{path} = {value}", changed(result, path, value), False, by_schema=True)
failed = changed(changed(result, ("outcome",), "failed"), ("rounds",), [])
for failure, accepted in [
    ({"class": "build", "side": "head", "text": "x"}, True),
    ({"class": "infra", "side": None, "text": "x"}, True),
    ({"class": "infra", "text": "x"}, True), ({"class": "none", "text": "x"}, False),
    ({"class": "build", "side": 1, "text": "x"}, False), ({"class": "build"}, False),
    (None, False), ([], False),
]:
    check("result", f"failure = {failure}", changed(failed, ("failure",), failure), accepted)

print("\n".join(failures) or "schemas and readers agree")
sys.exit(1 if failures else 0)
