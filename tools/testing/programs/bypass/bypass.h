/* SPDX-License-Identifier: GPL-2.0 */
/* What all bypasses share, and those that have a file of their own. */
#ifndef BYPASS_H
#define BYPASS_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/sender.h"
#include "../lib/sg.h"

#define INQUIRY	0x12

/*
 * Ask, as who the task is: a CDB of any length, by SG_IO with the header for the node. Nothing is executed.
 * Returns an errno.
 */
int ask(int fd, bool bsg, const uint8_t *cdb, unsigned int len);
/* Ends the program where it cannot be opened. */
int open_node(const char *node, const char *mode);

/* Each prints its line. */
void personalities(const char *node, uint8_t opcode);
void polled_rings(const char *node, uint8_t opcode);
void descriptors(const char *sg_a, const char *sg_b, const char *disk);
void read_twice(const char *node, uint8_t first, uint8_t second);
void flip_opcode(const char *node, unsigned long n, uint8_t opcode);
void compare_and_write(const char *node, unsigned int offset);

#endif
