/* SPDX-License-Identifier: MIT */
/*
 * store_report: gathers what a report of one job shows.
 */
#ifndef STORE_REPORT_H
#define STORE_REPORT_H

#include "report_record.h"
#include "store.h"

/* A job that does not exist is ERR_NOT_FOUND. Free with report_record_done. */
int store_report_load(struct store *s, int64_t job, struct report *out, struct err *e);

#endif
