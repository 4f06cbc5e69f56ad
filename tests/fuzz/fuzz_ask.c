/* SPDX-License-Identifier: MIT */
/* The answers of a service under test, which are foreign bytes. */
#include "ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view bytes = {(const char *)data, size};
    for (int at_end = 0; at_end < 2; at_end++) {
        AUTO(ask_answer_done) struct ask_answer a = {0};
        (void)ask_parse(bytes, at_end, false, &a, NULL);
    }
    return 0;
}
