/* What a trainer of the user's answers: the first byte says what it was asked. */
#include "fuzz.h"

#include "../../src/candidate/command_internal.h"

#include <math.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

static bool is_percent(double value)
{
    return isnan(value) || (value >= 0 && value <= 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char reason[COMMAND_REASON_MAX];
    struct measurement m;
    if (size == 0) return 0;
    const int epochs = 1 + (data[0] >> 1) % MEASUREMENT_LOSSES_MAX;
    const enum measurement_kind kind = data[0] & 1 ? MEASUREMENT_TRAINING : MEASUREMENT_CODE;
    fuzz_status(command_understand(&m, reason, (const char *)data + 1, size - 1, epochs, kind), "");
    for (const char *c = reason; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c)) fuzz_broken("a reason is one line of text", reason);
    if (reason[0] != '\0') return 0;
    if (m.losses < 0 || m.losses > MEASUREMENT_LOSSES_MAX || !is_percent(m.accuracy) || !is_percent(m.validation_accuracy))
        fuzz_broken("a measurement out of range", reason);
    for (int i = 0; i < m.losses && m.outcome == MEASUREMENT_DONE; i++)
        if (!isfinite(m.loss[i])) fuzz_broken("a loss that is no number", reason);
    return 0;
}
