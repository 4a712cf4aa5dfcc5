/* SPDX-License-Identifier: MIT */
/*
 * What the toolstack asks of the outside world: one row an operation. Its name, and what it takes
 * behind the host. Included where HOST_OP is defined. Each row is a member of struct host_ops
 * (host.h, which has the conventions), hx_<name> of the real machine (host_xen.h), and fake_<name>
 * of the tests' model.
 */
/* clang-format off */

/* ---- hypervisor ---- */
HOST_OP(version, struct host_version *out)
HOST_OP(physinfo, struct host_physinfo *out)
/* How long each CPU has been idle since the start; *count says of how many. */
HOST_OP(cpu_idle, uint64_t *idle_ns, unsigned int max, unsigned int *count)
/* The CPU's name for itself. */
HOST_OP(cpu_model, char out[HOST_CPU_MODEL])
/* What the CPUs let out while they run ahead, and what is done about it. -EOPNOTSUPP: it does not
 * tell. */
HOST_OP(speculation, struct parvis_sysctl_speculation *out)
/* Hypervisor log: at most *len bytes into buf, *len becomes what was read. `index` goes on
 * where the call before ended (start with 0); with `clear` the log is emptied. */
HOST_OP(readconsole, char *buf, uint32_t *len, uint32_t *index, bool clear)

/* ---- domains (domctl, sysctl) ---- */
/* Up to max domains with domid >= first; *count says how many. */
HOST_OP(domain_list, uint32_t first, struct host_domain *out, unsigned int max, unsigned int *count)
HOST_OP(domain_create, const struct host_create *c, uint32_t *domid)
HOST_OP(domain_destroy, uint32_t domid) /* returns when all is freed */
HOST_OP(domain_pause, uint32_t domid)
HOST_OP(domain_unpause, uint32_t domid)
/* A non-maskable interrupt to a vCPU. */
HOST_OP(vcpu_send_nmi, uint32_t domid, uint32_t vcpu)
HOST_OP(domain_set_uuid, uint32_t domid, const uint8_t uuid[16])
/* Of a fully virtualized domain; -EINVAL: it has none */
HOST_OP(domain_power_button, uint32_t domid)
HOST_OP(domain_max_mem, uint32_t domid, uint64_t max_kib)
HOST_OP(domain_max_vcpus, uint32_t domid, uint32_t max)
HOST_OP(domain_get_sched, uint32_t domid, struct host_sched *out)
HOST_OP(domain_set_sched, uint32_t domid, const struct host_sched *s)
HOST_OP(domain_set_param, uint32_t domid, uint32_t index, uint64_t value) /* HVM_PARAM_* */
HOST_OP(domain_hypercall_init, uint32_t domid, uint64_t mfn)
HOST_OP(vcpu_set_context, uint32_t domid, uint32_t vcpu, const struct vcpu_guest_context *ctxt)
/* -ENODATA: it was never given one. */
HOST_OP(vcpu_get_context, uint32_t domid, uint32_t vcpu, struct vcpu_guest_context *out)
HOST_OP(vcpu_info, uint32_t domid, uint32_t vcpu, struct host_vcpu *out)
/* Its event counters (parvis/counters.h). -EPROTO: the hypervisor has others; -EOPNOTSUPP: none. */
HOST_OP(vcpu_counters, uint32_t domid, uint32_t vcpu, uint64_t out[NR_COUNTERS])
/* Physical CPUs where it may run, a bit for each; those that are not there have no effect. */
HOST_OP(vcpu_get_affinity, uint32_t domid, uint32_t vcpu, uint64_t *cpus)
HOST_OP(vcpu_set_affinity, uint32_t domid, uint32_t vcpu, uint64_t cpus)

/* ---- memory of a domain ---- */
/* Gives the domain nr extents of 2^order pages at the pfns in frames[]; frames[i] becomes
 * the first machine frame of extent i, unless the domain is fully virtualized. *done says how many were given; done < nr without
 * an error means that memory ran out. */
HOST_OP(populate_physmap, uint32_t domid, unsigned int nr, unsigned int order, uint64_t *frames, unsigned int *done)
HOST_OP(set_memory_map, uint32_t domid, const struct host_e820 *map, unsigned int nr)
HOST_OP(pin_l4, uint32_t domid, uint64_t mfn)
/* Maps nr machine frames of the domain, in this order, at one virtual range; of a fully virtualized
 * one they are named by its own numbers. */
HOST_OP(foreign_map, uint32_t domid, int prot, const uint64_t *mfns, size_t nr, void **va)
/* To read, those that there are: error[i] is 0, or says why there is nothing at that place. */
HOST_OP(foreign_map_some, uint32_t domid, const uint64_t *mfns, size_t nr, int *error, void **va)
HOST_OP(foreign_unmap, void *va, size_t nr)
/* Writes entries of the first page of the domain's (version 1) grant table. -EOVERFLOW: there is no
 * such entry, or the frame's number has more than the 32 bits that an entry holds. */
HOST_OP(grant_seed, uint32_t domid, const struct host_grant *g, unsigned int nr)

/* ---- event channels ---- */
/* A port in `domid` that `remote` may bind to. */
HOST_OP(evtchn_alloc_unbound, uint32_t domid, uint32_t remote, uint32_t *port)
HOST_OP(evtchn_bind, uint32_t domid, uint32_t remote_port, uint32_t *port)
HOST_OP(evtchn_unbind, uint32_t port)
HOST_OP(evtchn_notify, uint32_t port)
HOST_OP(evtchn_unmask, uint32_t port)
HOST_OP(evtchn_fd) /* becomes readable when a port is pending */
HOST_OP(evtchn_pending, uint32_t *port)

/* ---- grants given to us ---- */
HOST_OP(grant_map, uint32_t domid, uint32_t ref, int prot, void **va)
HOST_OP(grant_unmap, void *va)

/* ---- store: -ENOTCONN when its daemon has ended, -ETIME when it does not answer; no call waits for ever ---- */
HOST_OP(store_begin, host_txn_t *t)
HOST_OP(store_end, host_txn_t t, bool abort) /* -EAGAIN: do it all again */
HOST_OP(store_read, host_txn_t t, const char *path, char **value)
HOST_OP(store_write, host_txn_t t, const char *path, const char *value)
/* Writes all of these, in this order, with one wait for the store and not one for each. What is behind
 * a refused one is written all the same; the first error is returned. */
HOST_OP(store_put, host_txn_t t, const struct host_entry *list, unsigned int nr)
HOST_OP(store_mkdir, host_txn_t t, const char *path)
HOST_OP(store_rm, host_txn_t t, const char *path) /* 0 if there was nothing */
HOST_OP(store_list, host_txn_t t, const char *path, char ***names, unsigned int *nr) /* one free() for names */
/* perms: as xenstore writes them, "n<owner>" then "r<domid>", "w<domid>", "b<domid>"; the
 * string holds them separated by spaces: "n0 r5". */
HOST_OP(store_perms, host_txn_t t, const char *path, const char *perms)
HOST_OP(store_watch, const char *path, const char *token)
HOST_OP(store_fd)   /* becomes readable when a watch has fired */
HOST_OP(store_link) /* hangs up (POLLHUP) when the store daemon ends */
/* Never waits: -EAGAIN if no watch has fired. */
HOST_OP(store_event, char **path, char **token)
HOST_OP(store_introduce, uint32_t domid, uint64_t mfn, uint32_t port)
HOST_OP(store_release, uint32_t domid)
/* clang-format on */
