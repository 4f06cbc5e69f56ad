/* SPDX-License-Identifier: MIT */
/*
 * spec_services: the 'services' of a spec: what the service under test needs beside it.
 *
 * The key is the service's name. 'postgres' is PostgreSQL, which the runner sets up by itself;
 * any other name is a command that stays. Both arms get the same ones, in the order written.
 */
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "spec_parts.h"

enum { NAME_MAX_BYTES = 24, SOCKET_MAX_BYTES = 64, VERSION_MIN = 10, VERSION_MAX = 99 };

#define MEMORY_DEFAULT (INT64_C(512) << 20)
#define MEMORY_LEAST   (INT64_C(16) << 20)

static int read_common(const struct json_doc *doc, const struct json *o, struct spec_service *s,
                       struct err *e)
{
    if (json_read_duration(doc, o, "timeout", false, 10 * CLOCK_NS_PER_MS,
                           3600 * CLOCK_NS_PER_S, &s->timeout_ns, e) < 0 ||
        json_read_size(doc, o, "memory", false, &s->memory, e) < 0 ||
        json_read_bool(doc, o, "count_cpu", false, &s->count_cpu, e) < 0)
        return -1;
    if (s->memory < MEMORY_LEAST)
        return json_fail(doc, json_get(o, "memory"), e, "'memory' must be at least 16MiB");
    return 0;
}

/* Each becomes an argument 'name=value' of the server. */
static int check_settings(const struct json_doc *doc, const struct json *o,
                          const struct spec_service *s, struct err *e)
{
    for (size_t i = 0; i < s->settings.len; i++)
        if (!spec_is_name(s->settings.at[i].name, NAME_MAX_BYTES * 2) ||
            spec_has_control(s->settings.at[i].value))
            return json_fail(doc, json_get(o, "settings"), e,
                             "'%s' in 'settings' is no setting of PostgreSQL",
                             s->settings.at[i].name);
    return 0;
}

static int read_postgres(const struct json_doc *doc, const struct json *o,
                         struct spec_service *s, struct err *e)
{
    static const char *const keys[] = {"version", "seed",   "database",  "settings",
                                       "timeout", "memory", "count_cpu", NULL};
    s->postgres = true;
    s->version = 15;
    s->database = mem_strdup("app");
    if (json_only_keys(doc, o, "postgres", keys, e) < 0 ||
        json_read_int(doc, o, "version", false, VERSION_MIN, VERSION_MAX, &s->version, e) < 0 ||
        spec_read_string(doc, o, "seed", false, &s->seed, e) < 0 ||
        spec_read_string(doc, o, "database", false, &s->database, e) < 0 ||
        spec_read_pairs(doc, o, "settings", &s->settings, e) < 0)
        return -1;
    if (s->seed && (!s->seed[0] || !spec_is_inside(s->seed)))
        return json_fail(doc, json_get(o, "seed"), e,
                         "'seed' must be a file inside the repository");
    if (!spec_is_name(s->database, NAME_MAX_BYTES))
        return json_fail(doc, json_get(o, "database"), e,
                         "'database' must be a name of at most %d letters, digits, '_'",
                         NAME_MAX_BYTES);
    return check_settings(doc, o, s, e);
}

static int read_service_ready(const struct json_doc *doc, const struct json *o,
                              struct spec_service *s, struct err *e)
{
    static const char *const keys[] = {"tcp", "socket", NULL};
    const struct json *ready = NULL;
    if (json_read_member(doc, o, "ready", true, JSON_OBJECT, &ready, e) < 0 ||
        json_only_keys(doc, ready, "ready", keys, e) < 0 ||
        json_read_int(doc, ready, "tcp", false, 1, 65535, &s->tcp_port, e) < 0 ||
        spec_read_string(doc, ready, "socket", false, &s->socket, e) < 0)
        return -1;
    if (!s->tcp_port == !s->socket)
        return json_fail(doc, ready, e,
                         "'ready' of a service takes 'tcp' (a port) or 'socket' (a name)");
    if (s->socket && !spec_is_name(s->socket, SOCKET_MAX_BYTES))
        return json_fail(doc, json_get(ready, "socket"), e,
                         "'socket' must be a file name: the socket's in $PACEWATCH_SERVICES");
    return 0;
}

