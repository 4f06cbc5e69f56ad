/* SPDX-License-Identifier: MIT */
/* spec: the end of a spec's life, every value in force as text, and the names of its parts. */
#include "spec.h"

#include <signal.h>
#include <stdlib.h>

#include "spec_parts.h"

void spec_freep(struct spec **spec)
{
    struct spec *s = *spec;
    *spec = NULL;
    if (!s)
        return;
    spec_command_done(&s->build.command);
    spec_pairs_done(&s->build.env);
    spec_list_done(&s->build.inputs);
    spec_list_done(&s->build.outputs);
    spec_command_done(&s->start.command);
    spec_pairs_done(&s->start.env);
    free(s->start.workdir);
    free(s->ready.http_path);
    spec_services_done(s);
    spec_variants_done(s);
    for (size_t i = 0; i < s->scenarios_len; i++)
        spec_scenario_done(&s->scenarios[i]);
    free(s->scenarios);
    for (size_t i = 0; i < s->checks_len; i++)
        free(s->checks[i].scenario);
    free(s->checks);
    spec_list_done(&s->triggers.branches);
    spec_list_done(&s->triggers.paths);
    spec_list_done(&s->triggers.skip_paths);
    for (size_t i = 0; i < s->ignores_len; i++) {
        free(s->ignores[i].scenario);
        free(s->ignores[i].metric);
        free(s->ignores[i].reason);
        free(s->ignores[i].until);
    }
    free(s->ignores);
    free(s);
}

/* --- every value in force
 * ---------------------------------------------------------------------- */

static const char *signal_name(int number)
{
    switch (number) {
    case SIGINT:
        return "INT";
    case SIGQUIT:
        return "QUIT";
    case SIGHUP:
        return "HUP";
    case SIGUSR1:
        return "USR1";
    case SIGKILL:
        return "KILL";
    default:
        return "TERM";
    }
}

static void write_build_and_start(struct jw *w, const struct spec *s)
{
    if (s->build.command.argc) {
        jw_object(w, "build");
        spec_write_command(w, "command", &s->build.command);
        spec_write_pairs(w, "env", &s->build.env);
        spec_write_list(w, "inputs", &s->build.inputs);
        spec_write_list(w, "outputs", &s->build.outputs);
        spec_write_duration(w, "timeout", s->build.timeout_ns);
        jw_end(w);
    }
    jw_object(w, "start");
    spec_write_command(w, "command", &s->start.command);
    spec_write_pairs(w, "env", &s->start.env);
    if (s->start.workdir)
        jw_text(w, "workdir", s->start.workdir);
    jw_text(w, "stop_signal", signal_name(s->start.stop_signal));
    spec_write_duration(w, "grace", s->start.grace_ns);
    jw_end(w);
    jw_object(w, "ready");
    if (s->ready.http_path)
        jw_text(w, "http", s->ready.http_path);
    else
        jw_bool(w, "tcp", s->ready.tcp);
    jw_int(w, "status", s->ready.status);
    spec_write_duration(w, "timeout", s->ready.timeout_ns);
    jw_end(w);
    spec_write_services(w, s);
    spec_write_variants(w, s);
}

const char *const spec_pairing_names[SPEC_PAIRING_COUNT] = {"interleaved", "duet", "auto"};

static void write_sensitivity(struct jw *w, const struct spec_sensitivity *s)
{
    jw_object(w, "sensitivity");
    for (int m = 0; m < METRIC_COUNT; m++)
        spec_write_share(w, metric_table[m].name, s->least_effect[m]);
    spec_write_share(w, "max_noise", s->max_noise);
    jw_object(w, "rounds");
    jw_int(w, "least", s->rounds_least);
    jw_int(w, "most", s->rounds_most);
    jw_end(w);
    jw_text(w, "pairing", spec_pairing_names[s->pairing]);
    jw_end(w);
}

size_t spec_looks(const struct spec_sensitivity *s, int out[SPEC_LOOKS_MAX])
{
    static const int usual[] = {10, 15, 20, 30};
    size_t n = 0;
    if (s->rounds_least < s->rounds_most)
        out[n++] = (int)s->rounds_least;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (usual[i] > s->rounds_least && usual[i] < s->rounds_most)
            out[n++] = usual[i];
    out[n++] = (int)s->rounds_most;
    return n;
}

static void write_limit(struct jw *w, const char *key, const char *unit, double value)
{
    if (strcmp(unit, "ns") == 0)
        spec_write_duration(w, key, (int64_t)value);
    else if (strcmp(unit, "B") == 0)
        spec_write_size(w, key, (int64_t)value);
    else if (strcmp(unit, "1") == 0)
        spec_write_share(w, key, value);
    else
        spec_write_rate(w, key, value);
}

