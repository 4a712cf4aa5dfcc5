/* SPDX-License-Identifier: MIT */
/*
 * pvctl info: the machine and its hypervisor. Memory is exact, to the page. How busy a CPU is, is
 * what it was not idle of a moment that the command waits for.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "cpuset.h"
#include "machine_lacks.h"
#include "pvctl.h"

#define MOMENT_NS           200000000l
#define NO_WORD(name, word) ",no-" word
#define SPEC_CTRL_TEXT      sizeof("default" SPEC_MEASURES(NO_WORD))

struct machine {
    struct host_version v;
    struct host_physinfo p;
    char model[HOST_CPU_MODEL];
    bool tells; /* of speculation; Xen does not */
    struct parvis_sysctl_speculation speculation;
    unsigned int nr_cpus;
    uint64_t idle_ns[CPUSET_CPUS];  /* since the start */
    unsigned int busy[CPUSET_CPUS]; /* hundredths of the moment */
};

static int ask_cpus(struct host *h, struct machine *m)
{
    const struct timespec moment = {.tv_nsec = MOMENT_NS};
    uint64_t before[CPUSET_CPUS], passed = now_ns();
    unsigned int nr;
    int rc = h->ops->cpu_idle(h, before, CPUSET_CPUS, &nr);

    if (rc)
        return rc;
    nanosleep(&moment, NULL);
    rc = h->ops->cpu_idle(h, m->idle_ns, CPUSET_CPUS, &m->nr_cpus);
    passed = now_ns() - passed;
    m->nr_cpus = nr < m->nr_cpus ? nr : m->nr_cpus;
    for (unsigned int i = 0; i < m->nr_cpus && rc == 0; i++) {
        uint64_t idle = m->idle_ns[i] - before[i];

        m->busy[i] = idle < passed ? (unsigned int)(100 * (passed - idle) / passed) : 0;
    }
    return rc;
}

static int ask(struct host *h, struct machine *m)
{
    int rc = h->ops->version(h, &m->v);

    rc = rc ? rc : h->ops->physinfo(h, &m->p);
    rc = rc ? rc : h->ops->cpu_model(h, m->model);
    if (!rc) {
        rc = h->ops->speculation(h, &m->speculation);
        m->tells = rc == 0;
        rc = rc == -EOPNOTSUPP ? 0 : rc;
    }
    return rc ? rc : ask_cpus(h, m);
}

/* Words of sets (parvis/speculation.h). */
typedef const char *(*word_fn)(unsigned int n);

static void json_set(const char *key, uint32_t set, word_fn word)
{
    json_key(key);
    json_open('[');
    for (unsigned int i = 0; set >> i; i++)
        if (set >> i & 1)
            json_item(word(i));
    json_close(']');
}

static void print_set(const char *what, uint32_t set, word_fn word, const char *why)
{
    printf("%-16s", what);
    for (unsigned int i = 0; set >> i; i++)
        if (set >> i & 1)
            printf(" %s", word(i));
    printf("%s%s\n", set ? "" : " none", why);
}

/* In the words of parvis.cfg; those that the last yes or no leaves as they are, are not among them.
 */
static void spec_ctrl_text(const struct parvis_sysctl_speculation *s, char *text, size_t size)
{
    bool no = (s->off | s->on) == ~0u;
    size_t n = (size_t)snprintf(text, size, "%s", no ? "no" : s->off | s->on ? "yes" : "default");

    for (unsigned int i = 0; i < NR_MEASURES; i++) {
        bool off = !no && s->off >> i & 1;

        if (off || s->on >> i & 1)
            n += (size_t)snprintf(text + n, size - n, ",%s%s", off ? "no-" : "",
                                  spec_measure_word(i));
    }
}

static void print_threads(unsigned int run, unsigned int left_alone)
{
    printf("%-16s ", "smt");
    if (run)
        printf("%u CPU%s second thread%s of a core\n", run, run == 1 ? " is the" : "s are",
               run == 1 ? "" : "s");
    else if (left_alone)
        printf("off: %u second thread%s left alone (smt = no)\n", left_alone,
               left_alone == 1 ? " is" : "s are");
    else
        printf("no CPU is the second thread of a core\n");
}

static void json_speculation(const struct machine *m)
{
    const struct parvis_sysctl_speculation *s = &m->speculation;
    char asked[SPEC_CTRL_TEXT];

    json_key("speculation");
    json_open('{');
    json_bool("emulated", m->p.emulated);
    json_set("affected", s->affected, spec_hole_word);
    json_set("open", s->open, spec_hole_word);
    json_set("measures", s->measures, spec_measure_word);
    spec_ctrl_text(s, asked, sizeof(asked));
    json_string("spec_ctrl", asked);
    json_number("second_threads", s->second_threads);
    json_number("threads_left_alone", s->threads_left_alone);
    json_close('}');
}

