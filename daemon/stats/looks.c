/* SPDX-License-Identifier: MIT */
#include "looks.h"

#include <math.h>

#include "dist.h"

double looks_spent(double alpha, size_t rounds, size_t rounds_last)
{
    double t = (double)rounds / (double)rounds_last;
    return alpha * fmin(1, fmax(0, 1.2 * t - 0.2));
}

double looks_conditional_power(double mean, size_t rounds, size_t rounds_last, double drift,
                               double critical)
{
    double n = (double)rounds, all = (double)rounds_last, left = all - n;
    double need = critical * sqrt(all) - mean * n - drift * left;
    if (left <= 0)
        return need <= 0;
    return dist_normal_upper(need / sqrt(left));
}
