/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's first context (VCPUOP_initialise), given by two vCPUs of the domain at once while a third brings it up.
 *
 * Giving it a context takes a reference to a base table and names it in the vCPU. Shown: one of the two gives it, the other is told
 * that there is one; what comes up has its whole context; no reference is lost. Mutants: see runs.py.
 */
bool context_busy;
bool initialised;
bool registers;             /* the context's are in the vCPU */
byte base_table;            /* whose: 0 none */
byte refs;                  /* that base tables have */
bool down = 1;              /* VPF_down */
byte d_lock;                /* d->lock, by whom */
byte given, refused, up_refused;

inline set_context(c)
{
    refs++; base_table = c;                 /* model: pv_set_context.reference */
#ifdef M_SAID_EARLY
    initialised = 1;
#endif
    registers = 1;                          /* model: pv_set_context.registers */
    initialised = 1                         /* model: pv_set_context.said */
}

inline vcpu_set_context(c)
{
    do
#ifdef M_NO_BUSY
    :: 1 ->
#else
    :: atomic { !context_busy -> context_busy = 1 } ->      /* model: vcpu_set_context.taken */
#endif
        if
        :: initialised -> refused++         /* model: vcpu_set_context.look */
        :: else -> set_context(c); given++
        fi;
        context_busy = 0;                   /* model: vcpu_set_context.left */
        break
    :: atomic { context_busy -> skip }      /* -XEN_ERESTART: again */
    od
}

proctype initialiser(byte c) { vcpu_set_context(c) }

proctype upper()
{
    byte n;
    do
    :: n < 2 ->
        n++;
        atomic { d_lock == 0 -> d_lock = 1 };
        if
        :: initialised -> down = 0          /* model: up.look */
        :: else -> up_refused++
        fi;
        d_lock = 0
    :: else -> break
    od
}

proctype vcpu()
{
end_down:
    !down -> assert(registers && base_table != 0)
}

proctype monitor()
{
end_monitor:
    timeout -> assert(given == 1 && refused == 1 && refs == 1)
}

init { atomic { run initialiser(1); run initialiser(2); run upper(); run vcpu(); run monitor() } }
