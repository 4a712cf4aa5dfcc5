/* SPDX-License-Identifier: MIT */
/*
 * Verbs of xl's and virsh's that there are not here: theirs (one pattern, or some), and in a line
 * what to do instead, or why not. Behind them words that neither has, which a shell, systemctl or
 * docker have taught. docs/from-xl-and-virsh.md is held to this table.
 */
/* clang-format off */
HINT("migrate migrate-receive remus", "migrate migrate-* domdirtyrate-calc",
     "there is no live migration yet")
HINT("", "managedsave managedsave-* save-image-*",
     "not built yet, as `save`")
HINT("cpupool-*", "",
     "there is one pool of CPUs; `pvctl pin` says where vCPUs may run")
HINT("sched-rtds", "iothread* perf",
     "there is one scheduler; `pvctl sched` sets its weight and cap")
HINT("pci-* usbctrl-* usb-list usbdev-* vsnd-*", "attach-device detach-device update-device detach-device-alias update-memory-device nodedev-*",
     "no device of the machine is given to a guest; `attach-disk` and `attach-interface` give its own")
HINT("vncviewer vkb-* vdispl-*", "vncdisplay domdisplay screenshot send-key",
     "no framebuffer and no keyboard: `pvctl console` is the guest's terminal")
HINT("cd-insert cd-eject", "change-media",
     "a cdrom is a read-only disk: `pvctl detach-disk`, then `pvctl attach-disk --readonly`")
HINT("vtpm-* channel-list qemu-monitor-command", "qemu-* domfs* guest* domtime domhostname dompmsuspend dompmwakeup set-user-* get-user-* send-process-signal lxc-enter-namespace emulatorpin",
     "no device model runs beside a guest, and no agent in it")
HINT("config-update", "edit desc metadata set-lifecycle-action",
     "`pvctl dumpxml NAME >FILE`, change the file, `pvctl define FILE`: it holds from the next start on")
HINT("", "blkdeviotune blkiotune",
     "`<iotune>` in the domain's file limits each disk; docs/disks.md says how")
HINT("", "domiftune",
     "`<bandwidth>` in the domain's file limits each interface, or `attach-interface` with rate=")
HINT("", "domblkstat domifstat dommemstat",
     "`pvctl stats --prometheus` has the counters of each disk and interface, `pvctl top` of each domain")
HINT("", "domblkinfo domblkerror domblkthreshold domifaddr domif-*",
     "`pvctl block-list` and `pvctl network-list` show what devices a domain has")
HINT("", "vcpucount maxvcpus",
     "`pvctl vcpu-list NAME` shows all, and which are offline; a domain has at most 64")
HINT("", "setvcpu",
     "`pvctl vcpu-set NAME N` asks for so many; which ones it has on is the guest's business")
HINT("", "memtune",
     "`pvctl mem-max NAME SIZE` sets the most that a domain may have")
HINT("", "ttyconsole",
     "`pvctl console NAME` opens it; `xenstore-read /local/domain/ID/console/tty` says its terminal")
HINT("", "domcontrol domjobinfo domjobabort",
     "there are no jobs: a command returns when what it does is done")
HINT("", "nodesuspend",
     "a machine with guests does not sleep; `poweroff` in the control domain ends them first")
HINT("", "domuuid",
     "`pvctl dominfo NAME` shows it")
HINT("", "reset",
     "`pvctl destroy NAME`, then `pvctl start NAME` or `pvctl create FILE`")
HINT("", "domxml-to-native",
     "xl has no file of it: `pvctl dumpxml NAME` writes the XML")
HINT("", "capabilities domcapabilities sysinfo nodecpumap nodecpustats nodememstats freecell freepages cpu-* hypervisor-cpu-*",
     "`pvctl info` shows what the machine can and has")
HINT("set-parameters debug-keys claims psr-* getenforce setenforce loadpolicy sharing", "node-memory-tune numatune allocpages nodesevinfo domlaunchsecinfo domsetlaunchsecstate",
     "the hypervisor has nothing of that kind; `pvctl info` shows what it has, `pvctl dmesg` its log")
HINT("button-press", "",
     "`pvctl trigger NAME power`, or `pvctl shutdown NAME`")
HINT("devd", "connect uri hostname quit exit cd pwd",
     "parvisd is there already, on this machine; a command of `pvctl` is a command of the shell")
HINT("", "snapshot-* checkpoint-* backup-* block-copy blockcommit blockcopy blockjob blockpull blockresize",
     "images are raw files and block devices: the host's tools copy them (cp --reflink, LVM)")
HINT("", "vol-* pool-* find-storage-pool-* find-pool-sources-as dom-fd-associate",
     "storage is the host's: files and block devices, by their paths")
HINT("", "net-* iface-* nwfilter-*",
     "networks are the host's: bridges, xenbr0 if nothing else is said; `pvctl network-list` shows who is on which")
HINT("", "secret-*",
     "nothing here has a password: images are raw files and block devices")
WORD("stop halt poweroff off down",
     "`pvctl shutdown NAME` asks a guest to end, `pvctl destroy NAME` ends it at once")
WORD("kill",
     "`pvctl destroy NAME` ends a domain at once, `pvctl shutdown NAME` asks its guest to end")
WORD("restart",
     "`pvctl reboot NAME` asks a guest to boot anew; `pvctl destroy NAME`, then `pvctl start NAME`, asks nobody")
WORD("status inspect show",
     "`pvctl list` shows the domains, `pvctl dominfo NAME` one of them")
WORD("ls ps",
     "`pvctl list` shows the domains that run, with `--all` those too that are defined and do not")
WORD("rm remove delete",
     "`pvctl destroy NAME` ends a domain, `pvctl undefine NAME` forgets what it is defined as; its disks stay")
WORD("run launch new boot up",
     "`pvctl create FILE` makes a domain of a file and starts it, `pvctl start NAME` one that is defined")
WORD("exec shell ssh login",
     "a command is typed at the guest's terminal, `pvctl console NAME`, or comes through its network")
WORD("logs",
     "`pvctl log NAME` prints what a guest's console said, `pvctl dmesg` the hypervisor's log")
WORD("attach detach",
     "`attach-disk`, `attach-interface`, `detach-disk`, `detach-interface`; `pvctl console NAME` is the guest's terminal")
WORD("enable disable",
     "`pvctl autostart NAME` has a domain started with the machine, with `--disable` no longer")
WORD("stat usage monitor watch",
     "`pvctl top` shows what each domain uses, `pvctl stats` what it asks of the hypervisor")
WORD("ping ip ifconfig net nets",
     "`pvctl network-list` shows which interface is on which bridge: a guest is reached there, as any machine is")
WORD("disk disks images df lsblk",
     "`pvctl block-list` shows the disks of each domain; images are files of the host's")
WORD("mem memory free",
     "`pvctl list` shows what each domain has, `pvctl info` the machine; `pvctl mem-set NAME SIZE` changes it")
WORD("cpu cpus",
     "`pvctl vcpu-list` shows where each vCPU is, `pvctl info` the machine's CPUs; `pvctl vcpu-set NAME N` changes how many")
WORD("mv",
     "`pvctl rename NAME NEW` gives a domain another name")
WORD("cp copy clone snapshot backup",
     "images are raw files and block devices: the host's tools copy them (cp --reflink, LVM)")
WORD("man",
     "`pvctl help VERB`, or `man pvctl`")
/* clang-format on */