static void print_speculation(const struct machine *m)
{
    const struct parvis_sysctl_speculation *s = &m->speculation;
    char asked[SPEC_CTRL_TEXT];

    print_set("affected by", s->affected, spec_hole_word,
              m->p.emulated ? " (QEMU's emulation: its CPUs are none)" : "");
    print_set("still open", s->open, spec_hole_word, "");
    print_set("mitigations", s->measures, spec_measure_word, "");
    spec_ctrl_text(s, asked, sizeof(asked));
    printf("%-16s %s\n", "spec-ctrl", asked);
    print_threads(s->second_threads, s->threads_left_alone);
}

static void json_cpus(const struct machine *m)
{
    json_key("cpu");
    json_open('[');
    for (unsigned int i = 0; i < m->nr_cpus; i++) {
        json_open('{');
        json_number("id", i);
        json_number("busy_percent", m->busy[i]);
        json_number("idle_time_ns", m->idle_ns[i]);
        json_close('}');
    }
    json_close(']');
}

static void print_json(const struct machine *m)
{
    const struct host_version *v = &m->v;
    const struct host_physinfo *p = &m->p;
    char version[64];

    snprintf(version, sizeof(version), "%u.%u%s", v->major, v->minor, v->extra);
    json_open('{');
    json_string("version", version);
    json_string("capabilities", v->capabilities);
    json_bool("full_virtualization", !machine_lacks(p));
    if (machine_lacks(p))
        json_string("lacks", machine_lacks(p));
    json_string("changeset", v->changeset);
    json_string("compiler", v->compiler);
    json_string("compile_date", v->compile_date);
    json_string("command_line", v->commandline);
    json_number("virt_start", v->virt_start);
    json_number("cpus", p->nr_cpus);
    json_number("cores_per_socket", p->cores_per_socket);
    json_number("threads_per_core", p->threads_per_core);
    json_string("cpu_model", m->model);
    json_number("cpu_khz", p->cpu_khz);
    json_cpus(m);
    if (m->tells)
        json_speculation(m);
    json_number("total_memory_kib", p->total_pages * 4);
    json_number("free_memory_kib", p->free_pages * 4);
    json_close('}');
}

static void print_text(const struct machine *m)
{
    const struct host_version *v = &m->v;
    const struct host_physinfo *p = &m->p;

    printf("%-16s %u.%u%s\n", "version", v->major, v->minor, v->extra);
    printf("%-16s %s\n", "capabilities", v->capabilities);
    printf("%-16s pv%s%s\n", "guests", machine_lacks(p) ? "; neither hvm nor pvh: " : ", hvm, pvh",
           machine_lacks(p) ? machine_lacks(p) : "");
    printf("%-16s %s\n", "changeset", v->changeset);
    printf("%-16s %s\n", "compiler", v->compiler);
    printf("%-16s %s\n", "compile date", v->compile_date);
    printf("%-16s %s\n", "command line", v->commandline);
    printf("%-16s 0x%llx\n", "virtual start", (unsigned long long)v->virt_start);
    printf("%-16s %u (%u core%s a socket, %u thread%s a core)\n", "CPUs", p->nr_cpus,
           p->cores_per_socket, p->cores_per_socket == 1 ? "" : "s", p->threads_per_core,
           p->threads_per_core == 1 ? "" : "s");
    printf("%-16s %s\n", "CPU model", m->model);
    printf("%-16s %u.%03u MHz\n", "CPU clock", p->cpu_khz / 1000, p->cpu_khz % 1000);
    if (m->tells)
        print_speculation(m);
    for (unsigned int i = 0; i < m->nr_cpus; i++)
        printf("CPU %-12u %3u %% busy, idle for %.1f s since the start\n", i, m->busy[i],
               (double)m->idle_ns[i] / 1e9);
    printf("%-16s %llu KiB\n", "total memory", (unsigned long long)p->total_pages * 4);
    printf("%-16s %llu KiB\n", "free memory", (unsigned long long)p->free_pages * 4);
}

static int run(const struct call *c)
{
    struct machine m;
    struct error e = {0};
    int rc = ask(c->h, &m);

    if (rc) {
        error_errno(&e, rc, "asking the hypervisor about the machine");
        return fail(&e);
    }
    if (c->options & OPT_JSON)
        print_json(&m);
    else
        print_text(&m);
    return EXIT_OK;
}

const struct verb verb_info = {
    .name = "info",
    .options = OPT_JSON,
    .run = run,
    .summary = "show version, CPUs and memory of the machine",
    .help =
        "How busy each CPU is, is measured during a fifth of a second; pvctl itself runs on one.\n",
    .examples = "pvctl info\n"
                "pvctl info --json\n",
};
