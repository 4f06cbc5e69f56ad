/* SPDX-License-Identifier: MIT */
/*
 * service: the service under test, freshly started from its finished tree for one use.
 *
 *     AUTO(service_done) struct service s;
 *     if (service_start(j, side, variant, &s) < 0)      // job_fail has been called
 *         return -1;
 *     ... it answers on s.port in the network s.netns ...
 *     service_stop(j, &s);
 *
 * Inside a sandbox it has a network of its own, so its port is always the same and clashes with
 * nothing. Without one, a free port of the host is looked for.
 */
#ifndef JOB_SERVICE_H
#define JOB_SERVICE_H

#include "services.h"

struct service {
    enum side side;
    const struct spec_variant *variant;
    int half; /* of the machine, in a duet; else 0 */
    const struct cpus *cpus;
    struct sandbox *sandbox;
    struct capture *output;
    int port, netns;
    int64_t start_ns; /* from exec to the first good answer of the readiness probe */
    struct sandbox_use use;
    struct work_fresh area;
    struct services beside;
};

/* Until it is ready, or fails the job with what it printed last. */
int service_start(struct job *j, enum side side, int variant, struct service *out);
/* The same on one half of the machine, beside another service on the other half. */
int service_start_half(struct job *j, enum side side, int variant, int half,
                       struct service *out);
/* Stop signal, grace, then the end of everything; its last output stays in j->service_said. */
void service_stop(struct job *j, struct service *s);
void service_done(struct service *s);

bool service_has_ended(struct service *s, int *status);

#endif
