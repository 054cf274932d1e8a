// SPDX-License-Identifier: GPL-2.0
#include "random.h"

static uint64_t state;

void draw_from(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ull | 1;
}

uint32_t draw(uint32_t below)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 32) % below;
}
