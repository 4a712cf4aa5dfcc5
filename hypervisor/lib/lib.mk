# SPDX-License-Identifier: MIT
# LIB_SRCS: what the minimal guest takes too. The loader brings the formatting to the tools.
LIB_SRCS := $(addprefix hypervisor/lib/,memory.c number.c printf.c string.c strlcpy.c)
HV_SRCS += hypervisor/lib/memory.c hypervisor/lib/string.c
CORE_SRCS += hypervisor/lib/number.c hypervisor/lib/printf.c hypervisor/lib/strlcpy.c \
             hypervisor/lib/x86_decode.c hypervisor/lib/x86_write.c
LOADER_SRCS += hypervisor/lib/printf.c
