#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's own toolstack, unmodified, beside ours: the verbs of xl, with disks and networks by Debian's scripts; and the same answers as
Xen's to what toolstacks ask the hypervisor, right or wrong. --long: libvirt instead.

What xl itself waits for has limits of its own, 40 s for a script, which nothing here can make longer. So the two CPUs take turns: as threads,
which wait for each other, they take a host's CPUs twice as long. libvirt's machine counts instructions for its clock, so that for it no host is too slow.
"""
import json
import re
import sys

import booted
from machine import BY_INSTRUCTIONS, BY_TURNS, Machine, built, network_args, run_tests

HELLO = 'name = "hello"\nmemory = 16\nkernel = "/var/lib/parvis/hello"\n'
# A kernel that is unpacked already, for xl unpacks one for each start, which takes as long as the guest's boot.
LINUX = ('name = "linux"\nmemory = 256\nvcpus = 2\nkernel = "/var/lib/parvis/vmlinux"\nramdisk = "/var/lib/parvis/guest-initramfs.cpio.gz"\n'
         'extra = "console=hvc0"\ndisk = ["file:/root/disk.img,xvda,w"]\nvif = ["mac=00:16:3e:00:00:01,bridge=xenbr0"]\n')
# A guest with an interface that a script puts in its place, for xl and for pvctl; the script says how it was called, and what there is for it to read.
TOLD = ('name = "told"\nmemory = 16\nkernel = "/var/lib/parvis/hello"\n'
        'vif = ["mac=00:16:3e:00:00:07,bridge=xenbr0,ip=10.9.0.7 10.9.0.8,vifname=told0,rate=512KB/s,script=/root/vif-told"]\n')
TELLS = r"""#!/bin/sh
{ echo "$*"; tr '\0' '\n' </proc/$$/environ | grep -v ^PATH=; [ "$1" = offline ] || xenstore-ls "$XENBUS_PATH"; } >/tmp/"$1"
[ "$1" = offline ] || xenstore-write "$XENBUS_PATH/hotplug-status" connected
"""
# Debian's own, which wants to know whose address the control domain's end has.
ROUTES = """#!/bin/sh
echo "$1" >>/run/routes
netdev=xenbr0 exec /etc/xen/scripts/vif-route "$@"
"""
ROUTED = "until [ \"$(echo $(cat /run/routes))\" = '{0}' ]; do usleep 100000; done"
PORTS = "ls /sys/class/net/xenbr0/brif"
LIST = r"^{0} +\d+ +{1} +{2} +{3}"
RESTS = "until pvctl list | grep -q '^{0} .* blocked'; do usleep 100000; done"       # xl takes as long as pvctl a hundred times
LOOK = "usleep 300000"      # parvisd looks at others' domains every 200 ms
GONE = "while pvctl list | grep -q '^{0} '; do usleep 100000; done"


def answers(m):
    """What the control interface says to the calls of control_calls.c."""
    m.prompt()
    status, text = m.shell("control_calls", 60)
    assert status == 0, text
    return [line for line in text.splitlines() if not re.match(r"(\((parvis|XEN)\) |\[)", line)]


def told(m, tool):
    """How this tool calls the script of an interface when it comes and when it goes."""
    m.check(f"chmod +x /root/vif-told; {tool} create /root/told.cfg; {tool} destroy told", timeout=240)
    return [sorted(m.shell(f"cat /tmp/{verb}")[1].splitlines()) for verb in ("online", "offline")]


def the_same_answers():
    """What toolstacks ask the hypervisor, right or wrong, is answered as on Xen; an interface's script is called as by xl there."""
    with open(built("system/control_calls"), "rb") as program:
        files = {"usr/bin/control_calls": program.read(), "root/told.cfg": TOLD.encode(), "root/vif-told": TELLS.encode()}
    with booted.control_domain("toolstack-calls", files) as m:
        ours, our_script = answers(m), told(m, "pvctl")
    with Machine.xen("toolstack-calls-on-xen", files=files, xl=True) as m:
        theirs = answers(m)
        m.shell("xl-up")
        their_script = told(m, "env -i PATH=$PATH xl")
    assert our_script == their_script, f"{our_script}, on Xen {their_script}"
    assert all(len(lines) >= 7 for lines in their_script), their_script
    assert len(theirs) > 200, theirs
    different = [f"{a!r}, on Xen {b!r}" for a, b in zip(ours, theirs) if a != b]
    assert not different and len(ours) == len(theirs), "\n".join(different)


