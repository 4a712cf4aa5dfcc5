/* SPDX-License-Identifier: MIT */
/*
 * Interfaces with a script, by pvctl on the model of a machine, where a script is a line in a list:
 * when it is run with which word, and that it stays with the interface in the kept configuration.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"
#include "fake_parts.h"
#include "lifecycle_support.h"
#include "plain_devices.h"
#include "pvctl_support.h"
#include "state.h"
#include "unlimited.h"

static struct fake_domain *web;
static char ran[512]; /* "online backend/vif/1/0\n" */
static int fails;     /* how they end */

static int script_check(const char *path)
{
    return strcmp(path, "/missing") == 0 ? -ENOENT : 0;
}

/* While it starts its entries are there, and the back end waits. */
static int script_start(char *const argv[], char *const envp[])
{
    char entry[96];

    assert_string_equal(envp[0] + strlen("script="), argv[0]);
    assert_string_equal(argv[2], "type_if=vif");
    snprintf(entry, sizeof(entry), "/local/domain/0/%s/script", strchr(envp[2], '=') + 1);
    assert_string_equal(fake_read(f, entry), argv[0]);
    snprintf(ran + strlen(ran), sizeof(ran) - strlen(ran), "%s %s\n", argv[1], argv[0]);
    return 4711;
}

static int script_look(int pid, int *status)
{
    assert_int_equal(pid, 4711);
    *status = fails << 8;
    return 0;
}

static bool has_interface(const char *ifname)
{
    (void)ifname;
    return true;
}

static int check_bridge(const char *bridge)
{
    return strcmp(bridge, "br0") == 0 ? 0 : -ENODEV;
}

static int bridge_join(const char *ifname, const char *rename, const char *bridge)
{
    (void)ifname, (void)bridge;
    return rename && strcmp(rename, "eth0") == 0 ? -EEXIST : 0;
}

static void sleep_ms(unsigned int ms)
{
    (void)ms;
    fake_backends_take_up(f, "2");
}

static const struct device_system model = {
    PLAIN_DEVICES,
    UNLIMITED,
    .check_bridge = check_bridge,
    .bridge_join = bridge_join,
    .sleep_ms = sleep_ms,
    .has_interface = has_interface,
    .script_check = script_check,
    .script_start = script_start,
    .script_look = script_look,
};

static int setup(void **state)
{
    int rc = lifecycle_setup(state);

    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    device_system = &model;
    ran[0] = '\0';
    fails = 0;
    if (rc == 0)
        web = pvctl_runs("web");
    return rc;
}

static void assert_ran(const char *what)
{
    assert_string_equal(ran, what);
    ran[0] = '\0';
}

static bool kept_has(const char *text)
{
    char *xml;
    bool has;

    assert_int_equal(state_read_xml(web->d.domid, &xml), 0);
    has = strstr(xml, text) != NULL;
    free(xml);
    return has;
}

static void comes_and_goes(void **state)
{
    (void)state;
    pvctl_ends("attach-interface web script=vif-route vifname=web0", 0, "web: interface 0, ");
    assert_ran("online /etc/xen/scripts/vif-route\n");
    assert_true(kept_has("<script path='/etc/xen/scripts/vif-route'/>"));
    pvctl_ends("attach-interface web script=/srv/it's", 0, "web: interface 1, ");
    assert_ran("online /srv/it's\n");
    assert_true(kept_has("<script path='/srv/it&apos;s'/>"));
    pvctl_ends("detach-interface web 0 --force", 0, "");
    assert_ran("offline /etc/xen/scripts/vif-route\n");
    assert_false(kept_has("vif-route"));
    fails = 1; /* which keeps nothing from going */
    pvctl_ends("detach-interface web 1 --force", 0, "");
    assert_ran("offline /srv/it's\n");
    assert_false(kept_has("<interface"));
}

static void does_not_come(void **state)
{
    (void)state;
    pvctl_ends("attach-interface web script=/missing", 1,
               "pvctl: web: <interface>: script /missing: No such file or directory\n");
    assert_ran("");
    /* Ours needs its bridge. */
    pvctl_ends("attach-interface web script=/srv/vif-bridge", 1, "there is no bridge 'xenbr0'\n");
    fails = 3;
    assert_int_equal(pvctl_run("attach-interface web script=/srv/fails"), 1);
    assert_non_null(strstr(pvctl_said, "script /srv/fails: it ended with status 3\n"));
    assert_ran("online /srv/fails\noffline /srv/fails\n");
    assert_false(kept_has("<interface"));
    assert_null(fake_read(f, "/local/domain/0/backend/vif/1/0/state"));
}

/* What a killed attach has left goes as if it had been detached. */
static void is_left(void **state)
{
    char entry[96];

    (void)state;
    snprintf(entry, sizeof(entry), "/local/domain/0/backend/vif/%u/0", web->d.domid);
    assert_int_equal(fake_store_mkdir(&f->host, 0, entry), 0);
    strcat(entry, "/mac");
    assert_int_equal(fake_store_write(&f->host, 0, entry, "00:16:3e:00:00:09"), 0);
    strcpy(strrchr(entry, '/'), "/script");
    assert_int_equal(fake_store_write(&f->host, 0, entry, "/srv/left"), 0);
    pvctl_ends("attach-interface web script=/srv/next", 0, "web: interface 0, ");
    assert_ran("offline /srv/left\nonline /srv/next\n");
}

/* Its name is another's: its entries are ours all the same, and go. */
static void name_is_taken(void **state)
{
    char entry[96];

    (void)state;
    pvctl_ends("attach-interface web bridge=br0,vifname=eth0", 1,
               ": the control domain has an interface 'eth0' already\n");
    assert_false(kept_has("<interface"));
    snprintf(entry, sizeof(entry), "/local/domain/0/backend/vif/%u/0/state", web->d.domid);
    assert_null(fake_read(f, entry));
    pvctl_ends("attach-interface web bridge=br0,vifname=web0", 0, "web: interface 0, ");
    assert_non_null(fake_read(f, entry));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_and_goes, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(does_not_come, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(is_left, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(name_is_taken, setup, lifecycle_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
