// SPDX-License-Identifier: GPL-2.0

#include <linux/percpu.h>

u64 __percpu *sgio_helper_alloc_percpu_u64(void);
u64 __percpu *sgio_helper_alloc_percpu_u64(void)
{
	return alloc_percpu(u64);
}

u64 __percpu *sgio_helper_alloc_percpu_u64s(size_t n);
u64 __percpu *sgio_helper_alloc_percpu_u64s(size_t n)
{
	return __alloc_percpu_gfp(size_mul(n, sizeof(u64)), __alignof__(u64),
				  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void sgio_helper_free_percpu_u64(u64 __percpu *ptr);
void sgio_helper_free_percpu_u64(u64 __percpu *ptr)
{
	free_percpu(ptr);
}

void sgio_helper_this_cpu_inc_u64(u64 __percpu *ptr);
void sgio_helper_this_cpu_inc_u64(u64 __percpu *ptr)
{
	this_cpu_inc(*ptr);
}

u64 sgio_helper_per_cpu_sum_u64(u64 __percpu *ptr);
u64 sgio_helper_per_cpu_sum_u64(u64 __percpu *ptr)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(ptr, cpu));
	return sum;
}
