/* SPDX-License-Identifier: GPL-2.0 */
/* Who sends, and what becomes of it. */
#ifndef SENDER_H
#define SENDER_H

/* Become uid and gid 65534 with no capability, for good. */
void become_nobody(void);

/*
 * One page nobody can read or write. The permission check comes before the data, so with data there a
 * command that is allowed ends with EFAULT, and is not executed.
 */
void *unmapped_page(void);

/* "allowed", "refused" or the name of another errno. */
const char *verdict(int error);

#endif
