/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sgsend: send a CDB through any of the kernel's interfaces for SCSI
 * pass-through and say what became of it.
 */
#ifndef SGSEND_H
#define SGSEND_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/cdb.h"
#include "../lib/sender.h"
#include "../lib/sg.h"

struct request {
	struct cdb cdb;
	bool probe;		/* its data are in unmapped_page() */
	void *in;
	unsigned int in_len;
	const void *out;
	unsigned int out_len;
};

struct reply {
	int err;		/* errno of the call, 0 if it was executed */
	uint8_t status;		/* SCSI status */
	uint8_t host_status;
	uint8_t sense[SENSE_LEN];
	unsigned int sense_len;
	unsigned int resid;
};

struct interface {
	const char *name;
	const char *what;
	unsigned int max_cdb;
	bool executes;		/* cannot probe */
	void (*send)(int fd, const struct request *rq, struct reply *re);
};

enum open_mode { MODE_RO, MODE_WO, MODE_RW, MODE_COUNT };

struct target {
	const struct interface *iface;
	const char *node;
	unsigned int modes;	/* bits by enum open_mode */
	bool modes_given;	/* with the interface */
};

struct sweep {
	bool opcodes;		/* all 256 of them */
	uint8_t sa_of[256];	/* the service actions of these */
	int nr_sa_of;
	const char *dir;	/* for the tables; NULL: standard output */
};

/* What random commands are chosen from, and what becomes of them. */
struct storm {
	uint64_t seed;
	uint8_t refused[256];
	int nr_refused;
	uint8_t allowed[256];
	int nr_allowed;
	const char *oracle;	/* or the counter of a writer, see knobstorm/oracle.h */
};

extern const char *const mode_name[MODE_COUNT];
const struct interface *find_interface(const char *name);
void list_interfaces(void);
/* "INTERFACE[/MODE,..]:NODE"; ends the program if there is no such interface. */
struct target parse_target(char *arg, unsigned int default_modes);
int open_target(const struct target *t, enum open_mode mode);

/* One file for a node or an ioctl. */
void send_sg_v3(int fd, const struct request *rq, struct reply *re);
void send_sg_vectors(int fd, const struct request *rq, struct reply *re);
void send_bsg(int fd, const struct request *rq, struct reply *re);
void send_bsg_uring(int fd, const struct request *rq, struct reply *re);
void send_bsg_uring_worker(int fd, const struct request *rq, struct reply *re);
void send_bsg_uring_sqpoll(int fd, const struct request *rq, struct reply *re);
void send_send_command(int fd, const struct request *rq, struct reply *re);
void send_cdrom_packet(int fd, const struct request *rq, struct reply *re);
/* compat.c has all that a 32-bit program sends. */
void send_sg_io32(int fd, const struct request *rq, struct reply *re);
void send_send_command32(int fd, const struct request *rq, struct reply *re);
void send_cdrom_packet32(int fd, const struct request *rq, struct reply *re);

bool is_allowed(const struct reply *re);
void print_reply(const struct request *rq, const struct reply *re);

int sweep(const struct target *targets, int n, const struct sweep *s);
/* One process for each target until SIGTERM; SIGUSR1 interrupts them all. */
int hammer(const struct target *targets, int n, int opcode, const struct storm *s);
extern volatile sig_atomic_t hammer_stop, hammer_signals;
int storm_one(const struct storm *s, const struct target *t, enum open_mode mode, int number);
int oracle_one(const struct storm *s, const struct target *t, enum open_mode mode, int number);

#endif
