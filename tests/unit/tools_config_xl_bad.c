/* SPDX-License-Identifier: MIT */
/*
 * Files of xl that are wrong in each way: each is a good one with one change. There is one message,
 * which has the line of the change, and names the key and what is wrong with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools_config_xl.h"

/* clang-format off */
static const struct {
    const char *from, *to;
    long line;
    const char *says;
} bads[] = {
    /* not in the format */
    {"name = \"web\"", "name = web", 2, "near `web': a value is a number, text between quotes, or a list"},
    {"name = \"web\"", "name == \"web\"", 2, "near `='"},
    {"name = \"web\"", "name = \"web", 2, "a quote ends with the same in its line"},
    {"name = \"web\"", "Name = \"web\"", 2, "near `Name': a key has small letters alone"},
    {"name = \"web\"", "name \"web\"", 2, "there is no = behind a key"},
    {"name = \"web\"", "nmae = \"web\"", 2, "did you mean name?"},
    {"memory = 128", "memory =", 4, "near <newline>"},
    {"memory = 128", "memory = 1.5", 4, "near `.5'"},
    {"memory = 128", "memory = -1", 4, "near `-1': outside of quotes there are keys, numbers without a sign"},
    {"memory = 128", "memory = 128M", 4, "near `M': a key has small letters alone, a number no unit"},
    {"memory = 128", "memory = 1,2", 4, "near `,': the value has ended before it: several are a list"},
    {"vfb = []", "vfb = []]", 26, "near `]': the value has ended before it"},
    {"vfb = []", "[domain]", 26, "near `[': a line begins with a key"},
    {"vfb = []", "serial = os.uname()[4]", 26, "near `os.uname': a value is a number"},
    {"vfb = []", "vfb = ( 'a' )", 26, "near `(': outside of quotes"},
    {"kernel = \"/boot/vmlinuz\"", "kernel = /boot/vmlinuz", 12, "near `/boot/vmlinuz': outside of quotes"},
    {"memory = 128", "memory : 128", 4, "near `:': outside of quotes"},
    {"disk = [ 'phy:", "disk = [[ 'phy:", 21, "near `disk': a comma or a ] is missing before it"},
    {"vif = [ 'mac", "import vif\nvif = [ 'mac", 22, "near `vif': there is no = behind a key"},
    {"vfb = []\nlocaltime = 0\n", "vfb = [ 'a',", 26, "near the end of the file: a comma or a ] is missing before it"},
    {"vfb = []\nlocaltime = 0\n", "vfb = [ 'a'\n\n", 27, "near the end of the file: a comma or a ] is missing before it"},
    {"localtime = 0\n", "localtime =", 27, "near the end of the file: a value is a number"},
    {"localtime = 0\n", "localtime", 27, "near the end of the file: there is no = behind a key"},
    {"cap = 50", "cap = 50\ncap += \"a\"", 12, "cap"},
    /* unknown */
    {"vcpus = 1", "vcpu = 1", 6, "vcpu: unknown key; did you mean vcpus?"},
    {"memory = 128", "memroy = 128", 4, "memroy: unknown key; did you mean memory?"},
    {"vfb = []", "Disk = []", 26, "near `Disk'"},
    {"vfb = []", "disks = []", 26, "disks: unknown key; did you mean disk?"},
    {"vfb = []", "quux_and_more = 1", 26, "quux_and_more: unknown key"},
    {"vfb = []", "cpu_weigth = 1", 26, "did you mean cpu_weight?"},
    /* missing */
    {"name = \"web\";", "", 0, "name is missing"},
    {"memory = 128\nmaxmem = '0x100' # hexadecimal\n", "", 0, "memory is missing"},
    /* the wrong kind of value */
    {"name = \"web\"", "name = [ \"web\" ]", 2, "name: a list, where one value is wanted"},
    {"memory = 128", "memory = [ 128 ]", 4, "memory: a list, where one value is wanted"},
    {"vfb = []", "bootloader = [ 'pygrub' ]", 26, "bootloader: a list"},
    {"disk = [ 'phy:/dev/no/such,xvda,w',\n  '/srv/x.iso,,hdc,cdrom', ] # the last\ndisk +=", "disk = '/a,,xvda'\nvnuma =", 19, "disk: one value, where a list is wanted"},
    {"vif = [ 'mac=00:16:3e:00:00:01, bridge=br0 , rate=1MB/s, ip=10.0.0.1'\n  , 'vifname=web1, script=vif-own' ]", "vif = 1", 22, "vif: one value, where a list is wanted"},
    {"  , 'vifname=web1, script=vif-own' ]", "  , [ 'vifname=web1' ] ]", 23, "vif: a list in a list"},
    {"  5 ]", "  [ 5 ] ]", 9, "cpus: a list in a list"},
    {"name = \"web\"", "name = \"w\xff\"", 2, "name: 'w?' is no line of text"},
    {"extra = 'console", "extra = 'h\x8a\x95" "console", 15, "extra: "},
    {"extra = 'console", "extra = '\xc1\x81" "console", 15, "extra: "},
    {"extra = 'console", "extra = '\xef\xbf\xbe" "console", 15, "extra: "},
    {"extra = 'console", "extra = '\x01" "console", 15, "extra: "},
    /* values and limits */
    {"name = \"web\"", "name = \"my web\"", 2, "name: 'my web'"},
    {"name = \"web\"", "name = \"\"", 2, "name: ''"},
    {"name = \"web\"", "name = \"7\"", 2, "not a number alone"},
    {"name = \"web\"", "name = \"Domain-0\"", 2, "control domain"},
    {"89abcdef'", "89abcde'", 2, "uuid: "},
    {"type = \"pv\"", "type = \"hvm\"", 3, "use pvh"},
    {"type = \"pv\"", "builder = \"hvm\"", 3, "builder: hvm: no firmware"},
    {"type = \"pv\"", "type = \"lxc\"", 3, "type: 'lxc' is not accepted; accepted: pv, pvh"},
    {"memory = 128", "memory = \"128M\"", 4, "memory: '128M' is no whole number: MiB, without a unit"},
    {"memory = 128", "memory = \"\"", 4, "memory: '' is no whole number"},
    {"memory = 128", "memory = 0", 4, "memory: 0 MiB"},
    {"memory = 128", "memory = 1", 4, "memory: 1 MiB (1024 KiB) is not between 2 MiB and maxmem"},
    {"memory = 128", "memory = 257", 4, "memory: 257 MiB (263168 KiB) is not between 2 MiB and maxmem"},
    {"memory = 128", "memory = 99999999999999999999", 4, "is more than 16777216"},
    {"'0x100'", "0", 5, "maxmem: 0 MiB"},
    {"'0x100'", "'many'", 5, "maxmem: 'many'"},
    {"'0x100'", "16777217", 5, "maxmem: 16777217 is more than"},
    {"memory = 128\nmaxmem = '0x100' # hexadecimal\n", "memory = 1\n", 4, "memory: 1 MiB (1024 KiB) is not between 2 MiB and 16 TiB"},
    {"vcpus = 1\nmaxvcpus = 2", "vcpus = 65", 6, "vcpus: 65 is not between 1 and 64"},
    {"vcpus = 1", "vcpus = 0", 6, "vcpus: 0 is not between 1 and 2"},
    {"vcpus = 1", "vcpus = 3", 6, "vcpus: 3 is not between 1 and 2"},
    {"vcpus = 1", "vcpus = \"two\"", 6, "vcpus: 'two'"},
    {"maxvcpus = 2", "maxvcpus = 65", 7, "maxvcpus: 65 is not between 1 and 64"},
    {"maxvcpus = 2", "maxvcpus = \"x\"", 7, "maxvcpus: 'x'"},
    {"0-3,^2", "3-0", 8, "cpus: '3-0': a range ends before it begins"},
    {"  5 ]", "  64 ]", 9, "cpus: '64': there is no CPU above 63"},
    {"  5 ]", "  5, 6 ]", 9, "cpus: vCPU 2 is not between 0 and 1"},
    {"[ \"0-3,^2\",\n  5 ]", "\"nodes:0\"", 8, "cpus: 'nodes:0'"},
    {"512", "0", 10, "cpu_weight: 0 is not between 1 and 65535"},
    {"512", "65536", 10, "cpu_weight: 65536 is more than 65535"},
    {"cap = 50", "cap = 201", 11, "cap: 201 % of a CPU is more than the 200 %"},
    {"cap = 50", "cap = 'half'", 11, "cap: 'half'"},
    {"\"destroy\"", "\"coredump-destroy\"", 16, "on_poweroff: 'coredump-destroy'"},
    {"\"restart\"", "\"soft-reset\"", 17, "on_reboot: 'soft-reset' is not accepted"},
    {"\"preserve\"", "\"explode\"", 18, "on_crash: 'explode' is not accepted; accepted: destroy"},
    {"kernel = \"/boot/vmlinuz\"", "bootloader = 'lilo'", 12, "bootloader: 'lilo'"},
    {"32", "0", 24, "max_grant_frames: 0"},
    {"32", "1025", 24, "max_grant_frames: 1025 is more than 1024"},
    {"511", "4096", 25, "max_event_channels: 4096"},
    /* disks */
    {"xvda,w", "xvda,maybe", 19, ": r, w or rw"},
    {"xvda,w", "nvme0,w", 19, "target 'nvme0' is not accepted"},
    {"xvda,w", ",w", 19, "disk: "},
    {"phy:/dev/no/such,", ",,", 19, "disk: target: "},
    {"phy:/dev/no/such", "/a.qcow2,qcow2", 19, "images are raw"},
    {"phy:/dev/no/such", "/a.vhd,vhd", 19, "images are raw"},
    {"phy:/dev/no/such", "/a,zip", 19, "disk: "},
    {"xvda,w", "xvda,w,backend=storage", 19, "backend: back ends are in the control domain"},
    {"xvda,w", "xvda,w,script=block-x", 19, "disk: script: 'block-x': scripts are not run"},
    {"xvda,w", "xvda,w,colour=red", 19, "disk: "},
    {"phy:/dev", "drbd:res", 19, "scripts are not run"},
    {"sda1,r", "hdc,r", 21, "target 'hdc' is given twice"},
    {"phy:/dev/no/such,xvda,w", "target=/dev/no/such,vdev=xvda", 19, "target= takes all that is behind it, and so comes last"},
    {"phy:/dev/no/such,xvda,w", "phy:/dev/no/such", 19,
     "disk: no vdev specified in `phy:/dev/no/such': behind the format stands the disk's name: "},
    {"phy:/dev/no/such,xvda,w", "/srv/a.img,xvda,w", 19,
     "disk: unknown value for format: near `xvda' in `/srv/a.img,xvda,w': before the disk's name "
     "stands its format, raw, or nothing: '/srv/a.img,,xvda,w'"},
    {"phy:/dev/no/such,xvda,w'", "phy:/dev/no/such,xvda,w' 'phy:/x,xvdb,w'", 19, "a comma or a ] is missing"},
    {"phy:/dev/no/such,xvda,w'", "phy:/x,xvda,w', 'phy:/x,xvdb,r'", 19, "disk 'xvdb': /x is 'xvda' too, and may be written"},
    /* interfaces */
    {"mac=00:16:3e:00:00:01", "mac=00:16:3e:00:00", 22, "vif: mac: '00:16:3e:00:00'"},
    {"mac=00:16:3e:00:00:01", "mac=0016:3e:00:00:0:1", 22, "vif: mac"},
    {"mac=00:16:3e:00:00:01", "mac=01:16:3e:00:00:01", 22, "is a group address"},
    {"vifname=web1", "mac=00:16:3e:00:00:01", 23, "is given twice"},
    {"vifname=web1", "vifname=a/b", 23, "vif: vifname: 'a/b'"},
    {"vifname=web1", "vifname=", 23, "vif: vifname: ''"},
    {"vifname=web1", "vifname=.", 23, "vif: vifname: '.'"},
    {"vifname=web1", "bridge=..", 23, "vif: bridge: '..'"},
    {"vifname=web1", "bridge=0123456789abcdef", 23, "vif: bridge"},
    {"vifname=web1", "web1", 23, "vif: 'web1' is no KEY=VALUE"},
    {"vifname=web1", "ifname=web1", 23, "vif: 'ifname' is not known"},
    {"vif-own", "", 23, "vif: script: '' names no file"},
    {"vifname=web1", "backend=net", 23, "vif: backend"},
    {"1MB/s", "fast", 22, "vif: rate"},
    {"1MB/s", "0KB/s", 22, "vif: rate"},
    {"1MB/s", "9999GB/s", 22, "is not between 1 KiB and 4 GiB"},
    {"10.0.0.1", "10.0.0", 22, "vif: ip: '10.0.0' is no address"},
    /* refused by name */
    {"localtime = 0", "localtime = 1", 27, "localtime: a guest's clock is UTC"},
    {"vfb = []", "pci = [ '03:00.0' ]", 26, "pci: no device of the machine"},
    {"vfb = []", "usbdev = [ 'x' ]", 26, "usbdev: no device"},
    {"vfb = []", "driver_domain = 1", 26, "driver_domain: "},
    {"vfb = []", "vtpm = [ 'x' ]", 26, "vtpm: "},
    {"vfb = []", "p9 = [ 'x' ]", 26, "p9: "},
};
/* clang-format on */

