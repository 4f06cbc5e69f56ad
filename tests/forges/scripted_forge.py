"""A forge that plays a script: it speaks the minimal API of one kind of forge over real HTTP,
keeps comments, statuses and check runs, refuses every request that its OpenAPI file does not
allow, and does on demand what real forges have been seen to do wrong.

    scripted_forge.py KIND

KIND: github, gitlab, gitea, bitbucket or bitbucket-server; '+app' behind github: only an App may
speak. Prints its port, ends when its standard input does. Besides the API:

    PUT  /_script   a JSON list of faults, each {"on": "comment_post", "do": "500-stored",
                    "times": 1}; see FAULTS
    PUT  /_comment  {"author", "body"}: somebody writes a comment
    PUT  /_edit     {"body"}: the author of the newest one writes it anew
    PUT  /_delete   {"id"}: somebody deletes one
    PUT  /_mr       {"number", "head", "open", "draft", "fork", "target"}: how it is now
    GET  /_state    comments, statuses, checks, every request and what was wrong with it
"""
import base64
import json
import os
import re
import socket
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema

KIND, _, EXTRA = sys.argv[1].partition("+")
AS_APP = EXTRA == "app"
HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "s3cret-token"
LONG_TOKEN = "ghs_" + "x" * 2000  # tokens of Apps have no fixed size
# Of the merge request; its head's short form is what Bitbucket Cloud tells.
mr = {"number": 12, "head": "c9" + 38 * "0", "open": True, "draft": False, "fork": True,
      "target": "main"}
US, OWNER, OUTSIDER = 7, 1, 3
NAMES = {US: "pacewatch", OWNER: "alice", OUTSIDER: "mallory"}
ROLES = {US: "write", OWNER: "admin", OUTSIDER: "read"}

lock = threading.Lock()
comments, statuses, checks, requests, faults = [], [], [], [], []
next_id = [100]


def now(later_s=0):
    t = time.time() + later_s
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + "Z"


# --- what may be asked --------------------------------------------------------------------------

with open(f"{HERE}/{KIND}.openapi.json", encoding="utf-8") as f:
    API = json.load(f)
ROOT = API["servers"][0]["url"]


def operations():
    for path, methods in API["paths"].items():
        pattern = re.compile("^" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path) + "$")
        for method, op in methods.items():
            yield method.upper(), pattern, op


OPERATIONS = list(operations())


def find(method, path):
    """The operation and its path parameters; None when the forge has no such thing."""
    if not path.startswith(ROOT):
        return None
    for m, pattern, op in OPERATIONS:
        found = pattern.match(path[len(ROOT):])
        if m == method and found:
            return op, {k: urllib.parse.unquote(v) for k, v in found.groupdict().items()}
    return None


def validate(schema, value):
    jsonschema.Draft7Validator({**schema, "components": API.get("components", {})}).validate(value)


def check_request(op, query, body, headers):
    known = {p["name"]: p.get("schema", {}) for p in op.get("parameters", [])}
    for name, value in query.items():
        if name not in known:
            raise jsonschema.ValidationError(f"no query parameter '{name}'")
        validate(known[name], value)
    if "requestBody" in op:
        if headers.get("Content-Type") != "application/json":
            raise jsonschema.ValidationError("the content type is wrong")
        validate(op["requestBody"]["content"]["application/json"]["schema"], json.loads(body))


def authorized(op, headers):
    given = headers.get("Authorization", "")
    if AS_APP and op["operationId"] in ("app", "app_token"):
        return re.fullmatch(r"Bearer [\w-]+\.[\w-]+\.[\w-]+", given) and is_signed(given[7:])
    token = LONG_TOKEN if AS_APP else TOKEN
    if KIND == "gitlab":
        return headers.get("PRIVATE-TOKEN") == token
    return given == ("token " if KIND == "gitea" else "Bearer ") + token


def is_signed(jwt):
    """Times only; the signature itself is checked by the unit test with the public key."""
    claims = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
    return claims["iat"] <= time.time() and time.time() < claims["exp"] <= time.time() + 600


