/* SPDX-License-Identifier: MIT */
/* spec_read: a spec document into struct spec, section by section; every key is checked. */
#include <signal.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "spec_parts.h"

enum { CHECKS_MAX = 256, IGNORES_MAX = 256, RERUNS_MAX = 3, BYTES_LEAST = 1 << 20 };

static int read_build(const struct json_doc *doc, const struct json *o, struct spec_build *b,
                      struct err *e)
{
    static const char *const keys[] = {"command", "env", "inputs", "outputs", "timeout", NULL};
    if (json_only_keys(doc, o, "build", keys, e) < 0 ||
        spec_read_command(doc, o, "command", true, &b->command, e) < 0 ||
        spec_read_pairs(doc, o, "env", &b->env, e) < 0 ||
        spec_read_list(doc, o, "inputs", &b->inputs, e) < 0 ||
        spec_read_list(doc, o, "outputs", &b->outputs, e) < 0)
        return -1;
    return json_read_duration(doc, o, "timeout", false, CLOCK_NS_PER_S, SPEC_DAY_NS,
                              &b->timeout_ns, e);
}

static int read_stop_signal(const struct json_doc *doc, const struct json *o, int *out,
                            struct err *e)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"TERM", SIGTERM}, {"INT", SIGINT},   {"QUIT", SIGQUIT},
                   {"HUP", SIGHUP},   {"USR1", SIGUSR1}, {"KILL", SIGKILL}};
    struct view name = {0};
    if (json_read_text(doc, o, "stop_signal", false, &name, e) < 0)
        return -1;
    if (!name.at)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        if (view_eqz(name, signals[i].name)) {
            *out = signals[i].number;
            return 0;
        }
    return json_fail(doc, json_get(o, "stop_signal"), e,
                     "'stop_signal' must be one of TERM, INT, QUIT, HUP, USR1, KILL");
}

static int read_start(const struct json_doc *doc, const struct json *o, struct spec_start *s,
                      struct err *e)
{
    static const char *const keys[] = {"command",     "env",   "workdir",
                                       "stop_signal", "grace", NULL};
    if (json_only_keys(doc, o, "start", keys, e) < 0 ||
        spec_read_command(doc, o, "command", true, &s->command, e) < 0 ||
        spec_read_pairs(doc, o, "env", &s->env, e) < 0 ||
        spec_read_string(doc, o, "workdir", false, &s->workdir, e) < 0 ||
        read_stop_signal(doc, o, &s->stop_signal, e) < 0 ||
        json_read_duration(doc, o, "grace", false, 0, 60 * CLOCK_NS_PER_S, &s->grace_ns, e) < 0)
        return -1;
    if (s->workdir && !spec_is_inside(s->workdir))
        return json_fail(doc, json_get(o, "workdir"), e,
                         "'workdir' must be a path inside the repository");
    return 0;
}

static int read_ready(const struct json_doc *doc, const struct json *o, struct spec_ready *r,
                      struct err *e)
{
    static const char *const keys[] = {"http", "status", "tcp", "timeout", NULL};
    int64_t status = r->status;
    if (json_only_keys(doc, o, "ready", keys, e) < 0 ||
        spec_read_string(doc, o, "http", false, &r->http_path, e) < 0 ||
        json_read_int(doc, o, "status", false, 100, 599, &status, e) < 0 ||
        json_read_bool(doc, o, "tcp", false, &r->tcp, e) < 0 ||
        json_read_duration(doc, o, "timeout", false, 10 * CLOCK_NS_PER_MS,
                           3600 * CLOCK_NS_PER_S, &r->timeout_ns, e) < 0)
        return -1;
    r->status = (int)status;
    if (r->http_path && !spec_is_url_path(r->http_path))
        return json_fail(doc, json_get(o, "http"), e,
                         "'http' must be a path such as '/health'");
    if (r->http_path && r->tcp)
        return json_fail(doc, json_get(o, "tcp"), e, "'ready' takes 'http' or 'tcp', not both");
    return 0;
}