def leave(m):
    """Out of `xl console`: our prompt comes behind the guest's."""
    m.send("\x1d", end="")     # Ctrl-]
    m.expect(r"parvis# ", 60)


def a_small_guest(m):
    """xl's verbs about hello, which has no devices: each by what it shows, and what `pvctl events` says of it."""
    m.check("pvctl events --json >/run/events & sleep 1")
    m.check("xl create -p /root/hello.cfg; xl list", LIST.format("hello", 16, 1, "--p---"))
    m.check("xl list -v", r"^hello .* [0-9a-f]{8}-[0-9a-f-]{27} ")
    status, text = m.shell("xl list -l hello")
    assert status == 0 and json.loads(text)[0]["config"]["c_info"]["name"] == "hello", text
    m.check(f"xl unpause hello; {RESTS.format('hello')}; xl list", LIST.format("hello", 16, 1, "-b----"))
    m.send("xl console hello")
    m.expect(r"^date: 20[2-9]\d-", 60)      # not 1970: the page with the clock is cleared by who builds the domain
    m.send("echo to xenconsoled")
    m.expect(r"^to xenconsoled$", 30)
    leave(m)
    m.check("kill -9 $(cat /run/xenconsoled.pid); xenconsoled --pid-file=/run/xenconsoled.pid; "    # the next one finds its domains, as ours does
            "until echo echo to the next | pvctl console hello | grep '^to the next'; do usleep 100000; done", r"^to the next\b", timeout=60)
    m.check(f"{LOOK}; xl pause hello; {LOOK}; xl list; xl unpause hello; {LOOK}", LIST.format("hello", 16, 1, "-bp---"))
    m.check("xl rename hello other; xl list", LIST.format("other", 16, 1, "-b----"))
    m.check("xl vcpu-pin other 0 1; xl vcpu-list other", r"^other +\d+ +0 +\d +-b- +\S+ +1 / all$")
    m.check("xl sched-credit2 -d other -w 512 -c 50; xl sched-credit2 -d other", r"^other +\d+ +512 +50$")
    m.check("xl sched-credit2 -s -p Pool-0", r"^Cpupool Pool-0: ratelimit=0us$")
    m.check("xl mem-max other 24; pvctl dominfo other", r"^memory +16384 KiB, at most 25600 KiB$")
    m.check("xl uptime", r"^other +\d+ +0:0\d:\d\d$")
    m.check(f"xl trigger other nmi; {GONE.format('other')}")     # its kernel has no use for one, and ends
    _, text = m.shell("until grep -q destroyed /run/events; do usleep 100000; done; kill $(pidof pvctl); cat /run/events")
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [e["event"] for e in events] == ["created", "started", "paused", "unpaused", "renamed", "crashed", "destroyed"], text
    assert [e["name"] for e in events] == ["hello"] * 4 + ["other"] * 3 and len({e["id"] for e in events}) == 1, text


def at_its_side(m):
    """`xl create` that stays: at the console (-c), and until the domain has ended (-F)."""
    m.send("xl create -c /root/hello.cfg")
    m.expect(r"^hello is ready$", 120)
    m.send("echo by -c")
    m.expect(r"^by -c$", 30)
    leave(m)
    m.check("xl shutdown -w hello")
    m.check("(until xl list hello >/dev/null 2>&1; do sleep 1; done; sleep 2; xl shutdown hello) & xl create -F /root/hello.cfg", r"^Done\. Exiting now$", timeout=240)
    m.check("wait; xl list | wc -l", r"^2$")


