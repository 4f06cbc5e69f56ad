/* SPDX-License-Identifier: MIT */
/*
 * spec: what a repository says about building, starting and loading its service.
 *
 * Read from '.pacewatch.json' at the base commit for both arms, so that a merge request cannot
 * loosen its own limits. JSON with comments; only 'start' and one endpoint are mandatory, all
 * else has a default that spec_explain shows. pacewatch-spec(5) describes every key.
 */
#ifndef CONTRACT_SPEC_H
#define CONTRACT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "errors.h"
#include "json.h"
#include "metric.h"
#include "str.h"

#define SPEC_FILE ".pacewatch.json"

enum {
    SPEC_BYTES_MAX = 256 << 10,
    SPEC_SCENARIOS_MAX = 64,
    SPEC_ENDPOINTS_MAX = 256,
    SPEC_CONNECTIONS_MAX = 50000,
    SPEC_SERVICES_MAX = 4,
    SPEC_AXES_MAX = 4,
    SPEC_VALUES_MAX = 8, /* of an axis */
    SPEC_VARIANTS_MAX = 16,
    SPEC_VARIANT_MAX = 255, /* bytes of a combination's name */
    SPEC_ROUNDS_LEAST = 10, /* with fewer, a family of metrics can claim nothing at 1 % */
    SPEC_LOOKS_MAX = 8,
};

struct spec_pair { /* a header or an environment variable */
    char *name, *value;
};

struct spec_command {
    char **argv; /* ends with NULL; NULL itself when there is no command. {"sh": [lines]} is
                    {"/bin/sh", "-ec", "line 1\nline 2"} */
    size_t argc;
};

struct spec_list { /* of texts */
    char **at;
    size_t len;
};

struct spec_pairs {
    struct spec_pair *at;
    size_t len;
};

struct spec_build {
    struct spec_command command;
    struct spec_pairs env;
    struct spec_list inputs;  /* globs; empty: the whole tree */
    struct spec_list outputs; /* globs that name the artefact; empty: the whole tree */
    int64_t timeout_ns;
};

struct spec_start {
    struct spec_command
        command; /* "$PORT" in an argument is replaced; also in the environment */
    struct spec_pairs env;
    char *workdir; /* below the tree; NULL: its top */
    int stop_signal;
    int64_t grace_ns; /* between stop signal and SIGKILL */
};

struct spec_ready {
    char *http_path; /* probed by GET until it answers 'status' */
    int status;
    bool tcp; /* a connection is enough */
    int64_t timeout_ns;
};

/* What the service under test needs beside it: PostgreSQL, or any command that stays. */
struct spec_service {
    char *name; /* "postgres" is PostgreSQL; any other is a command */
    bool postgres;
    bool count_cpu; /* its CPU time is part of cpu_per_request */
    int64_t timeout_ns, memory;

    int64_t version;            /* PostgreSQL: major */
    char *seed, *database;      /* SQL file in base's tree, or NULL */
    struct spec_pairs settings; /* PostgreSQL: beside ours */

    struct spec_command command, version_command;
    struct spec_pairs env;
    int64_t tcp_port; /* ready when it takes a connection here; 0: */
    char *socket;     /* or on this Unix socket in the shared folder; NULL: */
};

/* One way to start the service; an axis of the matrix has several. */
struct spec_value {
    char *name;
    struct spec_pairs env; /* over those of 'start' */
    struct spec_list args; /* behind those of its command */
};

struct spec_axis {
    char *name;
    struct spec_value *values;
    size_t values_len;
};

/* A combination that is measured. A spec without axes has one, whose name is "". */
struct spec_variant {
    char *name; /* "extensions=on,workers=4" */
    size_t value[SPEC_AXES_MAX];
};

struct spec_expect {
    int status;     /* 200 */
    char *contains; /* substring of the body, NULL: not checked */
    bool has_sha256;
    unsigned char sha256[DIGEST_BYTES]; /* of the body */
};

struct spec_endpoint {
    char *name; /* "GET /items" unless given */
    char *method, *path;
    struct spec_pairs headers;
    char *body; /* NULL: none */
    size_t body_len;
    int64_t weight;
    int64_t think_ns; /* after its answer, before the next request; -1: as the load says */
    struct spec_expect expect;
    bool made; /* path, a header or the body holds a template: no two requests are alike */
};

enum spec_protocol {
    SPEC_HTTP1,
    SPEC_HTTP2,     /* with TLS by ALPN, else expected from the first byte */
    SPEC_WEBSOCKET, /* the body of an endpoint is a message that comes back */
};

enum spec_load_kind { SPEC_CLOSED_LOOP, SPEC_OPEN_LOOP };

