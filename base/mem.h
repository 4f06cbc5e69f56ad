/* SPDX-License-Identifier: MIT */
/*
 * mem: allocation that does not fail.
 *
 * Every input has a ceiling and every job survives a restart, so running out of memory ends the
 * program with a message instead of being handled in a thousand places. Free with free() or,
 * for AUTO, mem_freep.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *mem_alloc(size_t size); /* not cleared */
void *mem_zero(size_t count, size_t size);
void *mem_resize(void *old, size_t count, size_t size);
void *mem_dup(const void *bytes, size_t size);
char *mem_strdup(const char *text); /* NULL gives NULL */
char *mem_strndup(const char *text, size_t len);

/* For AUTO(mem_freep) on any pointer variable. */
static inline void mem_freep(void *variable)
{
    free(*(void **)variable);
    *(void **)variable = NULL;
}

#endif