# --- documents ----------------------------------------------------------------------------------


def user(uid):
    name = NAMES[uid] + ("[bot]" if AS_APP and uid == US else "")
    if KIND == "gitlab":
        return {"id": uid, "username": name, "bot": False, "state": "active"}
    if KIND == "bitbucket":
        return {"account_id": f"557058:{uid}", "nickname": name, "type": "user"}
    if KIND == "bitbucket-server":
        return {"id": uid, "name": name, "slug": name, "type": "NORMAL"}
    return {"id": uid, "login": name, "type": "Bot" if AS_APP and uid == US else "User"}


def by_name(name):
    for uid in NAMES:
        if user(uid).get("login", user(uid).get("username", user(uid).get("name"))) == name:
            return uid
    return None


def comment_doc(c):
    if KIND == "gitlab":
        return {"id": c["id"], "body": c["body"], "author": user(c["author"]), "system": False,
                "created_at": c["created"], "updated_at": c["updated"]}
    if KIND == "bitbucket":
        return {"id": c["id"], "content": {"raw": c["body"]}, "user": user(c["author"]),
                "deleted": False, "created_on": c["created"], "updated_on": c["updated"]}
    if KIND == "bitbucket-server":
        return {"id": c["id"], "version": c["version"], "text": c["body"],
                "author": user(c["author"])}
    return {"id": c["id"], "body": c["body"], "user": user(c["author"]),
            "created_at": c["created"], "updated_at": c["updated"]}


def mr_doc():
    head, source = mr["head"], 2 if mr["fork"] else 1
    if KIND == "gitlab":
        return {"iid": mr["number"], "sha": head, "target_branch": mr["target"],
                "draft": mr["draft"],
                "state": "opened" if mr["open"] else "closed",
                "source_project_id": source, "target_project_id": 1, "author": user(OUTSIDER),
                "labels": ["pacewatch", "slow?"]}
    if KIND == "bitbucket":
        return {"id": mr["number"], "state": "OPEN" if mr["open"] else "DECLINED",
                "draft": mr["draft"], "author": user(OUTSIDER),
                "source": {"commit": {"hash": head[:12]},
                           "repository": {"uuid": "{%d}" % source, "full_name": "mallory/shop"}},
                "destination": {"branch": {"name": mr["target"]}, "repository": {"uuid": "{1}"}}}
    if KIND == "bitbucket-server":
        return {"id": mr["number"], "state": "OPEN" if mr["open"] else "DECLINED",
                "author": {"user": user(OUTSIDER)},
                "fromRef": {"latestCommit": head, "repository": {"id": source}},
                "toRef": {"displayId": mr["target"], "repository": {"id": 1}}}
    return {"number": mr["number"], "state": "open" if mr["open"] else "closed",
            "draft": mr["draft"], "user": user(OUTSIDER),
            "head": {"sha": head, "repo": {"id": source, "full_name": "mallory/shop"}},
            "base": {"ref": mr["target"], "repo": {"id": 1}}, "labels": [{"name": "pacewatch"},
                                                                   {"name": "slow?"}]}


def role_doc(params, query):
    if KIND == "gitlab":
        levels = {"read": 20, "write": 30, "admin": 40}
        uid = int(params["user"])
        return {**user(uid), "access_level": levels[ROLES[uid]]} if uid in ROLES else None
    if KIND == "bitbucket":
        uid = int(query["q"].split(":")[1].rstrip('"'))
        return {"values": [{"permission": ROLES[uid], "user": user(uid)}] if uid in ROLES else []}
    if KIND == "bitbucket-server":
        uid = by_name(query["filter"])
        word = "REPO_" + ROLES[uid].upper() if uid else ""
        return {"values": [{"permission": word, "user": user(uid)}] if uid else []}
    uid = by_name(params["login"])
    return {"permission": ROLES[uid], "user": user(uid)} if uid else None


