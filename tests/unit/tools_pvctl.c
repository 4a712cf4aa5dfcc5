/* SPDX-License-Identifier: MIT */
/*
 * pvctl as a program: what it accepts on the command line, and in which words and with which exit
 * status it refuses the rest. There is no machine below: what is accepted ends with that.
 */
#define _GNU_SOURCE /* ptsname */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"
#include "error.h"

int pvctl_main(int argc, char **argv); /* main() of pvctl.c, by another name */

int host_open_xen(struct host **out, struct error *e)
{
    (void)out;
    return error_set(e, -ENODEV, "no machine");
}

#define FILES "tests/unit/config_files/"

static char said[4096];

/* The words of a line, at blanks; '' is an empty one. */
static int words(char *line, char *argv[16])
{
    int argc = 1;

    argv[0] = line; /* it has no use for its name */
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    argv[argc] = NULL;
    return argc;
}

/* Its exit status; what it prints is in said[]. */
static int run(const char *line)
{
    FILE *out = tmpfile();
    char copy[256], *argv[16];
    int status;
    pid_t pid;

    snprintf(copy, sizeof(copy), "%s", line);
    pid = fork();
    if (pid == 0) {
        int argc = words(copy, argv);

        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(out), STDERR_FILENO);
        exit(pvctl_main(argc, argv));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    rewind(out);
    said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
    fclose(out);
    return WEXITSTATUS(status);
}

