/* SPDX-License-Identifier: MIT */
/*
 * The order of work: differences and noise of each metric (pair.c), family tests over the
 * primary ones (signflip.c), false-discovery control over the others (claims.c), equivalence,
 * sentences.
 *
 * The family test asks whether the change is beyond the user's margin; the A/A floor is asked
 * of the estimate alone. Testing against the floor as well would cost half of the power and
 * protect from nothing that the test has not already seen.
 */
#include "verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "dist.h"
#include "looks.h"
#include "mem.h"
#include "pair.h"
#include "serial.h"
#include "signflip.h"
#include "verdict_parts.h"

#define ALPHA_DEFAULT  0.01
#define FAMILY_SHARE   0.85 /* of alpha; see one_sided */
#define ADVISORY_LEVEL 0.05 /* false-discovery rate of advisory metrics */
#define POWER_Z        1.75 /* 95 %: 1.645 for plain means, a little more for clipped ones */

/* Everything one job's verdict is made from. */
struct judge {
    const struct verdict_metric *metrics;
    size_t n;
    struct pair *pairs;
    struct verdict_row *rows;
    size_t rounds, rounds_last, rounds_min;
    size_t looks[SIGNFLIP_LOOKS_MAX];
    double spent[SIGNFLIP_LOOKS_MAX]; /* two-sided */
    size_t looks_len;
    double alpha, share; /* in all, and of this look alone */
    uint64_t seed;
    double inflation, rho; /* of rounds that follow each other; serial.h */
    size_t primary;        /* metrics in the family */
    double *slower, *faster, *slower0, *faster0; /* adjusted one-sided p; 0: without margin */
};

const char *stats_outcome_name(enum stats_outcome outcome)
{
    static const char *const names[] = {
        [STATS_NO_CHANGE] = "no_change", [STATS_FASTER] = "faster", [STATS_SLOWER] = "slower",
        [STATS_UNDECIDED] = "undecided", [STATS_MIXED] = "mixed",
    };
    return (size_t)outcome < ARRAY_LEN(names) ? names[outcome] : "unknown";
}

static int check(const struct verdict_metric *metrics, size_t n, const struct verdict_rules *r,
                 struct err *e)
{
    if (n > VERDICT_METRICS_MAX)
        return err_set(e, ERR_LIMIT, "%zu metrics; at most %d can be judged together", n,
                       VERDICT_METRICS_MAX);
    if (r->alpha < 0 || r->alpha >= 0.5 || isnan(r->alpha))
        return err_set(e, ERR_INPUT, "alpha must lie between 0 and 0.5");
    if (r->looks_len > SIGNFLIP_LOOKS_MAX)
        return err_set(e, ERR_LIMIT, "%zu looks; at most %d", r->looks_len, SIGNFLIP_LOOKS_MAX);
    if (r->looks_len && (r->look < 0 || (size_t)r->look >= r->looks_len))
        return err_set(e, ERR_INPUT, "look %d of %zu planned ones", r->look, r->looks_len);
    for (size_t i = 0; i < r->looks_len; i++)
        if (r->looks[i] <= (i ? r->looks[i - 1] : 0))
            return err_set(e, ERR_INPUT, "looks must rise: %d is not above the one before",
                           r->looks[i]);
    for (size_t i = 0; i < n; i++) {
        const struct verdict_metric *m = &metrics[i];
        if (m->rounds > VERDICT_ROUNDS_MAX)
            return err_set(e, ERR_LIMIT, "metric '%s': %zu rounds; at most %d", m->name,
                           m->rounds, VERDICT_ROUNDS_MAX);
        if (!(m->least_effect >= 0) || !isfinite(m->least_effect) || !(m->max_noise >= 0))
            return err_set(e, ERR_INPUT, "metric '%s': margins must be 0 or above", m->name);
    }
    return 0;
}

