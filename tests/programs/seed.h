/* SPDX-License-Identifier: MIT */
/* seed.h: chance that can be had again. */
#ifndef SEED_H
#define SEED_H

#include <stdint.h>

/* What SEED says in the environment, else `usual`. Says it once, as "# seed N". */
uint64_t seed_of_chance(uint64_t usual);

/* The next of 0 ... below - 1. */
unsigned seed_next(uint64_t *seed, unsigned below);

#endif
