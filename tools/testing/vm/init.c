// SPDX-License-Identifier: GPL-2.0
/*
 * First program of the guest: assembles a usual Linux system from the 9p shares of the
 * runner and goes there. The root is the build root under a tmpfs: whatever a test does
 * to it is gone with the guest.
 *
 * One program and not a script: in a guest without hardware virtualisation, it is starting
 * programs that takes time, and this runs some sixty times in `make test`.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECORD_MAX	8192	/* no less than PRINTK_MESSAGE_MAX, kernel/printk/internal.h */
#define END		";sgio: end of the run\n"
#define GUEST_INIT	"/sgio/src/tools/testing/vm/guest-init"

/* The kernel panics when this program ends, and the runner shows what it said. */
static void must_mount(const char *what, const char *where, const char *type, unsigned long flags,
		       const char *options)
{
	if (mount(what, where, type, flags, options))
		err(1, "%s on %s", what, where);
}

/* A file system that not every kernel has. */
static void may_mount(const char *type, const char *where)
{
	if (mount(type, where, type, 0, NULL) && errno != ENODEV && errno != ENOENT)
		err(1, "%s", where);
}

static void make_dir(const char *path, mode_t mode)
{
	if (mkdir(path, mode) && errno != EEXIST)
		err(1, "%s", path);
}

static void make_link(const char *target, const char *path)
{
	unlink(path);
	if (symlink(target, path))
		err(1, "%s", path);
}

/* What the root needs, then what a distribution would have loaded for the devices by the time
 * a user logs in: /modules/order has their names.
 */
static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "r");
	char name[256], path[300];

	while (order && fgets(name, sizeof(name), order)) {
		int fd;

		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			err(1, "%s", path);
		close(fd);
		unlink(path);
	}
	if (order)
		fclose(order);
}

static void share(const char *tag, const char *where, bool writable, const char *cache)
{
	char options[100];

	snprintf(options, sizeof(options), "trans=virtio,version=9p2000.L,msize=512000,cache=%s", cache);
	must_mount(tag, where, "9p", writable ? 0 : MS_RDONLY, options);
}

/* On kernels that have a network. */
static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		warn("lo");
	close(fd);
}

/* Everything the kernel says, whatever a test does to the console or to the buffer, up to the marker
 * of guest-init: this is what the runner judges. As many records in one write as there are: each write
 * is a message to the runner's machine, and a test may make the kernel say fifty thousand lines.
 */
static void follow_kernel_log(void)
{
	static const char lost[] = "4,0,0,-;WARNING: records of the kernel log were lost\n";
	static char buf[1 << 16];
	struct pollfd records = { .events = POLLIN };
	bool ended = false;
	size_t len = 0;
	int out;

	if (fork())
		return;
	records.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	out = open("/sgio/run/kmsg", O_WRONLY | O_CLOEXEC);
	if (records.fd < 0 || out < 0)
		err(1, "the kernel log");
	while (!ended) {
		ssize_t n = read(records.fd, buf + len, RECORD_MAX);

		if (n > 0) {
			len += n;
			ended = len >= sizeof(END) && !memcmp(buf + len - strlen(END), END, strlen(END));
		} else if (errno == EPIPE) {
			memcpy(buf + len, lost, strlen(lost));
			len += strlen(lost);
		} else if (errno != EAGAIN) {
			err(1, "/dev/kmsg");
		} else if (!len) {
			poll(&records, 1, -1);
		}
		if (len && (n < 0 || ended || sizeof(buf) - len < RECORD_MAX)) {
			if (write(out, buf, len) != (ssize_t)len)
				err(1, "/sgio/run/kmsg");
			len = 0;
		}
	}
	close(open("/run/kernel-log-is-complete", O_WRONLY | O_CREAT, 0444));
	_exit(0);
}

int main(void)
{
	static char *const argv[] = { GUEST_INIT, NULL };
	static char *const envp[] = { "HOME=/root", "TERM=linux", NULL };

	umask(0);
	/* For what is said of errors: there is no console before. */
	must_mount("dev", "/dev", "devtmpfs", 0, NULL);
	for (int fd = 0; fd < 3; fd++) {
		close(fd);
		if (open("/dev/console", O_RDWR) != fd)
			return 1;
	}
	load_modules();

	share("root", "/lower", false, "loose");
	/* Unprivileged users must be able to look up everything below. */
	must_mount("over", "/over", "tmpfs", 0, "mode=755");
	make_dir("/over/upper", 0755);
	make_dir("/over/work", 0755);
	must_mount("root", "/new", "overlay", 0, "lowerdir=/lower,upperdir=/over/upper,workdir=/over/work");
	if (chdir("/new"))
		err(1, "/new");
	make_dir("usr/lib/modules", 0755);
	share("modules", "usr/lib/modules", false, "loose");
	share("src", "sgio/src", false, "loose");
	share("build", "sgio/build", false, "loose");
	share("run", "sgio/run", true, "none");
	if (!access("sgio/run/shared", F_OK))
		share("share", "share", true, "mmap");

	must_mount("proc", "proc", "proc", 0, NULL);
	must_mount("sysfs", "sys", "sysfs", 0, NULL);
	must_mount("/dev", "dev", NULL, MS_MOVE, NULL);
	make_dir("dev/pts", 0755);
	make_dir("dev/shm", 0755);
	must_mount("devpts", "dev/pts", "devpts", 0, "ptmxmode=666,mode=620,gid=5");
	must_mount("shm", "dev/shm", "tmpfs", 0, "mode=1777");
	must_mount("tmp", "tmp", "tmpfs", 0, "mode=1777");
	must_mount("run", "run", "tmpfs", 0, "mode=755");
	may_mount("debugfs", "sys/kernel/debug");
	may_mount("tracefs", "sys/kernel/tracing");
	may_mount("securityfs", "sys/kernel/security");
	may_mount("cgroup2", "sys/fs/cgroup");
	may_mount("configfs", "sys/kernel/config");
	make_link("/proc/self/fd", "dev/fd");
	make_link("/proc/self/fd/0", "dev/stdin");
	make_link("/proc/self/fd/1", "dev/stdout");
	make_link("/proc/self/fd/2", "dev/stderr");
	loopback_up();
	if (sethostname("sgio", 4))
		err(1, "the host's name");
	umask(022);

	must_mount(".", "/", NULL, MS_MOVE, NULL);
	if (chroot(".") || chdir("/"))
		err(1, "the new root");
	follow_kernel_log();
	execve(GUEST_INIT, argv, envp);
	err(1, GUEST_INIT);
}
