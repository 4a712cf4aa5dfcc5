/* SPDX-License-Identifier: MIT */
/*
 * A domain of three vCPUs whose CPUs leave it for any reason, with anything in its registers and
 * memory, as a hostile guest can make it; what only a CPU says (the size of a port access, which
 * kinds of events there are) is as a CPU would say it. The guest changes registers and memory, time
 * passes, and vCPUs are entered and left. When the domain ends, the control domain resumes it. In
 * half of all lives it is told of Xen: then it makes hypercalls too, with operations and arguments
 * that often mean something, and moves its memory about.
 *
 * After each step: what belongs to the hypervisor in the VMCB is as it was made; the event to be
 * injected is one that a CPU takes; a window is open with its intercept or not at all; no lock is
 * held; the devices and core hold together; and the references of its frames are what its nested
 * tables and its vCPUs hold.
 */
#include "hvm_guest.h"
#include "hvm_exit_random.h"
#include "random_lives.h"

#include <core/domain/domain_pages.h>
#include <core/event/event_channel.h>
#include <core/life/life.h>
#include <hvm/npt.h>

#define MOST_HELD 4u

static const uint8_t *at, *end;
static struct page_info *held[MOST_HELD];

uint64_t take(unsigned int bytes)
{
    uint64_t value = 0;

    while (bytes-- && at < end)
        value = value << 8 | *at++;
    return value;
}

uint64_t take_value(void)
{
    static const uint64_t likely_ones[] = {0,
                                           1,
                                           CODE,
                                           0xfee00080,
                                           0xfee00300,
                                           0xfee00380,
                                           0xfffffff8,
                                           0xc0000080,
                                           0x1b,
                                           0x277,
                                           0x6e0,
                                           0x830,
                                           0xfffe,
                                           0x3f8,
                                           0x604,
                                           ~0ull,
                                           1ull << 47,
                                           1ull << 63,
                                           PAGE_SIZE * 15,
                                           PAGE_SIZE - 2,
                                           0x7f,
                                           0xd0000000,
                                           0x80000001,
                                           0x100000000,
                                           0xd,
                                           0xffff800000000000,
                                           0xfee00900,
                                           0xfee00d00,
                                           0xfee00c00,
                                           0xd01,
                                           0x5000,
                                           2 * PAGE_SIZE - 1};
    uint8_t what = (uint8_t)take(1);

    return what < 200 ? likely_ones[what % ARRAY_SIZE(likely_ones)] : take(8);
}

uint8_t *memory_at(uint64_t gpa)
{
    mfn_t mfn = npt_lookup(d, GFN(gpa >> PAGE_SHIFT));

    return mfn_valid(mfn) ? (uint8_t *)map_frame(mfn) + (gpa & ~PAGE_MASK) : NULL;
}

static void change_register(struct vcpu *w)
{
    static const uint8_t regs[] = {0, 1, 2, 3, 6, 7};

    switch (take(1) % 4) {
    case 0:
        w->regs.rip = take_value();
        break;
    case 1:
        w->regs.rflags = (take(4) & 0x257fd5) | X86_EFLAGS_ALWAYS;
        break;
    default:
        *x86_reg(&w->regs, regs[take(1) % sizeof(regs)]) = take_value();
    }
}

/* What it can have there without an exit; EFER's own bits apart. */
static void change_state(struct vcpu *w)
{
    struct vmcb *s = vmcb_of(w);

    switch (take(1) % 9) {
    case 0:
        s->save.cr0 = take(4);
        break;
    case 1:
        s->save.cr3 = take_value();
        break;
    case 2:
        hvm_set_cr4(w, take(3));
        break;
    case 3:
        s->save.efer ^= EFER_LMA;
        break;
    case 4:
        s->save.cs.attributes = take(2) & 0xfff;
        break;
    case 5:
        s->save.cs.base = s->save.ds.base = s->save.es.base = take_value();
        break;
    case 6:
        s->save.cpl = take(1) & 3;
        break;
    case 7:
        s->control.int_state = take(1) & 1;
        break;
    default:
        s->control.vintr = (s->control.vintr & ~VINTR_TPR) | (take(1) & 0xf);
    }
}

/* Code of use, or bytes. */
static void change_memory(void)
{
    static const char code[][8] = {"\xf4",
                                   "\x89\x0d\x00\x03\xe0\xfe",
                                   "\x8b\x0d\x80\x00\xe0\xfe",
                                   "\x0f\x22\xe0",
                                   "\x44\x0f\x22\xc0",
                                   "\x0f\x23\xf8",
                                   "\xc7\x05\xb0\x00\xe0\xfe"};
    uint64_t where = take(1) % 2 ? CODE : take(2) % (WHOLE_PAGES * PAGE_SIZE - 8);
    uint8_t what = (uint8_t)take(1);

    for (unsigned int i = 0; i < 8; i++)
        if (memory_at(where + i))
            *memory_at(where + i) =
                what < 128 ? (uint8_t)code[what % ARRAY_SIZE(code)][i] : (uint8_t)take(1);
}