static void refuses(void **state)
{

    (void)state;
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        const char *at = strstr(good, bads[i].from);
        struct domain_config c;
        struct findings f;
        unsigned int errors = 0;
        bool said = false;
        char *bad;

        if (!at)
            fail_msg("%s is not in the good file", bads[i].from);
        assert_true(asprintf(&bad, "%.*s%s%s", (int)(at - good), good, bads[i].to,
                             at + strlen(bads[i].from)) > 0);
        if (judge(bad, &c, &f) == 0) {
            domain_config_free(&c);
            fail_msg("accepted: %s -> %s", bads[i].from, bads[i].to);
        }
        for (size_t j = 0; j < f.nr; j++)
            errors += f.list[j].code != 0;
        if (errors != 1)
            fail_msg("%s -> %s: %u errors, the first: %s", bads[i].from, bads[i].to, errors,
                     f.list[0].text);
        for (size_t j = 0; j < f.nr && !said; j++)
            said = f.list[j].line == bads[i].line && strstr(f.list[j].text, bads[i].says);
        if (!said)
            fail_msg("%s -> %s: %zu, the first at line %ld: %s", bads[i].from, bads[i].to, f.nr,
                     f.nr ? f.list[0].line : 0, f.nr ? f.list[0].text : "");
        findings_free(&f);
        free(bad);
    }
}

