/* SPDX-License-Identifier: MIT */
/* executor: see executor.h. */
#include "executor.h"

int executor_submit(struct executor *x, const struct executor_spec *spec,
                    char out_ref[EXECUTOR_REF_MAX + 1], struct err *e)
{
    if (x->class->submit(x, spec, out_ref, e) < 0)
        return err_ctx(e, "executor %s: %s", x->class->name, spec->key);
    return 0;
}

int executor_poll(struct executor *x, struct executor_infos *out, struct err *e)
{
    if (x->class->poll(x, out, e) < 0)
        return err_ctx(e, "executor %s", x->class->name);
    return 0;
}

int executor_cancel(struct executor *x, const char *key, struct err *e)
{
    if (x->class->cancel(x, key, e) < 0)
        return err_ctx(e, "executor %s: cancel %s", x->class->name, key);
    return 0;
}

bool executor_has_room(struct executor *x)
{
    return x->class->has_room(x);
}

void executor_stop(struct executor *x, int64_t deadline_ns)
{
    x->class->stop(x, deadline_ns);
}

void executor_freep(struct executor **x)
{
    if (*x)
        (*x)->class->free(*x);
    *x = NULL;
}

const char *executor_name(const struct executor *x)
{
    return x->class->name;
}
