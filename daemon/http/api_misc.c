/* SPDX-License-Identifier: MIT */
/* api_misc: health, alerts, reports and logs. */
#include "api.h"
#include "report.h"
#include "store_report.h"

int api_health(struct call *c, struct err *e)
{
    int64_t schema;
    if (store_view_schema(c->store, &schema, e) < 0)
        return -1;
    struct jw w = api_json(c);
    jw_text(&w, "status", "ok");
    jw_text(&w, "version", PACEWATCH_VERSION);
    jw_int(&w, "schema", schema);
    api_json_end(&w);
    return 0;
}

static void alerts_done(struct view_alerts *a)
{
    vec_done(&a->at);
}

int api_alerts(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(alerts_done) struct view_alerts alerts = {0};
    struct view_alert_filter filter = {.noise_too = true};
    if (api_limit(c, &filter.limit, e) < 0 || store_view_begin(c->store, &read, e) < 0 ||
        api_param_repo(c, &filter.repo_id, e) < 0 ||
        store_view_alerts(&read, &filter, &alerts, e) < 0)
        return -1;
    struct jw w = api_json(c);
    jw_array(&w, "alerts");
    for (size_t i = 0; i < alerts.at.len; i++)
        api_write_alert(&w, &alerts.at.at[i]);
    jw_end(&w);
    api_json_end(&w);
    return 0;
}

/* --- reports ----------------------------------------------------------------------------- */

static int write_report(struct call *c, const struct report *r, struct view format,
                        struct err *e)
{
    struct str *body = &c->reply->body;
    struct report_text_style plain = {.all = true};
    if (view_eqz(format, "json")) {
        api_text(c, "application/json");
        report_json(r, body);
    } else if (view_eqz(format, "markdown")) {
        /* The renderer keeps to the ceiling of what it writes to. */
        AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
        api_text(c, "text/markdown; charset=utf-8");
        report_md(r, &text);
        str_add(body, str_view(&text));
    } else if (view_eqz(format, "text")) {
        api_text(c, "text/plain; charset=utf-8");
        report_text(r, &plain, body);
    } else {
        return err_set(e, ERR_INPUT, "format is json, markdown or text");
    }
    return 0;
}

int api_report(struct call *c, struct err *e)
{
    AUTO(report_record_done) struct report r = {0};
    struct view format = VIEW("json");
    int64_t id;
    (void)url_param(&c->request->url, "format", &format);
    if (api_param_id(c, "job", &id, e) < 0 || store_report_load(c->store, id, &r, e) < 0)
        return -1;
    r.public_url = c->options->public_url;
    return write_report(c, &r, format, e);
}

/* --- logs -------------------------------------------------------------------------------- */

int api_log(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(str_done) struct str text = STR_INIT(VIEW_LOG_MAX);
    struct view stage;
    int64_t id;
    bool found;
    if (api_param_id(c, "job", &id, e) < 0)
        return -1;
    if (!url_param(&c->request->url, "stage", &stage))
        return err_set(e, ERR_INPUT, "parameter 'stage' is missing");
    if (store_view_begin(c->store, &read, e) < 0 ||
        store_view_log(&read, id, stage, &text, &found, e) < 0)
        return -1;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "job '%s' has no log of '%s'", c->params[0].at,
                       stage.at);
    api_text(c, "text/plain; charset=utf-8");
    str_add(&c->reply->body, str_view(&text));
    return 0;
}
