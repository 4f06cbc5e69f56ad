/* SPDX-License-Identifier: MIT */
/* The build status that both kinds of Bitbucket take. It needs an address and a short key. */
#include "digest.h"
#include "forge_parts.h"
#include "json_write.h"

enum { KEY_MAX = 40 };

void forge_write_build(const struct forge *f, const struct forge_status *s, struct str *out)
{
    static const char *const states[] = {"INPROGRESS", "SUCCESSFUL", "FAILED", "SUCCESSFUL"};
    AUTO(str_done) struct str words = STR_INIT(4096);
    AUTO(str_done) struct str url = STR_INIT(FORGE_PATH_MAX);
    unsigned char digest[DIGEST_BYTES];
    char key[DIGEST_HEX + 1];
    forge_cut(view_z(s->description), f->api->description_max, &words);
    if (s->url)
        str_addz(&url, s->url);
    else
        str_addf(&url, "%s/%s", f->api->public_url ? f->api->public_url : str_text(&f->root),
                 f->options.project);
    digest_of(view_z(s->context), digest);
    digest_hex(digest, key);
    key[KEY_MAX] = '\0';
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_text(&w, "key", strlen(s->context) <= KEY_MAX ? s->context : key);
    jw_text(&w, "state", states[s->state]);
    jw_text(&w, "name", s->context);
    jw_text(&w, "description", str_text(&words));
    jw_text(&w, "url", str_text(&url));
    jw_end(&w);
}
