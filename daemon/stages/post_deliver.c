/* SPDX-License-Identifier: MIT */
/* Into a file, and by a courier: neither needs to remember anything. */
#include <limits.h>

#include "clock.h"
#include "fdio.h"
#include "post_parts.h"

enum { STATUS_GONE = 410, MAIL_REFUSED = 550 };

int post_by_courier(const struct post *p, const struct outbox *o, struct delivery *d,
                    struct err *e)
{
    const struct notice_target *target = notice_target_of(&p->targets, o);
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    if (!target) {
        d->hopeless = true;
        return err_set(e, ERR_INPUT, "'%s' has no %s '%s' any more", o->repo,
                       outbox_target_names[o->target], o->place);
    }
    struct courier courier = target->courier;
    courier.cancel = p->stopping;
    if (courier_send(&courier, o->message_id, view_z(o->body),
                     clock_now_ns() + POST_DEADLINE_NS, &answer, e) < 0) {
        d->silent = e->kind == ERR_TIMEOUT;
        return -1;
    }
    d->status = answer.status;
    d->retry_after_ms = answer.retry_after_ms;
    d->hopeless =
        o->target == OUTBOX_MAIL ? answer.status >= MAIL_REFUSED : answer.status == STATUS_GONE;
    if (answer.status >= 200 && answer.status < 300)
        return 0;
    return err_set(e, ERR_PROTOCOL, "the receiver answered %d", answer.status);
}

/* Names of repositories come from the configuration and slots from us, yet both become a path.
 */
static bool is_safe_path(struct view path)
{
    struct view part;
    if (view_starts(path, "/"))
        return false;
    while (path.len) {
        (void)view_cut(path, '/', &part, &path);
        if (!part.len || view_eqz(part, ".") || view_eqz(part, ".."))
            return false;
    }
    return true;
}

int post_to_file(const struct post *p, const struct outbox *o, struct delivery *d,
                 struct err *e)
{
    AUTO(str_done) struct str name = STR_INIT(PATH_MAX);
    AUTO(str_done) struct str path = STR_INIT(PATH_MAX);
    str_addf(&name, "%s/%s", o->repo, o->slot);
    if (!is_safe_path(str_view(&name))) {
        d->hopeless = true;
        return err_set(e, ERR_INPUT, "'%s' is no path", str_text(&name));
    }
    str_addf(&path, "%s/reports/%s", p->state_dir, str_text(&name));
    char *slash = strrchr(path.at, '/');
    *slash = '\0';
    if (fdio_make_dirs(path.at, 0755, e) < 0)
        return -1;
    *slash = '/';
    str_addz(&path, ".md");
    return fdio_write_file(str_text(&path), view_z(o->body), 0644, e);
}
