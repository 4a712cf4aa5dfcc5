/* SPDX-License-Identifier: MIT */
/*
 * A machine that is not there: see fake_host.h. Domains here; memory and grants,
 * event channels, and the store in fake_memory.c, fake_evtchn.c and fake_store.c.
 */
#define _GNU_SOURCE
#include "fake_host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>

#include "fake_parts.h"

bool fake_fails(struct fake_host *f, const char *call)
{
    f->calls++;
    if (f->calls == f->fail_at || f->calls == f->signal_at || f->calls == f->kill_at)
        f->failed_call = call;
    if (f->calls == f->signal_at)
        raise(SIGTERM);
    if (f->calls == f->kill_at)
        longjmp(f->killed, 1);
    return f->calls == f->fail_at;
}

void fake_gives_back(struct fake_host *f, const char *call)
{
    if (f->kill_at && ++f->calls == f->kill_at) {
        f->failed_call = call;
        longjmp(f->killed, 1);
    }
}

void fake_process_died(struct fake_host *f)
{
    for (unsigned int i = 0; i < FAKE_MAPPINGS; i++) {
        if (f->mappings[i].va && !f->mappings[i].grant) {
            munmap(f->mappings[i].va, f->mappings[i].pages * HOST_PAGE_SIZE);
            f->mappings[i].va = NULL;
        }
    }
    if (f->transactions)
        fake_store_end(&f->host, 1, true);
    /* What it opened came after the model was made. */
    for (int fd = f->memfd + 1; fd < 64; fd++)
        close(fd);
}

struct fake_domain *fake_domain(struct fake_host *f, uint32_t domid)
{
    for (unsigned int i = 0; i < FAKE_DOMAINS; i++) {
        if (f->domains[i].live && f->domains[i].d.domid == domid)
            return &f->domains[i];
    }
    return NULL;
}

int fake_version(struct host *h, struct host_version *out)
{
    MAY_FAIL(h);
    *out = (struct host_version){.major = 4, .minor = 17};
    return 0;
}

int fake_physinfo(struct host *h, struct host_physinfo *out)
{
    MAY_FAIL(h);
    *out = (struct host_physinfo){.nr_cpus = 2,
                                  .cores_per_socket = 2,
                                  .threads_per_core = 1,
                                  .total_pages = FAKE_FRAMES,
                                  .free_pages = fake_free_frames(fake(h)),
                                  .pv = true,
                                  .svm = !fake(h)->no_svm,
                                  .hvm = !fake(h)->no_svm,
                                  .hap = !fake(h)->no_svm && !fake(h)->no_hap,
                                  .emulated = fake(h)->emulated};
    return 0;
}

int fake_cpu_idle(struct host *h, uint64_t *idle_ns, unsigned int max, unsigned int *count)
{
    MAY_FAIL(h);
    for (unsigned int i = 0; i < max && i < 2; i++)
        idle_ns[i] = fake(h)->idle_ns[i];
    fake(h)->idle_ns[1] += UINT64_C(3600000000000); /* this one does nothing else */
    *count = max < 2 ? max : 2;
    return 0;
}

int fake_cpu_model(struct host *h, char out[HOST_CPU_MODEL])
{
    MAY_FAIL(h);
    strcpy(out, "Model T");
    return 0;
}

int fake_speculation(struct host *h, struct parvis_sysctl_speculation *out)
{
    MAY_FAIL(h);
    if (fake(h)->no_speculation)
        return fake(h)->no_speculation;
    *out = (struct parvis_sysctl_speculation){.affected = 1u << HOLE_MELTDOWN | 1u << HOLE_MDS |
                                                          1u << HOLE_LOCKS,
                                              .open = 1u << HOLE_MELTDOWN,
                                              .measures = 1u << MEASURE_VERW | 1u << MEASURE_LOCK,
                                              .off = fake(h)->spec_off,
                                              .on = fake(h)->spec_on,
                                              .second_threads = fake(h)->second_threads,
                                              .threads_left_alone = fake(h)->threads_left_alone};
    return 0;
}

int fake_readconsole(struct host *h, char *buf, uint32_t *len, uint32_t *index, bool clear)
{
    const char *log = fake(h)->log ? fake(h)->log : "";
    size_t left;

    (void)clear;
    MAY_FAIL(h);
    if (fake(h)->log_read)
        fake(h)->log_read(fake(h));
    if (*index < fake(h)->log_lost)
        *index = fake(h)->log_lost;
    left = strlen(log) - *index;
    *len = *len < left ? *len : (uint32_t)left;
    memcpy(buf, log + *index, *len);
    *index += *len;
    return 0;
}

int fake_domain_list(struct host *h, uint32_t first, struct host_domain *out, unsigned int max,
                     unsigned int *count)
{
    unsigned int n = 0;

    MAY_FAIL(h);
    for (uint32_t id = first; id < 1024 && n < max; id++) {
        const struct fake_domain *d = fake_domain(fake(h), id);

        if (d)
            out[n++] = d->d;
    }
    *count = n;
    return 0;
}

