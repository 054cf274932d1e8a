// SPDX-License-Identifier: GPL-2.0

#include <linux/cgroup.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

struct cgroup *sgio_helper_current_domain_cgroup(void);
struct cgroup *sgio_helper_current_domain_cgroup(void)
{
#ifdef CONFIG_CGROUPS
	return READ_ONCE(task_dfl_cgroup(current)->dom_cgrp);
#else
	return NULL;
#endif
}

struct cgroup *sgio_helper_current_cgroup(void);
struct cgroup *sgio_helper_current_cgroup(void)
{
#ifdef CONFIG_CGROUPS
	return task_dfl_cgroup(current);
#else
	return NULL;
#endif
}

int sgio_helper_cgroup_level(struct cgroup *cgrp);
int sgio_helper_cgroup_level(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return cgrp->level;
#else
	return 0;
#endif
}

/* At a level from 0, the root's, to that of the cgroup. */
struct cgroup *sgio_helper_cgroup_ancestor(struct cgroup *cgrp, int level);
struct cgroup *sgio_helper_cgroup_ancestor(struct cgroup *cgrp, int level)
{
#ifdef CONFIG_CGROUPS
	return cgroup_ancestor(cgrp, level);
#else
	return NULL;
#endif
}

/* That of the ancestor at a level which the cgroup has. */
u64 sgio_helper_cgroup_ancestor_id(struct cgroup *cgrp, int level);
u64 sgio_helper_cgroup_ancestor_id(struct cgroup *cgrp, int level)
{
#ifdef CONFIG_CGROUPS
	return cgroup_id(cgrp->ancestors[level]);
#else
	return 0;
#endif
}

/* Seen from the cgroup namespace of the current task. */
struct cgroup *sgio_helper_cgroup_get_from_id(u64 id);
struct cgroup *sgio_helper_cgroup_get_from_id(u64 id)
{
#ifdef CONFIG_CGROUPS
	struct cgroup *cgrp;

	/* A task that is about to end has no namespace. */
	if (!current->nsproxy)
		return NULL;
	cgrp = cgroup_get_from_id(id);
	return IS_ERR(cgrp) ? NULL : cgrp;
#else
	return NULL;
#endif
}

/* Whether the current task sees all cgroups. */
bool sgio_helper_current_sees_all_cgroups(void);
bool sgio_helper_current_sees_all_cgroups(void)
{
#ifdef CONFIG_CGROUPS
	return current->nsproxy && current->nsproxy->cgroup_ns == init_task.nsproxy->cgroup_ns;
#else
	return true;
#endif
}

bool sgio_helper_cgroup_tryget(struct cgroup *cgrp);
bool sgio_helper_cgroup_tryget(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return cgroup_tryget(cgrp);
#else
	return false;
#endif
}

void sgio_helper_cgroup_get(struct cgroup *cgrp);
void sgio_helper_cgroup_get(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	cgroup_get(cgrp);
#endif
}

void sgio_helper_cgroup_put(struct cgroup *cgrp);
void sgio_helper_cgroup_put(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	cgroup_put(cgrp);
#endif
}

bool sgio_helper_cgroup_is_online(struct cgroup *cgrp);
bool sgio_helper_cgroup_is_online(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return READ_ONCE(cgrp->self.flags) & CSS_ONLINE;
#else
	return false;
#endif
}

u64 sgio_helper_cgroup_id(struct cgroup *cgrp);
u64 sgio_helper_cgroup_id(struct cgroup *cgrp)
{
	return cgroup_id(cgrp);
}

bool sgio_helper_cgroup_is_root(struct cgroup *cgrp);
bool sgio_helper_cgroup_is_root(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return cgrp == &cgrp_dfl_root.cgrp;
#else
	return true;
#endif
}

bool sgio_helper_cgroup_root_has_descendants(void);
bool sgio_helper_cgroup_root_has_descendants(void)
{
#ifdef CONFIG_CGROUPS
	return READ_ONCE(cgrp_dfl_root.cgrp.nr_descendants) > 0;
#else
	return false;
#endif
}

void sgio_helper_cgroup_path_seen_by_current(struct cgroup *cgrp, char *buf, size_t len);
void sgio_helper_cgroup_path_seen_by_current(struct cgroup *cgrp, char *buf, size_t len)
{
	buf[0] = 0;
#ifdef CONFIG_CGROUPS
	/* A task that is about to end has none. */
	if (current->nsproxy)
		cgroup_path_ns(cgrp, buf, len, current->nsproxy->cgroup_ns);
#endif
}