struct spec_load {
    enum spec_load_kind kind;
    double rate_rps;     /* open loop: of requests, or of sessions */
    bool poisson;        /* open loop: seeded exponential gaps instead of equal ones */
    int64_t connections; /* closed loop: exactly; open loop: at most */
    int64_t duration_ns; /* measured part of one arm of one round */
    int64_t warmup_ns;   /* before it, thrown away */
    int64_t timeout_ns;  /* of one request */
    int64_t threads;     /* of the generator */
    int64_t pipeline;    /* requests in flight on a connection */
    bool close;          /* one connection per request */
    int64_t think_ns;    /* between an answer and the next request of its connection */
    enum spec_protocol protocol;
};

struct spec_scenario {
    char *name;
    struct spec_endpoint *endpoints;
    size_t endpoints_len;
    char *data;   /* of {csv:COLUMN}: a file inside the tree; NULL: none */
    bool session; /* the endpoints are steps in order on one connection, not a weighted mix */
    struct spec_load load; /* own values over the defaults */
};

/* How the arms of a round stand in time. */
enum spec_pairing {
    SPEC_INTERLEAVED, /* one after the other, each with the whole machine */
    SPEC_DUET,        /* both at once, each on a half of the cores */
    SPEC_PAIRING_AUTO,
    SPEC_PAIRING_COUNT,
};
extern const char *const spec_pairing_names[SPEC_PAIRING_COUNT];

struct spec_sensitivity {
    double least_effect[METRIC_COUNT]; /* relative, 0.05 = 5 % */
    double max_noise;                  /* A/A noise above which the answer is 'undecided' */
    int64_t rounds_least, rounds_most; /* at the first look, and at the last */
    enum spec_pairing pairing;
};

struct spec_check { /* a static limit */
    char *scenario; /* NULL: every one */
    enum metric metric;
    bool has_min, has_max;
    double min, max; /* in the metric's unit */
};

struct spec_triggers {
    struct spec_list branches;   /* globs; empty: as configured at the daemon */
    struct spec_list paths;      /* measured only when one of these changed */
    struct spec_list skip_paths; /* not measured when only these changed */
    bool merge_requests;
};

enum spec_report_when { SPEC_REPORT_ALWAYS, SPEC_REPORT_CHANGES, SPEC_REPORT_CONFIRMED };

struct spec_report {
    enum spec_report_when when;
    bool gate; /* a confirmed regression fails the commit status */
};

struct spec_limits {
    int64_t memory, disk; /* bytes */
    int64_t tasks;
    int64_t wall_ns;    /* of a whole job */
    bool build_network; /* wanted; granted only by the operator */
};

struct spec_ignore {
    char *scenario, *metric; /* NULL: any */
    char *reason;
    char *until; /* YYYY-MM-DD, NULL: for ever */
};

struct spec {
    struct spec_build build;
    struct spec_start start;
    struct spec_ready ready;
    struct spec_service *services; /* in the order of their start */
    size_t services_len;
    struct spec_axis *axes;
    size_t axes_len;
    struct spec_variant *variants; /* at least one */
    size_t variants_len;
    size_t baseline; /* the combination that the others are compared with */
    struct spec_scenario *scenarios;
    size_t scenarios_len;
    struct spec_sensitivity sensitivity;
    struct spec_check *checks;
    size_t checks_len;
    int64_t confirm_reruns; /* 0: a regression is never confirmed by itself */
    struct spec_triggers triggers;
    struct spec_report report;
    struct spec_limits limits;
    struct spec_ignore *ignores;
    size_t ignores_len;
};

/* 'name' stands before line and column in messages: ".pacewatch.json:12:7: unknown key ...". */
int spec_parse(struct view text, const char *name, struct spec **out, struct err *e);
void spec_freep(struct spec **s);

/* Every value in force, defaults included, as a spec document that spec_parse reads back. */
void spec_explain(const struct spec *s, struct str *out);

/* The planned looks: after how many rounds a job may end because nothing is left to find out.
 * Ascending, the first at 'rounds_least', the last at 'rounds_most', with 10, 15, 20 and 30
 * between them. Returns how many. */
size_t spec_looks(const struct spec_sensitivity *s, int out[SPEC_LOOKS_MAX]);

/* Names the workload of a scenario (endpoints, load, services) in one combination of variants:
 * part of a series' identity. */
void spec_workload_digest(const struct spec *s, const struct spec_scenario *scenario,
                          const struct spec_variant *variant, unsigned char out[DIGEST_BYTES]);
/* Names what is beside the service under test: part of the key of a database's template. */
void spec_services_digest(const struct spec *s, unsigned char out[DIGEST_BYTES]);
/* Names build command, environment and outputs: part of the build cache's key. */
void spec_build_digest(const struct spec *s, unsigned char out[DIGEST_BYTES]);

/* A scenario by itself, as the load generator takes it: the object of 'scenarios' in a spec. */
int spec_scenario_parse(const struct json_doc *doc, const struct json *object,
                        const struct spec_load *defaults, struct spec_scenario *out,
                        struct err *e);
void spec_scenario_write(const struct spec_scenario *s, struct str *out); /* reads back equal */
void spec_scenario_done(struct spec_scenario *s);
struct spec_load spec_load_default(void);

#endif
