/* SPDX-License-Identifier: MIT */
/*
 * contract_read: gives a document to the reader in C.
 *
 *     contract_read spec DOCUMENT           writes the spec with every value in force
 *     contract_read job DOCUMENT
 *     contract_read result DOCUMENT SPEC    writes the result again
 *
 * Exit 0: accepted; 1: refused, with the complaint on standard error; 2: the test itself is
 * wrong.
 */
#include <stdio.h>
#include <string.h>

#include "fdio.h"
#include "result_doc.h"

static int read_spec(struct view text, struct str *out, struct err *e)
{
    AUTO(spec_freep) struct spec *spec = NULL;
    if (spec_parse(text, "spec", &spec, e) < 0)
        return -1;
    spec_explain(spec, out);
    return 0;
}

static int read_job(struct view text, struct str *out, struct err *e)
{
    AUTO(job_doc_freep) struct job_doc *job = NULL;
    if (job_doc_parse(text, &job, e) < 0)
        return -1;
    job_doc_write(job, out);
    return 0;
}

static int read_result(struct view text, struct view spec_text, struct str *out, struct err *e)
{
    AUTO(spec_freep) struct spec *spec = NULL;
    AUTO(result_doc_freep) struct result_doc *result = NULL;
    if (spec_parse(spec_text, "spec", &spec, e) < 0 ||
        result_doc_parse(text, spec, &result, e) < 0)
        return -1;
    result_doc_write(result, out);
    return 0;
}

int main(int argc, char **argv)
{
    AUTO(str_done)
    struct str text = STR_INIT(RESULT_DOC_BYTES_MAX), spec = STR_INIT(1 << 20),
               out = STR_INIT(RESULT_DOC_BYTES_MAX);
    struct err e = {0};
    if (argc < 3 || fdio_read_file(argv[2], &text, &e) < 0 ||
        (argc > 3 && fdio_read_file(argv[3], &spec, &e) < 0))
        return 2;

    int rc = strcmp(argv[1], "spec") == 0 ? read_spec(str_view(&text), &out, &e)
             : strcmp(argv[1], "job") == 0
                 ? read_job(str_view(&text), &out, &e)
                 : read_result(str_view(&text), str_view(&spec), &out, &e);
    if (rc < 0)
        fprintf(stderr, "%s\n", e.text);
    else
        fwrite(str_text(&out), 1, out.len, stdout);
    return rc < 0;
}
