/* SPDX-License-Identifier: MIT */
/*
 * Segment bases and the switch between guest kernel and guest user mode.
 *
 * Both GS bases belong to the guest: the active one is in GS_BASE, the other in KERNEL_GS_BASE, and
 * a switch of mode exchanges them, as it exchanges the page table. A base must be canonical
 * (XSA-193): WRMSR would fault.
 */
#include <core/base/count.h>
#include <core/base/log.h>
#include <core/sched/vcpu_time.h>
#include <pv/hypercall.h>
#include <pv/cpu.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>

long do_set_segment_base(unsigned int which, uint64_t base)
{
    struct vcpu *v = current;

    switch (which) {
    case SEGBASE_FS:
    case SEGBASE_GS_USER:
    case SEGBASE_GS_KERNEL:
        if (!is_canonical(base))
            return refused(-XEN_EINVAL, "set_segment_base: %#lx is not canonical", base);
        pv_cpu_write_base(which, base);
        return 0;
    case SEGBASE_GS_USER_SEL:
        pv_cpu_load_gs((uint16_t)base);
        v->arch.pv.gs = (uint16_t)base;
        return 0;
    default:
        return -XEN_EINVAL;
    }
}

void pv_update_cr3(struct vcpu *v)
{
    mfn_t table = guest_kernel_mode(v) ? v->arch.pv.guest_table : v->arch.pv.guest_table_user;

    v->arch.pv.cr3 = table.n << PAGE_SHIFT;
}

void pv_toggle_guest_mode(struct vcpu *v)
{
    v->arch.pv.kernel_mode ^= true;
    pv_update_cr3(v);
    pv_cpu_swapgs();
    machine_load_cr3(v->arch.pv.cr3, true);
    count_event(v, COUNTER_cr3_loads);
    if (unlikely(READ_ONCE(v->areas_stale)) && guest_kernel_mode(v))
        vcpu_areas_switched_in(v);
}