# --- operations: each returns (status, document) -------------------------------------------------


def listed(query):
    page, size = int(query.get("page", 1)), int(query.get("per_page", query.get("pagelen", 100)))
    rows = [comment_doc(c) for c in comments]
    if KIND in ("gitlab", "bitbucket"):
        rows.reverse()
    if KIND == "bitbucket-server":
        start, limit = int(query["start"]), int(query["limit"])
        rows = [{"action": "COMMENTED", "comment": r} for r in reversed(rows)]
        rows.insert(0, {"action": "OPENED"})
        return {"values": rows[start:start + limit], "isLastPage": start + limit >= len(rows)}
    if KIND != "gitea":
        rows = rows[(page - 1) * size:page * size]
    return {"values": rows} if KIND == "bitbucket" else rows


def body_of(doc):
    return doc["content"]["raw"] if KIND == "bitbucket" else doc.get("body", doc.get("text"))


def add_comment(author, body):
    next_id[0] += 1
    at = now()
    comments.append({"id": next_id[0], "author": author, "body": body, "created": at,
                     "updated": at, "version": 0, "edits": 0})
    return comments[-1]


def change_comment(c, body):
    c.update(body=body, updated=now(1), version=c["version"] + 1, edits=c["edits"] + 1)


def edit_comment(c, doc):
    if c["author"] != US:
        return 403, {"message": "not yours"}
    if KIND == "bitbucket-server" and doc["version"] != c["version"]:
        return 409, {"errors": [{"message": "out of date"}]}
    change_comment(c, body_of(doc))
    return 200, comment_doc(c)


def put_check(doc, params):
    if "id" in params:
        check = next((c for c in checks if c["id"] == int(params["id"])), None)
        if not check:
            return 404, {}
    else:
        next_id[0] += 1
        check = {"id": next_id[0]}
        checks.append(check)
    if "conclusion" in doc:
        doc["status"] = "completed"
    check.update(doc)
    return (200 if "id" in params else 201), check


def operate(name, params, query, doc):
    if name.startswith("comment_") and "id" in params:
        c = next((c for c in comments if c["id"] == int(params["id"])), None)
        if not c:
            return 404, {"message": "no such comment"}
        return (200, comment_doc(c)) if name == "comment_get" else edit_comment(c, doc)
    if "number" in params and int(params["number"]) != mr["number"]:
        return (500 if KIND == "gitea" else 404), {"message": "no such merge request"}
    if name in ("role", "role_above"):
        found = role_doc(params, query) if name == "role" else {"values": []}
        return (200, found) if found else (404, {"message": "Not Found"})
    if name == "status_put":
        statuses.append({**doc, "sha": params["sha"]})
        return 201, {"id": 1}
    simple = {
        "whoami": lambda: (200, user(US)),
        "app": lambda: (200, {"slug": "pacewatch"}),
        "app_token": lambda: (201, {"token": LONG_TOKEN, "expires_at": "2030-01-01T00:00:00Z"}),
        "user": lambda: (200, user(US)),
        "user_list": lambda: (200, [user(by_name(query["username"]))]
                              if by_name(query["username"]) else []),
        "repo": lambda: (200, {"owner": user(OWNER)}),
        "commit": lambda: (200, {"hash": mr["head"]}),
        "mr": lambda: (200, mr_doc()),
        "comment_list": lambda: (200, listed(query)),
        "comment_post": lambda: (201, comment_doc(add_comment(US, body_of(doc)))),
        "check_list": lambda: (200, {"check_runs": checks}),
        "check_post": lambda: put_check(doc, params),
        "check_edit": lambda: put_check(doc, params),
    }
    return simple[name]()


# --- what goes wrong -----------------------------------------------------------------------------