/* Where each item of a list is, however often += goes on with it; what was given before it is not
 * counted. */
static void adds_to_a_list(void **state)
{
    struct domain_config c;
    struct findings f;

    (void)state;
    assert_int_equal(judge("name = \"a\"\nmemory = 64\nkernel = \"/k\"\n"
                           "vif = [ '',\n '' ]\nvif = [ '' ]\nvif += [ '',\n '' ]\nvif += [ '' ]\n",
                           &c, &f),
                     0);
    assert_int_equal(c.nr_nics, 4);
    assert_int_equal(c.nics[0].line, 6);
    assert_int_equal(c.nics[1].line, 7);
    assert_int_equal(c.nics[2].line, 8);
    assert_int_equal(c.nics[3].line, 9);
    domain_config_free(&c);
    findings_free(&f);
}

/* A file of all that fits: who looks for a key looks at each. */
static void too_many_keys(void **state)
{
    static const char *const parts[] = {"1,", "1,]\nx += [", "1]\ny = 1\nx = ["};
    char *text = malloc(CONFIG_MAX_FILE + 1);
    struct domain_config c;
    struct findings f;

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t len = (size_t)sprintf(text, "name = \"a\"\nmemory = 64\nkernel = \"/k\"\nx = [");

        while (len + strlen(parts[i]) <= CONFIG_MAX_FILE)
            len += (size_t)sprintf(text + len, "%s", parts[i]);
        assert_int_equal(judge(text, &c, &f), -E2BIG);
        assert_int_equal(f.nr, 1);
        assert_string_equal(f.list[0].text, "more than 4096 keys and items of lists");
        findings_free(&f);
    }
    free(text);
}

