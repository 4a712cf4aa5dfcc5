/* SPDX-License-Identifier: MIT */
/*
 * Options of xl's and virsh's that there are not here: of which of our verbs (patterns; * is any),
 * which options (their names, or one letter), and in a line what to do instead, or why they are not
 * needed. What one of the verb's own options is called comes before.
 */
/* clang-format off */
OPTION_HINT("create", "d n dryrun", "`pvctl check FILE` says what would come of a file")
OPTION_HINT("create start", "q quiet", "nothing is said when all is well")
OPTION_HINT("create", "F foreground e", "parvisd does what is to be done when a domain ends; `--console` stays with it")
OPTION_HINT("create console", "V vncviewer A vncviewer-autopass", "no framebuffer: `--console` of create, or `pvctl console`")
OPTION_HINT("list", "l long v verbose Z context uuid title", "`pvctl list --json` has it, and `pvctl dumpxml NAME`")
OPTION_HINT("list", "name", "`pvctl list --json` has the names alone as members")
OPTION_HINT("list uptime info", "n numa c cpupool s short", "there is one pool and one node; `--json` is for programs")
OPTION_HINT("destroy dump-core", "f force graceful", "it is done at once and for certain; `pvctl shutdown` asks")
OPTION_HINT("sched", "d domain", "the domain is named without it: `pvctl sched --weight 512 NAME`")
OPTION_HINT("sched", "p cpupool s schedparam", "there is one pool; `--weight` and `--cap` are what it has")
OPTION_HINT("console log", "t type n num devname safe", "a domain has one console; `--force` of console takes it from who has it")
OPTION_HINT("shutdown reboot", "F mode", "how a guest is asked goes by its kind: by the store, or by its power button")
OPTION_HINT("top", "n networks x vbds v vcpus f full-name r repeat-header", "networks and disks are shown always, and whole names; `-i N` ends after so many looks")
OPTION_HINT("attach-* detach-* mem-* vcpu-set pin sched", "live config current persistent", "it is done to the domain that runs; a device is kept for its next life, too")
OPTION_HINT("define start undefine create", "validate autodestroy remove-all-storage managed-save snapshots-metadata", "each file is validated; images and storage are the host's")
/* clang-format on */
