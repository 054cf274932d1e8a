// SPDX-License-Identifier: GPL-2.0
/*
 * `count` directories in /sys/kernel with the files of a device's sgio_filter, and nothing behind
 * them: what sysfs alone takes of a device's memory.
 */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

static unsigned int count = 1;
module_param(count, uint, 0400);

#define EMPTY(name) __BIN_ATTR(name, 0400, NULL, NULL, 0)

static const struct bin_attribute files[] = {
	EMPTY(unpriv_sgio), EMPTY(complain), EMPTY(report_luns), EMPTY(pr_exclusive), EMPTY(rules),
	EMPTY(hits), EMPTY(nexus), EMPTY(class), EMPTY(id), EMPTY(stats),
};

/* By the number of its device, so that only what is in them is counted. */
static struct kobject *top, **directories;

static void remove_all(void)
{
	for (unsigned int n = 0; n < count; n++) {
		kobject_del(directories[n]);
		kobject_put(directories[n]);
	}
	kobject_put(top);
	kvfree(directories);
}

static int __init directories_init(void)
{
	char name[16];
	int err = 0;

	directories = kvcalloc(count, sizeof(*directories), GFP_KERNEL);
	top = kobject_create_and_add("sgio_bench_files", kernel_kobj);
	if (!directories || !top) {
		kvfree(directories);
		kobject_put(top);
		return -ENOMEM;
	}
	for (unsigned int n = 0; !err && n < count; n++) {
		/* As long as sgio_filter, or nearly. */
		snprintf(name, sizeof(name), "files-%u", n);
		directories[n] = kobject_create_and_add(name, top);
		if (!directories[n])
			err = -ENOMEM;
		for (unsigned int i = 0; !err && i < ARRAY_SIZE(files); i++)
			err = sysfs_create_bin_file(directories[n], &files[i]);
	}
	if (err)
		remove_all();
	return err;
}

static void __exit directories_exit(void)
{
	remove_all();
}

module_init(directories_init);
module_exit(directories_exit);
MODULE_DESCRIPTION("Directories with the files of sgio_filter, to be measured");
MODULE_LICENSE("GPL");
