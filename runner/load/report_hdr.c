/* SPDX-License-Identifier: MIT */
/*
 * report_hdr: response times second by second as a HdrHistogram log, see load_report.h.
 *
 * Values are nanoseconds; the column Interval_Max is in milliseconds, as the tools expect of
 * histograms in nanoseconds (a ratio of 1,000,000).
 */
#include "clock.h"
#include "digest.h"
#include "load_report.h"

static void fill(struct hist *h, const struct tally_second *s)
{
    hist_clear(h);
    for (size_t i = 0; i < s->slots_len; i++) {
        h->counts[s->slots[i].bucket] = s->slots[i].count;
        h->count += s->slots[i].count;
    }
    h->max = s->max_ns;
    h->min = 0;
}

void load_report_hdr(const struct load_result *r, struct str *out)
{
    struct hist h = {0};
    int64_t wall_ms = clock_wall_ms() - (clock_now_ns() - r->start_ns) / CLOCK_NS_PER_MS;
    char iso[CLOCK_ISO_BYTES];
    clock_iso(wall_ms, iso);
    hist_init(&h);
    str_addz(out, "#[Logged with pacewatch-load " PACEWATCH_VERSION "]\n"
                  "#[Histogram log format version 1.3]\n");
    str_addf(out, "#[StartTime: %.3f (seconds since epoch), %s]\n", (double)wall_ms / 1e3, iso);
    str_addz(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                  "\"Interval_Compressed_Histogram\"\n");
    for (size_t i = 0; i < r->tally.seconds.len; i++) {
        AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
        const struct tally_second *s = &r->tally.seconds.at[i];
        fill(&h, s);
        hist_pack_hdr(&h, &packed);
        str_addf(out, "%zu.000,1.000,%.6f,", i, (double)s->max_ns / 1e6);
        digest_base64(str_view(&packed), out);
        str_addc(out, '\n');
    }
    hist_done(&h);
}
