/* SPDX-License-Identifier: MIT */
/*
 * The fixed vocabulary of reports: certainty in words (confirmed, unconfirmed), size in numbers
 * with their interval, direction as arrow and word. The same words in every form.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "report_parts.h"

/* Three significant digits of a share times 100. */
static void add_hundredths(struct str *out, double share, bool sign)
{
    double value = share * 100, size = fabs(value);
    int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    if (!isfinite(value))
        str_addz(out, "?");
    else if (sign)
        str_addf(out, "%+.*f", decimals, value);
    else
        str_addf(out, "%.*f", decimals, value);
}

static void add_percent(struct str *out, double share, bool sign, const char *unit)
{
    add_hundredths(out, share, sign);
    str_addf(out, " %s", unit);
}

void report_effect(enum metric m, double effect, struct str *out)
{
    add_percent(out, effect, true, m == METRIC_ERRORS ? "points" : "%");
}

/* The unit stands with the estimate before it: "+31.2 % [+29.1, +33.3]". */
void report_interval(const struct verdict_line *line, struct str *out)
{
    str_addz(out, "[");
    add_hundredths(out, line->lo, true);
    str_addz(out, ", ");
    add_hundredths(out, line->hi, true);
    str_addz(out, "]");
}

void report_noise(const struct verdict_line *line, struct str *out)
{
    if (isfinite(line->noise))
        add_percent(out, line->noise, false, line->metric == METRIC_ERRORS ? "points" : "%");
    else
        str_addz(out, "-");
}

void report_where(const struct verdict_line *line, struct str *out)
{
    str_addz(out, line->scenario);
    if (line->variant[0])
        str_addf(out, " with %s", line->variant);
    if (line->endpoint[0])
        str_addf(out, ", %s", line->endpoint);
}

const char *report_arrow(const struct verdict_line *line)
{
    return line->effect > 0 ? "\u2191" : line->effect < 0 ? "\u2193" : "=";
}

bool report_is_regression(const struct report *r)
{
    return r->verdict.outcome == OUTCOME_SLOWER || r->verdict.outcome == OUTCOME_MIXED;
}

/* Rows come worst first. */
static const struct verdict_line *first_of(const struct report *r, enum outcome outcome)
{
    for (size_t i = 0; i < r->verdict.lines.len; i++) {
        const struct verdict_line *line = &r->verdict.lines.at[i];
        if (line->primary && line->outcome == outcome)
            return line;
    }
    return NULL;
}

const struct verdict_line *report_worst(const struct report *r)
{
    const struct verdict_line *slower = first_of(r, OUTCOME_SLOWER);
    return slower ? slower : first_of(r, OUTCOME_FASTER);
}

int report_changed_rows(const struct report *r)
{
    int n = 0;
    for (size_t i = 0; i < r->verdict.lines.len; i++)
        n += r->verdict.lines.at[i].outcome == OUTCOME_SLOWER ||
             r->verdict.lines.at[i].outcome == OUTCOME_FASTER;
    return n;
}

void report_failure_stage(const struct report *r, struct str *out)
{
    static const char *const words[FAILURE_COUNT] = {
        "unknown", "infrastructure",   "configuration",  "build",
        "start",   "check of answers", "load generator",
    };
    size_t cls = (size_t)r->failure < FAILURE_COUNT ? r->failure : FAILURE_NONE;
    str_addz(out, words[cls]);
    if (r->failure_side >= 0 && r->failure_side < SIDE_COUNT)
        str_addf(out, " of %s", side_names[r->failure_side]);
}

/* The largest A/A noise of an undecided primary row: what stood in the way. */
static double undecided_noise(const struct report *r)
{
    double noise = NAN;
    for (size_t i = 0; i < r->verdict.lines.len; i++) {
        const struct verdict_line *line = &r->verdict.lines.at[i];
        if (line->primary && line->outcome == OUTCOME_UNDECIDED && isfinite(line->noise) &&
            line->metric != METRIC_ERRORS)
            noise = isnan(noise) ? line->noise : fmax(noise, line->noise);
    }
    return noise;
}

void report_verdict_words(const struct report *r, struct str *out)
{
    if (r->state == JOB_FAILED) {
        str_addz(out, "could not measure: ");
        report_failure_stage(r, out);
        return;
    }
    if (!r->judged) {
        str_addf(out, "no verdict yet (%s)", job_state_names[r->state]);
        return;
    }
    str_addz(out, outcome_words[r->verdict.outcome]);
    if (report_is_regression(r))
        str_addz(out, r->verdict.confirmed ? " (confirmed)" : " (unconfirmed)");
    if (r->verdict.outcome == OUTCOME_NOT_COMPARABLE && !r->base[0])
        str_addz(out, ": no base");
    double noise = undecided_noise(r);
    if (r->verdict.outcome == OUTCOME_UNDECIDED && isfinite(noise)) {
        str_addz(out, " (noise \u00b1");
        add_percent(out, noise, false, "%");
        str_addz(out, ")");
    }
}

