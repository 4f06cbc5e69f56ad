/* SPDX-License-Identifier: MIT */
/*
 * auto: scope-bound cleanup and visible transfer of ownership.
 *
 *     AUTO(str_done) struct str text = STR_INIT(1 << 20);   // freed on every way out
 *     *out = STEAL(spec);                                   // given away: the local is empty
 * now
 *
 * The cleanup function takes a pointer to the variable and must accept an empty one.
 */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#define AUTO(fn)         __attribute__((cleanup(fn)))
#define PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))

/* Takes the pointer out of a variable and leaves NULL behind. */
#define STEAL(p)                     \
    ({                               \
        __typeof__(p) stolen_ = (p); \
        (p) = NULL;                  \
        stolen_;                     \
    })

/* The same for a file descriptor, which is empty when -1. */
#define STEAL_FD(fd)        \
    ({                      \
        int stolen_ = (fd); \
        (fd) = -1;          \
        stolen_;            \
    })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