static int read_scenarios(const struct json_doc *doc, const struct json *root, struct spec *s,
                          const struct spec_load *defaults, struct err *e)
{
    const struct json *array = NULL;
    if (json_read_member(doc, root, "scenarios", true, JSON_ARRAY, &array, e) < 0)
        return -1;
    size_t n = json_count(array);
    if (n == 0 || n > SPEC_SCENARIOS_MAX)
        return json_fail(doc, array, e, "'scenarios' must have 1 to %d entries",
                         SPEC_SCENARIOS_MAX);
    s->scenarios = mem_zero(n, sizeof *s->scenarios);
    for (const struct json *v = json_first(array); v; v = json_next(v)) {
        struct spec_scenario *scenario = &s->scenarios[s->scenarios_len];
        if (spec_scenario_parse(doc, v, defaults, scenario, e) < 0)
            return -1;
        s->scenarios_len++;
        for (struct spec_scenario *other = s->scenarios; other < scenario; other++)
            if (strcmp(other->name, scenario->name) == 0)
                return json_fail(doc, v, e, "two scenarios are named '%s'", scenario->name);
    }
    return 0;
}

static int read_pairing(const struct json_doc *doc, const struct json *o,
                        enum spec_pairing *out, struct err *e)
{
    struct view word = {0};
    if (json_read_text(doc, o, "pairing", false, &word, e) < 0)
        return -1;
    if (!word.at)
        return 0;
    for (int i = 0; i < SPEC_PAIRING_COUNT; i++)
        if (view_eqz(word, spec_pairing_names[i])) {
            *out = (enum spec_pairing)i;
            return 0;
        }
    return json_fail(doc, json_get(o, "pairing"), e,
                     "'pairing' is 'interleaved', 'duet' or 'auto'");
}

static int read_sensitivity(const struct json_doc *doc, const struct json *o,
                            struct spec_sensitivity *s, struct err *e)
{
    const char *keys[METRIC_COUNT + 4] = {"max_noise", "rounds", "pairing"};
    static const char *const round_keys[] = {"least", "most", NULL};
    const struct json *rounds = NULL;
    for (int m = 0; m < METRIC_COUNT; m++)
        keys[3 + m] = metric_table[m].name;
    if (json_only_keys(doc, o, "sensitivity", keys, e) < 0 ||
        json_read_share(doc, o, "max_noise", false, &s->max_noise, e) < 0 ||
        read_pairing(doc, o, &s->pairing, e) < 0 ||
        json_read_member(doc, o, "rounds", false, JSON_OBJECT, &rounds, e) < 0)
        return -1;
    for (int m = 0; m < METRIC_COUNT; m++) {
        if (json_read_share(doc, o, metric_table[m].name, false, &s->least_effect[m], e) < 0)
            return -1;
        if (s->least_effect[m] < 0.0001 || s->least_effect[m] > 10)
            return json_fail(doc, json_get(o, metric_table[m].name), e,
                             "'%s' must lie between 0.01%% and 1000%%", metric_table[m].name);
    }
    if (!rounds)
        return 0;
    if (json_only_keys(doc, rounds, "rounds", round_keys, e) < 0 ||
        json_read_int(doc, rounds, "least", false, SPEC_ROUNDS_LEAST, 500, &s->rounds_least,
                      e) < 0)
        return -1;
    if (s->rounds_most < s->rounds_least)
        s->rounds_most = s->rounds_least;
    return json_read_int(doc, rounds, "most", false, s->rounds_least, 500, &s->rounds_most, e);
}

/* A limit in the metric's own unit: "5ms" for times, "2000/s", "64MiB", "1%" for shares. */
static int read_limit(const struct json_doc *doc, const struct json *o, const char *key,
                      const char *unit, bool *has, double *out, struct err *e)
{
    int64_t whole = 0;
    *has = json_get(o, key) != NULL;
    if (strcmp(unit, "ns") == 0) {
        if (json_read_duration(doc, o, key, false, 0, SPEC_DAY_NS, &whole, e) < 0)
            return -1;
        *out = (double)whole;
        return 0;
    }
    if (strcmp(unit, "B") == 0) {
        if (json_read_size(doc, o, key, false, &whole, e) < 0)
            return -1;
        *out = (double)whole;
        return 0;
    }
    if (strcmp(unit, "1/s") == 0)
        return json_read_rate(doc, o, key, false, out, e);
    return json_read_share(doc, o, key, false, out, e);
}

