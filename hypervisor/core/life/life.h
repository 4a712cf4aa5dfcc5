/* SPDX-License-Identifier: MIT */
/* How domains and vCPUs come, end and go: core/life/domain.c, vcpu.c, domain_kill.c, shutdown.c. */
#ifndef CORE_LIFE_H
#define CORE_LIFE_H

#include <core/state/domain.h>

#define DEFAULT_GRANT_FRAMES    64
#define DEFAULT_MAPTRACK_FRAMES 1024

/* domid 0 for the control domain; DOMID_INVALID asks for the next free id. */
struct domain_config {
    const struct guest_ops *kind; /* one of guest_kinds */
    domid_t domid;
    const char *name;
    bool is_control;
    unsigned int max_vcpus, max_evtchn_port, max_grant_frames, max_maptrack_frames;
    uint8_t handle[16];
    uint32_t options;
};

/* What each domain has from its first moment, those of the system too; NULL: no memory. */
struct domain *domain_alloc(domid_t id);
/* Creates a paused domain without memory or vCPUs. 0 and *out (with the list's reference), or
 * -XEN_E*; nothing is left behind. */
int __must_check domain_create(const struct domain_config *cfg, struct domain **out);
int __must_check vcpu_create(struct domain *d, unsigned int vcpu_id); /* one that it lacks */
/* All that are missing. -XEN_ERESTART: pre-empted, it goes on with those that still are. */
int __must_check vcpus_create(struct domain *d);
void vcpu_free(struct vcpu *v); /* by the end of its domain */
/* The kind's set_context() with what the caller has at `from`. first: -XEN_EEXIST if it has one,
 * and it stays down. v is paused, or has not run yet. -XEN_ERESTART: again. */
int __must_check vcpu_set_context(struct vcpu *v, gva_t from, bool first);
/* Marks it dying and gives back what it has; -XEN_ERESTART when pre-empted: call again. */
int __must_check domain_kill(struct domain *d);

void domains_reap(void); /* exit path: frees whom put_domain() has left to this CPU */

/* The guest ended itself; the reason is kept; VIRQ_DOM_EXC to the control domain; a boot-time
 * domain may end the machine. */
void domain_shutdown(struct domain *d, uint32_t reason);
void domain_resume(struct domain *d);
struct boot_info;
/* What happens when the last boot-time domain has ended */
void machine_end_init(const struct boot_info *bi);
/* A guest did what a guest must not: says the sentence, then domain_shutdown(SHUTDOWN_crash). */
void __printf(2, 3) domain_crash(struct domain *d, const char *fmt, ...);

#endif
