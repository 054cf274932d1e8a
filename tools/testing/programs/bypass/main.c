// SPDX-License-Identifier: GPL-2.0
/*
 * Ways around a filter that a sender might try. Run as root; "nobody" is uid
 * 65534 without capabilities. A command is asked about, not executed: its data is
 * at an address that cannot be used. Prints "allowed", "refused" or an errno.
 *
 *   bypass pass OPENER SENDER MODE NODE OPCODE   OPENER and SENDER are root or
 *       nobody, MODE is ro, wo or rw: one opens, and passes the file to the other
 *   bypass pass-knob OPENER WRITER FILE TEXT     the same with a file that is written
 *   bypass drop MODE NODE OPCODE                 root opens, and drops its rights
 *   bypass trace NODE OPCODE     nobody sends INQUIRY, and its tracer, nobody too,
 *       changes the opcode when the system call begins
 *   bypass attach PID            nobody becomes the tracer of a process
 *   bypass behind MODE NODE OPCODE LEN AT VALUE  a CDB of LEN bytes, and VALUE at
 *       byte AT of the memory where it lies; all hexadecimal but LEN and AT
 *   bypass personality BSG-NODE OPCODE           root registers its credentials with
 *       an io_uring and drops its rights: sends with them, and without
 *   bypass sqpoll BSG-NODE OPCODE    root makes an io_uring whose commands a thread
 *       of the kernel takes, and drops its rights: sends by that, and by one of nobody's
 *   bypass descriptors SG-A SG-B DISK    the descriptor of an ioctl becomes another
 *       file's while it runs. DISK must be slow
 *   bypass twice NODE FIRST SECOND   SCSI_IOCTL_SEND_COMMAND, whose opcode changes
 *       between its two readings. NODE must be slow, and take one command at a time
 *   bypass flip NODE COUNT OPCODE    COUNT times SG_IO, whose CDB is INQUIRY in one moment and OPCODE (of a command with 12
 *       bytes that returns data) in the next. Prints how often there came INQUIRY's data ("inquiry"), a list of one LUN
 *       ("one"), of more ("many"), EPERM ("refused"), or anything else ("other")
 *   bypass compare-and-write NODE OFFSET     it is executed, on block 8: from OFFSET of a
 *       page on, and from another page if that one ends. Prints how many bytes came to the
 *       disk from there, and how many from the page that follows in memory
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bypass.h"

static void become(const char *who)
{
	if (!strcmp(who, "nobody"))
		become_nobody();
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

int open_node(const char *node, const char *mode)
{
	int flags = !strcmp(mode, "ro") ? O_RDONLY : !strcmp(mode, "wo") ? O_WRONLY : O_RDWR;
	int fd = open(node, flags | O_NONBLOCK);

	if (fd < 0)
		err(2, "%s", node);
	return fd;
}

int ask(int fd, bool bsg, const uint8_t *cdb, unsigned int len)
{
	uint8_t sense[SENSE_LEN];
	struct sg_io_hdr v3 = v3_header(cdb, len, sense);
	struct sg_io_v4 v4 = v4_header(cdb, len, sense);

	v3_data(&v3, SG_DXFER_TO_DEV, unmapped_page(), 512);
	v4_data_out(&v4, unmapped_page(), 512);
	return ioctl(fd, SG_IO, bsg ? (void *)&v4 : &v3) < 0 ? errno : 0;
}

static int ask_opcode(int fd, uint8_t opcode)
{
	uint8_t cdb[32] = { opcode };

	return ask(fd, false, cdb, 16);
}

static uint8_t byte(const char *s)
{
	return strtoul(s, NULL, 16);
}

/* --- files passed on by a socket -------------------------------------------- */

union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void pass_fd(int sock, int fd)
{
	union control control = {};
	char c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(sock, &msg, 0) < 0)
		err(2, "sendmsg");
}

static int receive_fd(int sock)
{
	union control control = {};
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) < 0 || !CMSG_FIRSTHDR(&msg))
		errx(2, "no file was passed");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* A file that a process opened as `opener`; this one is `user` from here on. */
