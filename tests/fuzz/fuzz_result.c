/* SPDX-License-Identifier: MIT */
/*
 * A result document that is accepted keeps its promises: indices lie in the spec, nothing is
 * said twice where the database has a key, and it is written and read again the same.
 */
#include <stdlib.h>

#include "result_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct spec *the_spec(void)
{
    static struct spec *spec;
    if (!spec && spec_parse(VIEW("{\"start\":{\"command\":[\"./app\"]},\"scenarios\":["
                                 "{\"endpoints\":[{\"path\":\"/\"},{\"path\":\"/b\"}]},"
                                 "{\"name\":\"two\",\"endpoints\":[{\"path\":\"/\"}]}]}"),
                            "spec", &spec, NULL) < 0)
        abort();
    return spec;
}

static void check_arm(const struct result_arm *arm, const struct spec *spec)
{
    for (size_t i = 0; i < arm->samples.len; i++) {
        const struct result_sample *s = &arm->samples.at[i];
        if (s->scenario < 0 || (size_t)s->scenario >= spec->scenarios_len || s->endpoint < -1 ||
            s->endpoint >= (int)spec->scenarios[s->scenario].endpoints_len || !(s->value >= 0))
            abort();
        for (size_t k = 0; k < i; k++)
            if (arm->samples.at[k].scenario == s->scenario &&
                arm->samples.at[k].endpoint == s->endpoint &&
                arm->samples.at[k].metric == s->metric)
                abort();
    }
    for (size_t i = 0; i < arm->hists.len; i++)
        for (size_t k = 0; k < i; k++)
            if (arm->hists.at[k].scenario == arm->hists.at[i].scenario &&
                arm->hists.at[k].endpoint == arm->hists.at[i].endpoint)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct spec *spec = the_spec();
    AUTO(result_doc_freep) struct result_doc *r = NULL;
    AUTO(result_doc_freep) struct result_doc *back = NULL;
    AUTO(str_done) struct str once = STR_INIT(4 << 20), twice = STR_INIT(4 << 20);
    struct err e = {0};
    if (result_doc_parse((struct view){(const char *)data, size}, spec, &r, &e) < 0) {
        if (r || !e.text[0])
            abort();
        return 0;
    }

    for (size_t i = 0; i < r->rounds.len; i++)
        for (size_t k = 0; k < r->rounds.at[i].arms.len; k++)
            check_arm(&r->rounds.at[i].arms.at[k], spec);
    result_doc_write(r, &once);
    if (result_doc_parse(str_view(&once), spec, &back, &e) < 0)
        abort();
    result_doc_write(back, &twice);
    if (!view_eq(str_view(&once), str_view(&twice)))
        abort();
    return 0;
}