/* The string for which there is no memory, from now on; 0: there is for all. */
static size_t without;

char *__real_strndup(const char *text, size_t len);
char *__wrap_strndup(const char *text, size_t len);

char *__wrap_strndup(const char *text, size_t len)
{
    return without && --without == 0 ? NULL : __real_strndup(text, len);
}

/* Nothing that a file says is left out as there was no memory for it, nor what is wrong with it. */
static void no_memory_for_a_string(void **state)
{
    static const char wrong[] =
        "name = \"a\"\nmemory = 64\nkernel = \"/k\"\ndisk = [ '/a,,xvda,q' ]\n";
    struct domain_config c;
    struct findings f;
    size_t n;

    (void)state;
    for (n = 1;; n++) {
        without = n;
        if (judge(good, &c, &f) == 0)
            break;
        assert_int_equal(f.code, -ENOMEM);
        assert_int_equal(without, 0);
        findings_free(&f);
    }
    assert_in_range(n, 20, 60);
    assert_int_equal(without, 1); /* nothing was left out */
    domain_config_free(&c);
    findings_free(&f);
    for (n = 1; without == 0 || n == 1; n++) {
        without = n;
        assert_int_not_equal(judge(wrong, &c, &f), 0);
        findings_free(&f);
    }
    without = 0;
}