/* A misspelt scenario would make a limit or an exception do nothing, in silence. */
static int check_scenario(const struct json_doc *doc, const struct json *o,
                          const struct spec *s, const char *name, struct err *e)
{
    for (size_t i = 0; name && i < s->scenarios_len; i++)
        if (strcmp(s->scenarios[i].name, name) == 0)
            return 0;
    return name ? json_fail(doc, json_get(o, "scenario"), e, "no scenario is named '%s'", name)
                : 0;
}

static int read_check(const struct json_doc *doc, const struct json *o, struct spec_check *c,
                      struct err *e)
{
    static const char *const keys[] = {"scenario", "metric", "min", "max", NULL};
    struct view metric = {0};
    if (json_type(o) != JSON_OBJECT)
        return json_fail(doc, o, e, "a check must be an object");
    if (json_only_keys(doc, o, "checks", keys, e) < 0 ||
        spec_read_string(doc, o, "scenario", false, &c->scenario, e) < 0 ||
        json_read_text(doc, o, "metric", true, &metric, e) < 0)
        return -1;
    if (metric_by_name(metric, &c->metric) < 0)
        return json_fail(doc, json_get(o, "metric"), e, "no metric is named '%.*s'",
                         (int)metric.len, metric.at);
    const char *unit = metric_table[c->metric].unit;
    if (read_limit(doc, o, "min", unit, &c->has_min, &c->min, e) < 0 ||
        read_limit(doc, o, "max", unit, &c->has_max, &c->max, e) < 0)
        return -1;
    if (!c->has_min && !c->has_max)
        return json_fail(doc, o, e, "a check needs 'min' or 'max'");
    if (c->has_min && c->has_max && c->min > c->max)
        return json_fail(doc, o, e, "'min' is above 'max'");
    return 0;
}

static int read_checks(const struct json_doc *doc, const struct json *root, struct spec *s,
                       struct err *e)
{
    const struct json *array = NULL;
    if (json_read_member(doc, root, "checks", false, JSON_ARRAY, &array, e) < 0)
        return -1;
    size_t n = array ? json_count(array) : 0;
    if (n > CHECKS_MAX)
        return json_fail(doc, array, e, "more than %d checks", CHECKS_MAX);
    s->checks = mem_zero(n, sizeof *s->checks);
    for (const struct json *v = json_first(array); v; v = json_next(v))
        if (read_check(doc, v, &s->checks[s->checks_len++], e) < 0 ||
            check_scenario(doc, v, s, s->checks[s->checks_len - 1].scenario, e) < 0)
            return -1;
    return 0;
}

static int read_triggers(const struct json_doc *doc, const struct json *o,
                         struct spec_triggers *t, struct err *e)
{
    static const char *const keys[] = {"branches", "paths", "skip_paths", "merge_requests",
                                       NULL};
    if (json_only_keys(doc, o, "triggers", keys, e) < 0 ||
        spec_read_list(doc, o, "branches", &t->branches, e) < 0 ||
        spec_read_list(doc, o, "paths", &t->paths, e) < 0 ||
        spec_read_list(doc, o, "skip_paths", &t->skip_paths, e) < 0)
        return -1;
    return json_read_bool(doc, o, "merge_requests", false, &t->merge_requests, e);
}

static int read_report(const struct json_doc *doc, const struct json *o, struct spec_report *r,
                       struct err *e)
{
    static const char *const keys[] = {"when", "gate", NULL};
    static const char *const when[] = {"always", "changes", "confirmed"};
    struct view word = {0};
    if (json_only_keys(doc, o, "report", keys, e) < 0 ||
        json_read_text(doc, o, "when", false, &word, e) < 0 ||
        json_read_bool(doc, o, "gate", false, &r->gate, e) < 0)
        return -1;
    for (size_t i = 0; word.at && i < ARRAY_LEN(when); i++)
        if (view_eqz(word, when[i])) {
            r->when = (enum spec_report_when)i;
            return 0;
        }
    return word.at ? json_fail(doc, json_get(o, "when"), e,
                               "'when' must be 'always', 'changes' or 'confirmed'")
                   : 0;
}