static int read_command(const struct json_doc *doc, const struct json *o,
                        struct spec_service *s, struct err *e)
{
    static const char *const keys[] = {"start",   "env",    "ready",     "version",
                                       "timeout", "memory", "count_cpu", NULL};
    if (json_only_keys(doc, o, s->name, keys, e) < 0 ||
        spec_read_command(doc, o, "start", true, &s->command, e) < 0 ||
        spec_read_command(doc, o, "version", false, &s->version_command, e) < 0 ||
        spec_read_pairs(doc, o, "env", &s->env, e) < 0)
        return -1;
    return read_service_ready(doc, o, s, e);
}

int spec_read_services(const struct json_doc *doc, const struct json *root, struct spec *s,
                       struct err *e)
{
    const struct json *map = NULL;
    if (json_read_member(doc, root, "services", false, JSON_OBJECT, &map, e) < 0)
        return -1;
    size_t n = map ? json_count(map) : 0;
    if (n > SPEC_SERVICES_MAX)
        return json_fail(doc, map, e, "more than %d services", SPEC_SERVICES_MAX);
    s->services = mem_zero(n + 1, sizeof *s->services);
    for (const struct json *v = json_first(map); v; v = json_next(v)) {
        struct spec_service *one = &s->services[s->services_len++];
        one->timeout_ns = 30 * CLOCK_NS_PER_S;
        one->memory = MEMORY_DEFAULT;
        one->name = mem_strdup(json_key(v));
        if (!spec_is_name(one->name, NAME_MAX_BYTES))
            return json_fail(doc, v, e,
                             "a service's name has at most %d letters, digits, '_', '.', '-'",
                             NAME_MAX_BYTES);
        if (json_type(v) != JSON_OBJECT)
            return json_fail(doc, v, e, "service '%s' must be an object", one->name);
        bool postgres = strcmp(one->name, "postgres") == 0;
        if ((postgres ? read_postgres(doc, v, one, e) : read_command(doc, v, one, e)) < 0 ||
            read_common(doc, v, one, e) < 0)
            return -1;
    }
    return 0;
}

void spec_services_done(struct spec *s)
{
    for (size_t i = 0; i < s->services_len; i++) {
        struct spec_service *one = &s->services[i];
        free(one->name);
        free(one->seed);
        free(one->database);
        free(one->socket);
        spec_pairs_done(&one->settings);
        spec_pairs_done(&one->env);
        spec_command_done(&one->command);
        spec_command_done(&one->version_command);
    }
    free(s->services);
    s->services = NULL;
    s->services_len = 0;
}

/* --- writing ---------------------------------------------------------------------------------
 */

static void write_postgres(struct jw *w, const struct spec_service *s)
{
    jw_int(w, "version", s->version);
    if (s->seed)
        jw_text(w, "seed", s->seed);
    jw_text(w, "database", s->database);
    spec_write_pairs(w, "settings", &s->settings);
}

static void write_command(struct jw *w, const struct spec_service *s)
{
    spec_write_command(w, "start", &s->command);
    spec_write_pairs(w, "env", &s->env);
    jw_object(w, "ready");
    if (s->socket)
        jw_text(w, "socket", s->socket);
    else
        jw_int(w, "tcp", s->tcp_port);
    jw_end(w);
    if (s->version_command.argc)
        spec_write_command(w, "version", &s->version_command);
}

void spec_write_services(struct jw *w, const struct spec *s)
{
    if (!s->services_len)
        return;
    jw_object(w, "services");
    for (size_t i = 0; i < s->services_len; i++) {
        const struct spec_service *one = &s->services[i];
        jw_object(w, one->name);
        if (one->postgres)
            write_postgres(w, one);
        else
            write_command(w, one);
        spec_write_duration(w, "timeout", one->timeout_ns);
        spec_write_size(w, "memory", one->memory);
        jw_bool(w, "count_cpu", one->count_cpu);
        jw_end(w);
    }
    jw_end(w);
}
