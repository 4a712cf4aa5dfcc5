# SPDX-License-Identifier: MIT
"""The differences between include/xen and libxen-dev that are meant, each with its reason.

LEFT_OUT: names of libxen-dev that Parvis does not declare. OURS_ONLY: names that Parvis declares and libxen-dev does
not. A row is (pattern that matches the whole name, reason). Names are those of compare.py: "NAME" for a constant or
macro, "NAME()" for a macro with parameters, "struct x", "struct x.member", "typedef x". A row that matches nothing is
an error: it would hide the next mistake.
"""

# The headers of libxen-dev that ours are held against.
HEADERS = """
xen.h event_channel.h grant_table.h memory.h sched.h vcpu.h version.h features.h callback.h elfnote.h physdev.h platform.h
nmi.h errno.h domctl.h sysctl.h pmu.h arch-x86/xen.h arch-x86/xen-x86_64.h arch-x86/cpuid.h arch-x86/cpufeatureset.h
arch-x86/xen-mca.h arch-x86/hvm/start_info.h hvm/hvm_op.h hvm/params.h io/ring.h io/console.h io/xenbus.h io/xs_wire.h io/blkif.h io/netif.h io/protocols.h
""".split()

# Expand to something that is not a value by itself: names are compared, values are not.
NOT_A_VALUE = {
    "GNTTABOP_error_msgs": "an initializer; texts are our own",
    "machine_to_phys_mapping": "a pointer; its address is compared as HYPERVISOR_VIRT_START",
    "XEN_DEFINE_UUID": "has parameters",
    "XEN_FLEX_ARRAY_DIM": "expands to nothing in C99",
    "COMPAT_FLEX_ARRAY_DIM": "expands to nothing in C99",
    "xen_wc_sec_hi": "another name of a member",
}

# Macros with parameters, applied: the two sides must agree on the results.
SAMPLES = """
XENMEMF_address_bits(37) XENMEMF_get_address_bits(0x12345) XENMEMF_node(3) XENMEMF_get_node(0x400) XENMEMF_exact_node(2)
XENMEM_resource_ioreq_server_frame_ioreq(5) XEN_DOMCTL_GRANT_version(0x12) XEN_CPUID_LEAF(2) xen_pfn_to_cr3(0x123456)
xen_cr3_to_pfn(0x123456000UL) MASK_XENSTORE_IDX(1030) MASK_XENCONS_IDX(5000,(char[2048]){0}) __RD2(3) __RD4(15) __RD8(200) __RD16(40000)
__RD32(100000) __CONST_RING_SIZE(blkif,4096) __CONST_RING_SIZE(netif_tx,4096) __CONST_RING_SIZE(netif_rx,4096)
__CONST_RING_SIZE(xen_netif_ctrl,4096) xen_vcpu_physid_to_x86_apicid(0x1122334455667788) xen_vcpu_physid_to_x86_acpiid(0x1122334455667788)
TI_GET_DPL(&((trap_info_t){.flags=7})) TI_GET_IF(&((trap_info_t){.flags=7}))
XEN_DEFINE_UUID(0x00112233,0x4455,0x6677,0x8899,0xaa,0xbb,0xcc,0xdd,0xee,0xff).a[3]
XEN_DEFINE_UUID(0x00112233,0x4455,0x6677,0x8899,0xaa,0xbb,0xcc,0xdd,0xee,0xff).a[8]
""".split()

