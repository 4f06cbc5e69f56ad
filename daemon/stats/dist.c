/* SPDX-License-Identifier: MIT */
/*
 * Textbook forms: erfc for the normal, the regularised incomplete beta function for Student's
 * t. Quantiles are found by bisection on the distribution function, which needs no table.
 */
#include "dist.h"

#include <math.h>

double dist_normal_cdf(double z)
{
    return 0.5 * erfc(-z / M_SQRT2);
}

double dist_normal_upper(double z)
{
    return 0.5 * erfc(z / M_SQRT2);
}

static double bisect(double (*cdf)(double, double), double freedom, double p, double lo,
                     double hi)
{
    for (int i = 0; i < 200 && hi - lo > 1e-12 * (1 + fabs(lo)); i++) {
        double mid = 0.5 * (lo + hi);
        if (cdf(mid, freedom) < p)
            lo = mid;
        else
            hi = mid;
    }
    return 0.5 * (lo + hi);
}

static double normal_cdf2(double z, double unused)
{
    (void)unused;
    return dist_normal_cdf(z);
}

double dist_normal_quantile(double p)
{
    if (p > 0.5)
        return -bisect(normal_cdf2, 0, 1 - p, -40, 0);
    return bisect(normal_cdf2, 0, p, -40, 0);
}

/* lgamma itself writes the global 'signgam', which two threads must not do at once. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* Continued fraction of the incomplete beta function (Lentz 1976; DLMF 8.17.22). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m <= 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return h;
}

static double beta_regular(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front =
        exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double dist_t_cdf(double t, double freedom)
{
    double tail = 0.5 * beta_regular(freedom / 2, 0.5, freedom / (freedom + t * t));
    return t > 0 ? 1 - tail : tail;
}

double dist_t_quantile(double p, double freedom)
{
    if (p > 0.5)
        return -dist_t_quantile(1 - p, freedom);
    return bisect(dist_t_cdf, freedom, p, -1e8, 0);
}
