/* SPDX-License-Identifier: MIT */
/*
 * A TCG plugin for QEMU: how long the hypervisor keeps interrupts off.
 *
 * Interrupts are off whenever the hypervisor runs, but for the idle loop's `hlt`, or the `nop` that
 * it has in place of that after a frame that it cleared. So a stretch begins with the first block
 * of instructions in the hypervisor's part of the address space and ends with the first one
 * outside, or with one of these. A stretch is counted in instructions, the unit
 * of all figures under -icount, and belongs to the last hypercall handler (do_*) that it entered,
 * else to the function that it began in. What happens before the first guest runs is the start of
 * the machine and is not counted.
 *
 * For each of these names the report has the longest stretch, and in which functions it went:
 *
 *     LONGEST-INSTRUCTIONS NAME FUNCTION:INSTRUCTIONS ...
 *
 * With counts=FILE there is, for each CPU and each of these names, how many stretches there were
 * and how long: work and waiting apart. Who waits for another CPU says PAUSE in a loop, and how
 * often the loop turns is for QEMU to decide. So each turn, from one PAUSE to the next execution of
 * the same one, is waiting; the first and the last look are work, as they are there without a wait.
 *
 *     CPU NAME STRETCHES  MEAN 5% MEDIAN 95%  MEAN 5% MEDIAN 95%     (work, waiting; instructions)
 *
 * Lengths of LENGTHS instructions or more are counted as that; the means are of the true ones.
 *
 * Blocks are counted whole: one that a fault ends early counts for some instructions too many. Each
 * turn of a REP string instruction counts as one.
 *
 * Arguments: symbols=FILE (nm's output, of the image that runs), out=FILE and counts=FILE (written
 * when QEMU ends). On several CPUs QEMU is to run them in one thread.
 *
 * The declarations are those of the plugin interface of QEMU 7.2 (version 1), whose header is not
 * in Debian's packages.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*qemu_plugin_tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_exec_cb)(unsigned int vcpu, void *arg);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_trans_cb fn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_exec_cb fn,
                                          enum qemu_plugin_cb_flags flags, void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                               char **argv);

/* Slot 261 of every L4: the image, the CPUs' blocks with their first instructions of SYSCALL. */
#define HYPERVISOR_START 0xffff828000000000ull
#define HYPERVISOR_END   0xffff830000000000ull

#define MOST_SYMBOLS 8192
#define MOST_CPUS    64
#define SHOWN        10 /* functions of a stretch in the report */
#define COUNTED_CPUS 8
#define LENGTHS      8192 /* that are told apart */

/* How many of each length there were. */
struct lengths {
    uint64_t number, instructions;
    uint32_t times[LENGTHS + 1];
};

struct counts {
    struct lengths work, waiting;
};

struct symbol {
    uint64_t address;
    char name[64];
    uint64_t longest;          /* of the stretches with this name */
    unsigned int where[SHOWN]; /* functions in which it went, most first */
    uint64_t where_count[SHOWN];
    struct counts *counts[COUNTED_CPUS]; /* NULL: there was none */
};

/* A block of instructions, as translated. */
struct block {
    unsigned int symbol; /* the function it is part of; MOST_SYMBOLS: outside the hypervisor */
    uint32_t instructions;
    bool handler; /* begins a do_* */
    bool idles;   /* is of the idle loop, into which the start of the machine leads */
    bool halts;
    bool pauses;
};

struct stretch {
    uint64_t instructions;     /* 0: none is under way */
    uint64_t waited;           /* so many of them */
    const struct block *pause; /* the last one, */
    uint64_t paused_at;        /* after so many instructions */
    unsigned int name;
    bool named; /* by a handler */
    unsigned int touched[MOST_SYMBOLS], nr_touched;
    uint64_t count[MOST_SYMBOLS];
};

static struct symbol symbols[MOST_SYMBOLS];
static unsigned int nr_symbols;
static struct stretch stretches[MOST_CPUS];
static bool started; /* the idle loop was reached */
static const char *out_path, *counts_path;

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    return x->address < y->address ? -1 : x->address > y->address;
}

static bool read_symbols(const char *path)
{
    FILE *file = fopen(path, "r");
    char type;

    if (!file)
        return false;
    while (nr_symbols < MOST_SYMBOLS - 1 &&
           fscanf(file, "%" SCNx64 " %c %63s", &symbols[nr_symbols].address, &type,
                  symbols[nr_symbols].name) == 3)
        if (type == 't' || type == 'T')
            nr_symbols++;
    fclose(file);
    qsort(symbols, nr_symbols, sizeof(symbols[0]), by_address);
    return nr_symbols > 0;
}