static const struct {
    const char *line;
    int status;
    const char *says; /* the whole line, or its beginning */
} cases[] = {
    {"", 2, "usage: pvctl VERB"},
    {"help", 0, "usage: pvctl VERB"},
    {"--help", 0, "usage: pvctl VERB"},
    {"-h", 0, "usage: pvctl VERB"},
    {"--version", 0, "pvctl "},
    {"--version x", 2, "pvctl: one argument too many: x; `pvctl help` explains\n"},
    {"frobnicate", 2, "pvctl: unknown verb frobnicate; `pvctl help` explains\n"},
    {"''", 2, "pvctl: unknown verb ''; `pvctl help` explains\n"},
    {"help list", 0, "pvctl list [--unit UNIT] [--all] [--json] [NAME...]\n"},
    {"help frobnicate", 2, "pvctl help: unknown verb frobnicate; `pvctl help` lists them\n"},
    {"help lits", 2, "pvctl help: unknown verb lits: did you mean list? `pvctl help` lists them\n"},
    {"migrate web there", 2,
     "pvctl: there is no verb migrate here: there is no live migration yet\n"},
    {"snapshot-create-as web", 2, "pvctl: there is no verb snapshot-create-as here: images are "},
    {"help cpupool-list", 2, "pvctl help: there is no verb cpupool-list here: there is one pool "},
    {"domblkstat web", 2, "pvctl: there is no verb domblkstat here: `pvctl stats "},
    {"stop web", 2, "pvctl: there is no verb stop here: `pvctl shutdown NAME` asks a guest to end"},
    {"restart web", 2, "pvctl: there is no verb restart here: `pvctl reboot NAME` asks "},
    {"status", 2, "pvctl: there is no verb status here: `pvctl list` shows the domains, "},
    {"help rm", 2, "pvctl help: there is no verb rm here: `pvctl destroy NAME` ends a domain, "},
    {"create -d web.cfg", 2, "pvctl create: there is no option -d here: `pvctl check FILE` says "},
    {"sched -d web -w 5", 2, "pvctl sched: there is no option -d here: the domain is named "},
    {"hypervisor-cpu-compare", 2,
     "pvctl: there is no verb hypervisor-cpu-compare here: `pvctl info`"},
    {"domjobinfo web", 2, "pvctl: there is no verb domjobinfo here: there are no jobs"},
    {"start --domain web", 2, "pvctl start: there is no option --domain here: a domain is named "},
    {"schedinfo --domain web", 2, "pvctl sched: there is no option --domain here: the domain is "},
    {"attach-disk web /a xvdb --mode readonly", 2, "pvctl attach-disk: there is no option --mode "},
    {"save -c web f", 2, "pvctl save: there is no option -c here: it is not built yet\n"},
    {"create web.cfg memory=512", 2,
     "pvctl create: a key is set in its file, not behind it: memory=512; `pvctl help create` "},
    {"mem-set --live web 5", 2, "pvctl mem-set: there is no option --live here: it is done to "},
    {"rename a b c\033[2J", 2, "pvctl rename: one argument too many: c?[2J; `pvctl "},
    {"qemu-\033[2J", 2, "pvctl: there is no verb qemu-?[2J here: "},
    {"help qemu-\033[2J", 2, "pvctl help: there is no verb qemu-?[2J here: "},
    {"lisst\xc2\x9b", 2, "pvctl: unknown verb lisst?"},
    {"list --\033[2J", 2, "pvctl list: unknown option --?[2J; "},
    {"stat web", 2, "pvctl: there is no verb stat here: `pvctl top` shows "},
    {"ping web", 2, "pvctl: there is no verb ping here: `pvctl network-list` shows "},
    {"snapshot web", 2, "pvctl: there is no verb snapshot here: images are raw files "},
    {"list -l", 2, "pvctl list: there is no option -l here: `pvctl list --json` has it, "},
    {"dominfo --live web", 2,
     "pvctl dominfo: unknown option --live; `pvctl help dominfo` explains\n"},
    {"lsit", 2, "pvctl: unknown verb lsit: did you mean list? `pvctl help` lists all\n"},
    {"susspend web", 2, "pvctl: unknown verb susspend: did you mean suspend? `pvctl help` "},
    {"suspend", 2, "pvctl pause: either a name or --all; `pvctl help pause` explains\n"},
    {"suspend web db", 5, "pvctl: no machine\n"},
    {"vcpu-pin --help", 0, "pvctl pin NAME [VCPU] [CPUS]\n"},
    {"help sched-credit2", 0, "pvctl sched "},
    {"list --help", 0, "pvctl list [--unit UNIT] [--all] [--json] [NAME...]\n"},
    {"create --paused x.xml --help", 0, "pvctl create [--console]"},
    {"list --json -h", 0, "pvctl list [--unit UNIT] [--all] [--json] [NAME...]\n"},
    {"list --banana", 2, "pvctl list: unknown option --banana; `pvctl help list` explains\n"},
    {"list --jsn", 2,
     "pvctl list: unknown option --jsn (did you mean --json?); `pvctl help list` explains\n"},
    {"list --jsn=5", 2, "pvctl list: unknown option --jsn=5 (did you mean --json?); "},
    {"list -x", 2, "pvctl list: unknown option -x; "},
    {"list -jx", 2, "pvctl list: unknown option -x; "},
    {"list --help=5", 2, "pvctl list: there is no value to --help; "},
    {"info x", 2, "pvctl info: one argument too many: x; `pvctl help info` explains\n"},
    {"list -- -x", 5, "pvctl: no machine\n"},
    {"list ''", 2, "pvctl list: an argument is empty; `pvctl help list` explains\n"},
    {"save", 2, "pvctl save: missing argument NAME; "},
    {"restore", 2, "pvctl restore: missing argument FILE; "},
    {"restore x y", 2, "pvctl restore: one argument too many: y; "},
    {"restore web.save", 1,
     "pvctl: web.save: a domain cannot be restored yet, as none can be saved\n"},
    {"create", 2, "pvctl create: missing argument FILE; `pvctl help create` explains\n"},
    {"create --console a b", 2, "pvctl create: --console with more than one file; "},
    {"create -pc a b", 2, "pvctl create: --console with more than one file; "},
    {"create --name x a b", 2, "pvctl create: --name with more than one file; "},
    {"create --name 5 a", 5, "pvctl: no machine\n"},
    {"mem-set", 2, "pvctl mem-set: missing argument NAME; "},
    {"mem-set web", 2, "pvctl mem-set: missing argument SIZE; "},
    {"vcpu-set web", 2, "pvctl vcpu-set: missing argument N; "},
    {"sysrq web", 2, "pvctl sysrq: missing argument KEY; "},
    {"trigger a nmi 0 1", 2, "pvctl trigger: one argument too many: 1; "},
    {"list --unit MiB --json", 2, "pvctl list: --unit with --json, which is in KiB; "},
    {"dmesg -fc", 2, "pvctl dmesg: --follow with --clear; "},
    {"domxml-from-native", 2, "pvctl domxml-from-native: missing argument FILE; "},
    {"domxml-from-native xen-xm " FILES "pvh.cfg", 0, "<domain type='xen'>\n  <name>db</name>"},
    {"domxml-from-native " FILES "pvh.cfg", 0, "<domain type='xen'>\n  <name>db</name>"},
    {"domxml-from-native /no/such", 4, "pvctl: /no/such: No such file or directory\n"},
    {"domxml-from-native qemu x", 2, "pvctl domxml-from-native: the format is xen-xl, not qemu; "},
    {"create ''", 2, "pvctl create: an argument is empty; "},
    {"create --console --json a", 2, "pvctl create: --json with --console; "},
    {"destroy --all", 5, "pvctl: no machine\n"},
    {"destroy --all web", 2, "pvctl destroy: either a name or --all; "},
    {"destroy --json web", 2, "pvctl destroy: unknown option --json; "},
    {"save web", 2, "pvctl save: missing argument FILE; "},
    {"shutdown", 2, "pvctl shutdown: either a name or --all; "},
    {"shutdown --all web", 2, "pvctl shutdown: either a name or --all; "},
    {"shutdown --timeout", 2, "pvctl shutdown: missing value of --timeout; "},
    {"shutdown web --timeout 5", 5, "pvctl: no machine\n"},
    {"shutdown web --wait --timeout -1", 2,
     "pvctl shutdown: --timeout wants a number from 0 to 1000000, not -1; "},
    {"shutdown web --wait --timeout 5s", 2,
     "pvctl shutdown: --timeout wants a number from 0 to 1000000, not 5s; "},
    {"reboot web --wait --timeout 9999999", 2,
     "pvctl reboot: --timeout wants a number from 0 to 1000000, not 9999999; "},
    {"help stats", 0, "pvctl stats [--events] [--interval SECONDS]"},
    {"stats --interval 0", 2, "pvctl stats: --interval wants a number from 1 to 86400, not 0; "},
    {"stats --interval", 2, "pvctl stats: missing value of --interval; "},
    {"list --events", 2, "pvctl list: unknown option --events; "},
    {"help pin", 0, "pvctl pin NAME [VCPU] [CPUS]\n"},
    {"pin", 2, "pvctl pin: missing argument NAME; `pvctl help pin` explains\n"},
    {"vcpu-pin a 0 1 2-3", 2,
     "pvctl pin: where a vCPU runs is a must, not a wish: there is no soft affinity: 2-3; "},
    {"vcpu-pin -f a 0 1", 2, "pvctl pin: there is no option -f here: where a domain's kernel has "},
    {"setvcpus --ignore-host a 9", 2,
     "pvctl vcpu-set: there is no option --ignore-host here: how many CPUs the machine has "},
    {"shutdown -c web", 2, "pvctl shutdown: there is no option -c here: what a guest has been "},
    {"dumpxml --xpath //name web", 2,
     "pvctl dumpxml: there is no option --xpath here: `pvctl dumpxml NAME | xmllint --xpath "},
    {"sched-credit -t 5", 2, "pvctl sched: there is no option -t here: there is one pool; "},
    {"undefine --tpm web", 2,
     "pvctl undefine: there is no option --tpm here: a guest has neither "},
    {"pin a 0 ''", 2, "pvctl pin: an argument is empty; "},
    {"vcpu-list a ''", 2, "pvctl vcpu-list: an argument is empty; "},
    {"sched --weight 5", 2, "pvctl sched: --weight without a name; "},
    {"sched --cap 5", 2, "pvctl sched: --cap without a name; "},
    {"sched a --weight 0", 2, "pvctl sched: --weight wants a number from 1 to 65535, not 0; "},
    {"sched a --weight 65536", 2,
     "pvctl sched: --weight wants a number from 1 to 65535, not 65536; "},
    {"sched a --cap 6401", 2, "pvctl sched: --cap wants a number from 0 to 6400, not 6401; "},
    {"sched a --cap -1", 2, "pvctl sched: --cap wants a number from 0 to 6400, not -1; "},
    {"sched a --cap", 2, "pvctl sched: missing value of --cap; "},
    {"sched a --cap 5 --json", 2, "pvctl sched: --json where something is set; "},
    {"list --cap 5", 2, "pvctl list: unknown option --cap; "},
    {"sched a --weight 1 --cap 6400", 5, "pvctl: no machine\n"},
    {"sched a --weight=1 --cap=6400", 5, "pvctl: no machine\n"},
    {"sched -w 5 a b -c=7", 2, "pvctl sched: --cap wants a number from 0 to 6400, not =7; "},
    {"sched -w 5 a b -c7", 5, "pvctl: no machine\n"},
    {"sched a --weight=0", 2, "pvctl sched: --weight wants a number from 1 to 65535, not 0; "},
    {"sched a --cap=", 2, "pvctl sched: missing value of --cap; "},
    {"sched a --weig=5", 5, "pvctl: no machine\n"},
    {"sched a --weights=5", 2,
     "pvctl sched: unknown option --weights=5 (did you mean --weight?); "},
    {"shutdown a --wait=5", 2, "pvctl shutdown: there is no value to --wait; "},
    {"shutdown web --wait --timeout=5", 5, "pvctl: no machine\n"},
    {"pin a all 0", 5, "pvctl: no machine\n"},
    {"shutdown web --wait --timeout 5", 5, "pvctl: no machine\n"},
    {"shutdown --all", 5, "pvctl: no machine\n"},
    {"check", 2, "pvctl check: missing argument FILE; `pvctl help check` explains\n"},
    {"check --console a", 2, "pvctl check: unknown option --console; "},
    {"check /no/such", 4, "pvctl: /no/such: No such file or directory\n"},
    {"check " FILES "pvh.cfg", 0, FILES "pvh.cfg: db, kind pvh, is accepted\n"},
    {"check --strict " FILES "of-windows.cfg", 4, "pvctl: " FILES "of-windows.cfg:5: serial: "},
    {"check " FILES "unikernel.xml", 0, FILES "unikernel.xml: hello, kind pv, is accepted\n"},
    {"check --json " FILES "python.cfg " FILES "pvh.cfg", 4, "[\n  {\n    \"file\": \"" FILES},
    {"create --paused --console -", 5, "pvctl: no machine\n"},
    {"dmesg --clear", 5, "pvctl: no machine\n"},
    {"console web", 5, "pvctl: no machine\n"}, /* and not what becomes of its daemon */
    {"log web db", 5, "pvctl: no machine\n"},
    {"events -n 1", 5, "pvctl: no machine\n"},
};

