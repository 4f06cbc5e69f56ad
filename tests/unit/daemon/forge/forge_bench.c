/* SPDX-License-Identifier: MIT */
/* forge_bench: see forge_bench.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client.h"
#include "clock.h"
#include "fdio.h"
#include "forge_bench.h"

#define PATIENCE_NS (20 * CLOCK_NS_PER_S)

static void make_key(const char *path)
{
    AUTO(str_done) struct str command = STR_INIT(512);
    str_addf(&command, "umask 077; openssl genrsa -out %s 2048 2>/dev/null", path);
    assert_int_equal(system(str_text(&command)), 0);
}

static void set_options(struct forge_bench *b, const char *kind, bool app)
{
    struct forge_options *o = &b->options;
    assert_true(forge_kind_of(kind, &o->kind));
    o->project = "acme/shop";
    o->deadline_ns = PATIENCE_NS;
    if (o->kind == FORGE_GITHUB)
        o->api_url = b->url;
    else
        o->url = b->url;
    if (o->kind == FORGE_BITBUCKET_SERVER)
        o->user = "pacewatch";
    if (!app) {
        o->token_file = b->token;
        return;
    }
    make_key(b->key);
    o->app_id = "4711";
    o->app_installation = "815";
    o->app_key_file = b->key;
}

void forge_bench_open(struct forge_bench *b, const char *kind)
{
    struct view name, rest;
    AUTO(str_done) struct str plain = STR_INIT(64);
    struct err e = {0};
    *b = (struct forge_bench){.dir = "/tmp/pacewatch-forge-XXXXXX"};
    bool app = view_cut(view_z(kind), '+', &name, &rest);
    str_add(&plain, name);
    receiver_start_with(&b->server, SCRIPTED_FORGE, kind);
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d", b->server.port);
    snprintf(b->token, sizeof b->token, "%s/token", b->dir);
    snprintf(b->key, sizeof b->key, "%s/key.pem", b->dir);
    assert_int_equal(fdio_write_file(b->token, VIEW(BENCH_TOKEN "\n"), 0600, NULL), 0);
    set_options(b, str_text(&plain), app);
    if (forge_open(&b->options, &b->forge, &e) < 0)
        fail_msg("%s", e.text);
}

void forge_bench_close(struct forge_bench *b)
{
    forge_closep(&b->forge);
    receiver_stop(&b->server);
    (void)fdio_remove_tree(b->dir, NULL);
}

static struct json_doc *ask(struct forge_bench *b, const char *method, const char *path,
                            struct view body)
{
    AUTO(client_answer_done)
    struct client_answer answer = {.budget = -1, .body = STR_INIT(16 << 20)};
    AUTO(str_done) struct str url = STR_INIT(256);
    struct json_doc *doc = NULL;
    struct err e = {0};
    str_addf(&url, "%s%s", b->url, path);
    struct client_request request = {.method = method,
                                     .url = str_text(&url),
                                     .body = body,
                                     .deadline_ns = clock_now_ns() + PATIENCE_NS,
                                     .allow_http = true,
                                     .allow_private = true};
    if (client_send(&request, &answer, &e) < 0 ||
        json_parse(str_view(&answer.body), &JSON_DELIVERY, &doc, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(answer.status, 200);
    return doc;
}

void forge_bench_put(struct forge_bench *b, const char *path, const char *json)
{
    AUTO(json_freep) struct json_doc *doc = ask(b, "PUT", path, view_z(json));
    assert_non_null(doc);
}

void forge_bench_fault(struct forge_bench *b, const char *operation, const char *fault)
{
    AUTO(str_done) struct str json = STR_INIT(256);
    str_addf(&json, "[{\"on\": \"%s\", \"do\": \"%s\"}]", operation, fault);
    forge_bench_put(b, "/_script", str_text(&json));
}

struct json_doc *forge_bench_state(struct forge_bench *b)
{
    return ask(b, "GET", "/_state", (struct view){0});
}

size_t forge_bench_count(struct forge_bench *b, const char *list)
{
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(b);
    return json_count(json_get(json_root(doc), list));
}

size_t forge_bench_calls(struct forge_bench *b, const char *operation)
{
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(b);
    size_t n = 0;
    const struct json *requests = json_get(json_root(doc), "requests");
    for (const struct json *r = json_first(requests); r; r = json_next(r)) {
        const struct json *op = json_get(r, "op");
        n += json_type(op) == JSON_STRING && view_eqz(json_text(op), operation);
    }
    return n;
}

void forge_bench_check(struct forge_bench *b)
{
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(b);
    const struct json *requests = json_get(json_root(doc), "requests");
    for (const struct json *r = json_first(requests); r; r = json_next(r))
        if (json_type(json_get(r, "wrong")) != JSON_NULL)
            fail_msg("%s: %s", json_text(json_get(r, "call")).at,
                     json_text(json_get(r, "wrong")).at);
}
