/* SPDX-License-Identifier: MIT */
/*
 * loadgen: runs pacewatch-load against the service of one arm and reads its result.
 *
 * The generator tells on a descriptor when its measured part begins and ends; at these two
 * moments the caller's function reads the service's accounts, so that CPU time and requests
 * cover the same window.
 */
#ifndef JOB_LOADGEN_H
#define JOB_LOADGEN_H

#include "pulse.h"
#include "spec.h"
#include "vec.h"

struct loadgen_run {
    const char *program;  /* path of pacewatch-load */
    const char *data;     /* file of its templates; NULL: none */
    const char *scenario; /* file with the scenario as JSON */
    const char *cpus;
    const char *engine; /* "": as pacewatch-load chooses */
    int netns;          /* -1: the host's network */
    int port;
    uint64_t seed;
    int64_t deadline_ns;
    struct pulse *pulse;
    /* 'edge' 0: the measured part began at 'at_ns'; 1: it ended. */
    void (*mark)(void *arg, int edge, int64_t at_ns);
    void *mark_arg;
    int watch_fd; /* the service's pidfd: when it is readable, there is no point in going on */
};

struct loadgen_times { /* of one endpoint or of all */
    uint64_t requests, answered, failed;
    int64_t p50_ns, p90_ns, p99_ns;
    struct str packed; /* hist_pack of the response times */
    uint64_t count;    /* of values in it */
};

enum { LOADGEN_ENGINE_BYTES = 16 };

struct loadgen_result {
    struct loadgen_times all;
    VEC(struct loadgen_times) endpoints; /* in the scenario's order */
    uint64_t bytes_in;                   /* in the window, heads included */
    uint64_t closed_by_peer;             /* kept connections, in the window */
    uint64_t answered_in_window;         /* goes with the CPU time of the window */
    double duration_s, achieved_rps;
    double warmup_ns; /* until the service was steady, at most as the scenario says */
    double cpu_share, lateness_p99_ns;
    bool limited;
    char reason[160];
    char engine[LOADGEN_ENGINE_BYTES]; /* which one it was */
    bool service_ended;
};

enum { LOADGEN_RUNS_MAX = 2 };

/* All at once, up to the deadline of the first. ERR_CONFLICT when the job was cancelled. */
int loadgen_run(const struct loadgen_run *runs, size_t n, struct loadgen_result *out,
                struct err *e);
void loadgen_result_done(struct loadgen_result *r);

/* The reader alone. */
int loadgen_parse(struct view text, struct loadgen_result *out, struct err *e);

#endif
