/* SPDX-License-Identifier: MIT */
/*
 * The console of hello: a line editor that knows backspace, and a table of commands. Each
 * command is a name, one line of help, and a function of the rest of the line.
 */
#include <guest/console.h>
#include <guest/kernel.h>
#include <guest/time.h>
#include <guest/xenbus.h>

#include "hello.h"

static void cmd_help(const char *args);

static void cmd_echo(const char *args)
{
    printf("%s\n", args);
}

static void cmd_date(const char *args)
{
    (void)args;
    print_date();
}

static void cmd_mem(const char *args)
{
    (void)args;
    printf("mem: %lu pages, %lu free\n", nr_pfns, pages_available());
}

static void cmd_cmdline(const char *args)
{
    (void)args;
    printf("%.*s\n", (int)sizeof(start_info->cmd_line), (const char *)start_info->cmd_line);
}

static void failed(const char *what, int rc)
{
    if (rc == -XEN_ENODEV)
        printf("%s: this guest has no store\n", what);
    else
        printf("%s: error %d\n", what, -rc);
}

static void cmd_ls(const char *args)
{
    static char names[2048];
    char home[64] = "/local/domain/";
    size_t n = strlen(home);
    int len;

    if (!*args && xenbus_read(XBT_NIL, "domid", home + n, sizeof(home) - n) >= 0)
        args = home;
    len = xenbus_directory(XBT_NIL, args, names, sizeof(names));
    if (len < 0)
        failed("ls", len);
    for (int i = 0; i < len; i += (int)strlen(names + i) + 1)
        printf("%s\n", names + i);
}

static void cmd_read(const char *args)
{
    static char value[2048];
    int rc = xenbus_read(XBT_NIL, args, value, sizeof(value));

    if (rc < 0)
        failed("read", rc);
    else
        printf("%s\n", value);
}

static uint64_t number(const char *args)
{
    uint64_t n;

    return parse_number(args, strlen(args), &n) ? n : 0;
}

static void cmd_sleep(const char *args)
{
    time_sleep_ns(number(args) * 1000000);
    printf("slept\n");
}

static void cmd_flood(const char *args)
{
    unsigned long lines = number(args);

    for (unsigned long i = 1; i <= lines; i++)
        printf("flood line %lu\n", i);
}

static void cmd_spin(const char *args)
{
    uint64_t end = time_system_ns() + number(args) * 1000000;

    while (time_system_ns() < end)
        cpu_relax();
    printf("spun\n");
}

static void cmd_crash(const char *args)
{
    volatile uintptr_t nowhere = 8; /* nothing is mapped there: an unhandled page fault */

    (void)args;
    *(volatile int *)nowhere = 1;
}

static void cmd_panic(const char *args)
{
    panic("%s", *args ? args : "on request");
}

static void cmd_poweroff(const char *args)
{
    (void)args;
    printf("bye\n");
    shutdown_domain(SHUTDOWN_poweroff);
}

static void cmd_reboot(const char *args)
{
    (void)args;
    printf("see you\n");
    shutdown_domain(SHUTDOWN_reboot);
}

static const struct command {
    const char *name, *help;
    void (*run)(const char *args);
} commands[] = {
    {"help", "this list", cmd_help},
    {"echo", "TEXT  print it", cmd_echo},
    {"date", "the time", cmd_date},
    {"mem", "memory", cmd_mem},
    {"cmdline", "the command line", cmd_cmdline},
    {"ls", "[PATH]  a directory of xenstore", cmd_ls},
    {"read", "PATH  a value of xenstore", cmd_read},
    {"sleep", "MS  sleep by the timer", cmd_sleep},
    {"spin", "MS  use the processor", cmd_spin},
    {"flood", "LINES  print that many lines", cmd_flood},
    {"crash", "touch unmapped memory", cmd_crash},
    {"panic", "[TEXT]  give up", cmd_panic},
    {"poweroff", "end the domain", cmd_poweroff},
    {"reboot", "end it, asking for a restart", cmd_reboot},
};

static void cmd_help(const char *args)
{
    (void)args;
    for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %-10s%s\n", commands[i].name, commands[i].help);
}

static void run_line(char *line)
{
    char *args = strchr(line, ' ');

    if (args)
        *args++ = '\0';
    for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, line)) {
            commands[i].run(args ? args : "");
            return;
        }
    }
    if (*line)
        printf("%s: unknown; try help\n", line);
}

void shell_prompt(void)
{
    printf("hello> ");
}

void shell_input(void)
{
    static char line[256];
    static size_t len;
    int c;

    while ((c = console_getc()) >= 0) {
        if (c == '\r' || c == '\n') {
            printf("\n");
            line[len] = '\0';
            len = 0;
            run_line(line);
            shell_prompt();
        } else if (c == 127 || c == 8) {
            if (len) {
                len--;
                printf("\b \b");
            }
        } else if (c >= ' ' && len + 1 < sizeof(line)) {
            line[len++] = (char)c;
            printf("%c", c);
        }
    }
}