static void command_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = run(cases[i].line);

        if (status != cases[i].status || strncmp(said, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("`pvctl %s` ended with %d and said: %s", cases[i].line, status, said);
        if (status > 0 && i > 0 && strncmp(cases[i].line, "check -", 7) != 0)
            assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); /* one line */
    }
}

/* What it prints to a terminal. */
static void run_at_a_terminal(char *line, char *shown, size_t size)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), status;
    char *argv[16];
    size_t len = 0;
    ssize_t n;
    pid_t pid;

    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        skip();
    pid = fork();
    if (pid == 0) {
        int argc = words(line, argv);

        dup2(open(ptsname(terminal), O_RDWR | O_NOCTTY), STDOUT_FILENO);
        exit(pvctl_main(argc, argv));
    }
    /* It comes in pieces, and ends in an error: nobody has the terminal any more. */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    while ((n = read(terminal, shown + len, size - 1 - len)) > 0)
        len += (size_t)n;
    shown[len] = '\0';
    close(terminal);
}

/* Characters that a terminal obeys and that are text in XML and JSON are written in their own way
 * there, in a file's name too; as they are, in other programs' texts, a terminal is not shown them.
 */
static void what_terminals_obey(void **state)
{
    static const char document[] =
        "<domain type='xen'><name>web</name><title>\xc2\x9b"
        "2J</title><metadata><a>\xc2\x9b"
        "5n</a></metadata><memory>65536</memory><os><type>linux</type><kernel>/k</kernel></os>"
        "</domain>";
    char path[] = "/tmp/parvis-\xc2\x9b-XXXXXX", line[64], shown[4096];
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, document, sizeof(document) - 1), sizeof(document) - 1);
    close(fd);
    snprintf(line, sizeof(line), "domxml-from-native %s", path);
    assert_int_equal(run(line), 0);
    assert_non_null(strstr(said, "<title>&#x9b;2J</title>\n"));
    assert_non_null(strstr(said, "<a>\xc2\x9b"
                                 "5n</a>"));
    run_at_a_terminal(line, shown, sizeof(shown));
    unlink(path);
    assert_non_null(strstr(shown, "<title>&#x9b;2J</title>"));
    assert_non_null(strstr(shown, "<a>?5n</a>"));
    snprintf(line, sizeof(line), "check --json %s", path);
    assert_int_equal(run(line), 4);
    assert_non_null(strstr(said, "\"file\": \"/tmp/parvis-\\u009b-"));
}

/* Of several files all is said, and one that is not accepted is told by the status. */
static void several_files(void **state)
{
    (void)state;
    assert_int_equal(
        run("check " FILES "xen-tools.cfg " FILES "other-hypervisor.xml " FILES "pvh.cfg"), 4);
    assert_non_null(strstr(said, "pvctl: " FILES "xen-tools.cfg:38: note: dhcp: "));
    assert_non_null(strstr(said, FILES "xen-tools.cfg: shop, kind pv, is accepted\n"));
    assert_non_null(strstr(said, "pvctl: " FILES "other-hypervisor.xml:1: attribute 'type'"));
    assert_non_null(strstr(said, FILES "pvh.cfg: db, kind pvh, is accepted\n"));
    assert_int_equal(run("check --json " FILES "xen-tools.cfg " FILES "pvh.cfg"), 0);
    assert_non_null(strstr(said, "\"accepted\": true"));
    assert_non_null(strstr(said, "\"line\": 38"));
    assert_non_null(strstr(said, "\"kind\": \"note\""));
    assert_non_null(strstr(said, "\"findings\": []"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(command_lines),
                                       cmocka_unit_test(what_terminals_obey),
                                       cmocka_unit_test(several_files)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
