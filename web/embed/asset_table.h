/* SPDX-License-Identifier: MIT */
/*
 * asset_table: the page's files inside the program, each as it is, as gzip and as brotli.
 *
 * embed.py makes the table at build time. A form that does not exist has no bytes (NULL). Paths
 * are those of the address: "/assets/app-5F3A.js"; the shell is "/index.html".
 */
#ifndef WEB_ASSET_TABLE_H
#define WEB_ASSET_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct asset_bytes {
    const char *at;
    size_t len;
};

struct asset {
    const char *path, *type;
    const char *etag; /* of the content, without quotes */
    bool immutable;   /* the name has a hash of the content */
    struct asset_bytes raw, gz, br;
};

extern const struct asset asset_table[];
extern const size_t asset_table_len;

#endif