/* Rounds and alpha of the looks up to the present one, which has all rounds we were given. */
static void plan_looks(struct judge *j, const struct verdict_rules *r)
{
    size_t planned = r->looks_len ? (size_t)r->looks[r->looks_len - 1] : j->rounds;
    j->rounds_last = planned > j->rounds ? planned : j->rounds;
    bool last = !r->looks_len || (size_t)r->look + 1 == r->looks_len;
    for (int k = 0; k < r->look && r->looks_len; k++) {
        size_t rounds = (size_t)r->looks[k];
        if (rounds >= j->rounds)
            break;
        j->looks[j->looks_len] = rounds;
        j->spent[j->looks_len++] = looks_spent(j->alpha, rounds, j->rounds_last);
    }
    double before = j->looks_len ? j->spent[j->looks_len - 1] : 0;
    size_t now = last ? j->rounds_last : (size_t)r->looks[r->look];
    j->looks[j->looks_len] = j->rounds;
    j->spent[j->looks_len] = looks_spent(j->alpha, now, j->rounds_last);
    j->share = j->spent[j->looks_len++] - before;
    for (j->rounds_min = 1; rank_signed_least_p(j->rounds_min) > j->alpha;)
        j->rounds_min++;
}

static bool judged(const struct judge *j, size_t i)
{
    return j->pairs[i].n >= j->rounds_min && !j->pairs[i].deterministic;
}

static bool in_family(const struct judge *j, size_t i)
{
    return j->metrics[i].primary && judged(j, i);
}

/* What one side may spend up to look k. A family keeps a little in reserve: the test is exact
 * for exchangeable arms, and real rounds are a little less than that. One metric alone has no
 * such reserve, and no look is taken below the smallest p its rounds can reach. */
static double one_sided(const struct judge *j, size_t k)
{
    double full = j->spent[k] / 2;
    double least = ldexp(1, -(int)(j->looks[k] < 1000 ? j->looks[k] : 1000));
    if (j->primary < 2 || full < least)
        return full;
    return fmax(FAMILY_SHARE * full, least);
}

/* Adjusted p of the judged primary metrics back to the rows of all metrics, with the reserve
 * brought in, so that p <= spent / 2 is the claim. */
static void spread(const struct judge *j, const double *adjusted, double *p)
{
    double now = one_sided(j, j->looks_len - 1);
    double scale = now > 0 ? j->spent[j->looks_len - 1] / 2 / now : 1;
    size_t row = 0;
    for (size_t i = 0; i < j->n; i++)
        p[i] = in_family(j, i) ? fmin(1, adjusted[row++] * scale) : 1;
}

/* One-sided family test of all judged primary metrics. side +1: slower; margin_part 0 or 1.
 * Without margins the other side comes for nothing: 'below' gets it unless it is NULL. */
static void family_test(const struct judge *j, double side, double margin_part, double *p,
                        double *below)
{
    AUTO(mem_freep) double *u = mem_alloc((j->n * j->rounds + 1) * sizeof *u);
    AUTO(mem_freep) double *adjusted = mem_alloc((2 * j->n + 1) * sizeof *adjusted);
    double spent[SIGNFLIP_LOOKS_MAX];
    for (size_t k = 0; k < j->looks_len; k++)
        spent[k] = one_sided(j, k);
    size_t row = 0;
    for (size_t i = 0; i < j->n; i++) {
        const struct pair *pair = &j->pairs[i];
        if (!in_family(j, i))
            continue;
        double m = margin_part * pair_margin(pair, j->metrics[i].least_effect);
        for (size_t k = 0; k < j->rounds; k++)
            u[row * j->rounds + k] =
                k < pair->rounds ? side * pair->direction * pair->d[k] - m : NAN;
        row++;
    }
    signflip_family(&(struct signflip_plan){.u = u,
                                            .metrics = row,
                                            .rounds = j->rounds,
                                            .looks = j->looks,
                                            .spent = spent,
                                            .looks_len = j->looks_len,
                                            .inflation = j->inflation,
                                            .seed = j->seed},
                    adjusted, below ? adjusted + j->n : NULL);
    spread(j, adjusted, p);
    if (below)
        spread(j, adjusted + j->n, below);
}

