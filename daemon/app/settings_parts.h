/* SPDX-License-Identifier: MIT */
/*
 * settings_parts: what the readers of the configuration share. Private to this folder.
 */
#ifndef APP_SETTINGS_PARTS_H
#define APP_SETTINGS_PARTS_H

#include "json.h"
#include "settings.h"

struct settings_reader {
    const struct json_doc *doc;
    const char *folder;
    struct err *err;
};

/* Owned copy of a text member; keeps the default when it is absent. */
int settings_string(struct settings_reader *rd, const struct json *object, const char *key,
                    bool required, char **out);
/* The same for a path, which begins at the configuration's folder unless it is absolute. */
int settings_path(struct settings_reader *rd, const struct json *object, const char *key,
                  bool required, char **out);

int settings_read_forge(struct settings_reader *rd, const struct json *repo,
                        struct settings_forge *f);
void settings_forge_done(struct settings_forge *f);
int settings_read_notify(struct settings_reader *rd, const struct json *repo,
                         struct settings_repo *r);
void settings_notify_done(struct settings_repo *r);

#endif
