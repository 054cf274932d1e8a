// SPDX-License-Identifier: GPL-2.0

#include <linux/blkdev.h>
#include <linux/kernfs.h>

bool sgio_helper_blk_queue_registered(struct request_queue *q);
bool sgio_helper_blk_queue_registered(struct request_queue *q)
{
	return blk_queue_registered(q);
}

struct request_queue *sgio_helper_bdev_get_queue(struct block_device *bdev);
struct request_queue *sgio_helper_bdev_get_queue(struct block_device *bdev)
{
	return bdev_get_queue(bdev);
}

struct kernfs_node *sgio_helper_kernfs_find_and_get(struct kernfs_node *kn, const char *name);
struct kernfs_node *sgio_helper_kernfs_find_and_get(struct kernfs_node *kn, const char *name)
{
	return kernfs_find_and_get(kn, name);
}