/* The same for advisory metrics: exact signed-rank tests, then Benjamini-Yekutieli. Levels are
 * brought to the scale of the family test, so that one comparison with 'spent' serves both. */
static void advisory_test(const struct judge *j, double side, double margin_part, double *p)
{
    AUTO(mem_freep) double *raw = mem_alloc((j->n + 1) * sizeof *raw);
    for (size_t i = 0; i < j->n; i++) {
        raw[i] = NAN;
        if (j->metrics[i].primary || !judged(j, i))
            continue;
        const struct pair *pair = &j->pairs[i];
        double m = margin_part * pair_margin(pair, j->metrics[i].least_effect);
        double toward = side * pair->direction;
        struct rank_test test;
        rank_signed(pair->good, pair->n, toward * m, &test);
        raw[i] = toward > 0 ? test.p_greater : test.p_less;
    }
    claims_by(raw, j->n, raw);
    for (size_t i = 0; i < j->n; i++)
        if (!isnan(raw[i]))
            p[i] = fmin(1, raw[i] * j->alpha / ADVISORY_LEVEL);
}

static void measure_serial(struct judge *j)
{
    AUTO(mem_freep) double *d = mem_alloc((j->n * j->rounds + 1) * sizeof *d);
    size_t row = 0;
    for (size_t i = 0; i < j->n; i++)
        if (in_family(j, i)) {
            for (size_t k = 0; k < j->rounds; k++)
                d[row * j->rounds + k] = k < j->pairs[i].rounds ? j->pairs[i].d[k] : NAN;
            row++;
        }
    j->inflation = serial_inflation(d, row, j->rounds, j->seed, &j->rho);
}

static void run_tests(struct judge *j)
{
    measure_serial(j);
    bool margins = false;
    for (size_t i = 0; i < j->n; i++)
        margins = margins || j->metrics[i].least_effect > 0;
    family_test(j, +1, 1, j->slower, margins ? NULL : j->faster);
    advisory_test(j, +1, 1, j->slower);
    if (margins) {
        family_test(j, -1, 1, j->faster, NULL);
        family_test(j, +1, 0, j->slower0, j->faster0);
        advisory_test(j, +1, 0, j->slower0);
        advisory_test(j, -1, 0, j->faster0);
    }
    advisory_test(j, -1, 1, j->faster);
    if (!margins) {
        memcpy(j->slower0, j->slower, j->n * sizeof *j->slower);
        memcpy(j->faster0, j->faster, j->n * sizeof *j->faster);
    }
}

/* Smallest change that would have been claimed with 95 % chance: margin + (t + z sqrt(1 + t^2 /
 * 2f)) standard errors, f = n - 1, t the Bonferroni quantile over the family (noncentral t by
 * its normal approximation; Johnson, Welch 1940). */
static double detectable(const struct judge *j, const struct pair *p, double margin)
{
    if (p->n < j->rounds_min)
        return INFINITY;
    double f = (double)p->n - 1, family = j->primary ? (double)j->primary : 1;
    double level = j->spent[j->looks_len - 1] / 2 / family;
    if (level <= 0)
        return INFINITY;
    double t = -dist_t_quantile(level, f);
    double errors = t + POWER_Z * sqrt(1 + t * t / (2 * f));
    return pair_relative(p, margin + errors * p->sd / sqrt((double)p->n));
}

/* Margin of 'no change'. Without one from the user it is what this many rounds can confirm:
 * 1.25 sd at 30 rounds. */
static double same_margin(const struct judge *j, size_t i)
{
    const struct pair *p = &j->pairs[i];
    double user = pair_margin(p, j->metrics[i].least_effect), floor = p->floor;
    if (user > 0)
        return fmax(user, floor);
    return fmax(floor, 1.25 * p->sd * sqrt(30 / fmax(1, (double)j->rounds_last)));
}