/* What comes from a command line, or from where a file is read, and not from a file of text: it
 * would be kept as XML that nobody reads, or as the path of something else. */
static void paths_that_cannot_be_kept(void **state)
{
    static const char *const odd[] = {"/srv/\xff.img", "/srv/a\x01", "/srv/a\x7f", "/srv/a "};
    char dir[] = "/tmp/parvis-test-XXXXXX", there[64], *here = getcwd(NULL, 0);
    struct domain_config c = {0};
    struct findings f = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char words[64];

        snprintf(words, sizeof(words), "access=w,vdev=xvda,target=%s", odd[i]);
        assert_int_equal(config_xl_disk(words, &c, &f), -EINVAL);
        assert_int_equal(f.nr, 1);
        assert_non_null(strstr(f.list[0].text,
                               i < 3 ? "' is no line of text in UTF-8" : "' ends with a blank"));
        domain_config_free(&c);
        findings_free(&f);
    }
    assert_non_null(mkdtemp(dir));
    snprintf(there, sizeof(there), "%s/\x01", dir);
    assert_int_equal(mkdir(there, 0700) | chdir(there), 0);
    assert_int_equal(judge("name = \"a\"\nmemory = 64\nkernel = \"k\"\n", &c, &f), -EINVAL);
    assert_int_equal(f.nr, 1);
    assert_int_equal(f.list[0].line, 3);
    findings_free(&f);
    assert_int_equal(chdir(here) | rmdir(there) | rmdir(dir), 0);
    free(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(adds_to_a_list),
                                       cmocka_unit_test(too_many_keys),
                                       cmocka_unit_test(no_memory_for_a_string),
                                       cmocka_unit_test(paths_that_cannot_be_kept)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
