/* SPDX-License-Identifier: MIT */
/* A spec that is accepted is explained, and the explanation is read and explained the same. */
#include <stdlib.h>

#include "spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(spec_freep) struct spec *s = NULL;
    AUTO(spec_freep) struct spec *back = NULL;
    AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
    struct err e = {0};
    if (spec_parse((struct view){(const char *)data, size}, "spec", &s, &e) < 0) {
        if (s || !e.text[0])
            abort();
        return 0;
    }

    unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];
    spec_explain(s, &once);
    if (spec_parse(str_view(&once), "explained", &back, &e) < 0)
        abort();
    spec_explain(back, &twice);
    if (!view_eq(str_view(&once), str_view(&twice)) || s->scenarios_len != back->scenarios_len)
        abort();
    for (size_t i = 0; i < s->scenarios_len; i++) {
        spec_workload_digest(s, &s->scenarios[i], &s->variants[0], a);
        spec_workload_digest(back, &back->scenarios[i], &back->variants[0], b);
        if (!digest_equal(a, b))
            abort();
    }
    return 0;
}