static int read_limits(const struct json_doc *doc, const struct json *o, struct spec_limits *l,
                       struct err *e)
{
    static const char *const keys[] = {"memory", "disk",          "tasks",
                                       "wall",   "build_network", NULL};
    if (json_only_keys(doc, o, "limits", keys, e) < 0 ||
        json_read_size(doc, o, "memory", false, &l->memory, e) < 0 ||
        json_read_size(doc, o, "disk", false, &l->disk, e) < 0 ||
        json_read_int(doc, o, "tasks", false, 1, 100000, &l->tasks, e) < 0 ||
        json_read_duration(doc, o, "wall", false, CLOCK_NS_PER_S, SPEC_DAY_NS, &l->wall_ns, e) <
            0)
        return -1;
    if (l->memory < BYTES_LEAST || l->disk < BYTES_LEAST)
        return json_fail(doc, json_get(o, l->memory < BYTES_LEAST ? "memory" : "disk"), e,
                         "'memory' and 'disk' must be at least 1MiB");
    return json_read_bool(doc, o, "build_network", false, &l->build_network, e);
}

static bool is_date(const char *text)
{
    int month, day;
    for (int i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    }
    month = (text[5] - '0') * 10 + text[6] - '0';
    day = (text[8] - '0') * 10 + text[9] - '0';
    return text[10] == '\0' && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static int read_ignore(const struct json_doc *doc, const struct json *o, struct spec_ignore *i,
                       struct err *e)
{
    static const char *const keys[] = {"scenario", "metric", "reason", "until", NULL};
    enum metric known;
    if (json_type(o) != JSON_OBJECT)
        return json_fail(doc, o, e, "an ignore rule must be an object");
    if (json_only_keys(doc, o, "ignore", keys, e) < 0 ||
        spec_read_string(doc, o, "scenario", false, &i->scenario, e) < 0 ||
        spec_read_string(doc, o, "metric", false, &i->metric, e) < 0 ||
        spec_read_string(doc, o, "reason", true, &i->reason, e) < 0 ||
        spec_read_string(doc, o, "until", false, &i->until, e) < 0)
        return -1;
    if (i->metric && metric_by_name(view_z(i->metric), &known) < 0)
        return json_fail(doc, json_get(o, "metric"), e, "no metric is named '%s'", i->metric);
    if (i->until && !is_date(i->until))
        return json_fail(doc, json_get(o, "until"), e, "'until' must be a date: YYYY-MM-DD");
    return 0;
}

static int read_ignores(const struct json_doc *doc, const struct json *root, struct spec *s,
                        struct err *e)
{
    const struct json *array = NULL;
    if (json_read_member(doc, root, "ignore", false, JSON_ARRAY, &array, e) < 0)
        return -1;
    size_t n = array ? json_count(array) : 0;
    if (n > IGNORES_MAX)
        return json_fail(doc, array, e, "more than %d ignore rules", IGNORES_MAX);
    s->ignores = mem_zero(n, sizeof *s->ignores);
    for (const struct json *v = json_first(array); v; v = json_next(v))
        if (read_ignore(doc, v, &s->ignores[s->ignores_len++], e) < 0 ||
            check_scenario(doc, v, s, s->ignores[s->ignores_len - 1].scenario, e) < 0)
            return -1;
    return 0;
}

static int read_confirm(const struct json_doc *doc, const struct json *o, int64_t *reruns,
                        struct err *e)
{
    static const char *const keys[] = {"reruns", NULL};
    if (json_only_keys(doc, o, "confirm", keys, e) < 0)
        return -1;
    return json_read_int(doc, o, "reruns", false, 0, RERUNS_MAX, reruns, e);
}

/* The member as an object, or NULL when it is absent. */
static int section(const struct json_doc *doc, const struct json *root, const char *key,
                   bool required, const struct json **out, struct err *e)
{
    *out = NULL;
    return json_read_member(doc, root, key, required, JSON_OBJECT, out, e);
}

static int read_root(const struct json_doc *doc, const struct json *root, struct spec *s,
                     struct err *e)
{
    static const char *const keys[] = {
        "$schema",   "version",     "build",    "start",    "ready",    "load",
        "scenarios", "sensitivity", "checks",   "confirm",  "triggers", "report",
        "limits",    "ignore",      "services", "variants", NULL};
    struct spec_load load = spec_load_default();
    const struct json *o;
    struct view schema = {0}; /* for editors */
    int64_t version = 1;

    if (json_type(root) != JSON_OBJECT)
        return json_fail(doc, root, e, "a spec must be an object");
    if (json_only_keys(doc, root, "the spec", keys, e) < 0 ||
        json_read_text(doc, root, "$schema", false, &schema, e) < 0 ||
        json_read_int(doc, root, "version", false, 1, 1, &version, e) < 0)
        return -1;
    if (section(doc, root, "build", false, &o, e) < 0 ||
        (o && read_build(doc, o, &s->build, e) < 0))
        return -1;
    if (section(doc, root, "start", true, &o, e) < 0 || read_start(doc, o, &s->start, e) < 0)
        return -1;
    if (section(doc, root, "ready", false, &o, e) < 0 ||
        (o && read_ready(doc, o, &s->ready, e) < 0))
        return -1;
    if (section(doc, root, "load", false, &o, e) < 0 ||
        (o && spec_read_load(doc, o, &load, e) < 0))
        return -1;
    if (spec_read_services(doc, root, s, e) < 0 || spec_read_variants(doc, root, s, e) < 0 ||
        read_scenarios(doc, root, s, &load, e) < 0)
        return -1;
    if (section(doc, root, "sensitivity", false, &o, e) < 0 ||
        (o && read_sensitivity(doc, o, &s->sensitivity, e) < 0))
        return -1;
    if (read_checks(doc, root, s, e) < 0)
        return -1;
    if (section(doc, root, "confirm", false, &o, e) < 0 ||
        (o && read_confirm(doc, o, &s->confirm_reruns, e) < 0))
        return -1;
    if (section(doc, root, "triggers", false, &o, e) < 0 ||
        (o && read_triggers(doc, o, &s->triggers, e) < 0))
        return -1;
    if (section(doc, root, "report", false, &o, e) < 0 ||
        (o && read_report(doc, o, &s->report, e) < 0))
        return -1;
    if (section(doc, root, "limits", false, &o, e) < 0 ||
        (o && read_limits(doc, o, &s->limits, e) < 0))
        return -1;
    return read_ignores(doc, root, s, e);
}

static struct spec *spec_default(void)
{
    struct spec *s = mem_zero(1, sizeof *s);
    s->build.timeout_ns = 900 * CLOCK_NS_PER_S;
    s->start.stop_signal = SIGTERM;
    s->start.grace_ns = 5 * CLOCK_NS_PER_S;
    s->ready.status = 200;
    s->ready.timeout_ns = 30 * CLOCK_NS_PER_S;
    for (int m = 0; m < METRIC_COUNT; m++)
        s->sensitivity.least_effect[m] = metric_table[m].least_effect;
    s->sensitivity.max_noise = 0.5;
    s->sensitivity.rounds_least = 10;
    s->sensitivity.rounds_most = 30;
    s->confirm_reruns = 1;
    s->triggers.merge_requests = true;
    s->report.when = SPEC_REPORT_CHANGES;
    s->limits = (struct spec_limits){.memory = INT64_C(512) << 20,
                                     .disk = INT64_C(1) << 30,
                                     .tasks = 128,
                                     .wall_ns = 3600 * CLOCK_NS_PER_S};
    return s;
}

/* With its defaults written out a spec is larger, and travels and is stored in that form. */
static int check_size(const struct spec *s, struct err *e)
{
    AUTO(str_done) struct str all = STR_INIT(SPEC_BYTES_MAX);
    spec_explain(s, &all);
    return all.cut
               ? err_set(e, ERR_LIMIT,
                         "1:1: with all defaults written out the spec has more than %d bytes",
                         SPEC_BYTES_MAX)
               : 0;
}

static int parse(struct view text, struct spec *s, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    if (json_parse(text, &JSON_CONFIG, &doc, e) < 0 || read_root(doc, json_root(doc), s, e) < 0)
        return -1;
    if (!s->ready.http_path && !s->ready.tcp)
        s->ready.http_path = mem_strdup(s->scenarios[0].endpoints[0].path);
    return check_size(s, e);
}

int spec_parse(struct view text, const char *name, struct spec **out, struct err *e)
{
    AUTO(spec_freep) struct spec *s = spec_default();
    struct err inner = {0};
    /* "file:line:column: ...", as compilers write it, without a blank in between. */
    if (parse(text, s, &inner) < 0)
        return err_set(e, inner.kind, "%s:%s", name, inner.text);
    *out = STEAL(s);
    return 0;
}
