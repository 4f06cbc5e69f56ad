/* SPDX-License-Identifier: MIT */
/* check_host: what 'pacewatch doctor' shows, and the settings that it changes when told to. */
#ifndef JOB_CHECK_HOST_H
#define JOB_CHECK_HOST_H

#include <stdbool.h>

struct check_request {
    bool json;
    bool tune, restore; /* before the look */
};

/* Prints the list. Exit status: 0, or 1 when foreign code cannot run in a sandbox here or a
 * setting could not be changed. */
int check_host(const struct check_request *request);

#endif
