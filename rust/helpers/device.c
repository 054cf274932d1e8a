// SPDX-License-Identifier: GPL-2.0

#include <linux/device.h>

void sgio_helper_device_lock(struct device *dev);
void sgio_helper_device_lock(struct device *dev)
{
	device_lock(dev);
}

int sgio_helper_device_lock_interruptible(struct device *dev);
int sgio_helper_device_lock_interruptible(struct device *dev)
{
	return device_lock_interruptible(dev);
}

void sgio_helper_device_unlock(struct device *dev);
void sgio_helper_device_unlock(struct device *dev)
{
	device_unlock(dev);
}