int fake_domain_create(struct host *h, const struct host_create *c, uint32_t *domid)
{
    static uint32_t last;

    MAY_FAIL(h);
    for (unsigned int i = 0; i < FAKE_DOMAINS; i++) {
        struct fake_domain *d = &fake(h)->domains[i];

        if (!d->live) {
            memset(d, 0, sizeof(*d));
            last = last % 900 + 1;
            d->live = true;
            d->d.domid = last;
            d->created = *c;
            d->d.kind = c->kind;
            d->d.paused = true;
            d->d.max_vcpu_id = c->max_vcpus - 1;
            memcpy(d->d.uuid, c->uuid, 16);
            d->d.shared_info_frame = fake_take_frame(fake(h), last);
            d->next_port = 1;
            d->sched.weight = 256;
            memset(d->affinity, 0xff, sizeof(d->affinity));
            *domid = last;
            return 0;
        }
    }
    return -ENOMEM;
}

int fake_domain_destroy(struct host *h, uint32_t domid)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    fake_gives_back(fake(h), __func__);
    if (!d || fake(h)->will_not_die)
        return d ? -EBUSY : -ESRCH;
    d->live = false;
    for (unsigned int i = 0; i < FAKE_FRAMES; i++) {
        if (fake(h)->owner[i] == domid + 1)
            fake(h)->owner[i] = 0;
    }
    fake(h)->taken = 0;
    return 0;
}

static int set_paused(struct host *h, uint32_t domid, bool paused)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    if (!d)
        return -ESRCH;
    d->d.paused = paused;
    return 0;
}

int fake_domain_pause(struct host *h, uint32_t domid)
{
    MAY_FAIL(h);
    return set_paused(h, domid, true);
}

int fake_domain_unpause(struct host *h, uint32_t domid)
{
    MAY_FAIL(h);
    return set_paused(h, domid, false);
}

int fake_domain_set_uuid(struct host *h, uint32_t domid, const uint8_t uuid[16])
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    if (!d)
        return -ESRCH;
    memcpy(d->d.uuid, uuid, 16);
    return 0;
}

int fake_domain_power_button(struct host *h, uint32_t domid)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    if (d->d.kind == KIND_PV)
        return -EINVAL;
    d->pressed = true;
    return 0;
}

int fake_vcpu_send_nmi(struct host *h, uint32_t domid, uint32_t vcpu)
{
    MAY_FAIL(h);
    fake_domain(fake(h), domid)->nmis |= UINT64_C(1) << vcpu;
    return 0;
}

int fake_domain_max_mem(struct host *h, uint32_t domid, uint64_t max_kib)
{
    MAY_FAIL(h);
    fake_domain(fake(h), domid)->max_kib = max_kib;
    fake_domain(fake(h), domid)->d.max_pages = max_kib / 4;
    return 0;
}

int fake_domain_max_vcpus(struct host *h, uint32_t domid, uint32_t max)
{
    MAY_FAIL(h);
    if (max != fake_domain(fake(h), domid)->d.max_vcpu_id + 1)
        return -EINVAL;
    fake_domain(fake(h), domid)->vcpus_made = true;
    return 0;
}

int fake_domain_get_sched(struct host *h, uint32_t domid, struct host_sched *out)
{
    MAY_FAIL(h);
    if (!fake_domain(fake(h), domid))
        return -ESRCH;
    *out = fake_domain(fake(h), domid)->sched;
    return 0;
}

int fake_domain_set_sched(struct host *h, uint32_t domid, const struct host_sched *s)
{
    MAY_FAIL(h);
    fake_domain(fake(h), domid)->sched = *s;
    return 0;
}

int fake_domain_set_param(struct host *h, uint32_t domid, uint32_t index, uint64_t value)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    if (d->d.kind == KIND_PV || index >= 40)
        return -EINVAL;
    d->param[index] = value;
    return 0;
}

int fake_domain_hypercall_init(struct host *h, uint32_t domid, uint64_t mfn)
{
    MAY_FAIL(h);
    fake_domain(fake(h), domid)->hypercall_page = mfn;
    return 0;
}

int fake_vcpu_set_context(struct host *h, uint32_t domid, uint32_t vcpu,
                          const struct vcpu_guest_context *ctxt)
{
    MAY_FAIL(h);
    if (vcpu)
        return -EOPNOTSUPP;
    fake_domain(fake(h), domid)->has_context = true;
    fake_domain(fake(h), domid)->context = *ctxt;
    return 0;
}

int fake_vcpu_get_context(struct host *h, uint32_t domid, uint32_t vcpu,
                          struct vcpu_guest_context *out)
{
    const struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    if (!d)
        return -ESRCH;
    if (vcpu || !d->has_context)
        return -ENODATA;
    *out = d->context;
    return 0;
}

static bool has_vcpu(const struct fake_domain *d, uint32_t vcpu)
{
    return d && d->vcpus_made && vcpu <= d->d.max_vcpu_id;
}

