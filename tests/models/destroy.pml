/* SPDX-License-Identifier: MIT */
/*
 * The last reference to a dead domain. CPU 0 gives back a frame's reference under a lock that lies inside the domain, as a grant's
 * unmap does; CPU 1 ends domain_kill() with its own; CPU 2 looks the domain's id up.
 *
 * The rule: who takes a lock inside a domain holds a reference to it until after the unlock; the last reference hands the domain to
 * its CPU, which frees it on the exit path with no lock held.
 *
 * Shown: nobody touches what is freed, it is freed once, and in the end it is. Mutants: see models.py.
 */
#define NONE 255
byte refs = 2;                      /* d->refcount: the table's, and one of a frame that is still mapped */
bool listed = 1;                    /* domlist_lock */
bool freed;
byte grant_lock = NONE;             /* in the domain's memory */
byte domlist_lock = NONE;
byte dead[3];                       /* cpu->dead: what this CPU has to free; CPU_WORK_REAP */

#define lock(c, l) atomic { l == NONE -> l = c }
#define unlock(l) l = NONE

inline domain_free(c)
{
#ifdef M_FREE_FIRST
    freed = 1;
    lock(c, domlist_lock); listed = 0; unlock(domlist_lock)
#else
    lock(c, domlist_lock); listed = 0; unlock(domlist_lock);    /* model: domains_reap.unlist */
    assert(!freed);
    freed = 1                                                   /* model: domains_reap.free */
#endif
}

inline put_domain(c)
{
    assert(!freed);
    atomic { refs--; last = (refs == 0) };                      /* model: put_domain.drop */
    if
#ifdef M_DIRECT
    :: last -> domain_free(c)
#else
    :: last -> dead[c]++                                        /* model: put_domain.put_off */
#endif
    :: else
    fi;
    last = 0
}

inline domains_reap(c)
{
    do
    :: dead[c] -> dead[c]--; domain_free(c)
    :: else -> break
    od
}

inline unmap_frame(c)
{
#if defined(M_NO_REF) || defined(M_DIRECT)
    lock(c, grant_lock);
    put_domain(c);
    assert(!freed);
    unlock(grant_lock)
#else
    refs++;
    lock(c, grant_lock);
    put_domain(c);                                              /* put_page() of the last page */
    assert(!freed);
    unlock(grant_lock);
    put_domain(c)
#endif
}

inline look_up(c)
{
    lock(c, domlist_lock);
    if
    :: listed ->
        assert(!freed);
#ifdef M_NO_LOOK
        refs++; got = 1
#else
        atomic { got = (refs > 0); if :: got -> refs++ :: else fi }     /* model: get_domain.take */
#endif
    :: else
    fi;
    unlock(domlist_lock);
    if
    :: got -> lock(c, grant_lock); assert(!freed); unlock(grant_lock); put_domain(c)
    :: else
    fi
}

proctype cpu(byte c)
{
    bool last, got;

    if
    :: c == 0 -> unmap_frame(c)
    :: c == 1 -> put_domain(c)
    :: c == 2 -> look_up(c)
    fi;
    domains_reap(c)                 /* the exit path: no lock is held */
}

proctype monitor()
{
end_monitor:
    timeout -> assert(freed && !listed)
}

init { atomic { run cpu(0); run cpu(1); run cpu(2); run monitor() } }
