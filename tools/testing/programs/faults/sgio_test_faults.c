// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one allocation, registration or lock fail, of those that the task `pid` makes
 * with sgio_filter on its stack. They are numbered by the way there, the stack: the
 * nth fails, when it is come by for the `again`th time. With again=0 each time has a
 * number of its own: of ten files in a directory, any may be the one that fails. Needs
 * kprobes only, so that any kernel will do; the kernel's own fault injection is off in
 * most.
 *
 * Parameters: nth, again; only, one function, nothing else counts; pid (0: nobody), which
 * starts counting; then failed, what was made to fail, and seen, the highest number.
 * points: what can fail; missing: what of it could not be probed; times: how often each was come by, with again=0.
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>

#define VICTIM "[sgio_filter]"

static unsigned int nth;
module_param(nth, uint, 0600);
static unsigned int again = 1;
module_param(again, uint, 0600);
static char failed[KSYM_NAME_LEN];
module_param_string(failed, failed, sizeof(failed), 0400);
static char only[KSYM_NAME_LEN];
module_param_string(only, only, sizeof(only), 0600);
static char missing[512];
module_param_string(missing, missing, sizeof(missing), 0400);
static int pid;

enum how { NULL_POINTER, NO_MEMORY, SIGNAL };

/* What fails, how, and which arguments (from 0) are a size and gfp flags. */
struct point {
	const char *name;
	enum how how;
	int size, gfp;
};

/* An argument that some kernels have more. */
#define TOKEN	IS_ENABLED(CONFIG_KMALLOC_PARTITION_CACHES)

/* A macro with lockdep. */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define MUTEX_LOCK_INTERRUPTIBLE "mutex_lock_interruptible_nested"
#else
#define MUTEX_LOCK_INTERRUPTIBLE "mutex_lock_interruptible"
#endif

static const struct point points[] = {
	{ "krealloc_node_align_noprof", NULL_POINTER, 1, 3 + TOKEN },
	{ "kvrealloc_node_align_noprof", NULL_POINTER, 1, 3 + TOKEN },
	{ "__kmalloc_noprof", NULL_POINTER, -1, 1 + TOKEN },
	/* Copies of names; krealloc() calls what is below. */
	{ "kstrdup", NULL_POINTER, -1, 1 },
	{ "__kmalloc_cache_noprof", NULL_POINTER, -1, 1 },
	{ "kmem_cache_alloc_noprof", NULL_POINTER, -1, 1 },
	{ "pcpu_alloc_noprof", NULL_POINTER, -1, 3 },
	/* ftrace's trampolines. */
	{ "execmem_alloc_rw", NULL_POINTER, -1, -1 },
	{ "scsi_host_alloc", NULL_POINTER, -1, -1 },
	{ "prepare_creds", NULL_POINTER, -1, -1 },
	{ "sysfs_create_bin_file", NO_MEMORY, -1, -1 },
	{ "bus_register_notifier", NO_MEMORY, -1, -1 },
	{ "register_module_notifier", NO_MEMORY, -1, -1 },
	{ "ftrace_set_filter_ip", NO_MEMORY, -1, -1 },
	{ "register_ftrace_function", NO_MEMORY, -1, -1 },
	{ "register_ftrace_direct", NO_MEMORY, -1, -1 },
	{ "register_kprobe", NO_MEMORY, -1, -1 },
	{ "misc_register", NO_MEMORY, -1, -1 },
	/* A signal comes while a device is locked. */
	{ MUTEX_LOCK_INTERRUPTIBLE, SIGNAL, -1, -1 },
};

/* What debugging code allocates beside (gfp_nested_mask()), for kmemleak above all. */
#define NESTED	(__GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN)

/* The ways that were seen, and how often. */
static struct {
	u32 hash;
	unsigned int times;
} ways[1024];
static unsigned int nr_ways;
static unsigned int seen;
module_param(seen, uint, 0400);

/* Their names. */
static int get_points(char *buf, const struct kernel_param *kp)
{
	int len = 0;

	for (int i = 0; i < ARRAY_SIZE(points); i++)
		len += sysfs_emit_at(buf, len, "%s\n", points[i].name);
	return len;
}

static const struct kernel_param_ops points_ops = { .get = get_points };
module_param_cb(points, &points_ops, NULL, 0400);

/* How often each of them was come by. */
static unsigned int times[ARRAY_SIZE(points)];

static int get_times(char *buf, const struct kernel_param *kp)
{
	int len = 0;

	for (int i = 0; i < ARRAY_SIZE(points); i++)
		len += sysfs_emit_at(buf, len, "%s %u\n", points[i].name, times[i]);
	return len;
}

static const struct kernel_param_ops times_ops = { .get = get_times };
module_param_cb(times, &times_ops, NULL, 0400);

static struct kprobe probes[ARRAY_SIZE(points)];
static bool registered[ARRAY_SIZE(points)];

/*
 * The addresses that were looked up in this attempt, and whether they are the victim's. A look-up takes long in a module
 * with many symbols.
 */