# name: (is it done?, status or None for a cut connection, headers, document)
FAULTS = {
    "500": (False, 500, {}, {"message": "oops"}),
    "500-stored": (True, 500, {}, {"message": "oops"}),
    "502-stored": (True, 502, {}, "<html>bad gateway</html>"),
    "cut": (False, None, {}, None),
    "cut-stored": (True, None, {}, None),
    "slow-stored": (True, "slow", {}, None),
    "stall": (False, "slow", {}, None),
    "garbage-stored": (True, 201, {}, "<html>hello</html>"),
    "429": (False, 429, {"Retry-After": "300"}, {"message": "slow down"}),
    "429-bare": (False, 429, {}, {"message": "slow down"}),
    "403-spent": (False, 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "+120"},
                  {"message": "API rate limit exceeded"}),
    "403-secondary": (False, 403, {}, {"message": "You have exceeded a secondary rate limit"}),
    "403": (False, 403, {}, {"message": "Resource not accessible"}),
    "401": (False, 401, {}, {"message": "Bad credentials"}),
    "404": (False, 404, {}, {"message": "Not Found"}),
    "410": (False, 410, {}, {"message": "Gone"}),
    "409": (False, 409, {}, {"message": "Another update to this commit status is in progress"}),
    "422": (False, 422, {}, {"message": "Validation Failed"}),
    "301": (False, 301, {"Location": "http://127.0.0.1:1/stolen"}, {"message": "Moved"}),
    "400-transition": (False, 400, {}, {"message":
                       "Cannot transition status via :enqueue from :pending"}),
    "400-blocked": (False, 400, {}, {"message":
                    "target_url is blocked: Host cannot be resolved"}),
}


def fault_for(name):
    for f in faults:
        if f["on"] == name and f.get("times", 1) > 0:
            f["times"] = f.get("times", 1) - 1
            return FAULTS[f["do"]]
    return None


class Forge(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, doc, headers=None):
        text = (doc if isinstance(doc, str) else json.dumps(doc)).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value.startswith("+"):
                value = str(int(time.time()) + int(value[1:]))
            self.send_header(name, value)
        if KIND == "github":  # a link to elsewhere that nobody may follow
            self.send_header("Link", '<http://127.0.0.1:1/stolen?page=2>; rel="next"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def control(self, what, body):
        doc = json.loads(body) if body else None
        if what == "/_script":
            faults[:] = doc
        elif what == "/_comment":
            add_comment(doc["author"], doc["body"])
        elif what == "/_edit":
            change_comment(comments[-1], doc["body"])
        elif what == "/_mr":
            mr.update(doc)
        elif what == "/_delete":
            comments[:] = [c for c in comments if c["id"] != doc["id"]]
        self.answer(200, {"comments": comments, "statuses": statuses, "checks": checks,
                          "requests": requests})

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path, _, text = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(text))
        with lock:
            if path.startswith("/_"):
                self.control(path, body)
                return
            self.play(path, query, body)

    def play(self, path, query, body):
        note = {"call": f"{self.command} {self.path}", "op": None, "wrong": None}
        requests.append(note)
        found = find(self.command, path)
        if not found:
            note["wrong"] = "no such call"
            self.answer(404, {"message": "Not Found"})
            return
        op, params = found
        note["op"] = op["operationId"]
        if not authorized(op, self.headers):
            note["wrong"] = "not authorized"
            self.answer(401, {"message": "Bad credentials"})
            return
        try:
            check_request(op, query, body, self.headers)
        except (jsonschema.ValidationError, ValueError) as e:
            note["wrong"] = str(e).splitlines()[0]
            self.answer(422, {"message": note["wrong"]})
            return
        self.perform(op["operationId"], params, query, json.loads(body) if body else None)

    def perform(self, name, params, query, doc):
        fault = fault_for(name)
        if fault:
            done, status, headers, text = fault
            if done:
                operate(name, params, query, doc)
            if status is None:
                self.cut()
            elif status == "slow":
                time.sleep(3)
                self.cut()
            else:
                self.answer(status, text, headers)
            return
        self.answer(*operate(name, params, query, doc))

    do_GET = do_POST = do_PUT = do_PATCH = serve


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # peers may be killed at any moment
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Forge)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