static unsigned int symbol_of(uint64_t address)
{
    unsigned int low = 0, high = nr_symbols;

    while (low + 1 < high) {
        unsigned int middle = (low + high) / 2;

        if (symbols[middle].address <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Keeps the functions in which the longest stretch of a name went. */
static void note_where(struct symbol *s, const struct stretch *st)
{
    memset(s->where_count, 0, sizeof(s->where_count));
    for (unsigned int i = 0; i < st->nr_touched; i++) {
        uint64_t count = st->count[st->touched[i]];
        unsigned int at = SHOWN;

        while (at > 0 && s->where_count[at - 1] < count)
            at--;
        for (unsigned int k = SHOWN - 1; k > at; k--) {
            s->where[k] = s->where[k - 1];
            s->where_count[k] = s->where_count[k - 1];
        }
        if (at < SHOWN) {
            s->where[at] = st->touched[i];
            s->where_count[at] = count;
        }
    }
}

static void count_length(struct lengths *l, uint64_t instructions)
{
    l->number++;
    l->instructions += instructions;
    l->times[instructions < LENGTHS ? instructions : LENGTHS]++;
}

static void count_stretch(struct counts **counts, const struct stretch *st)
{
    if (!*counts)
        *counts = calloc(1, sizeof(**counts));
    if (!*counts)
        abort();
    count_length(&(*counts)->work, st->instructions - st->waited);
    count_length(&(*counts)->waiting, st->waited);
}

static void end_stretch(struct stretch *st)
{
    struct symbol *s = &symbols[st->name];
    unsigned int vcpu = (unsigned int)(st - stretches);

    if (vcpu < COUNTED_CPUS && started && st->instructions)
        count_stretch(&s->counts[vcpu], st);

    if (st->instructions > s->longest && started) {
        s->longest = st->instructions;
        note_where(s, st);
    }
    for (unsigned int i = 0; i < st->nr_touched; i++)
        st->count[st->touched[i]] = 0;
    st->nr_touched = 0;
    st->instructions = 0;
    st->waited = 0;
    st->pause = NULL;
    st->named = false;
}

static void note_pause(struct stretch *st, const struct block *b)
{
    if (st->pause == b)
        st->waited += st->instructions - st->paused_at;
    st->pause = b;
    st->paused_at = st->instructions;
}

static void run_block(unsigned int vcpu, void *arg)
{
    const struct block *b = arg;
    struct stretch *st = &stretches[vcpu % MOST_CPUS];

    if (b->symbol == MOST_SYMBOLS) {
        if (st->instructions)
            end_stretch(st);
        return;
    }
    if (b->idles && !started) {
        end_stretch(st);
        started = true;
    }
    if (b->handler || !st->instructions) {
        st->name = b->symbol;
        st->named = b->handler;
    }
    if (!st->count[b->symbol])
        st->touched[st->nr_touched++] = b->symbol;
    st->count[b->symbol] += b->instructions;
    st->instructions += b->instructions;
    if (b->pauses)
        note_pause(st, b);
    if (b->halts)
        end_stretch(st);
}

/* Both HLT and PAUSE end a block. */
static const uint8_t *last_instruction(const struct qemu_plugin_tb *tb, size_t n)
{
    return qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, n - 1));
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    size_t n = qemu_plugin_tb_n_insns(tb);
    struct block *b = calloc(1, sizeof(*b));

    (void)id;
    if (!b)
        abort();
    b->instructions = (uint32_t)n;
    b->symbol = MOST_SYMBOLS;
    if (address >= HYPERVISOR_START && address < HYPERVISOR_END) {
        const uint8_t *last = last_instruction(tb, n);

        b->symbol = symbol_of(address);
        b->handler =
            symbols[b->symbol].address == address && !strncmp(symbols[b->symbol].name, "do_", 3);
        b->pauses = last[0] == 0xf3 && last[1] == 0x90;
        b->idles = !strcmp(symbols[b->symbol].name, "machine_idle");
        b->halts = last[0] == 0xf4 || (b->idles && last[0] == 0x90);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, run_block, QEMU_PLUGIN_CB_NO_REGS, b);
}

static void report(void)
{
    FILE *out = fopen(out_path, "w");

    if (!out) {
        perror(out_path);
        return;
    }
    for (unsigned int i = 0; i < nr_symbols; i++) {
        const struct symbol *s = &symbols[i];

        if (!s->longest)
            continue;
        fprintf(out, "%" PRIu64 " %s", s->longest, s->name);
        for (unsigned int k = 0; k < SHOWN && s->where_count[k]; k++)
            fprintf(out, " %s:%" PRIu64, symbols[s->where[k]].name, s->where_count[k]);
        fputc('\n', out);
    }
    fclose(out);
}

/* The length that so many of a hundred do not exceed. */
static unsigned int percentile(const struct lengths *l, unsigned int hundredths)
{
    uint64_t below = 0;
    unsigned int length = 0;

    while (length < LENGTHS && (below += l->times[length]) * 100 < l->number * hundredths)
        length++;
    return length;
}

static void report_lengths(FILE *out, const struct lengths *l)
{
    fprintf(out, " %" PRIu64 " %u %u %u", l->instructions / l->number, percentile(l, 5),
            percentile(l, 50), percentile(l, 95));
}

static void report_counts(void)
{
    FILE *out = fopen(counts_path, "w");

    if (!out) {
        perror(counts_path);
        return;
    }
    for (unsigned int i = 0; i < nr_symbols; i++)
        for (unsigned int cpu = 0; cpu < COUNTED_CPUS; cpu++) {
            const struct counts *c = symbols[i].counts[cpu];

            if (!c)
                continue;
            fprintf(out, "%u %s %" PRIu64, cpu, symbols[i].name, c->work.number);
            report_lengths(out, &c->work);
            report_lengths(out, &c->waiting);
            fputc('\n', out);
        }
    fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    const char *symbol_path = NULL;

    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "symbols=", 8))
            symbol_path = argv[i] + 8;
        else if (!strncmp(argv[i], "out=", 4))
            out_path = strdup(argv[i] + 4);
        else if (!strncmp(argv[i], "counts=", 7))
            counts_path = strdup(argv[i] + 7);
    }
    if (!symbol_path || !out_path || !read_symbols(symbol_path)) {
        fprintf(stderr, "latency plugin: needs symbols=FILE and out=FILE\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    atexit(report);
    if (counts_path)
        atexit(report_counts);
    return 0;
}