def the_machine(m):
    """What xl and xentop say of it."""
    status, text = m.shell("xl info -n")
    assert status == 0 and "error" not in text, text
    for line in (r"xen_scheduler +: credit2", r"nr_cpus +: 2", r"0000:00:00\.0 +0", r"   0: +\d+ +\d+ +10"):
        assert re.search(f"^{line}", text, re.MULTILINE), text
    m.check("xl dmesg", r"^\(parvis\) .* control is domain 0")
    status, text = m.shell("xentop -b -i 2 -d 1")
    rows = re.findall(r"^ *Domain-0 +\S+ +(\d+) +(\d+\.\d) ", text, re.MULTILINE)
    assert status == 0 and len(rows) == 2 and float(rows[1][1]) <= 200, text
    m.check("xl list", LIST.format("Domain-0", 1024, 2, "r-----"))
    m.check("xen-cpuid -p", r"^PV Default policy: \d+ leaves, 2 MSRs$")


def in_guest(m, command, shows):
    """A command in linux, by xl console."""
    m.send("xl console linux")
    m.send("")
    m.expect(r"^guest# ", 180)
    m.send(f"{command}; echo @@ $?")
    m.expect(shows, 60)
    m.expect(r"^@@ 0$", 60)
    leave(m)


def a_guest_with_devices(m):
    """Linux with a disk in a file and a network card: they work, they come and go, and nothing of them is left."""
    m.check("dd if=/dev/zero of=/root/disk.img bs=1M count=8 2>/dev/null; xl create /root/linux.cfg", timeout=300)
    m.check("losetup -a", r"^/dev/loop0.*/root/disk\.img")
    m.check(PORTS, r"\bvif\d+\.0\b")
    in_guest(m, "echo by the guest >/dev/xvda; sync; ls /sys/class/net; nproc", r"^eth0(.*\n)+?2$")
    m.check("head -n 1 /root/disk.img", r"^by the guest$")
    m.check("xl block-list linux", r"^51712 +0 +\d+ +4 ")
    m.check("xl network-list linux", r"^0 +0 +00:16:3e:00:00:01 +0 +4 ")
    m.check("dd if=/dev/zero of=/root/more.img bs=1M count=4 2>/dev/null; xl block-attach linux file:/root/more.img,xvdb,r", timeout=120)
    in_guest(m, "cat /sys/block/xvdb/size /sys/block/xvdb/ro", r"^8192\n1$")
    m.check("xl block-detach linux xvdb; while losetup -a | grep more; do sleep 1; done", timeout=120)
    m.check("xl network-attach linux bridge=xenbr0", timeout=120)
    m.check("xl network-detach linux 1; sleep 1; " + PORTS, r"vif\d+\.0\s", timeout=120)
    m.check("xl vcpu-set linux 1; until xl vcpu-list linux | grep -E '^linux +[0-9]+ +1 +- +--p '; do sleep 1; done", timeout=120)
    m.check("xl mem-set linux 200; until xl list | grep -E '^linux +[0-9]+ +200 +1 +-b---- '; do sleep 1; done", timeout=120)
    m.check("xl sysrq linux h")
    in_guest(m, "until dmesg | grep -o 'sysrq: HELP'; do usleep 100000; done", r"^sysrq: HELP$")
    m.check("pvctl list", r"^linux +\d+ +204800 ")
    status, text = m.shell("xl reboot -w linux", 120)
    assert status == 0, text
    m.check("until xl list | grep -q '^linux .* 2.*-b----'; do sleep 1; done; xl destroy linux", timeout=300)
    nothing_left(m)


def nothing_left(m):
    """Neither domains nor loop devices, ports of the bridge or nodes of the store."""
    m.check("sleep 1; xl list | wc -l", r"^2$")
    for command in ("losetup -a", PORTS + " | grep vif", "xenstore-ls /local/domain/0/backend 2>/dev/null | grep -E ' (vbd|vif|[0-9]+) ='",
                    "xenstore-ls /vm | grep uuid", "xenstore-ls /libxl 2>/dev/null"):
        _, text = m.shell(command)
        assert text == "", f"`{command}`: {text}"


