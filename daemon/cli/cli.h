/* SPDX-License-Identifier: MIT */
/*
 * cli: the commands of the program 'pacewatch'. argv[0] is the command's name; the answer is
 * the exit status, see pacewatch(1).
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cmd_compare(int argc, char **argv); /* measure two commits without a daemon */
int cmd_check(int argc, char **argv);   /* check a spec */
int cmd_status(int argc, char **argv);  /* what a daemon has measured and is doing */
int cmd_report(int argc, char **argv);  /* the report of one job or merge request */
int cmd_explain(int argc, char **argv); /* why a verdict or change point is what it is */
int cmd_doctor(int argc, char **argv);  /* what this host can do */
int cmd_detect(int argc, char **argv);  /* change points of a series: CSV in, indices out */
int cmd_judge(int argc, char **argv);   /* verdict over rounds: CSV in, JSON out */

#endif