void report_headline(const struct report *r, struct str *out)
{
    report_verdict_words(r, out);
    const struct verdict_line *worst = r->judged ? report_worst(r) : NULL;
    if (!worst)
        return;
    str_addf(out, ": %s ", metric_table[worst->metric].title);
    report_effect(worst->metric, worst->effect, out);
    str_addz(out, " ");
    report_interval(worst, out);
    str_addf(out, ", %d of %zu rows changed", report_changed_rows(r), r->verdict.lines.len);
}

static void add_commits(const struct report *r, struct str *out)
{
    str_addf(out, " %.12s %.12s", r->base[0] ? r->base : "BASE", r->head);
}

void report_command(const struct report *r, struct str *out)
{
    str_addz(out, "pacewatch compare");
    add_commits(r, out);
}

/* How many rounds would see an effect of the size asked for, when scatter stays as it is. */
static int64_t rounds_wanted(const struct report *r)
{
    double factor = 2;
    for (size_t i = 0; i < r->verdict.lines.len; i++) {
        const struct verdict_line *line = &r->verdict.lines.at[i];
        if (line->primary && line->outcome == OUTCOME_UNDECIDED && line->detectable > 0 &&
            line->least_effect > 0)
            factor = fmax(factor, line->detectable / line->least_effect);
    }
    double rounds = ceil(r->verdict.rounds * fmin(factor, 10) / 10) * 10;
    return rounds < 20 ? 20 : rounds > 100 ? 100 : (int64_t)rounds;
}

static void next_of_failure(const struct report *r, struct str *line, struct str *command)
{
    if (failure_is_commits_fault(r->failure))
        str_addz(line, "Repair it, then push again; or see it fail in a checkout:");
    else if (r->failure == FAILURE_CONFIG)
        str_addz(line, "Look at the specification:");
    else
        str_addz(line, "This was not the commit's fault; measure again with:");
    if (r->failure == FAILURE_CONFIG)
        str_addz(command, "pacewatch check .pacewatch.json");
    else
        report_command(r, command);
}

void report_next_step(const struct report *r, struct str *line, struct str *command)
{
    if (r->state == JOB_FAILED) {
        next_of_failure(r, line, command);
        return;
    }
    switch (r->verdict.outcome) {
    case OUTCOME_SLOWER:
    case OUTCOME_MIXED:
        if (r->confirming)
            str_addf(line,
                     "Wait for job %" PRId64 ", which measures both again; or repeat it"
                     " in a checkout:",
                     r->confirming);
        else
            str_addz(line, "See it in a checkout, then look at what changed between the two:");
        report_command(r, command);
        return;
    case OUTCOME_UNDECIDED:
        str_addz(line, "More rounds on a quiet machine can decide; in a checkout:");
        str_addf(command, "pacewatch compare --rounds %" PRId64, rounds_wanted(r));
        add_commits(r, command);
        return;
    case OUTCOME_NOT_COMPARABLE:
        str_addz(line, r->base[0] ? "Measure both again on one machine:"
                                  : "Nothing to do: later commits are compared with this one.");
        if (r->base[0])
            report_command(r, command);
        return;
    case OUTCOME_FASTER:
        str_addz(line, "Nothing to do. To see it again in a checkout:");
        report_command(r, command);
        return;
    default:
        str_addz(line, r->judged ? "Nothing to do." : "Wait until the job has been judged.");
    }
}

void report_facts(const struct report *r, void (*host)(struct str *, struct view),
                  struct str *out)
{
    if (r->judged && r->verdict.outcome != OUTCOME_IDENTICAL)
        str_addf(out, "%d rounds used, %d void, ", r->verdict.rounds, r->verdict.rounds_void);
    if (r->end == RESULT_END_LOOK)
        str_addf(out, "ended at a look before round %d, ", r->rounds_planned);
    else if (r->end == RESULT_END_TIME)
        str_addf(out, "ended by its time limit before round %d, ", r->rounds_planned);
    if (r->duet)
        str_addz(out, "both arms at once (duet), ");
    str_addf(out, "seed %" PRId64, r->seed);
    if (r->host[0]) {
        str_addz(out, ", host ");
        host(out, view_z(r->host));
    }
    if (r->spec[0])
        str_addf(out, ", spec %s", r->spec);
    if (r->ended_ms > r->started_ms)
        str_addf(out, ", took %" PRId64 " s", (r->ended_ms - r->started_ms + 500) / 1000);
}

int report_exit_status(const struct report *r)
{
    if (r->state == JOB_FAILED || !r->judged)
        return 2;
    return report_is_regression(r) ? 1 : 0;
}
