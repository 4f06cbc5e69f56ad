/* SPDX-License-Identifier: MIT */
/*
 * numbers: answers one question a line on standard input, for comparison with another library.
 *
 *     signed_rank x...        p_greater p_less p_two statistic
 *     rank_sum n x... y...    p_greater p_less p_two U
 *     quantile q x...         value
 *     t_cdf t f               value
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dist.h"
#include "rank.h"
#include "summary.h"

enum { LINE_MAX_BYTES = 1 << 16, VALUES_MAX = 2048 };

static size_t read_values(char *text, double *out)
{
    size_t n = 0;
    for (char *word = strtok(text, " \n"); word && n < VALUES_MAX; word = strtok(NULL, " \n"))
        out[n++] = strtod(word, NULL);
    return n;
}

static void print_test(const struct rank_test *t)
{
    printf("%.17g %.17g %.17g %.17g\n", t->p_greater, t->p_less, t->p_two, t->statistic);
}

static int answer(const char *question, double *x, size_t n)
{
    struct rank_test t;
    if (strcmp(question, "signed_rank") == 0) {
        rank_signed(x, n, 0, &t);
        print_test(&t);
    } else if (strcmp(question, "rank_sum") == 0 && n > 0 && (size_t)x[0] < n) {
        size_t first = (size_t)x[0];
        rank_sum(x + 1, first, x + 1 + first, n - 1 - first, &t);
        print_test(&t);
    } else if (strcmp(question, "quantile") == 0 && n > 1) {
        summary_sort(x + 1, n - 1);
        printf("%.17g\n", summary_quantile(x + 1, n - 1, x[0]));
    } else if (strcmp(question, "t_cdf") == 0 && n == 2) {
        printf("%.17g\n", dist_t_cdf(x[0], x[1]));
    } else {
        fprintf(stderr, "numbers: cannot answer '%s' with %zu values\n", question, n);
        return -1;
    }
    return 0;
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    static double values[VALUES_MAX];
    while (fgets(line, sizeof line, stdin)) {
        char *space = strchr(line, ' ');
        if (!space)
            continue;
        *space = '\0';
        if (answer(line, values, read_values(space + 1, values)) < 0)
            return 1;
    }
    return 0;
}
