/* SPDX-License-Identifier: MIT */
/* slot: see slot.h. */
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "fdio.h"

int slot_take(const char *dir, int slots, int *out_slot, int *out_fd, struct err *e)
{
    if (fdio_make_dirs(dir, 0700, e) < 0)
        return -1;
    for (int i = 0; i < slots; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/slot-%d.lock", dir, i);
        AUTO(fdio_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return err_errno(e, "open '%s'", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            continue;
        *out_slot = i;
        *out_fd = STEAL_FD(fd);
        return 0;
    }
    return err_set(e, ERR_AWAY, "all %d slots in '%s' are taken by running jobs", slots, dir);
}