LEFT_OUT = [
    # How Xen writes its headers.
    (r"_{0,3}(DEFINE_)?_{0,2}XEN_GUEST_HANDLE(_PARAM)?\(\)|set_xen_guest_handle_raw\(\)|"
     r"(typedef )?__guest_handle_\w+(\.p)?",
     "typed guest pointers: ours are integers"),
    (r"(__)?xen_mk_u\w+\(\)", "suffixes for assembly; written out"),
    (r"XEN_FLEX_ARRAY_DIM|COMPAT_FLEX_ARRAY_DIM|XEN_ERRNO\(\)|XEN_CPUFEATURE\(\)|XEN_\w+_DEFAULT_INCLUDE",
     "helpers of their headers"),
    (r"__XEN_INTERFACE_VERSION__", "ours describe the newest version alone"),
    (r"DEFINE_XEN_FLEX_RING(_AND_INTF)?\(\)|XEN_FLEX_RING_SIZE\(\)|XEN_PAGE_SHIFT",
     "byte rings of 9pfs and pvcalls: protocols not covered"),
    # Spellings.
    (r"struct cpu_user_regs\.(e|_e)?(ax|bx|cx|dx|bp|sp|si|di|ip|flags|[abcd][lh]|(bp|sp|si|di)l)|"
     r"struct cpu_user_regs\.r\d+[dwb]",
     "narrow names of registers: ours are the 64-bit ones"),
    # Left out of the ABI on purpose; the numbers stay, the structures are not needed.
    (r"XEN_X86_FEATURE_\w+", "CPU features that Parvis does not look at by name"),
    (r"(struct|typedef) xen_pmu_\w+(\.\w+)*|PMU_\w+|XENPMU_(REGS|CTXT)_PAD_SZ",
     "counters are not offered: shared pages left out"),
    (r"(struct|typedef|union) (xen_)?mem_(sharing|paging|access)_op\w*(\.[\w.]+)*|"
     r"(struct|typedef) xen_mem_(sharing|paging|access)_op(_t|\.[\w.]+)?|XENMEM_(SHARING_OP|FORK)_\w+(\(\))?|"
     r"XENMEM_access_(n|r|w|rw|x|rx|wx|rwx|rx2rw|n2rwx|default)|typedef xenmem_access_t",
     "page sharing, paging and access rights are not offered"),
    (r"struct xen_domctl_(hvmcontext(_partial)?|bind_pt_irq|memory_mapping|ioport_mapping)(\.[\w.]+)?|PT_IRQ_TYPE_\w+|"
     r"DPCI_\w+|XEN_DOMCTL_VMSI_\w+|XEN_DOMCTL_\w*MEM_CACHEATTR\w*",
     "fully virtualized guests"),
    (r"struct xen_domctl_(vm_event_op|mem_sharing_op|audit_p2m|set_access_required|set_broken_page_p2m|monitor_op|"
     r"vmtrace_op)(\.[\w.]+)?|typedef xen_domctl_vmtrace_op_t|XEN_VM_EVENT_\w+|"
     r"XEN_DOMCTL_(VM_EVENT_OP|MEM_SHARING|MONITOR|vmtrace)_\w+",
     "introspection"),
    (r"struct xen_(dom|sys)ctl_psr_\w+(\.[\w.]+)?|XEN_(DOM|SYS)CTL_PSR_\w+", "cache monitoring and allocation"),
    (r"struct xen_domctl_(vuart_op|vnuma)(\.[\w.]+)?|XEN_DOMCTL_VUART_\w+", "other architecture; virtual NUMA"),
    (r"struct xen_domctl\.u\.(hvmcontext(_partial)?|bind_pt_irq|memory_mapping|ioport_mapping|vm_event_op|"
     r"mem_sharing_op|access_required|audit_p2m|set_broken_page_p2m|vnuma|psr_cmt_op|monitor_op|psr_alloc|"
     r"vuart_op|vmtrace_op)",
     "members for the above"),
    (r"struct (pm_px_val|pm_px_stat|pm_cx_stat|xen_userspace|xen_ondemand|xen_[gs]et_cpufreq_\w+|xen_sysctl_(get_pmstat|"
     r"pm_op))(\.[\w.]+)?|typedef pm_px_val_t|PMSTAT_\w+|PM_PARA_\w+|\w*CPUFREQ_\w+|SCALING_\w+|SAMPLING_RATE|"
     r"UP_THRESHOLD|XEN_SYSCTL_pm_op_\w+|XEN_SYSCTL_CX_UNLIMITED",
     "power states and frequencies"),
    (r"struct xen_sysctl_(page_offline_op|lockprof_\w+|coverage_op)(\.[\w.]+)?|typedef xen_sysctl_lockprof_data_t|"
     r"sysctl_\w*page_o(ff|n)line|PG_O(FF|N)LINE_\w+|XEN_SYSCTL_LOCKPROF_\w+|LOCKPROF_\w+|XEN_SYSCTL_COVERAGE_\w+|"
     r"XEN_GCOV_FORMAT_MAGIC",
     "page offlining, lock profiling, coverage"),
    (r"(struct|typedef) xen_(sysctl_)?livepatch_\w+(\.[\w.]+)?|(XEN_)?(SYSCTL_)?LIVEPATCH_\w+|XEN_SYSCTL_LIVEPATCH_\w+|"
     r"XEN_LIVEPATCH_\w+",
     "live patching"),
    (r"(struct|typedef) xen_sysctl_arinc653_\w+(\.[\w.\[\]]+)?|ARINC653_\w+", "a scheduler that Parvis does not have"),
    (r"struct xen_sysctl\.u\.(get_pmstat|pm_op|page_offline|lockprof_op|coverage_op|psr_cmt_op|psr_alloc|livepatch)",
     "members for the above"),
    (r"(struct|typedef) xenpf_(add_memtype|del_memtype|read_memtype|microcode_update|change_freq|cpu_hotadd|"
     r"mem_hotadd|core_parking|resource_\w+)(_t|\.[\w.]+)?|XEN_CORE_PARKING_\w+|XEN_RESOURCE_OP_\w+",
     "MTRR, microcode, frequencies, hot-plug, MSR access"),
    (r"struct xen_platform_op\.u\.(add_memtype|del_memtype|read_memtype|microcode|change_freq|cpu_add|mem_add|"
     r"core_parking|resource_op)",
     "members for the above"),
    (r"(struct|typedef) (xen_)?(mcinfo|mc_info|page_offline_action|cpu_offline_action)(_(?!msr|logical)\w+)?(_t)?(\.[\w.]+)?|"
     r"x86_mcinfo_\w+\(\)|MC_(TYPE|FLAG|ACTION)_\w+|REC_ACTION_\w+|MAX_UNION_SIZE|MCINFO_\w+|"
     r"typedef xen_(page|cpu)_offline_action_t|typedef mc_info_t",
     "contents of machine-check reports: none are made"),
    (r"(struct|typedef) xen_mc_(notifydomain|mceinject|inject_v2)(_t|\.[\w.]+)?|XEN_MC_INJECT_\w+|MC_MSRINJ_F_\w+|"
     r"struct xen_mc\.u\.mc_(notifydomain|mceinject|inject_v2)",
     "injection of machine checks"),
    (r"xen_netif_toeplitz_hash|XSD_ERROR\(\)|struct xsd_errors(\.\w+)?", "code and C library names in headers"),
    (r"_?HVMPV_\w+|HVMPTM_\w+|XEN_(ALTP2M|HVM_MCA)_\w+|HVM_NR_PARAMS|"
     r"HVM_PARAM_(?!(STORE|CONSOLE)_(PFN|EVTCHN)|CALLBACK_)\w+",
     "parameters of what fully virtualized domains do not have here"),
    (r"HVMOP_(?!set_param$|get_param$|set_evtchn_upcall_vector$)\w+|(struct|typedef) xen_hvm_(?!(param|evtchn_upcall_vector)(_t|\.|$))\w+(\.[\w.]+)?|"
     r"HVM_IOREQSRV_\w+|HVMMEM_\w+|typedef hvmmem_type_t",
     "operations of device models, introspection, and alternate memory maps"),
    (r"union grant_entry_v2(\.[\w.\[\]]+)?|struct grant_entry_header(\.\w+)?|"
     r"typedef (grant_entry_header_t|grant_entry_v2_t|grant_status_t)",
     "grant table version 2"),
]

OURS_ONLY = [
    (r"XEN_EINTR|XEN_ERESTART", "in libxen-dev's errno.h for the hypervisor alone"),
    (r"struct hvm_vmce_vcpu(\.\w+)?",
     "in a header of libxen-dev that is not covered; compared as a member of xen_domctl_ext_vcpucontext"),
    (r"typedef xen_guest_handle_t|XEN_GUEST_HANDLE(_64)?\(\)|[gs]et_xen_guest_handle\(\)", "guest pointers are integers here"),
    (r"XEN_ERRNO_TABLE\(\)|XEN_X86_FEATURESET_TABLE\(\)", "tables from which others are made"),
]
