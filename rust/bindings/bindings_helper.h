/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module needs of the kernel's headers and the kernel crate has no bindings for. See
 * `parameters` for what is taken from here.
 */

/* First, as an enum used before its definition gets a wrong type. */
#include <linux/hrtimer_types.h>

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/device.h>
#include <linux/ftrace.h>
#include <linux/kernfs.h>
#include <linux/percpu.h>
#include <linux/pr.h>
#include <linux/ratelimit.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_driver.h>
#include <scsi/scsi_host.h>
#include <scsi/scsi_ioctl.h>
#include <scsi/sg.h>

#include "../helpers/helpers.c"
#include "../trace/sgio_filter.h"
#include "../uapi/sgio_filter.h"