static struct address {
	unsigned long at;
	bool is_victims;
} addresses[512];

static int set_pid(const char *val, const struct kernel_param *kp)
{
	int new, err = kstrtoint(val, 0, &new);

	if (err)
		return err;
	if (new) {
		nr_ways = 0;
		seen = 0;
		memset(times, 0, sizeof(times));
		/* Another module may be there now. */
		memset(addresses, 0, sizeof(addresses));
		failed[0] = '\0';
	}
	WRITE_ONCE(pid, new);
	return 0;
}

static const struct kernel_param_ops pid_ops = { .set = set_pid, .get = param_get_int };
module_param_cb(pid, &pid_ops, &pid, 0600);

/* What the probed function is replaced by. */
static noinline notrace unsigned long return_null(void)
{
	return 0;
}

static noinline notrace unsigned long return_enomem(void)
{
	return -ENOMEM;
}

static noinline notrace unsigned long return_eintr(void)
{
	return -EINTR;
}

static unsigned long (*const replacements[])(void) = {
	[NULL_POINTER] = return_null,
	[NO_MEMORY] = return_enomem,
	[SIGNAL] = return_eintr,
};

static bool is_victims(unsigned long at)
{
	static char symbol[KSYM_SYMBOL_LEN];
	struct address *address = &addresses[hash_long(at, ilog2(ARRAY_SIZE(addresses)))];

	if (address->at != at) {
		sprint_symbol(symbol, at);
		address->at = at;
		address->is_victims = strstr(symbol, VICTIM);
	}
	return address->is_victims;
}

/* Counts the way here, if the victim is on it; says whether it ends here. One task at a time. */
static noinline bool must_fail(unsigned int point)
{
	static unsigned long entries[40];
	unsigned int n = stack_trace_save(entries, ARRAY_SIZE(entries), 0), i;
	u32 hash = jhash2((u32 *)entries, n * sizeof(entries[0]) / sizeof(u32), 0);

	/* The kernel itself is below the modules. */
	for (i = 0; i < n; i++)
		if (entries[i] >= MODULES_VADDR && is_victims(entries[i]))
			break;
	if (i == n)
		return false;
	if (!again) {
		times[point]++;
		return ++seen == nth;
	}
	for (i = 0; i < nr_ways && ways[i].hash != hash; i++)
		;
	if (i == ARRAY_SIZE(ways))
		return false;
	if (i == nr_ways) {
		ways[i].hash = hash;
		ways[i].times = 0;
		seen = ++nr_ways;
	}
	return ++ways[i].times == again && i + 1 == nth;
}

/*
 * Not by an interrupt, which finds the same task. A probe of a function that ftrace does not know is an int3,
 * which is entered as an NMI is, and counts as an interrupt.
 */
static bool by_the_task(void)
{
	return hardirq_count() == (in_nmi() ? HARDIRQ_OFFSET : 0) && !in_serving_softirq();
}

static int __kprobes before(struct kprobe *probe, struct pt_regs *regs)
{
	const struct point *point = &points[probe - probes];
	gfp_t gfp = point->gfp < 0 ? 0 : regs_get_kernel_argument(regs, point->gfp);
	unsigned long ip = regs->ip;
	bool fails;

	if (task_pid_nr(current) != READ_ONCE(pid) || !by_the_task())
		return 0;
	if (*only && strcmp(only, point->name))
		return 0;
	/* What must not fail; what only gives memory back. */
	if (gfp & __GFP_NOFAIL || (gfp & NESTED) == NESTED)
		return 0;
	if (point->size >= 0 && !regs_get_kernel_argument(regs, point->size))
		return 0;
	/* Behind an int3, the unwinder would take a push of one byte, which it is in the place of, for done. */
	WRITE_ONCE(regs->ip, (unsigned long)probe->addr);
	fails = must_fail(point - points);
	WRITE_ONCE(regs->ip, ip);
	if (!fails)
		return 0;
	strscpy(failed, point->name);
	regs->ip = (unsigned long)replacements[point->how];
	return 1;
}

/* With it, the handler before may change where the function goes on. */
static void __kprobes after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static int __init faults_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(points); i++) {
		int err;

		probes[i].symbol_name = points[i].name;
		probes[i].pre_handler = before;
		probes[i].post_handler = after;
		err = register_kprobe(&probes[i]);
		registered[i] = !err;
		if (err) {
			pr_info("%s: no probe (%d)\n", points[i].name, err);
			strlcat(missing, points[i].name, sizeof(missing));
			strlcat(missing, " ", sizeof(missing));
		}
	}
	return 0;
}

static void __exit faults_exit(void)
{
	for (int i = 0; i < ARRAY_SIZE(points); i++)
		if (registered[i])
			unregister_kprobe(&probes[i]);
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_DESCRIPTION("Lets one allocation, registration or lock of sgio_filter fail, for tests");
MODULE_LICENSE("GPL");
