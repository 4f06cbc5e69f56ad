/* SPDX-License-Identifier: MIT */
/*
 * report_svg: the latency spectrum as a picture, see load_report.h.
 *
 * Across: percentiles, stretched so that each further nine gets the same width (the logarithm
 * of 1 / (1 - q)). Up: time on a logarithmic scale. Response time and service time, because
 * what lies between them is what a generator without a schedule would not have seen.
 */
#include <math.h>

#include "load_report.h"

enum { WIDTH = 760, HEIGHT = 420, LEFT = 70, RIGHT = 20, TOP = 34, BOTTOM = 46, STEPS = 400 };

struct scale {
    double nines;     /* shown across */
    double low, high; /* log10 of ns, shown up */
};

static double x_of(const struct scale *s, double nines)
{
    return LEFT + nines / s->nines * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct scale *s, double ns)
{
    double share = (log10(ns < 1 ? 1 : ns) - s->low) / (s->high - s->low);
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

static struct scale choose_scale(const struct hist *response, const struct hist *service)
{
    double least = (double)(service->count ? service->min : response->min);
    struct scale s = {.nines = log10((double)(response->count ? response->count : 1))};
    if (s.nines < 1)
        s.nines = 1;
    s.low = floor(log10(least < 1 ? 1 : least));
    s.high = ceil(log10((double)(response->max < 10 ? 10 : response->max)));
    if (s.high <= s.low)
        s.high = s.low + 1;
    return s;
}

static void add_time_label(struct str *out, double ns)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    size_t i = 0;
    for (; ns >= 1000 && i < 3; i++)
        ns /= 1000;
    str_addf(out, "%.0f %s", ns, units[i]);
}

static void add_grid(struct str *out, const struct scale *s)
{
    for (double power = s->low; power <= s->high; power++) {
        double y = y_of(s, pow(10, power));
        str_addf(out, "<line class=\"g\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", LEFT,
                 y, WIDTH - RIGHT, y);
        str_addf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 8, y + 4);
        add_time_label(out, pow(10, power));
        str_addz(out, "</text>\n");
    }
    static const char *const names[] = {"min",     "90 %",     "99 %",     "99.9 %",
                                        "99.99 %", "99.999 %", "99.9999 %"};
    for (size_t i = 0; i < ARRAY_LEN(names) && (double)i <= s->nines + 1e-9; i++) {
        double x = x_of(s, (double)i);
        str_addf(out, "<line class=\"g\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", x, TOP,
                 x, HEIGHT - BOTTOM);
        str_addf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x,
                 HEIGHT - BOTTOM + 20, names[i]);
    }
}

static void add_curve(struct str *out, const struct scale *s, const struct hist *h,
                      const char *class)
{
    if (!h->count)
        return;
    str_addf(out, "<polyline class=\"%s\" points=\"", class);
    for (int i = 0; i <= STEPS; i++) {
        double nines = s->nines * i / STEPS;
        int64_t ns = hist_quantile(h, 1 - pow(10, -nines));
        str_addf(out, "%.1f,%.1f ", x_of(s, nines), y_of(s, (double)ns));
    }
    str_addz(out, "\"/>\n");
}

void load_report_svg(const struct load_plan *plan, const struct load_result *r, struct str *out)
{
    struct scale s = choose_scale(&r->response, &r->tally.service);
    str_addf(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
             "font-family=\"sans-serif\" font-size=\"12\">\n"
             "<style>.g{stroke:#ddd}.r,.s{fill:none;stroke-width:2}.r{stroke:#b3261e}"
             ".s{stroke:#1e5fb3;stroke-dasharray:5 3}text{fill:#333}</style>\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
             WIDTH, HEIGHT);
    add_grid(out, &s);
    add_curve(out, &s, &r->tally.service, "s");
    add_curve(out, &s, &r->response, "r");
    str_addf(
        out,
        "<text x=\"%d\" y=\"20\">%s, %.6g requests/s offered, %.6g/s answered, %s</text>\n",
        LEFT, load_report_mode(plan), r->offered_rps, r->achieved_rps,
        verdict_name(r->health.verdict));
    str_addf(out,
             "<g transform=\"translate(%d %d)\"><line class=\"r\" x2=\"30\"/>"
             "<text x=\"36\" y=\"4\">response</text><line class=\"s\" x1=\"110\" x2=\"140\"/>"
             "<text x=\"146\" y=\"4\">service</text></g>\n"
             "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">share of requests that were not "
             "slower</text>\n</svg>\n",
             LEFT, HEIGHT - 12, WIDTH - RIGHT, HEIGHT - 8);
}
