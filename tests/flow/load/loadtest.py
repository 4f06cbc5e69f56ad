# SPDX-License-Identifier: MIT
"""What the flow tests of the load generator share: starting servers, running the program."""

import json
import os
import resource
import subprocess
import sys

BIN = os.environ.get("PACEWATCH_BIN", "")
HERE = os.path.dirname(os.path.abspath(__file__))
LOAD = os.path.join(BIN, "pacewatch-load")
ENGINE = os.environ.get("LOAD_ENGINE", "auto")
SOURCE = os.environ.get("PACEWATCH_SOURCE", os.path.join(HERE, "..", "..", ".."))
RUN_LIMIT_S = 120


def validate(document, name):
    """Against the schema of that name in schema/contract; without python3-jsonschema not at all."""
    try:
        import jsonschema
    except ImportError:
        return
    folder = os.path.realpath(os.path.join(SOURCE, "schema", "contract"))

    def read(uri):
        with open(os.path.join(folder, os.path.basename(uri)), encoding="utf-8") as text:
            return json.load(text)

    schema = read(f"{name}.schema.json")
    resolver = jsonschema.RefResolver(f"file://{folder}/", schema, handlers={"file": read,
                                                                            "https": read})
    jsonschema.Draft202012Validator(schema, resolver=resolver).validate(document)


def sample(name):
    path = os.path.join(SOURCE, "schema", "contract", f"{name}.sample.json")
    with open(path, encoding="utf-8") as text:
        return json.load(text)


class Server:
    """A server program that says its ports in its first line."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        self.ports = [int(word) for word in words if word.isdigit()]

    def url(self, path="/", index=0):
        return f"http://127.0.0.1:{self.ports[index]}{path}"

    def stop(self):
        """Ends it and returns what else it said."""
        self.process.terminate()
        said, _ = self.process.communicate(timeout=RUN_LIMIT_S)
        return said


def hostile(*tls_files):
    return Server(sys.executable, os.path.join(HERE, "hostile_server.py"), *tls_files)


def bench_server(*options):
    return Server(os.path.join(BIN, "load_server"), *options)


class Run:
    """One run: exit status, standard error, the result document or None, peak memory in bytes."""

    def __init__(self, *argv):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = subprocess.run([LOAD, "--json", "-", "--engine", ENGINE, *map(str, argv)], capture_output=True,
                              text=True, timeout=RUN_LIMIT_S, check=False)
        self.status = done.returncode
        self.stderr = done.stderr
        self.result = json.loads(done.stdout) if done.stdout else None
        self.peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024

    def errors(self):
        """{"head malformed": 3}"""
        return {f"{phase} {cause}": error["count"]
                for phase, causes in self.result["errors"].items()
                for cause, error in causes.items()}