# Files that xl cannot carry out, and what it says of them.
WRONG = {"no-kernel": ('name = "x"\nmemory = 16\nkernel = "/nowhere"\n', "/nowhere"),
         "no-elf": ('name = "x"\nmemory = 16\nkernel = "/etc/rc"\n', "image"),
         "no-disk": (HELLO + 'disk = ["file:/nowhere,xvda,w"]\n', "/nowhere"),
         "no-bridge": (HELLO + 'vif = ["bridge=xenbr9"]\n', "vif"),
         "too-much": (HELLO.replace("16", "64000"), "memory"),
         "not-pv": (HELLO + 'type = "pvh"\n', "HVM_PARAM_TIMER_MODE"),
         "no-such-cpu": (HELLO + 'cpuid = "host,avx512f=1"\n', "CPUID policy")}


def what_is_wrong(m):
    """They end with its own words, its own status, and nothing left."""
    for name, (_, why) in WRONG.items():
        status, said = m.shell(f"xl create /root/{name}.cfg", 240)
        assert status != 0 and why in said, f"{name}: {status}, {said}"
    nothing_left(m)


def console_of_ours(m):
    """`xl console` at a domain that pvctl made: all from the first byte, both ways, beside pvctl's, one at a time, over a new parvisd."""
    tty = m.check("xenstore-read /local/domain/$(pvctl list | grep -oE '^hello +[0-9]+' | grep -oE '[0-9]+')/console/tty", r"^/dev/pts/\d+$").group()
    m.check(f"ls -ln {tty}", r"^crw------- +1 0 +0 ")
    m.send("xl console hello")
    m.expect(r"^Hello from pvguest", 60)
    m.send("echo to parvisd")
    m.expect(r"^to parvisd$", 30)
    leave(m)
    m.check("xl console hello </dev/null >/run/seen & until grep -q 'to parvisd' /run/seen; do usleep 100000; done; xl console hello </dev/null",
            r"xenconsole: Could not lock", status=11)
    m.check("echo echo beside | pvctl console hello", r"^beside$")
    m.check("until grep -q ^beside /run/seen; do usleep 100000; done")
    m.check("old=$(pidof parvisd); kill -9 $old; until [ -n \"$(pidof parvisd)\" -a \"$(pidof parvisd)\" != $old ]; do usleep 100000; done")
    m.check("echo echo anew | pvctl console hello", r"^anew$")
    m.check("until grep -q ^anew /run/seen; do usleep 100000; done", timeout=60)


def both(m):
    """Domains of pvctl are in xl's list, and the other way; each serves the other's, and ends them."""
    m.check("sed \"s#<console#<interface type='ethernet'><ip address='10.9.0.9'/><script path='/root/vif-routes'/></interface>&#\" /etc/parvis/hello.xml "
            ">/root/hello.xml; chmod +x /root/vif-routes; pvctl create /root/hello.xml; xl list", LIST.format("hello", 16, 1, "......"))
    m.check("ip route", r"^10\.9\.0\.9 dev vif\d+\.0 ")
    console_of_ours(m)
    m.check(f"echo reboot | pvctl console hello; {ROUTED.format('online offline online')}; {RESTS.format('hello')}", timeout=120)
    # (Not into `head`: xl dies of a pipe that is closed, and leaves what it has begun.)
    m.check("xl create /root/hello.cfg >/run/said 2>&1; cat /run/said", r'Domain with name "hello" already exists')
    m.check("xl destroy hello; sleep 1; pvctl list | grep -c hello", r"^0$", status=1)
    m.check(ROUTED.format("online offline online offline"))
    m.check("wait; ls /dev/pts | grep -c '[0-9]'", r"^0$", status=1)   # xenconsole has ended by itself, and the terminal is gone
    m.check("xl create /root/hello.cfg; pvctl list", r"^hello ")
    m.check("pvctl create /etc/parvis/hello.xml", r"^pvctl: hello: domain \d+, which xl or virsh made, has this name$", status=1)
    m.check("echo echo by pvctl | pvctl console hello", r"^by pvctl$")
    m.check("pvctl dominfo hello", r"^kind +pv$")
    m.check("pvctl pause hello; xl list", LIST.format("hello", 16, 1, "-bp---"))
    m.check("pvctl unpause hello; pvctl shutdown --wait hello", r"^hello: powered off$")
    m.check("until [ $(xl list | wc -l) = 2 ]; do sleep 1; done; xl create /root/packed.cfg; losetup -a", r"^/dev/loop", timeout=300)
    m.check("pvctl destroy linux", timeout=120)
    nothing_left(m)


