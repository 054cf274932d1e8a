/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers at random, the same for the same seed. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

void draw_from(uint64_t seed);
uint32_t draw(uint32_t below);

#endif
