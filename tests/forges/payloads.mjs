/* SPDX-License-Identifier: MIT */
/*
 * Sends GitHub's own example payloads to a real daemon, signed by GitHub's own library, and some
 * that the examples lack: a merge request of a fork, a command in a comment, a forced push.
 *
 *     node payloads.mjs URL SECRET        in a folder with the two packages; see payloads.sh
 *
 * Every one that is signed must be answered with 202 and one of three words, every one that is
 * not with 401. Prints counts and the slowest answer.
 */
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [url, secret] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), "package.json"));
const methods = "node_modules/@octokit/webhooks-methods";
const { exports } = require("./" + join(methods, "package.json"));
const { sign, verify } = await import(
    pathToFileURL(join(process.cwd(), methods, exports["."].node.import)));
const events = require("@octokit/webhooks-examples");
const counts = new Map();
let slowest = 0, wrong = 0;

function complain(...words) {
    wrong++;
    console.error("WRONG", ...words);
}

async function send(event, body, signature) {
    const began = performance.now();
    const answer = await fetch(url, {
        method: "POST",
        body,
        headers: {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": randomUUID(),
            ...(signature === undefined ? {} : { "x-hub-signature-256": signature }),
        },
    });
    const text = await answer.text();
    slowest = Math.max(slowest, performance.now() - began);
    return { status: answer.status, text };
}

async function deliver(event, payload) {
    const body = JSON.stringify(payload);
    const signature = await sign(secret, body);
    if (!(await verify(secret, body, signature))) complain(event, "does not verify itself");
    const { status, text } = await send(event, body, signature);
    const result = status === 202 ? JSON.parse(text).result : "";
    if (status !== 202 || !["accepted", "ignored", "known"].includes(result))
        complain(event, payload.action ?? "", status, text);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    return result;
}

/* One body, seven signatures, only one of which is right. */
async function forge(event, payload) {
    const body = JSON.stringify(payload);
    const good = await sign(secret, body);
    const cases = {
        missing: undefined,
        empty: "",
        "sha1 only": "sha1=" + good.slice(-40),
        "upper case": "sha256=" + good.slice(7).toUpperCase(),
        short: good.slice(0, -2),
        "another secret": await sign(secret + "x", body),
    };
    for (const [name, signature] of Object.entries(cases)) {
        const { status } = await send(event, body, signature);
        if (status !== 401) complain("signature", name, status);
    }
    const { status } = await send(event, body + " ", good);
    if (status !== 401) complain("tampered body", status);
}

function find(name, action) {
    const event = events.find((e) => e.name === name);
    const found = event.examples.find((x) => !action || x.action === action);
    return structuredClone(found);
}

async function expect(result, event, payload, what) {
    const got = await deliver(event, payload);
    if (got !== result) complain(what, got);
}

let payloads = 0;
for (const event of events)
    for (const example of event.examples) {
        await deliver(event.name, example);
        payloads++;
    }
await forge("push", find("push"));

const fork = find("pull_request", "opened");
fork.pull_request.head.repo.id++;
await expect("accepted", "pull_request", fork, "merge request of a fork");
fork.pull_request.head.repo = null;
await expect("accepted", "pull_request", fork, "merge request of a fork that is gone");

const comment = find("issue_comment", "created");
comment.issue.pull_request = { url: "https://api.github.com/repos/x/y/pulls/2" };
comment.comment.body = "/pacewatch bench\n\nplease";
await expect("accepted", "issue_comment", comment, "command in a comment");
comment.action = "edited";
await expect("ignored", "issue_comment", comment, "edited comment");
comment.action = "created";
delete comment.issue.pull_request;
await expect("ignored", "issue_comment", comment, "command on an issue");

const push = find("push");
Object.assign(push, {
    ref: "refs/heads/main", forced: true, created: false, deleted: false,
    before: "1".repeat(40), after: "2".repeat(40),
});
await expect("accepted", "push", push, "forced push");
push.after = push.before;
await expect("ignored", "push", push, "push that moves nothing");

console.log(`${events.length} events, ${payloads} payloads, 7 of our own: ` +
    [...counts].map(([k, n]) => `${n} ${k}`).join(", ") +
    `; 7 bad signatures refused; slowest answer ${slowest.toFixed(1)} ms; ${wrong} wrong`);
process.exit(wrong ? 1 : 0);
