/* SPDX-License-Identifier: MIT */
/*
 * console_io: a domain writes to the machine's console, the control domain reads from it.
 *
 * The control domain's text goes to the UART as it is. So does a boot-time domain's where there is
 * no control domain: that is how the author of a guest sees its first line. Any other guest's text
 * is kept, line by line and with the guest's name, in the log, where the operator finds it after
 * the guest is gone; only as much as the guest's share of the log holds (log_share.c).
 *
 * Output is copied in pieces; a long one gives way between them, with buffer and count moved on.
 *
 * Lock: d->lock guards a domain's unfinished line. Taken before RANK_CONSOLE.
 */
#include <core/base/console_out.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/state/domain.h>
#include <xen/errno.h>

#define PIECE 128
#define KEPT  32 /* of text that is kept: each byte may be a line, and a line is long work */

static void end_line(struct domain *d)
{
    struct domain_console *c = &d->console;

    /* The brackets tell a guest's words from the hypervisor's, whose lines have none there. */
    log_guest(d, "(%s) %.*s", d->name, (int)c->length, c->line);
    c->length = 0;
}

static void keep(struct domain *d, const char *s, unsigned int n)
{
    struct domain_console *c = &d->console;

    spin_lock(&d->lock);
    for (unsigned int i = 0; i < n; i++) {
        char ch = s[i];

        if (ch == '\n' || c->length == sizeof(c->line))
            end_line(d);
        if (ch != '\n' && ch != '\r')
            c->line[c->length++] = ch >= ' ' && ch < 127 ? ch : '.';
    }
    spin_unlock(&d->lock);
}

void domain_console_end(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->console.length)
        end_line(d);
    spin_unlock(&d->lock);
}

static long write_console(unsigned int count, gva_t buffer)
{
    struct domain *d = current->domain;
    char piece[PIECE];

    while (count) {
        bool through = d->is_control || !control_domain;
        unsigned int n = MIN(count, through ? PIECE : (unsigned int)KEPT);

        if (copy_from_guest(piece, buffer, n))
            return -XEN_EFAULT;
        if (through && !console_try_write(piece, n))
            return hypercall_create_continuation(CONSOLEIO_write, count, buffer);
        if (through)
            WRITE_ONCE(d->console.spoke, true);
        else
            keep(d, piece, n);
        count -= n;
        buffer += n;
        if (count && hypercall_preempt_check())
            return hypercall_create_continuation(CONSOLEIO_write, count, buffer);
    }
    return 0;
}

static long read_console(unsigned int count, gva_t buffer)
{
    char piece[PIECE];
    long done = 0;

    if (!current->domain->is_control)
        return refused(-XEN_EPERM, "only the control domain reads the console");
    while (count) {
        gva_t at = buffer + (uint64_t)done;
        size_t most = MIN(count, (unsigned int)PIECE), n;

        /* The place is tried before what was typed is taken. */
        if (copy_from_guest(piece, at, most) || copy_to_guest(at, piece, most))
            return done ? done : -XEN_EFAULT;
        n = console_read(piece, most);
        if (!n)
            break;
        if (copy_to_guest(at, piece, n))
            return -XEN_EFAULT;
        done += (long)n;
        count -= (unsigned int)n;
    }
    return done;
}

long do_console_io(unsigned int cmd, unsigned int count, gva_t buffer)
{
    if (count > INT32_MAX)
        return refused(-XEN_E2BIG, "%u bytes", count);
    switch (cmd) {
    case CONSOLEIO_write:
        return write_console(count, buffer);
    case CONSOLEIO_read:
        return read_console(count, buffer);
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}