static void write_checks(struct jw *w, const struct spec *s)
{
    jw_array(w, "checks");
    for (size_t i = 0; i < s->checks_len; i++) {
        const struct spec_check *c = &s->checks[i];
        const char *unit = metric_table[c->metric].unit;
        jw_object(w, NULL);
        if (c->scenario)
            jw_text(w, "scenario", c->scenario);
        jw_text(w, "metric", metric_table[c->metric].name);
        if (c->has_min)
            write_limit(w, "min", unit, c->min);
        if (c->has_max)
            write_limit(w, "max", unit, c->max);
        jw_end(w);
    }
    jw_end(w);
}

static void write_ignores(struct jw *w, const struct spec *s)
{
    jw_array(w, "ignore");
    for (size_t i = 0; i < s->ignores_len; i++) {
        const struct spec_ignore *g = &s->ignores[i];
        jw_object(w, NULL);
        if (g->scenario)
            jw_text(w, "scenario", g->scenario);
        if (g->metric)
            jw_text(w, "metric", g->metric);
        jw_text(w, "reason", g->reason);
        if (g->until)
            jw_text(w, "until", g->until);
        jw_end(w);
    }
    jw_end(w);
}

static void write_policy(struct jw *w, const struct spec *s)
{
    static const char *const when[] = {"always", "changes", "confirmed"};
    jw_object(w, "confirm");
    jw_int(w, "reruns", s->confirm_reruns);
    jw_end(w);
    jw_object(w, "triggers");
    spec_write_list(w, "branches", &s->triggers.branches);
    spec_write_list(w, "paths", &s->triggers.paths);
    spec_write_list(w, "skip_paths", &s->triggers.skip_paths);
    jw_bool(w, "merge_requests", s->triggers.merge_requests);
    jw_end(w);
    jw_object(w, "report");
    jw_text(w, "when", when[s->report.when]);
    jw_bool(w, "gate", s->report.gate);
    jw_end(w);
    jw_object(w, "limits");
    spec_write_size(w, "memory", s->limits.memory);
    spec_write_size(w, "disk", s->limits.disk);
    jw_int(w, "tasks", s->limits.tasks);
    spec_write_duration(w, "wall", s->limits.wall_ns);
    jw_bool(w, "build_network", s->limits.build_network);
    jw_end(w);
}

void spec_explain(const struct spec *s, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_int(&w, "version", 1);
    write_build_and_start(&w, s);
    jw_array(&w, "scenarios");
    for (size_t i = 0; i < s->scenarios_len; i++)
        spec_write_scenario(&w, NULL, &s->scenarios[i]);
    jw_end(&w);
    write_sensitivity(&w, &s->sensitivity);
    write_checks(&w, s);
    write_policy(&w, s);
    write_ignores(&w, s);
    jw_end(&w);
}

/* --- names
 * --------------------------------------------------------------------------------------- */

/* Nothing when there are none, so that a spec without them keeps the names it had. */
static void write_services_alone(const struct spec *s, struct str *out)
{
    if (!s->services_len)
        return;
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    spec_write_services(&w, s);
    jw_end(&w);
}

void spec_workload_digest(const struct spec *s, const struct spec_scenario *scenario,
                          const struct spec_variant *variant, unsigned char out[DIGEST_BYTES])
{
    AUTO(str_done) struct str text = STR_INIT(2 * SPEC_BYTES_MAX);
    spec_scenario_write(scenario, &text);
    write_services_alone(s, &text);
    if (s->axes_len) {
        struct jw w = jw_begin(&text);
        jw_object(&w, NULL);
        spec_write_variant(&w, s, variant);
        jw_end(&w);
    }
    digest_of(str_view(&text), out);
}

void spec_services_digest(const struct spec *s, unsigned char out[DIGEST_BYTES])
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    write_services_alone(s, &text);
    digest_of(str_view(&text), out);
}

void spec_build_digest(const struct spec *s, unsigned char out[DIGEST_BYTES])
{
    AUTO(str_done) struct str text = STR_INIT(2 * SPEC_BYTES_MAX);
    struct jw w = jw_begin(&text);
    jw_object(&w, NULL);
    spec_write_command(&w, "command", &s->build.command);
    spec_write_pairs(&w, "env", &s->build.env);
    spec_write_list(&w, "outputs", &s->build.outputs);
    jw_bool(&w, "network", s->limits.build_network);
    jw_end(&w);
    digest_of(str_view(&text), out);
}
