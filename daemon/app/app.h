/* SPDX-License-Identifier: MIT */
/*
 * app: the whole service in one process: database, stages and HTTP, started and stopped
 * together.
 *
 * The daemon starts it from its configuration and keeps it until a signal; 'pacewatch compare'
 * starts the same with a temporary state directory, asks for one comparison and stops.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdint.h>

#include "errors.h"
#include "settings.h"

struct app;

/* The settings must outlive the app. Another process with the same state directory is refused.
 */
int app_start(const struct settings *settings, struct app **out, struct err *e);

/* Stops taking work, stops what runs (it is measured again at the next start) and frees. */
void app_stop(struct app *app);

const char *app_db_path(const struct app *app);

#endif
