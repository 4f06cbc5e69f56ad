/* SPDX-License-Identifier: MIT */
/*
 * area: directories of fixed size that foreign code may fill, and fresh copies of them.
 *
 * The runner moves into a mount namespace of its own, so everything it mounts vanishes with it,
 * also when it is killed. Three kinds of directory:
 *
 *   image     an ext4 file system in a file on a loop device: survives, so it can be cached.
 * Root. tmpfs     in memory, gone with the job: what a runner without root uses. overlay   a
 * writable view of a finished tree, with its own size limit and no cost of copying: each
 * measured arm starts from the same files and leaves no trace in them.
 */
#ifndef SANDBOX_AREA_H
#define SANDBOX_AREA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"

enum { AREA_PATH_MAX = 512 };

struct area_space {
    bool mounts;   /* we may mount at all */
    bool images;   /* loop devices too */
    bool user;     /* inside a user namespace: we are root of nothing but our own uid */
    char why[256]; /* why not, for people */
};

/* Moves the calling process, which must have one thread, into a mount namespace of its own.
 * Never fails: what is not possible is false in *out. Without root it goes through a user
 * namespace. */
void area_space_enter(struct area_space *out, bool root);

/* Makes an image of 'bytes' that belongs to 'uid' inside; no space is used yet. */
int area_image_make(const char *image, int64_t bytes, uid_t uid, struct err *e);
int area_image_mount(const char *image, const char *dir, bool read_only, struct err *e);
int area_tmpfs_mount(const char *dir, int64_t bytes, uid_t uid, struct err *e);

/* 'dir' shows 'lower' with changes going to at most 'bytes' of memory. 'scratch' is an empty
 * directory of ours that the overlay uses while it is mounted. */
int area_overlay_mount(const struct area_space *space, const char *lower, const char *scratch,
                       const char *dir, int64_t bytes, uid_t uid, struct err *e);

int area_make_read_only(const char *dir, struct err *e);
/* Both are quiet about a directory where nothing is mounted. */
void area_unmount(const char *dir);
void area_overlay_unmount(const char *scratch, const char *dir);

#endif
