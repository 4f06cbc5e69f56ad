/* SPDX-License-Identifier: MIT */
/*
 * vec: a growable array of one type, as a macro because C has no templates.
 *
 *     VEC(struct round) rounds = {0};
 *     *vec_push(&rounds) = (struct round){.n = 1};          // the new element is cleared first
 *     for (size_t i = 0; i < rounds.len; i++) use(&rounds.at[i]);
 *     vec_done(&rounds);                                     // does not look into the elements
 *
 * Elements move when the array grows: keep indices, not pointers.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define VEC(type)         \
    struct {              \
        type *at;         \
        size_t len, room; \
    }

#define vec_push(v)                                                    \
    ({                                                                 \
        if ((v)->len == (v)->room) {                                   \
            (v)->room = (v)->room ? 2 * (v)->room : 8;                 \
            (v)->at = mem_resize((v)->at, (v)->room, sizeof *(v)->at); \
        }                                                              \
        memset(&(v)->at[(v)->len], 0, sizeof *(v)->at);                \
        &(v)->at[(v)->len++];                                          \
    })

#define vec_done(v)               \
    do {                          \
        free((v)->at);            \
        (v)->at = NULL;           \
        (v)->len = (v)->room = 0; \
    } while (0)

#endif
