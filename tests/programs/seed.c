/* SPDX-License-Identifier: MIT */
#include "seed.h"

#include "test.h"

#include <inttypes.h>

uint64_t seed_of_chance(uint64_t usual)
{
    static bool said;
    const char *wanted = getenv("SEED");
    const uint64_t seed = wanted ? strtoull(wanted, NULL, 10) : usual;
    if (!said)
        print_message("# seed %" PRIu64 "\n", seed);
    said = true;
    return seed;
}

unsigned seed_next(uint64_t *seed, unsigned below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33) % below;
}