def xl():
    """xl, xenconsoled and xentop of Debian: the verbs that an operator uses, a guest with disk and network, mistakes, and pvctl beside them."""
    files = {f"root/{name}.cfg": text for name, text in {"hello": HELLO, "linux": LINUX, "packed": LINUX.replace("vmlinux", "vmlinuz"), **{name: text for name, (text, _) in WRONG.items()}}.items()}
    files["root/vif-routes"] = ROUTES
    with open(built("dom0/vmlinux"), "rb") as kernel:
        files["var/lib/parvis/vmlinux"] = kernel.read()
    with Machine.parvis("toolstack-xl", files=files, toolstack="xl", smp=2, accel=BY_TURNS["accel"], qemu=network_args()) as m:
        m.prompt()
        m.settle()
        the_machine(m)
        a_small_guest(m)
        at_its_side(m)
        a_guest_with_devices(m)
        what_is_wrong(m)
        both(m)
        status, text = m.shell("xl dmesg | grep -E 'there is no operation|is not offered'")
        assert "no operation" not in text, text
        m.ends_well()


VIRSH = """<domain type='xen'><name>{0}</name><memory unit='MiB'>{1}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='xenpv'>linux</type><kernel>{2}</kernel>{3}</os>
<devices>{4}<console type='pty'><target type='xen' port='0'/></console></devices></domain>"""
VIRSH_CREATE = "{ virsh create /root/linux.xml || { tail -n 20 /var/log/libvirt/libxl/libxl-driver.log; false; }; }"     # virsh does not say why
DISK = "<disk type='file' device='disk'><driver name='phy'/><source file='/root/disk.img'/><target dev='xvda' bus='xen'/></disk>"
CARD = "<interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='xenbr0'/></interface>"


START = "libvirtd --daemon --pid-file /run/libvirtd.pid; until virsh list >/dev/null 2>&1; do sleep 1; done"
STOP = "daemon=$(cat /run/libvirtd.pid); kill $daemon; while [ -e /proc/$daemon ]; do usleep 100000; done"


def its_console(m):
    """`virsh console` at the terminal of a domain that libvirt made."""
    m.send("virsh console hello")
    m.expect(r"^hello is ready$", 60)   # what is typed before is thrown away: virsh has not made its terminal raw
    m.send("echo by virsh")
    m.expect(r"^by virsh$", 60)
    leave(m)
    m.check("echo echo by pvctl | pvctl console hello", r"^by pvctl$")


def as_after_a_reboot(m):
    """A daemon that is killed finds its domains again; one that begins as after a reboot starts those that are to be."""
    m.check("virsh start hello; kill -9 $(cat /run/libvirtd.pid); virsh list", "Connection refused", status=1)
    m.check(START + "; virsh list", r"^ \d+ +hello +running$", timeout=240)
    m.check("virsh destroy hello; " + STOP + "; " + START + "; virsh list --all", r"^ - +hello +shut off$", timeout=240)
    m.check(STOP + "; rm -r /run/libvirt; " + START + "; sleep 3; virsh list --all", r"^ \d+ +hello +running$", timeout=240)
    m.check("pvctl shutdown --wait hello", r"^hello: powered off$")
    m.check("until virsh list --all | grep 'shut off'; do sleep 1; done")
    m.check("virsh undefine hello")


def what_libvirt_says_is_loaded(m):
    """What `virsh dumpxml` says of a domain with disk and network here is a file that pvctl takes."""
    m.check(f"dd if=/dev/zero of=/root/disk.img bs=1M count=8 2>/dev/null; {VIRSH_CREATE} && virsh dumpxml linux >/root/dumped.xml && virsh destroy linux",
            timeout=300)
    m.check("pvctl check /root/dumped.xml", r"^/root/dumped\.xml: linux, kind pv, is accepted$")
    m.check("pvctl create /root/dumped.xml; pvctl list", r"^linux +\d+ +262144 ", timeout=300)
    m.check("pvctl destroy linux")


