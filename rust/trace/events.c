// SPDX-License-Identifier: GPL-2.0
/* Where the tracepoint is, for rust/kernel/trace.rs. */

#define CREATE_TRACE_POINTS
#define CREATE_RUST_TRACE_POINTS
#include "sgio_filter.h"