/* Seldom one: most exits interrupt nothing. */
static uint64_t take_event(void)
{
    uint8_t what = (uint8_t)take(1), vector = (uint8_t)take(1);

    if (what < 200)
        return vector;
    switch (what % 4) {
    case 0:
        return EVENT_VALID | EVENT_EXT | vector;
    case 1:
        return EVENT_VALID | EVENT_NMI | 2;
    case 2: /* not NMI */
        return EVENT_VALID | EVENT_EXCEPTION | (vector == 2 ? 3 : vector);
    default:
        return EVENT_VALID | EVENT_SOFT | vector;
    }
}

static uint64_t take_port(void)
{
    static const uint16_t ports[] = {0x20,  0x21,  0x40,  0x42,  0x43,  0x61,  0x64,
                                     0x70,  0x71,  0xa0,  0xa1,  0x3f8, 0x3f9, 0x3fa,
                                     0x3fc, 0x600, 0x602, 0x604, 0x608, 0xcf9, 0xffff};
    uint8_t what = (uint8_t)take(1);
    uint64_t port = what < 128 ? ports[what % ARRAY_SIZE(ports)] : take(2);

    return port << 16 | 1ull << (4 + take(1) % 3) | (take(1) & (IOIO_IN | IOIO_STRING | IOIO_REP));
}

static uint64_t take_msr(void)
{
    static const uint32_t msrs[] = {0x10,       0x1b,       0x8b,       0x174,      0x179,
                                    0x17a,      0x1d9,      0x250,      0x277,      0x2ff,
                                    0x6e0,      0xc0000080, 0xc0000081, 0xc0000100, 0xc0000103,
                                    0xc0010015, 0xc001001f, 0x40000000, 0x1b,       0xc0000080,
                                    0x80b,      0x80f,      0x830,      0x832,      0x83f};
    uint8_t what = (uint8_t)take(1);

    return what < 128 ? msrs[what % ARRAY_SIZE(msrs)] : what < 240 ? 0x800 + take(1) % 64 : take(4);
}

/* Where the guest has these bytes, if it has memory there, and is at them: at times over the end of
 * a page. */
static void be_at(struct vcpu *w, const char *code, unsigned int n)
{
    uint64_t where = take(1) % 8 ? CODE : 2 * PAGE_SIZE - 1;

    for (unsigned int i = 0; i < n && memory_at(where + i); i++)
        *memory_at(where + i) = (uint8_t)code[i];
    w->regs.rip = where;
}

/* INIT, SIPI, an NMI to all others; an interrupt to all, to itself, to one, to one by a logical
 * name, to whoever has least to do. */
static uint32_t take_icr(void)
{
    static const uint32_t icrs[] = {0xc4500, 0xc4601, 0xc4400, 0x84051,
                                    0x44052, 0x4053,  0x4854,  0x84155};

    return icrs[take(1) % ARRAY_SIZE(icrs)];
}

/* A register of the local APIC, by an instruction as drivers have it; without paging, most often.
 */
static void apic_access(struct vcpu *w, uint64_t *info1, uint64_t *info2)
{
    static const uint8_t registers[] = {0x08, 0x0b, 0x0d, 0x0e, 0x0f, 0x28, 0x30, 0x31,
                                        0x32, 0x35, 0x37, 0x38, 0x39, 0x3e, 0x3f, 0x0a};
    uint8_t what = (uint8_t)take(1), how = (uint8_t)take(1);
    struct vmcb *s = vmcb_of(w);

    *info1 = NPF_FINAL | 7;
    *info2 = LAPIC_ADDRESS + (what < 224 ? registers[what % ARRAY_SIZE(registers)] * 16u : take(2));
    if (how % 8) {
        s->save.cr0 &= ~(uint64_t)X86_CR0_PG;
        s->save.efer &= ~(uint64_t)EFER_LMA;
        s->save.cs.attributes = 0xc9b;
        s->save.cs.base = 0;
    }
    if (take(1) % 4 == 0)
        be_at(w, "\xc7\x00\x31\x05\x00\x00", 6); /* mov dword [eax], 531h */
    else
        be_at(w, how & 16 ? "\x89\x08" : "\x8b\x08", 2); /* mov [eax], ecx; back */
    w->regs.rcx = how & 32 ? 0x100 | take(1) : how & 64 ? take(1) % 8 << 24 : take(3);
    if (*info2 == LAPIC_ADDRESS + LAPIC_ICR * 16 && how < 224)
        w->regs.rcx = take_icr();
}

