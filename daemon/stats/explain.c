/* SPDX-License-Identifier: MIT */
/*
 * printf writes the decimal point of the locale; a verdict must read the same everywhere. So
 * numbers are scaled to whole ones and the point is put in by hand.
 */
#include "explain.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void three_digits(char *out, size_t room, double value)
{
    double size = fabs(value);
    int places = 0;
    double scale = 1;
    while (size > 0 && size * scale < 99.95 && places < 12) {
        scale *= 10;
        places++;
    }
    long long whole = llround(fmin(size * scale, 9e17));
    if (places > 0 && whole >= 1000) { /* 9.999 became 10.00 */
        places--;
        whole = llround(size * scale / 10);
    }
    while (places > 0 && whole % 10 == 0) {
        whole /= 10;
        places--;
    }
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%0*lld", places + 1, whole), at = 0;
    for (int i = 0; i < len && (size_t)at + 2 < room; i++) {
        if (i == len - places)
            out[at++] = '.';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

const char *explain_real(char out[EXPLAIN_NUMBER], double value)
{
    if (!isfinite(value))
        return strcpy(out, "?");
    size_t at = 0;
    if (value < 0)
        out[at++] = '-';
    three_digits(out + at, EXPLAIN_NUMBER - at, value);
    return out;
}

const char *explain_percent(char out[EXPLAIN_NUMBER], double share, int sign)
{
    if (!isfinite(share))
        return strcpy(out, "?");
    size_t at = 0;
    if (share < 0 || sign)
        out[at++] = share < 0 ? '-' : '+';
    three_digits(out + at, EXPLAIN_NUMBER - at - 2, 100 * share);
    strcat(out, " %");
    return out;
}

void explain_add(char *out, size_t room, const char *fmt, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(out + len, room - len, fmt, args);
    va_end(args);
}