static int passed(const char *opener, const char *user, const char *path, const char *mode)
{
	int sock[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		err(2, "socketpair");
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid) {
		become(opener);
		pass_fd(sock[0], open_node(path, mode));
		_exit(0);
	}
	close(sock[0]);
	become(user);
	fd = receive_fd(sock[1]);
	waitpid(pid, NULL, 0);
	return fd;
}

static int write_text(int fd, const char *text)
{
	return write(fd, text, strlen(text)) < 0 ? errno : 0;
}

/* --- a tracer ----------------------------------------------------------------- */

static int traced(const char *node, uint8_t opcode)
{
	static uint8_t cdb[32] = { INQUIRY };
	int status, pipes[2], error;
	bool changed = false;
	pid_t pid;

	become_nobody();
	if (pipe(pipes))
		err(2, "pipe");
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid) {
		int fd = open_node(node, "rw");

		/* Who drops rights is no tracee else. */
		if (prctl(PR_SET_DUMPABLE, 1))
			err(2, "PR_SET_DUMPABLE");
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			err(2, "PTRACE_TRACEME");
		raise(SIGSTOP);
		error = ask(fd, false, cdb, 6);
		_exit(write(pipes[1], &error, sizeof(error)) != sizeof(error));
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		struct user_regs_struct regs;

		if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
			err(2, "PTRACE_GETREGS");
		/* The same address: it is a child. */
		if (regs.orig_rax == SYS_ioctl && regs.rsi == SG_IO && !changed) {
			if (ptrace(PTRACE_POKEDATA, pid, cdb, (long)opcode))
				err(2, "PTRACE_POKEDATA");
			changed = true;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	if (!changed || read(pipes[0], &error, sizeof(error)) != sizeof(error))
		errx(2, "nothing was traced");
	return error;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "pass") && argc == 7) {
		say(verdict(ask_opcode(passed(argv[2], argv[3], argv[5], argv[4]), byte(argv[6]))));
	} else if (!strcmp(what, "pass-knob") && argc == 6) {
		int error = write_text(passed(argv[2], argv[3], argv[4], "wo"), argv[5]);

		say(error ? verdict(error) : "written");
	} else if (!strcmp(what, "drop") && argc == 5) {
		int fd = open_node(argv[3], argv[2]);

		become_nobody();
		say(verdict(ask_opcode(fd, byte(argv[4]))));
	} else if (!strcmp(what, "trace") && argc == 4) {
		say(verdict(traced(argv[2], byte(argv[3]))));
	} else if (!strcmp(what, "attach") && argc == 3) {
		become_nobody();
		say(ptrace(PTRACE_SEIZE, atoi(argv[2]), NULL, NULL) ? verdict(errno) : "allowed");
	} else if (!strcmp(what, "behind") && argc == 8) {
		static uint8_t cdb[256];
		int fd = open_node(argv[3], argv[2]);

		cdb[atoi(argv[6]) & 0xff] = byte(argv[7]);
		cdb[0] = byte(argv[4]);
		become_nobody();
		say(verdict(ask(fd, !strncmp(argv[3], "/dev/bsg/", 9), cdb, atoi(argv[5]))));
	} else if (!strcmp(what, "personality") && argc == 4) {
		personalities(argv[2], byte(argv[3]));
	} else if (!strcmp(what, "sqpoll") && argc == 4) {
		polled_rings(argv[2], byte(argv[3]));
	} else if (!strcmp(what, "descriptors") && argc == 5) {
		descriptors(argv[2], argv[3], argv[4]);
	} else if (!strcmp(what, "twice") && argc == 5) {
		read_twice(argv[2], byte(argv[3]), byte(argv[4]));
	} else if (!strcmp(what, "flip") && argc == 5) {
		flip_opcode(argv[2], strtoul(argv[3], NULL, 0), byte(argv[4]));
	} else if (!strcmp(what, "compare-and-write") && argc == 4) {
		compare_and_write(argv[2], atoi(argv[3]));
	} else {
		errx(2, "usage: see the head of main.c");
	}
	return 0;
}