/* In registers; to go from one mode of its local APIC to another, and to send, with a value that
 * does. */
static void msr_access(struct vcpu *w)
{
    static const uint32_t modes[] = {LAPIC_ADDRESS | BASE_ENABLED, LAPIC_ADDRESS,
                                     LAPIC_ADDRESS | BASE_ENABLED | BASE_X2APIC};

    w->regs.rcx = take_msr();
    w->regs.rax = take(1) < 128 ? take(1) << 8 | take(1) : take_value();
    w->regs.rdx = take(1) < 200 ? 0 : take(4);
    if (w->regs.rcx == MSR_X2APIC + LAPIC_ICR)
        w->regs.rax = take_icr();
    if (w->regs.rcx == MSR_APIC_BASE)
        w->regs.rax = modes[take(1) % ARRAY_SIZE(modes)] | (w->vcpu_id ? 0 : BASE_BSP);
}

/* What an exit of that kind finds in registers: often what means something. */
static void make_exit(struct vcpu *w, uint64_t code, uint64_t *info1, uint64_t *info2)
{
    static const uint32_t leaves[] = {0, 0x80000000, 0x40000000};
    bool any = take(1) > 224;

    if (code == EXIT_IOIO)
        *info1 = take_port();
    if (any)
        return;
    switch (code) {
    case EXIT_NPF:
        apic_access(w, info1, info2);
        break;
    case EXIT_MSR:
        msr_access(w);
        break;
    case EXIT_CPUID:
        w->regs.rax = leaves[take(1) % ARRAY_SIZE(leaves)] + take(1) % 34;
        break;
    case EXIT_CR4_WRITE:
        be_at(w, "\x0f\x22\xe0", 3);
        w->regs.rax = take(3) & 0x3707ff;
        break;
    case EXIT_CR4_READ:
        be_at(w, "\x0f\x20\xe1", 3);
        break;
    case EXIT_CR8_WRITE:
        be_at(w, "\x44\x0f\x22\xc0", 4);
        w->regs.rax = take(1) % 32;
        break;
    case EXIT_DR_WRITE ... EXIT_DR_WRITE + 7:
        be_at(w, (const char[]){0x0f, 0x23, (char)(0xc0 | (code & 7) << 3)}, 3);
        w->regs.rax = take_value();
        break;
    case EXIT_XSETBV:
        w->regs.rcx = w->regs.rdx = 0;
        w->regs.rax = take(1) % 8;
        break;
    case EXIT_INTR:
    case EXIT_VINTR:
        be_at(w, "\xf4", 1);
        break;
    }
}

static void leave(struct vcpu *w)
{
    static const uint64_t codes[] = {EXIT_INTR,         EXIT_VINTR,         EXIT_CPUID,
                                     EXIT_IRET,         EXIT_HLT,           EXIT_IOIO,
                                     EXIT_IOIO,         EXIT_MSR,           EXIT_MSR,
                                     EXIT_MSR,          EXIT_XSETBV,        EXIT_NPF,
                                     EXIT_NPF,          EXIT_NPF,           EXIT_NPF,
                                     EXIT_NPF,          EXIT_EXCEPTION + 1, EXIT_EXCEPTION + 17,
                                     EXIT_WBINVD,       EXIT_VMRUN,         EXIT_INVALID,
                                     EXIT_RDPMC,        EXIT_CR4_WRITE,     EXIT_CR4_READ,
                                     EXIT_CR8_WRITE,    EXIT_DR_WRITE,      EXIT_DR_WRITE + 5,
                                     EXIT_DR_WRITE + 7, EXIT_PAUSE,         EXIT_VMMCALL};
    uint8_t what = (uint8_t)take(1);
    uint64_t info1 = take(1) | (take(1) & 3ull) << 32, info2 = take_value();
    uint64_t code;

    b = vmcb_of(w);
    v = w;
    code = what < 250 ? codes[what % ARRAY_SIZE(codes)] : take(2);
    if (code == EXIT_EXCEPTION + TRAP_machine_check)
        return; /* it ends the machine */
    if (take(1) & 1)
        b->control.vintr &= ~VINTR_IRQ; /* it was taken */
    make_exit(w, code, &info1, &info2);
    b->control.exit_int_info = take_event();
    b->control.next_rip = take(1) < 200 ? 0 : take_value();
    host_hvm_xcr0 = host_full_cpu && take(1) > 224 ? take(1) % 8 : 0;
    whole_exit(code, info1, info2);
}

/* As the control domain does that has it mapped: the guest may give it back meanwhile. */
static void hold(void)
{
    struct page_info **h = &held[take(1) % MOST_HELD];

    if (*h)
        put_page(*h);
    *h = get_page_from_gfn(GFN(take(1) % (WHOLE_PAGES + 1)), d);
}