static void judge_equal(struct judge *j, size_t i, double margin)
{
    const struct pair *p = &j->pairs[i];
    struct rank_test below, above;
    rank_signed(p->good, p->n, margin, &below);
    rank_signed(p->good, p->n, -margin, &above);
    j->rows[i].p_same = fmax(below.p_less, above.p_greater);
}

/* Would up to the last look probably bring neither a claim of twice the margin nor a no change?
 */
static bool futile(const struct judge *j, size_t i, double margin)
{
    const struct pair *p = &j->pairs[i];
    if (p->n >= j->rounds_last || p->sd <= 0 || p->n < j->rounds_min)
        return false;
    size_t last = j->rounds_last;
    double m = pair_margin(p, j->metrics[i].least_effect) / p->sd, same = margin / p->sd;
    double centre = 0;
    for (size_t k = 0; k < p->n; k++)
        centre += p->good[k] / p->sd / (double)p->n;
    double z = -dist_normal_quantile(j->alpha / 2 / (double)(j->primary ? j->primary : 1));
    double z_same = -dist_normal_quantile(fmax(j->alpha - j->spent[j->looks_len - 1], 1e-4));
    double claim = looks_conditional_power(fabs(centre) - m, p->n, last, fmax(m, same), z);
    double equal = looks_conditional_power(same - fabs(centre), p->n, last, same, z_same);
    return claim < 0.1 && equal < 0.1;
}

static enum stats_outcome side_of(double slower, double faster, double level)
{
    if (slower <= level * (1 + 1e-9))
        return STATS_SLOWER;
    return faster <= level * (1 + 1e-9) ? STATS_FASTER : STATS_UNDECIDED;
}

static void judge_deterministic(struct verdict_row *row, const struct pair *p, double user)
{
    double d = p->good[0];
    row->deterministic = true;
    row->lo = row->hi = row->effect;
    row->level = 1;
    row->detectable = pair_relative(p, user);
    row->p = d != 0 ? 0 : 1;
    row->leaning = d == 0                 ? STATS_NO_CHANGE
                   : d * p->direction > 0 ? STATS_SLOWER
                                          : STATS_FASTER;
    row->outcome = d != 0 && fabs(d) >= user ? row->leaning : STATS_NO_CHANGE;
    row->p_same = row->outcome == STATS_NO_CHANGE ? 0 : 1;
}

static void judge_row(struct judge *j, size_t i)
{
    const struct verdict_metric *m = &j->metrics[i];
    const struct pair *p = &j->pairs[i];
    struct verdict_row *row = &j->rows[i];
    double user = pair_margin(p, m->least_effect), margin = same_margin(j, i);
    struct rank_interval range;
    rank_location(p->good, p->n, j->share > 0 ? j->share : j->alpha, &range);
    *row = (struct verdict_row){.outcome = STATS_UNDECIDED,
                                .leaning = STATS_UNDECIDED,
                                .base = p->base,
                                .head = p->head,
                                .level = range.level,
                                .effect = pair_relative(p, range.estimate),
                                .lo = pair_relative(p, range.lo),
                                .hi = pair_relative(p, range.hi),
                                .noise = p->noise,
                                .least_effect = pair_relative(p, margin),
                                .p = 1,
                                .p_same = 1,
                                .detectable = detectable(j, p, user),
                                .rounds = (int)p->n,
                                .advisory = !m->primary};
    if (p->deterministic) {
        judge_deterministic(row, p, user);
        return;
    }
    if (!judged(j, i))
        return;
    double level = j->spent[j->looks_len - 1] / 2;
    row->p = fmin(1, 2 * fmin(j->slower[i], j->faster[i]));
    row->leaning = side_of(j->slower0[i], j->faster0[i], level);
    judge_equal(j, i, margin);
    row->outcome = side_of(j->slower[i], j->faster[i], level);
    bool noisy = m->max_noise > 0 && p->noise > m->max_noise;
    if (row->outcome != STATS_UNDECIDED && fabs(range.estimate) < p->floor)
        row->outcome = STATS_UNDECIDED;
    else if (row->outcome == STATS_UNDECIDED && row->p_same <= j->share * (1 + 1e-9))
        row->outcome = STATS_NO_CHANGE;
    if (noisy)
        row->outcome = STATS_UNDECIDED;
    if (row->outcome == STATS_NO_CHANGE) { /* the interval that TOST at this level looks at */
        rank_location(p->good, p->n, 2 * j->share, &range);
        row->lo = pair_relative(p, range.lo);
        row->hi = pair_relative(p, range.hi);
        row->level = range.level;
    }
    row->futile = row->outcome == STATS_UNDECIDED && futile(j, i, margin);
}

