/* SPDX-License-Identifier: MIT */
/*
 * User mode: a system call that returns at once.
 */
#include <guest/kernel.h>
#include <guest/user.h>

#include "bench.h"

static const uint8_t user_code[] = {
    0x0f, 0x05, /* 1: syscall */
    0xff, 0xcf, /*    dec %edi */
    0x75, 0xfa, /*    jnz 1b */
    0x0f, 0x0b, /*    ud2 */
};

static bool return_at_once(struct trap_regs *regs)
{
    return regs->vector == VECTOR_SYSCALL;
}

static int prepare_user(void)
{
    trap_set_handler(VECTOR_SYSCALL, return_at_once);
    return user_init() || user_load(user_code, sizeof(user_code));
}

static long op_syscall(unsigned int n)
{
    struct trap_regs regs = {.rip = USER_CODE, .rsp = USER_STACK_TOP, .rdi = n};

    return user_run(&regs) == TRAP_INVALID_OP && !regs.rdi ? 0 : -1;
}

/* clang-format off */
const struct bench user_rows[] = {
    {"syscall", op_syscall, prepare_user, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
