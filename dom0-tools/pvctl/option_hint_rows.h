/* SPDX-License-Identifier: MIT */
/*
 * Options of xl's and virsh's that there are not here: of which of our verbs (patterns; * is any),
 * which options (their names, or one letter), and in a line what to do instead, or why they are not
 * needed. What one of the verb's own options is called comes before.
 */
/* clang-format off */
OPTION_HINT("create define check", "f file defconfig", "a file is named without it: `pvctl create FILE`")
OPTION_HINT("create", "d n dryrun", "`pvctl check FILE` says what would come of a file")
OPTION_HINT("create start", "q quiet", "nothing is said when all is well")
OPTION_HINT("create", "F foreground e", "parvisd does what is to be done when a domain ends; `--console` stays with it")
OPTION_HINT("create console", "V vncviewer A vncviewer-autopass", "no framebuffer: `--console` of create, or `pvctl console`")
OPTION_HINT("list", "l long v verbose Z context uuid title", "`pvctl list --json` has it, and `pvctl dumpxml NAME`")
OPTION_HINT("list", "name", "`pvctl list --json` has the names")
OPTION_HINT("list", "inactive persistent transient autostart no-autostart state-* with-* without-* managed-save table", "`pvctl list --all` shows all, whether they run, and which are started with the machine")
OPTION_HINT("vcpu-list block-list network-list", "pretty details inactive", "all is shown that there is, of domains that run")
OPTION_HINT("list uptime info", "n numa c cpupool s short", "there is one pool and one node; `--json` is for programs")
OPTION_HINT("destroy dump-core", "f force graceful", "it is done at once and for certain; `pvctl shutdown` asks")
OPTION_HINT("sched", "d domain", "the domain is named without it: `pvctl sched --weight 512 NAME`")
OPTION_HINT("sched", "p cpupool s schedparam r ratelimit_us set", "there is one pool; `--weight` and `--cap` are what it has")
OPTION_HINT("console log", "t type n num devname safe", "a domain has one console; `--force` of console takes it from who has it")
OPTION_HINT("shutdown reboot", "F mode", "how a guest is asked goes by its kind: by the store, or by its power button")
OPTION_HINT("top", "n networks x vbds v vcpus f full-name r repeat-header", "networks and disks are shown always, and whole names; `-i N` ends after so many looks")
OPTION_HINT("attach-disk", "mode type driver subdriver source target sourcetype targetbus cache io serial address print-xml", "`pvctl attach-disk NAME SOURCE TARGET`, with `--readonly` or `--shareable`; images are raw")
OPTION_HINT("attach-interface", "type source model target script inbound outbound managed print-xml", "`pvctl attach-interface NAME BRIDGE`, with xl's words if need be: vifname=web0 rate=10Mb/s")
OPTION_HINT("detach-disk", "target print-xml", "a disk is named without it: `pvctl detach-disk NAME xvdb`")
OPTION_HINT("detach-interface", "type print-xml", "`pvctl detach-interface NAME`, with its number or address if there are several")
OPTION_HINT("mem-set mem-max vcpu-set", "size count", "what is asked for is the last word: `pvctl mem-set NAME 256M`, `pvctl vcpu-set NAME 2`")
OPTION_HINT("vcpu-set", "maximum guest hotpluggable", "how many it has at most is said by `<vcpu>` in its file")
OPTION_HINT("pin", "vcpu cpulist", "`pvctl pin NAME VCPU CPUS`")
OPTION_HINT("attach-* detach-* mem-* vcpu-set pin sched", "live config current persistent", "it is done to the domain that runs; a device is kept for its next life, too")
OPTION_HINT("define start undefine create", "validate autodestroy storage remove-all-storage nvram keep-nvram managed-save snapshots-metadata checkpoints-metadata", "each file is validated; images and storage are the host's")
OPTION_HINT("start", "force-boot bypass-cache", "nothing is saved: each start boots the guest")
OPTION_HINT("save restore", "*", "it is not built yet")
OPTION_HINT("dump-core", "memory-only bypass-cache verbose format file", "a core is of the memory, in Xen's format: `pvctl dump-core NAME FILE`")
OPTION_HINT("dominfo", "reason", "it shows why a domain has ended")
OPTION_HINT("dumpxml", "security-info migratable update-cpu", "the whole configuration is printed, and nothing in it is secret")
OPTION_HINT("events", "all loop event list timestamp", "all events are told, with their time, until it is stopped; `--count` and `--timeout` end it")
OPTION_HINT("stats", "list-* state cpu-total balloon vcpu interface block perf raw enforce nowait backing", "`--prometheus` prints all counters, of interfaces and disks too")
OPTION_HINT("*", "domain", "a domain is named without it: `pvctl dominfo NAME`")
/* clang-format on */
