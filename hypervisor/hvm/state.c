/* SPDX-License-Identifier: MIT */
/*
 * The VMCB of a vCPU, and what is in its registers when it starts: as INIT leaves it (AMD APM
 * volume 2, table 14-1), in real mode where SIPI says, or as PVH begins.
 */
#include <hv/x86_bits.h>
#include <hvm/cpu.h>
#include <hvm/hvm.h>
#include <parvis/string.h>
#include <port/machine.h>

#define PAT_RESET  0x0007040600070406ull
#define PAT_ALL_WB 0x0606060606060606ull /* what its memory is, whatever it says: msr.c */
#define CR0_RESET  0x60000010ul
/* A CPU without a filter of PAUSE (QEMU) exits at each. */
#define PAUSE_THRESHOLD 128 /* clock ticks */
#define PAUSE_COUNT     3000
#define ATTR_CODE16     0x9b /* present, accessed; real mode's */
#define ATTR_DATA16     0x93
#define ATTR_LDT        0x82
#define ATTR_TSS_BUSY   0x8b

static struct vmcb_segment segment(uint16_t selector, uint16_t attributes, uint32_t limit)
{
    return (struct vmcb_segment){selector, attributes, limit, 0};
}

static void set_data_segments(struct vmcb *b, struct vmcb_segment s)
{
    b->save.es = b->save.ss = b->save.ds = b->save.fs = b->save.gs = s;
}

void hvm_reset_vcpu(struct vcpu *v)
{
    struct hvm_vcpu *h = &v->arch.hvm;
    struct vmcb *b = h->vmcb;

    memset(b, 0, sizeof(*b));
    hvm_set_intercepts(v);
    b->control.pause_threshold = PAUSE_THRESHOLD;
    b->control.pause_count = PAUSE_COUNT;
    b->control.iopm = hvm_cpu_iopm();
    b->control.msrpm = hvm_cpu_msrpm();
    b->control.asid = 1;
    b->control.vintr = VINTR_INTR_MASKING;
    b->control.nested = 1;
    b->control.nested_cr3 = frame_of(v->domain->arch.hvm.npt).n << PAGE_SHIFT;
    b->save.efer = EFER_SVME;
    b->save.cr0 = CR0_RESET;
    b->save.pat = PAT_ALL_WB;
    b->save.dr6 = X86_DR6_DEFAULT;
    b->save.dr7 = X86_DR7_DEFAULT;
    b->save.cs = segment(0xf000, ATTR_CODE16, 0xffff);
    b->save.cs.base = 0xffff0000;
    set_data_segments(b, segment(0, ATTR_DATA16, 0xffff));
    b->save.gdtr = b->save.idtr = segment(0, 0, 0xffff);
    b->save.ldtr = segment(0, ATTR_LDT, 0xffff);
    b->save.tr = segment(0, ATTR_TSS_BUSY, 0xffff);
    memset(&v->regs, 0, sizeof(v->regs));
    v->regs.rip = 0xfff0;
    v->regs.rflags = X86_EFLAGS_ALWAYS;
    memset(h->debugreg, 0, sizeof(h->debugreg));
    h->pat = PAT_RESET;
    h->lme = false;
    hvm_set_cr4(v, 0);
    h->halted = v->nmi_masked = false;
    hvm_forget_translations(v);
}

void hvm_start_real_mode(struct vcpu *v, uint8_t page)
{
    struct vmcb *b = vmcb_of(v);

    b->save.cs.selector = (uint16_t)(page << 8);
    b->save.cs.base = (uint64_t)page << PAGE_SHIFT;
    v->regs.rip = 0;
}

static struct vmcb_segment from_loader(const struct loader_segment *s)
{
    return (struct vmcb_segment){s->selector, s->attributes, s->limit, s->base};
}

void hvm_start_pvh(struct vcpu *v, const struct loader_pvh_state *s)
{
    struct vmcb *b = vmcb_of(v);

    b->save.cr0 = s->cr0;
    hvm_set_cr4(v, s->cr4);
    b->save.cs = from_loader(&s->cs);
    b->save.es = b->save.ss = b->save.ds = from_loader(&s->data);
    b->save.tr = from_loader(&s->tr);
    v->regs.rip = s->eip;
    v->regs.rbx = s->ebx;
    v->regs.rflags = s->eflags;
}
