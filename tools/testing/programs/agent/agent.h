/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agent: the only program of a nested guest. It sends to a disk what it is
 * told to on a virtio-serial port, and tells what came back.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_DATA 8192
#define MAX_SENSE 96

/* A command and its answer. */
struct command {
	char direction; /* n: no data, r: from the device, w: to it */
	uint8_t cdb[32];
	size_t cdb_len;
	uint8_t data[MAX_DATA];
	size_t len;
};

/* Both answer with one line to out. */
void scsi_send(FILE *out, const char *disk, struct command *command);
void vblk_send(FILE *out, const char *slot, struct command *command);
void vblk_discard(FILE *out, const char *slot, uint64_t sector, uint32_t count);

/* Writes to a file of sysfs: 0 or -1. */
int write_text(const char *path, const char *text);
void print_hex(FILE *out, const uint8_t *bytes, size_t len);

#endif