/* --- family ----------------------------------------------------------------------------------
 */

static void family_outcome(const struct judge *j, bool last, struct verdict_family *f)
{
    *f = (struct verdict_family){
        .worst = -1, .spent = j->spent[j->looks_len - 1], .serial = j->rho};
    int futile_rows = 0;
    double worst = -INFINITY;
    for (size_t i = 0; i < j->n; i++) {
        const struct verdict_row *row = &j->rows[i];
        if (row->advisory)
            continue;
        f->slower += row->outcome == STATS_SLOWER;
        f->faster += row->outcome == STATS_FASTER;
        f->same += row->outcome == STATS_NO_CHANGE;
        f->undecided += row->outcome == STATS_UNDECIDED;
        futile_rows += row->futile;
        if (row->outcome != STATS_SLOWER && row->outcome != STATS_FASTER)
            continue;
        /* Any slower metric outranks every faster one. */
        double size = fabs(log1p(fmax(row->effect, -0.999999)));
        size = row->outcome == STATS_SLOWER ? 1e9 + size : size;
        if (size > worst) {
            worst = size;
            f->worst = (int)i;
        }
    }
    f->outcome = f->slower && f->faster     ? STATS_MIXED
                 : f->slower                ? STATS_SLOWER
                 : f->faster                ? STATS_FASTER
                 : f->same && !f->undecided ? STATS_NO_CHANGE
                                            : STATS_UNDECIDED;
    f->futile = f->undecided > 0 && futile_rows == f->undecided;
    f->final = last || f->undecided == 0 || f->futile;
}

int verdict_judge(const struct verdict_metric *metrics, size_t n,
                  const struct verdict_rules *rules, struct verdict_row *rows,
                  struct verdict_family *family, struct err *e)
{
    if (check(metrics, n, rules, e) < 0)
        return -1;
    struct judge j = {.metrics = metrics,
                      .n = n,
                      .rows = rows,
                      .seed = rules->seed,
                      .alpha = rules->alpha > 0 ? rules->alpha : ALPHA_DEFAULT};
    AUTO(mem_freep) struct pair *pairs = mem_zero(n + 1, sizeof *pairs);
    AUTO(mem_freep) double *p = mem_alloc((4 * n + 1) * sizeof *p);
    j.pairs = pairs;
    j.slower = p;
    j.faster = p + n;
    j.slower0 = p + 2 * n;
    j.faster0 = p + 3 * n;
    for (size_t i = 0; i < n; i++) {
        pair_init(&pairs[i], &metrics[i]);
        j.rounds = metrics[i].rounds > j.rounds ? metrics[i].rounds : j.rounds;
        j.primary += metrics[i].primary;
    }
    if (j.rounds == 0)
        j.rounds = 1;
    plan_looks(&j, rules);
    run_tests(&j);
    for (size_t i = 0; i < n; i++) {
        judge_row(&j, i);
        verdict_explain_row(&rows[i], &metrics[i], j.rounds_min);
        pair_done(&pairs[i]);
    }
    bool last = !rules->looks_len || (size_t)rules->look + 1 == rules->looks_len;
    family_outcome(&j, last, family);
    verdict_explain_family(family, metrics, rows);
    return 0;
}
