/* SPDX-License-Identifier: MIT */
/*
 * Whom we tell: a forge by its host, everybody else by the address. One thread serves all, so a
 * receiver that takes requests and does not answer would hold up all others with every text for
 * it. After a silence nothing is sent there for half a minute, then twice as long, and so on:
 * of the stage's time it costs one deadline at first and 1 % in the end.
 */
#include <string.h>

#include "mem.h"
#include "post_parts.h"

enum { SILENT_FIRST_MS = 30 * 1000, SILENT_MAX_MS = 960 * 1000 };

static struct post_host *host_named(struct post *p, const char *name)
{
    for (size_t i = 0; i < p->hosts_len; i++)
        if (strcmp(p->hosts[i].name, name) == 0)
            return &p->hosts[i];
    if (p->hosts_len == POST_HOSTS_MAX) /* the rest shares one, which is slow and safe */
        return &p->hosts[POST_HOSTS_MAX - 1];
    struct post_host *host = &p->hosts[p->hosts_len++];
    *host = (struct post_host){.name = mem_strdup(name)};
    return host;
}

static struct post_host *forge_of(struct post *p, const struct outbox *o)
{
    const struct notice_forge *to = notice_forge_of(&p->targets, o->repo);
    if (!to)
        return NULL;
    struct post_host *host = host_named(p, forge_host(to->forge));
    host->is_forge = true;
    host->budget.kind = forge_kind(to->forge);
    return host;
}

/* The address of a chat may be a secret; its file stands for it. */
struct post_host *post_host_of(struct post *p, const struct outbox *o)
{
    if (o->target == OUTBOX_FILE)
        return NULL;
    if (o->target == OUTBOX_COMMENT || o->target == OUTBOX_STATUS)
        return forge_of(p, o);
    const struct notice_target *to = notice_target_of(&p->targets, o);
    const char *name = !to ? NULL : to->courier.url ? to->courier.url : to->courier.secret_file;
    return name ? host_named(p, name) : NULL;
}

int64_t post_host_wait_ms(struct post_host *host, int64_t now_ms)
{
    int64_t budget = host->is_forge ? forge_budget_wait_ms(&host->budget, now_ms) : 0;
    int64_t silent = host->silent_until_ms - now_ms;
    return silent > budget ? silent : budget;
}

void post_host_note(struct post_host *host, bool silent, int64_t now_ms)
{
    int64_t pause = SILENT_FIRST_MS;
    if (!silent) {
        host->silences = 0;
        return;
    }
    for (int i = 0; i < host->silences && pause < SILENT_MAX_MS; i++)
        pause *= 2;
    host->silences++;
    host->silent_until_ms = now_ms + pause;
}

void post_done(struct post *p)
{
    for (size_t i = 0; i < p->hosts_len; i++)
        free(p->hosts[i].name);
    p->hosts_len = 0;
}
