/* SPDX-License-Identifier: MIT */
/* fuzz_route: any bytes as the target of a request. What is taken must be what it promises. */
#include <stdlib.h>

#include "route.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_clean(const struct url *u, struct view v)
{
    if (v.at < u->text || v.at + v.len >= u->text + sizeof u->text || v.at[v.len] != '\0' ||
        !view_is_utf8(v))
        abort();
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.at[i] < 0x20 || v.at[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum http_method methods[] = {HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_OTHER};
    struct url u;
    struct view params[ROUTE_PARAMS_MAX];
    int64_t n = 0;
    unsigned allowed;
    if (url_parse((struct view){(const char *)data, size}, &u, NULL) < 0)
        return 0;
    for (size_t i = 0; i < u.segments_len; i++) {
        must_be_clean(&u, u.segments[i]);
        if (view_eqz(u.segments[i], "..") || view_eqz(u.segments[i], "."))
            abort();
    }
    for (size_t i = 0; i < u.params_len; i++) {
        must_be_clean(&u, u.params[i].name);
        must_be_clean(&u, u.params[i].value);
    }
    (void)url_param_int(&u, "limit", 1, 1000, &n, NULL);
    if (n < 0 || n > 1000)
        abort();
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct route *route = route_find(&u, methods[i], &allowed);
        if (route)
            route_params(route, &u, params);
    }
    return 0;
}