static void let_go(void)
{
    for (unsigned int i = 0; i < MOST_HELD; i++)
        if (held[i])
            put_page(held[i]);
    memset(held, 0, sizeof(held));
}

/* Beside its tables, frames are held by what its vCPUs have registered, and by others. */
static void recount(void)
{
    static uint8_t references[4096];
    struct vcpu *w;

    memset(references, 0, sizeof(references));
    for_each_vcpu (d, w)
        if (!mfn_eq(w->vcpu_info_mfn, INVALID_MFN))
            references[w->vcpu_info_mfn.n]++;
    for (unsigned int i = 0; i < MOST_HELD; i++)
        if (held[i])
            references[page_to_mfn(held[i]).n]++;
    hvm_recount(d, references);
    host_check_invariants();
}

static void check_vmcb(const struct vcpu *w)
{
    const struct vmcb *s = vmcb_of(w);
    uint64_t e = s->control.event_inj, type = e & EVENT_TYPE;

    BUG_ON(!(s->save.efer & 1ull << 12));
    BUG_ON((s->save.efer & EFER_LME) && !(s->save.cr4 & X86_CR4_PAE));
    BUG_ON(!(s->save.cr4 & X86_CR4_MCE));
    BUG_ON(s->control.intercept[0] != 0x01100010);
    BUG_ON(s->control.nested != 1 || s->control.asid != 1);
    BUG_ON(s->control.nested_cr3 != frame_of(d->arch.hvm.npt).n << PAGE_SHIFT);
    BUG_ON(s->control.iopm != 0x1000 || s->control.msrpm != 0x2000 || s->control.tsc_offset);
    BUG_ON(!(s->control.vintr & VINTR_INTR_MASKING));
    BUG_ON((s->control.intercept[3] & 0x9d44800f) != 0x9d44800f);
    BUG_ON((s->control.intercept[4] & 0x6e7f) != 0x6e7f);
    BUG_ON(vmcb_intercepts(s, EXIT_VINTR) &&
           (s->control.vintr & (VINTR_IRQ | VINTR_IGNORE_TPR)) != (VINTR_IRQ | VINTR_IGNORE_TPR));
    if (!(e & EVENT_VALID))
        return;
    BUG_ON(type != EVENT_NMI && type != EVENT_EXCEPTION);
    BUG_ON(type == EVENT_EXCEPTION && ((e & 0xff) > 31 || (e & 0xff) == 2));
}

/* What comes from without. */
static void others(struct vcpu *w)
{
    switch (take(1) % 5) {
    case 0:
        copy_grants();
        break;
    case 1:
        hold();
        break;
    case 2:
        WRITE_ONCE(w->vcpu_info->evtchn_upcall_pending, 1); /* it may do so itself */
        break;
    case 3:
        hvm_press_power_button(d);
        break;
    default:
        vcpu_mark_events_pending(w);
    }
}

static void step(struct vcpu *w)
{
    switch (take(1) % 8) {
    case 0:
        change_register(w);
        break;
    case 1:
        change_state(w);
        break;
    case 2:
        change_memory();
        break;
    case 3:
        host_advance((s_time_t)take(4));
        break;
    case 4:
        others(w);
        break;
    case 5:
        if (d->arch.hvm.xen) {
            call_hypervisor(w);
            break;
        }
        __attribute__((fallthrough));
    default:
        if (hvm_before_entry(w)) {
            check_vmcb(w);
            leave(w);
        }
    }
}

/* As drivers do it: the PIC has vectors, and hears the serial port, and the power button. */
static void set_up_devices(void)
{
    static const uint16_t writes[][2] = {
        {0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},  {0xa0, 0x11},  {0xa1, 0x28}, {0xa1, 2},
        {0xa1, 1},    {0x21, 0},    {0xa1, 0}, {0x603, 1}, {0x3fc, 0x0b}, {0x3f9, 0x0f}};

    for (unsigned int i = 0; i < ARRAY_SIZE(writes); i++)
        hvm_port_write(v, writes[i][0], 1, writes[i][1]);
}

static void play(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
    whole_init(3);
    host_full_cpu = take(1) & 1;
    d->arch.hvm.xen = take(1) & 1;
    if (take(1) & 1)
        lapic_send(v, 0xc4601, 0); /* all are started */
    if (take(1) & 1)
        set_up_devices();
    d->max_pages = WHOLE_PAGES + 600;
    for (unsigned int n = 0; at < end; n++) {
        struct vcpu *w = d->vcpu[take(1) % 3];

        host_run_as(w);
        step(w);
        BUG_ON(host_locks_held());
        if (d->shutting_down)
            domain_resume(d);
        if (n % 64 == 0)
            recount();
    }
    recount();
    let_go();
    whole_fini();
}

const struct random_lives random_lives = {.play = play, .lives = 1500, .bytes = 2000};
