// SPDX-License-Identifier: GPL-2.0
/* What became of a command, in words. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sgsend.h"

bool is_allowed(const struct reply *re)
{
	return re->err == 0 || re->err == EFAULT;
}

static void print_sense(const struct reply *re)
{
	const uint8_t *s = re->sense;
	uint8_t code = s[0] & 0x7f;

	if (!re->sense_len)
		return;
	if (code == 0x70 || code == 0x71)
		printf(", sense %x/%02x/%02x", s[2] & 0xf, s[12], s[13]);
	else if (code == 0x72 || code == 0x73)
		printf(", sense %x/%02x/%02x", s[1] & 0xf, s[2], s[3]);
	else
		printf(", sense of unknown format %02x", code);
}

void print_reply(const struct request *rq, const struct reply *re)
{
	if (re->err == EPERM) {
		printf("refused: EPERM\n");
	} else if (re->err == EFAULT && rq->probe) {
		printf("allowed: nothing executed\n");
	} else if (re->err) {
		printf("error: %s\n", strerrorname_np(re->err) ?: "E?");
	} else {
		printf("allowed: status %02x", re->status);
		print_sense(re);
		if (re->host_status)
			printf(", host status %02x", re->host_status);
		putchar('\n');
		for (unsigned int i = 0; !re->status && i + re->resid < rq->in_len; i++)
			printf("%02x%c", ((uint8_t *)rq->in)[i],
			       i % 16 == 15 || i + 1 + re->resid == rq->in_len ? '\n' : ' ');
	}
}
