/* SPDX-License-Identifier: MIT */
/* api_series: one series as columns for a chart, with what happened along it. */
#include "api.h"
#include "json.h"
#include "metric.h"

enum { BUCKETS_DEFAULT = 1200, EVENT_TEXT_MAX = 400 };

/* One column, one array: 'write' is a jw_ call on 'entry'. */
#define COLUMN(w, key, chart, write)                                  \
    do {                                                              \
        jw_array(w, key);                                             \
        for (size_t i = 0; i < (chart)->entries.len; i++) {           \
            const struct view_entry *entry = &(chart)->entries.at[i]; \
            write;                                                    \
        }                                                             \
        jw_end(w);                                                    \
    } while (0)

static void write_columns(struct jw *w, const struct view_chart *chart)
{
    COLUMN(w, "pos", chart, jw_int(w, NULL, entry->pos));
    COLUMN(w, "value", chart, jw_real(w, NULL, entry->value));
    COLUMN(w, "lo", chart, jw_real(w, NULL, entry->lo));
    COLUMN(w, "hi", chart, jw_real(w, NULL, entry->hi));
    COLUMN(w, "n", chart, jw_int(w, NULL, entry->n));
    jw_bool(w, "bucketed", chart->bucketed);
    COLUMN(w, "sha", chart, api_write_sha(w, NULL, &entry->sha));
    COLUMN(w, "subject", chart, jw_text(w, NULL, entry->subject));
    COLUMN(w, "job", chart, api_write_id(w, NULL, entry->job));
}

static void write_head(struct jw *w, const struct view_series *s)
{
    enum metric m;
    jw_object(w, "series");
    jw_int(w, "id", s->id);
    jw_text(w, "repo", s->repo);
    jw_text(w, "branch", s->branch);
    api_write_series_members(w, s);
    jw_bool(w, "primary",
            metric_by_name(view_z(s->metric), &m) == 0 && metric_table[m].primary);
    jw_text(w, "host", s->host);
    jw_end(w);
}

static void write_marks(struct jw *w, const struct view_chart *chart)
{
    jw_array(w, "levels");
    for (size_t i = 0; i < chart->levels.len; i++) {
        jw_object(w, NULL);
        jw_int(w, "from", chart->levels.at[i].from);
        jw_int(w, "to", chart->levels.at[i].to);
        jw_real(w, "value", chart->levels.at[i].value);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "changes");
    for (size_t i = 0; i < chart->changes.len; i++) {
        const struct view_change *change = &chart->changes.at[i];
        jw_object(w, NULL);
        jw_int(w, "pos", change->pos);
        jw_int(w, "after_pos", change->after_pos);
        jw_int(w, "pos_lo", change->pos_lo);
        jw_int(w, "pos_hi", change->pos_hi);
        jw_real(w, "before", change->before);
        jw_real(w, "after", change->after);
        jw_real(w, "effect", change->effect);
        jw_real(w, "lo", change->lo);
        jw_real(w, "hi", change->hi);
        jw_bool(w, "worse", change->worse);
        jw_text(w, "method", change->method);
        jw_text(w, "state", change->state);
        jw_text(w, "why", change->why);
        jw_end(w);
    }
    jw_end(w);
}

/* --- events ------------------------------------------------------------------------------ */

static struct view fact_text(const struct json *fact)
{
    return fact && json_type(fact) == JSON_STRING ? json_text(fact) : VIEW("none");
}

static void add_difference(struct str *out, const char *name, const struct json *before,
                           const struct json *after)
{
    struct view from = fact_text(before), to = fact_text(after);
    if (view_eq(from, to))
        return;
    str_addf(out, "%s%s %.*s -> %.*s", out->len ? ", " : "", name, (int)from.len, from.at,
             (int)to.len, to.at);
}

/* Which facts of the machine's state differ: "kernel 6.1.0-1 -> 6.1.0-2". */
static void describe(const struct view_event *event, struct str *out)
{
    AUTO(json_freep) struct json_doc *before = NULL;
    AUTO(json_freep) struct json_doc *after = NULL;
    if (json_parse(view_z(event->before_json), &JSON_MESSAGE, &before, NULL) == 0 &&
        json_parse(view_z(event->after_json), &JSON_MESSAGE, &after, NULL) == 0) {
        const struct json *b = json_root(before), *a = json_root(after);
        for (const struct json *fact = json_first(a); fact; fact = json_next(fact))
            add_difference(out, json_key(fact), json_get(b, json_key(fact)), fact);
        for (const struct json *fact = json_first(b); fact; fact = json_next(fact))
            if (!json_get(a, json_key(fact)))
                add_difference(out, json_key(fact), fact, NULL);
    }
    if (out->len == 0)
        str_addz(out, "the machine's state changed");
}

static void write_events(struct jw *w, const struct view_chart *chart)
{
    jw_array(w, "events");
    for (size_t i = 0; i < chart->events.len; i++) {
        AUTO(str_done) struct str text = STR_INIT(EVENT_TEXT_MAX);
        describe(&chart->events.at[i], &text);
        jw_object(w, NULL);
        jw_int(w, "pos", chart->events.at[i].pos);
        jw_view(
            w, "text",
            (struct view){str_text(&text), view_utf8_prefix(str_view(&text), EVENT_TEXT_MAX)});
        jw_end(w);
    }
    jw_end(w);
}

static void write_bridges(struct jw *w, const struct view_chart *chart)
{
    jw_array(w, "bridges");
    for (size_t i = 0; i < chart->bridges.len; i++) {
        const struct view_bridge *b = &chart->bridges.at[i];
        jw_object(w, NULL);
        jw_int(w, "series", b->from_series);
        jw_text(w, "host", b->host);
        jw_real(w, "ratio", b->ratio);
        jw_real(w, "lo", b->lo);
        jw_real(w, "hi", b->hi);
        jw_int(w, "n", b->n);
        jw_end(w);
    }
    jw_end(w);
}

int api_series(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(view_chart_done) struct view_chart chart = {0};
    struct view_chart_range range = {.from = 0, .to = INT64_MAX, .buckets = BUCKETS_DEFAULT};
    const struct url *url = &c->request->url;
    int64_t id;
    bool found;
    if (api_param_id(c, "series", &id, e) < 0 ||
        url_param_int(url, "from", 0, INT64_MAX, &range.from, e) < 0 ||
        url_param_int(url, "to", 0, INT64_MAX, &range.to, e) < 0 ||
        url_param_int(url, "buckets", 1, VIEW_BUCKETS_MAX, &range.buckets, e) < 0 ||
        store_view_begin(c->store, &read, e) < 0 ||
        store_view_chart(&read, id, &range, &chart, &found, e) < 0)
        return -1;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "no series '%s'", c->params[0].at);
    struct jw w = api_json(c);
    write_head(&w, &chart.series);
    write_columns(&w, &chart);
    write_marks(&w, &chart);
    write_events(&w, &chart);
    write_bridges(&w, &chart);
    api_json_end(&w);
    return 0;
}