int fake_vcpu_info(struct host *h, uint32_t domid, uint32_t vcpu, struct host_vcpu *out)
{
    const struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    if (!has_vcpu(d, vcpu))
        return -ESRCH;
    *out = (struct host_vcpu){.online = vcpu == 0};
    if (d->never_ran)
        return 0;
    out->running = vcpu == 0;
    out->cpu = vcpu;
    out->cpu_time_ns = vcpu * UINT64_C(1500000000);
    return 0;
}

int fake_vcpu_counters(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t out[NR_COUNTERS])
{
    MAY_FAIL(h);
    if (!has_vcpu(fake_domain(fake(h), domid), vcpu))
        return -ESRCH;
    if (fake(h)->no_counters)
        return fake(h)->no_counters;
    for (unsigned int i = 0; i < NR_COUNTERS; i++)
        out[i] = fake(h)->counted[i] * (vcpu + 1);
    fake(h)->counted[COUNTER_switches] += 1000;
    return 0;
}

int fake_vcpu_get_affinity(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t *cpus)
{
    MAY_FAIL(h);
    if (!has_vcpu(fake_domain(fake(h), domid), vcpu))
        return -ESRCH;
    *cpus = fake_domain(fake(h), domid)->affinity[vcpu];
    return 0;
}

/* The machine has the CPUs 0 and 1. */
int fake_vcpu_set_affinity(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t cpus)
{
    MAY_FAIL(h);
    if (!has_vcpu(fake_domain(fake(h), domid), vcpu))
        return -ESRCH;
    if (!(cpus & 3))
        return -EINVAL;
    fake_domain(fake(h), domid)->affinity[vcpu] = cpus & 3;
    return 0;
}

static void fake_close(struct host *h)
{
    (void)h;
}

static const struct host_ops fake_ops = {
#define HOST_OP(name, ...) .name = fake_##name,
#include "host_op_rows.h"
#undef HOST_OP
    .close = fake_close,
};

struct fake_host *fake_new(void)
{
    struct fake_host *f = calloc(1, sizeof(*f));

    f->host.ops = &fake_ops;
    f->fired = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->memfd = memfd_create("machine", MFD_CLOEXEC);
    f->fail_with = -ENOMEM;
    f->events = f->link = f->memfd;
    if (f->fired < 0 || f->memfd < 0 ||
        ftruncate(f->memfd, (off_t)FAKE_FRAMES * HOST_PAGE_SIZE) < 0)
        abort();
    f->bytes = mmap(NULL, (size_t)FAKE_FRAMES * HOST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                    f->memfd, 0);
    f->domains[0] = (struct fake_domain){.live = true, .d = {.domid = 0, .running = true}};
    return f;
}

void fake_free(struct fake_host *f)
{
    for (unsigned int i = 0; i < FAKE_MAPPINGS; i++) {
        if (f->mappings[i].va)
            munmap(f->mappings[i].va, f->mappings[i].pages * HOST_PAGE_SIZE);
    }
    fake_store_free(f);
    munmap(f->bytes, (size_t)FAKE_FRAMES * HOST_PAGE_SIZE);
    close(f->memfd);
    close(f->fired);
    free(f);
}

void *fake_frame(struct fake_host *f, uint64_t mfn)
{
    return f->bytes + mfn * HOST_PAGE_SIZE;
}

void fake_shutdown(struct fake_host *f, uint32_t domid, unsigned int reason)
{
    struct fake_domain *d = fake_domain(f, domid);

    d->d.shutdown = true;
    d->d.shutdown_reason = reason;
}

/* Directories that the control domain has from its first guest's devices on. */
static bool is_control_domains(const char *path)
{
    static const char *const own[] = {"/local/domain/0",
                                      "/local/domain/0/backend",
                                      "/local/domain/0/backend/vbd",
                                      "/local/domain/0/backend/vif",
                                      "/local/domain/0/error",
                                      "/local/domain/0/error/backend"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(path, own[i]) == 0)
            return true;
    }
    return false;
}

const char *fake_is_clean(struct fake_host *f)
{
    for (unsigned int i = 1; i < FAKE_DOMAINS; i++) {
        if (f->domains[i].live)
            return "a domain";
    }
    for (unsigned int i = 0; i < FAKE_MAPPINGS; i++) {
        if (f->mappings[i].va)
            return f->mappings[i].grant ? "a grant mapping" : "a foreign mapping";
    }
    for (unsigned int i = 0; i < FAKE_PORTS; i++) {
        if (f->ports[i].bound)
            return "an event channel";
    }
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        const char *p = f->entries[i].path;

        if (p && !is_control_domains(p) &&
            (strncmp(p, "/local/domain/", 14) == 0 || strncmp(p, "/vm/", 4) == 0))
            return p;
    }
    if (fake_free_frames(f) != FAKE_FRAMES)
        return "frames";
    return f->transactions ? "a transaction" : NULL;
}
