/* SPDX-License-Identifier: MIT */
/* forge_budget: see forge_budget.h. */
#include "forge_budget.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 3600 * 1000 };

static const double periods_ms[2] = {MINUTE_MS, HOUR_MS};

/* Half of what is documented: a full bucket and what flows back meanwhile may come together. */
static const double limits[FORGE_KIND_COUNT][2] = {
    [FORGE_GIT] = {60, 1000},       [FORGE_GITHUB] = {40, 240},
    [FORGE_GITLAB] = {120, 4000},   [FORGE_GITEA] = {200, 6000},
    [FORGE_BITBUCKET] = {100, 450}, [FORGE_BITBUCKET_SERVER] = {100, 3000},
};

static void flow_back(struct forge_budget *b, int64_t now_ms)
{
    double passed = now_ms > b->at_ms ? (double)(now_ms - b->at_ms) : 0;
    for (int i = 0; i < 2; i++) {
        b->spent[i] -= passed / periods_ms[i] * limits[b->kind][i];
        if (b->spent[i] < 0)
            b->spent[i] = 0;
    }
    b->at_ms = now_ms;
}

int64_t forge_budget_wait_ms(struct forge_budget *b, int64_t now_ms)
{
    int64_t wait = b->until_ms > now_ms ? b->until_ms - now_ms : 0;
    flow_back(b, now_ms);
    for (int i = 0; i < 2; i++) {
        double over = b->spent[i] + 1 - limits[b->kind][i];
        int64_t own = over > 0 ? 1 + (int64_t)(over / limits[b->kind][i] * periods_ms[i]) : 0;
        wait = own > wait ? own : wait;
    }
    return wait;
}

void forge_budget_note(struct forge_budget *b, const struct forge_answer *a, int64_t now_ms)
{
    flow_back(b, now_ms);
    b->spent[0]++;
    b->spent[1]++;
    /* A token that is missing or refused is one repository's, not the forge's. */
    bool asked = a->wait_ms && a->status && a->status != 401;
    int64_t until = asked ? now_ms + a->wait_ms : 0;
    if (a->budget == 0 && a->budget_reset_ms > until)
        until = a->budget_reset_ms;
    if (until > b->until_ms)
        b->until_ms = until;
}