def both_at_once(m):
    """xl and pvctl end one domain at the same time, whoever made it: one of them may find none, and nothing is left."""
    for make in ("pvctl create /etc/parvis/hello.xml", "xl create /root/hello.cfg"):
        for _ in range(5):
            status, text = m.shell(f"{make} >/dev/null; xl destroy hello & pvctl destroy hello; ended=$?; wait; [ $ended = 0 -o $ended = 3 ]", 120)
            assert status == 0, text
    nothing_left(m)


def in_the_middle(m):
    """libvirtd is killed while it makes a domain, at various moments: what is left of that is seen and taken away by pvctl."""
    for moment in (0.3, 1, 2, 4):
        m.check(f"virsh create /root/linux.xml >/run/said 2>&1 & sleep {moment}; kill -9 $(cat /run/libvirtd.pid); wait $!; grep -q error: /run/said || grep created /run/said")
        m.check("for d in $(pvctl list | grep -oE '^(linux|\\(domain-[0-9]+\\)) +[0-9]+' | grep -oE '[0-9]+$'); do pvctl destroy $d || exit; done", timeout=240)
        m.check(START, timeout=240)
        m.check("virsh list --all | grep -c linux", r"^0$", status=1)
        nothing_left(m)


def libvirt():
    """virsh and libvirtd of Debian: a domain that is defined and started, one with disk and network, and what is said of them."""
    files = {"root/hello.cfg": HELLO, "root/hello.xml": VIRSH.format("hello", 16, "/var/lib/parvis/hello", "", ""),
             "root/linux.xml": VIRSH.format("linux", 256, "/var/lib/parvis/vmlinuz", "<initrd>/var/lib/parvis/guest-initramfs.cpio.gz</initrd>"
                                            "<cmdline>console=hvc0</cmdline>", DISK + CARD)}
    with Machine.parvis("toolstack-libvirt", files=files, toolstack="libvirt", smp=2, accel=BY_TURNS["accel"], qemu=[*network_args(), *BY_INSTRUCTIONS]) as m:
        m.prompt()
        m.settle()
        m.check("virsh version", r"^Running hypervisor: Xen 4\.17\.0$")
        m.check("virsh nodeinfo", r"^CPU\(s\): +2$")
        m.check("virsh define /root/hello.xml && virsh autostart hello && virsh start hello")
        m.check("virsh dominfo hello", r"^Autostart: +enable$")
        m.check("virsh dumpxml hello", r"<console type='pty' tty='/dev/pts/\d+'>")
        m.check("virsh suspend hello; virsh list", r"^ \d+ +hello +paused$")
        m.check("virsh resume hello; virsh list", r"^ \d+ +hello +running$")
        m.check("virsh schedinfo hello --set weight=512", r"^weight +: 512$")
        its_console(m)
        m.check("virsh shutdown hello; until virsh list --all | grep -E '^ - +hello +shut off$'; do sleep 1; done", timeout=120)
        as_after_a_reboot(m)
        what_libvirt_says_is_loaded(m)
        m.check(f"dd if=/dev/zero of=/root/disk.img bs=1M count=8 2>/dev/null; {VIRSH_CREATE}", timeout=300)
        in_guest(m, "echo by the guest >/dev/xvda; sync; ls /sys/class/net", r"^eth0\b")
        m.check("head -n 1 /root/disk.img", r"^by the guest$")
        m.check("virsh domblkstat linux xvda", r"^xvda wr_req [1-9]")
        m.check("virsh domifstat linux $(virsh domiflist linux | grep -o 'vif[0-9.]*')", r"rx_errs 0$")
        m.check("virsh setmem linux 200M; until xl list | grep -E '^linux +[0-9]+ +200 +1 +-b---- '; do sleep 1; done", timeout=120)
        m.check("pvctl list", r"^linux ")
        m.check("virsh destroy linux", timeout=120)
        nothing_left(m)
        both_at_once(m)
        in_the_middle(m)
        m.ends_well()


if __name__ == "__main__":
    run_tests(*([libvirt] if sys.argv[1:] == ["--long"] else [xl, the_same_answers]))
