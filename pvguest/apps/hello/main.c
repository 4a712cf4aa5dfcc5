/* SPDX-License-Identifier: MIT */
/*
 * hello: the first guest. It says who it is, what it was given and where it runs, and then
 * listens to its console and to xenstore until it is told to end.
 *
 * Command line:  exit=poweroff|reboot|crash   end like this after the greeting
 * Type at the console: `help` lists what there is.
 *
 * With neither a store nor an input ring (a boot-time domain alone) it works as well: what is not
 * there is said and left out.
 */
#include <guest/console.h>
#include <guest/kernel.h>
#include <guest/time.h>
#include <guest/xenbus.h>

#include "hello.h"

static void print_start_info(void)
{
    const start_info_t *si = start_info;

    if (is_pv())
        printf("start_info: magic \"%.32s\"\n", (const char *)si->magic);
    printf("memory: %lu pages (%lu KiB), %lu free\n", si->nr_pages, si->nr_pages * 4,
           pages_available());
    if (is_pv())
        printf("flags: 0x%x%s%s\n", si->flags, si->flags & SIF_PRIVILEGED ? " privileged" : "",
               si->flags & SIF_INITDOMAIN ? " initdomain" : "");
    printf("command line: \"%.*s\"\n", (int)sizeof(si->cmd_line), (const char *)si->cmd_line);
    if (is_pv())
        printf("page tables: 0x%lx, %lu frames; p2m: 0x%lx; shared_info: 0x%lx\n", si->pt_base,
               si->nr_pt_frames, si->mfn_list, si->shared_info);
    if (si->mod_len)
        printf("module: 0x%lx, %lu bytes\n", si->mod_start, si->mod_len);
    if (!is_control_domain())
        printf("console: frame 0x%lx, event channel %u\n", si->console.domU.mfn,
               si->console.domU.evtchn);
    printf("console kind: %s\n", console_kind());
    if (si->store_evtchn)
        printf("store: frame 0x%lx, event channel %u\n", si->store_mfn, si->store_evtchn);
    else
        printf("store: none\n");
}

static void print_version(void)
{
    xen_extraversion_t extra = "";
    xen_capabilities_info_t capabilities = "";
    xen_feature_info_t features = {.submap_idx = 0};
    long version = HYPERVISOR_xen_version(XENVER_version, NULL);

    HYPERVISOR_xen_version(XENVER_extraversion, extra);
    HYPERVISOR_xen_version(XENVER_capabilities, capabilities);
    HYPERVISOR_xen_version(XENVER_get_features, &features);
    printf("hypervisor: version %ld.%ld%s, capabilities \"%s\", features 0x%x\n", version >> 16,
           version & 0xffff, extra, capabilities, features.submap);
}

void print_date(void)
{
    struct date d;
    uint32_t ns;
    uint64_t seconds = time_wall(&ns);

    time_to_date(seconds, &d);
    printf("date: %04u-%02u-%02u %02u:%02u:%02u UTC, up %lu ms\n", d.year, d.month, d.day, d.hour,
           d.minute, d.second, time_system_ns() / 1000000);
}

static void print_store(void)
{
    char text[64];

    if (lifecycle_init())
        return;
    if (xenbus_read(XBT_NIL, "name", text, sizeof(text)) >= 0)
        printf("store: my name is \"%s\"\n", text);
    if (xenbus_read(XBT_NIL, "domid", text, sizeof(text)) >= 0)
        printf("store: my domain id is %s\n", text);
}

/* exit=: true when the word was known; then there is no return. */
static void obey_exit(void)
{
    char word[16];

    if (!cmdline_get("exit", word, sizeof(word)))
        return;
    printf("exit=%s\n", word);
    if (!strcmp(word, "poweroff"))
        shutdown_domain(SHUTDOWN_poweroff);
    if (!strcmp(word, "reboot"))
        shutdown_domain(SHUTDOWN_reboot);
    if (!strcmp(word, "crash"))
        panic("exit=crash on the command line");
    printf("unknown; poweroff, reboot and crash are known\n");
}

int guest_main(void)
{
    int reason;

    printf("\nHello from pvguest.\n");
    if (!has_hypercalls()) {
        printf(
            "It asks a hypervisor for all that it shows, and a guest of kind hvm is told of none: "
            "start it as pv or as pvh.\n");
        return 0;
    }
    printf("kind: %s\n", is_pv() ? "pv" : "pvh");
    print_version();
    print_start_info();
    print_date();
    print_store();
    printf("hello is ready\n");
    obey_exit();
    shell_prompt();
    for (;;) {
        event_wait(console_has_input() || xenbus_has_work());
        reason = lifecycle_request();
        if (reason >= 0) {
            printf("\nasked to shut down, reason %d\n", reason);
            shutdown_domain((unsigned int)reason);
        }
        shell_input();
    }
}
