/* SPDX-License-Identifier: MIT */
/*
 * What xl and virsh call a verb that is called otherwise here: whose word it is, the word, and
 * ours. What has the same name in all is not here. docs/from-xl-and-virsh.md is held to this table.
 */
/* clang-format off */
ALIAS("xl",    "vm-list",        "list")
ALIAS("xl",    "vcpu-pin",       "pin")
ALIAS("xl",    "sched-credit",   "sched")
ALIAS("xl",    "sched-credit2",  "sched")
ALIAS("xl",    "block-attach",   "attach-disk")
ALIAS("xl",    "block-detach",   "detach-disk")
ALIAS("xl",    "network-attach", "attach-interface")
ALIAS("xl",    "network-detach", "detach-interface")
ALIAS("virsh", "suspend",        "pause")
ALIAS("virsh", "resume",         "unpause")
ALIAS("virsh", "nodeinfo",       "info")
ALIAS("virsh", "version",        "info")
ALIAS("virsh", "domstate",       "dominfo")
ALIAS("virsh", "vcpuinfo",       "vcpu-list")
ALIAS("virsh", "vcpupin",        "pin")
ALIAS("virsh", "schedinfo",      "sched")
ALIAS("virsh", "dump",           "dump-core")
ALIAS("virsh", "event",          "events")
ALIAS("virsh", "domstats",       "stats")
ALIAS("virsh", "domrename",      "rename")
ALIAS("virsh", "setmem",         "mem-set")
ALIAS("virsh", "setmaxmem",      "mem-max")
ALIAS("virsh", "setvcpus",       "vcpu-set")
ALIAS("virsh", "inject-nmi",     "trigger")
ALIAS("virsh", "domblklist",     "block-list")
ALIAS("virsh", "domiflist",      "network-list")
/* clang-format on */
