// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sgsend.h"

#define DATA_MAX	4096

static void usage(void)
{
	fprintf(stderr,
"usage: sgsend [OPTION]... TARGET CDB-BYTE...        send one command\n"
"       sgsend [OPTION]... --sweep TARGET...         all 256 opcodes, ro and rw\n"
"       sgsend [OPTION]... --sweep-sa OP,.. TARGET...   all service actions of opcodes,\n"
"                                                    by interfaces with CDBs of 32 bytes\n"
"       sgsend [OPTION]... --hammer TARGET...        traffic until SIGTERM\n"
"       sgsend [OPTION]... --hammer-opcode OP TARGET...   of one opcode, counted\n"
"       sgsend [OPTION]... --storm SEED --refused OP,.. --allowed OP,.. TARGET...\n"
"                                                    random commands until SIGTERM\n"
"       sgsend [OPTION]... --storm SEED --oracle FILE TARGET...   the same, to be judged\n"
"                                                    by what a knobstorm with that file tells\n"
"       sgsend --list OP,..                          what the sweeps send: for ruleeval, sgcheck\n"
"TARGET is INTERFACE:NODE, or INTERFACE/MODE,..:NODE with open modes ro, wo, rw\n"
"  --read, --write, --write-only   open mode; a sweep takes several (default: --read)\n"
"  --as-nobody                     open and send as uid and gid 65534, no capability\n"
"  --probe                         ask for the verdict, execute nothing\n"
"  --in N                          expect N bytes of data and print them\n"
"  --out N                         send N bytes of data from standard input\n"
"  --into DIR                      a sweep's tables, a file for each target\n"
"Exit status: 0 allowed, 1 refused (EPERM), 2 usage or no device, 3 another error.\n"
"A sweep sends SCSI_IOCTL_SEND_COMMAND for real: only to a device that fails it.\n"
"Interfaces:\n");
	list_interfaces();
	exit(2);
}

static unsigned int number(const char *s, unsigned int max)
{
	char *end;
	unsigned long n = strtoul(s, &end, 0);

	if (!*s || *end || n > max)
		errx(2, "%s: not a number up to %u", s, max);
	return n;
}

static void read_all(void *buf, unsigned int len)
{
	if (fread(buf, 1, len, stdin) != len)
		errx(2, "standard input ends before %u bytes", len);
}

static int send_one(const struct target *t, struct request *rq)
{
	struct reply re = {};
	int mode = MODE_RO;

	while (mode < MODE_COUNT && t->modes != 1u << mode)
		mode++;
	if (mode == MODE_COUNT)
		errx(2, "one command, one open mode");
	if (rq->probe) {
		if (t->iface->executes)
			errx(2, "%s: cannot probe", t->iface->name);
		rq->out = unmapped_page();
		rq->out_len = 512;
	}
	if (rq->cdb.len > t->iface->max_cdb)
		errx(2, "%s: takes %u bytes of CDB", t->iface->name, t->iface->max_cdb);
	t->iface->send(open_target(t, mode), rq, &re);
	print_reply(rq, &re);
	return is_allowed(&re) ? 0 : !strcmp(verdict(re.err), "refused") ? 1 : 3;
}

int main(int argc, char **argv)
{
	enum { READ = 1, WRITE, WRITE_ONLY, NOBODY, PROBE, IN, OUT, INTO, SWEEP, SA, HAMMER, ONLY,
	       STORM, REFUSED, ALLOWED, ORACLE, LIST };
	static const struct option options[] = {
		{ "read", no_argument, NULL, READ },
		{ "write", no_argument, NULL, WRITE },
		{ "write-only", no_argument, NULL, WRITE_ONLY },
		{ "as-nobody", no_argument, NULL, NOBODY },
		{ "probe", no_argument, NULL, PROBE },
		{ "in", required_argument, NULL, IN },
		{ "out", required_argument, NULL, OUT },
		{ "into", required_argument, NULL, INTO },
		{ "sweep", no_argument, NULL, SWEEP },
		{ "sweep-sa", required_argument, NULL, SA },
		{ "hammer", no_argument, NULL, HAMMER },
		{ "hammer-opcode", required_argument, NULL, ONLY },
		{ "storm", required_argument, NULL, STORM },
		{ "refused", required_argument, NULL, REFUSED },
		{ "allowed", required_argument, NULL, ALLOWED },
		{ "oracle", required_argument, NULL, ORACLE },
		{ "list", required_argument, NULL, LIST },
		{ }
	};
	static uint8_t data_in[DATA_MAX], data_out[DATA_MAX];
	struct request rq = { .in = data_in, .out = data_out };
	struct sweep s = {};
	struct storm storm = {};
	unsigned int modes = 0;
	bool traffic = false;
	int opt, only = -1;
	uint8_t list[256];

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (opt) {
		case READ:
			modes |= 1u << MODE_RO;
			break;
		case WRITE:
			modes |= 1u << MODE_RW;
			break;
		case WRITE_ONLY:
			modes |= 1u << MODE_WO;
			break;
		case NOBODY:
			become_nobody();
			break;
		case PROBE:
			rq.probe = true;
			break;
		case IN:
			rq.in_len = number(optarg, DATA_MAX);
			break;
		case OUT:
			rq.out_len = number(optarg, DATA_MAX);
			break;
		case INTO:
			s.dir = optarg;
			break;
		case SWEEP:
			s.opcodes = true;
			break;
		case SA:
			s.nr_sa_of = cdb_parse_opcodes(optarg, s.sa_of);
			if (!s.nr_sa_of)
				errx(2, "%s: not a list of opcodes", optarg);
			break;
		case ONLY:
			if (cdb_parse_opcodes(optarg, list) != 1)
				errx(2, "%s: not an opcode", optarg);
			only = list[0];
			/* fallthrough */
		case HAMMER:
			traffic = true;
			break;
		case STORM:
			storm.seed = number(optarg, ~0u);
			traffic = true;
			break;
		case REFUSED:
			storm.nr_refused = cdb_parse_opcodes(optarg, storm.refused);
			break;
		case ALLOWED:
			storm.nr_allowed = cdb_parse_opcodes(optarg, storm.allowed);
			break;
		case ORACLE:
			storm.oracle = optarg;
			break;
		case LIST:
			if (!cdb_list(optarg))
				errx(2, "%s: not a list of opcodes", optarg);
			return 0;
		default:
			usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 1)
		usage();

	if (!storm.nr_refused != !storm.nr_allowed)
		errx(2, "a storm wants both --refused and --allowed");

	if (traffic || s.opcodes || s.nr_sa_of) {
		struct target targets[argc];

		for (int i = 0; i < argc; i++)
			targets[i] = parse_target(argv[i], modes ?: 1u << MODE_RO | 1u << MODE_RW);
		return traffic ? hammer(targets, argc, only,
					storm.nr_refused || storm.oracle ? &storm : NULL) :
				 sweep(targets, argc, &s);
	}

	struct target t = parse_target(argv[0], modes ?: 1u << MODE_RO);

	if (!cdb_parse(&rq.cdb, argc - 1, argv + 1))
		errx(2, "the CDB: 1 to %d bytes in hexadecimal, two digits each", CDB_MAX);
	if (rq.out_len)
		read_all(data_out, rq.out_len);
	return send_one(&t, &rq);
}
