/* SPDX-License-Identifier: MIT */
/*
 * pvctl info: the machine and its hypervisor. Memory is exact, to the page.
 */
#include "pvctl.h"

static void print_json(const struct host_version *v, const struct host_physinfo *p)
{
    char version[64];

    snprintf(version, sizeof(version), "%u.%u%s", v->major, v->minor, v->extra);
    json_open('{');
    json_string("version", version);
    json_string("capabilities", v->capabilities);
    json_string("changeset", v->changeset);
    json_string("compiler", v->compiler);
    json_string("compile_date", v->compile_date);
    json_string("command_line", v->commandline);
    json_number("virt_start", v->virt_start);
    json_number("cpus", p->nr_cpus);
    json_number("cores_per_socket", p->cores_per_socket);
    json_number("threads_per_core", p->threads_per_core);
    json_number("cpu_khz", p->cpu_khz);
    json_number("total_memory_kib", p->total_pages * 4);
    json_number("free_memory_kib", p->free_pages * 4);
    json_close('}');
}

static void print_text(const struct host_version *v, const struct host_physinfo *p)
{
    printf("%-16s %u.%u%s\n", "version", v->major, v->minor, v->extra);
    printf("%-16s %s\n", "capabilities", v->capabilities);
    printf("%-16s %s\n", "changeset", v->changeset);
    printf("%-16s %s\n", "compiler", v->compiler);
    printf("%-16s %s\n", "compile date", v->compile_date);
    printf("%-16s %s\n", "command line", v->commandline);
    printf("%-16s 0x%llx\n", "virtual start", (unsigned long long)v->virt_start);
    printf("%-16s %u (%u cores a socket, %u threads a core)\n", "CPUs", p->nr_cpus,
           p->cores_per_socket, p->threads_per_core);
    printf("%-16s %u.%03u MHz\n", "CPU clock", p->cpu_khz / 1000, p->cpu_khz % 1000);
    printf("%-16s %llu KiB\n", "total memory", (unsigned long long)p->total_pages * 4);
    printf("%-16s %llu KiB\n", "free memory", (unsigned long long)p->free_pages * 4);
}

int verb_info(const struct call *c)
{
    struct host_version v;
    struct host_physinfo p;
    struct error e = {0};
    int rc = c->h->ops->version(c->h, &v);

    rc = rc ? rc : c->h->ops->physinfo(c->h, &p);
    if (rc) {
        error_errno(&e, rc, "asking the hypervisor about the machine");
        return fail(&e);
    }
    if (c->options & OPT_JSON)
        print_json(&v, &p);
    else
        print_text(&v, &p);
    return EXIT_OK;
}
