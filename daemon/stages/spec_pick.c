/* SPDX-License-Identifier: MIT */
/* spec_pick: see spec_pick.h. */
#include "spec_pick.h"

#include "job_doc.h"
#include "lineage.h"

static int pick_at(struct mirror *m, const char *sha, struct spec **out, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    bool found;
    if (lineage_read_file(m, sha, SPEC_FILE, &text, &found, e) < 0) {
        if (e->kind == ERR_LIMIT)
            e->kind = ERR_INPUT;
        return -1;
    }
    return found ? spec_parse(str_view(&text), SPEC_FILE, out, e) : 0;
}

int spec_pick(struct mirror *m, const struct spec_want *want, struct spec **out, int *out_side,
              struct err *e)
{
    const struct stage_repo *repo = want->repo;
    *out_side = -1;
    if (repo->spec_text)
        return spec_parse(view_z(repo->spec_text), repo->spec_path, out, e);
    if (want->base[0]) {
        *out_side = SIDE_BASE;
        int rc = pick_at(m, want->base, out, e);
        bool mend = rc < 0 && e->kind == ERR_INPUT && want->trust_head;
        if (*out || (rc < 0 && !mend))
            return rc;
    }
    *out_side = SIDE_HEAD;
    return pick_at(m, want->head, out, e);
}
