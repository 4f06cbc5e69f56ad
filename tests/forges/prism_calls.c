/* SPDX-License-Identifier: MIT */
/*
 * prism_calls: makes each call of GitHub's API once, with a token and as an App, and tells
 * which were not answered with success; see prism.sh.
 */
#include <stdio.h>

#include "clock.h"
#include "forge.h"

#define SHA "c9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int failures;

static void tell(const char *call, int r, const struct forge_answer *a, const struct err *e)
{
    printf("%-16s %d %s\n", call, a->status, r < 0 ? e->text : "good");
    failures += r < 0;
}

static void call_all(struct forge *f)
{
    AUTO(forge_comment_done) struct forge_comment comment = FORGE_COMMENT_INIT;
    struct forge_answer a;
    struct forge_user us = {0}, who = {.login = "octocat"};
    struct forge_mr mr;
    enum forge_role role;
    char id[FORGE_ID_MAX + 1] = "", check[FORGE_ID_MAX + 1] = "";
    struct err e = {0};
    tell("whoami", forge_whoami(f, &us, &a, &e), &a, &e);
    tell("role", forge_role_of(f, &who, &role, &a, &e), &a, &e);
    tell("mr", forge_mr_get(f, 12, &mr, &a, &e), &a, &e);
    tell("comment post", forge_comment_post(f, 12, VIEW("**hello**"), id, &a, &e), &a, &e);
    tell("comment get", forge_comment_get(f, 12, id, &comment, &a, &e), &a, &e);
    tell("comment edit", forge_comment_edit(f, 12, id, VIEW("**again**"), &a, &e), &a, &e);
    tell("comment find",
         forge_comment_find(f, 12, "<!-- pacewatch", clock_wall_ms() - 60000, id, &a, &e), &a,
         &e);
    struct forge_status status = {.sha = SHA,
                                  .context = "pacewatch",
                                  .description = "queued",
                                  .url = "https://pace.example/jobs/1",
                                  .summary = "**queued**"};
    for (int s = 0; s < FORGE_STATE_COUNT; s++) {
        status.state = (enum forge_state)s;
        tell(forge_state_names[s], forge_status_put(f, &status, check, &a, &e), &a, &e);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: prism_calls URL TOKEN_FILE KEY_FILE\n", stderr);
        return 2;
    }
    for (int app = 0; app < 2; app++) {
        AUTO(forge_closep) struct forge *f = NULL;
        struct err e = {0};
        struct forge_options options = {.kind = FORGE_GITHUB,
                                        .api_url = argv[1],
                                        .project = "octocat/hello-world",
                                        .token_file = argv[2],
                                        .app_id = app ? "1" : NULL,
                                        .app_installation = app ? "1" : NULL,
                                        .app_key_file = app ? argv[3] : NULL};
        if (forge_open(&options, &f, &e) < 0) {
            fprintf(stderr, "%s\n", e.text);
            return 2;
        }
        printf("--- %s\n", app ? "as an App" : "with a token");
        call_all(f);
    }
    printf("%d calls failed\n", failures);
    return failures != 0;
}
