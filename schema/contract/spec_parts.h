/* SPDX-License-Identifier: MIT */
/*
 * spec_parts: what the files that read and write specs share. Private to this folder.
 */
#ifndef CONTRACT_SPEC_PARTS_H
#define CONTRACT_SPEC_PARTS_H

#include "json_write.h"
#include "spec.h"

#define SPEC_DAY_NS (INT64_C(86400) * 1000000000)

/* Owned copy of a text member; *out keeps its value when the member is absent. */
int spec_read_string(const struct json_doc *doc, const struct json *object, const char *key,
                     bool required, char **out, struct err *e);
int spec_read_list(const struct json_doc *doc, const struct json *object, const char *key,
                   struct spec_list *out, struct err *e);
int spec_read_pairs(const struct json_doc *doc, const struct json *object, const char *key,
                    struct spec_pairs *out, struct err *e);
/* ["argv", ...] or {"sh": ["line", ...]}. */
int spec_read_command(const struct json_doc *doc, const struct json *object, const char *key,
                      bool required, struct spec_command *out, struct err *e);
/* One of the names, which end with NULL, as its index. */
int spec_read_choice(const struct json_doc *doc, const struct json *object, const char *key,
                     const char *const *names, int *out, struct err *e);
int spec_read_load(const struct json_doc *doc, const struct json *object,
                   struct spec_load *load, struct err *e);

int spec_read_services(const struct json_doc *doc, const struct json *root, struct spec *s,
                       struct err *e);

int spec_read_variants(const struct json_doc *doc, const struct json *root, struct spec *s,
                       struct err *e);

/* What would break a request line, a header or a log line is refused with these. */
bool spec_has_control(const char *text);
bool spec_is_url_path(const char *text);
bool spec_is_inside(const char *path);            /* stays inside the tree: relative, no '..' */
bool spec_is_name(const char *text, size_t most); /* letters, digits, '_', '.', '-' */

void spec_list_done(struct spec_list *l);
void spec_pairs_done(struct spec_pairs *p);
void spec_command_done(struct spec_command *c);
void spec_services_done(struct spec *s);
void spec_variants_done(struct spec *s);

void spec_write_list(struct jw *w, const char *key, const struct spec_list *l);
void spec_write_pairs(struct jw *w, const char *key, const struct spec_pairs *p);
void spec_write_command(struct jw *w, const char *key, const struct spec_command *c);
void spec_write_size(struct jw *w, const char *key, int64_t bytes);
void spec_write_services(struct jw *w, const struct spec *s); /* nothing when there are none */
void spec_write_variants(struct jw *w, const struct spec *s);
void spec_write_variant(struct jw *w, const struct spec *s, const struct spec_variant *v);
void spec_write_duration(struct jw *w, const char *key, int64_t ns);
/* As few digits as read back as the same number. */
void spec_write_share(struct jw *w, const char *key, double share);
void spec_write_rate(struct jw *w, const char *key, double rate_rps);
void spec_write_load(struct jw *w, const char *key, const struct spec_load *l);
void spec_write_scenario(struct jw *w, const char *key, const struct spec_scenario *s);

#endif
