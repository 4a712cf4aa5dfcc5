/* SPDX-License-Identifier: MIT */
/*
 * The ring that most paravirtual drivers speak through: requests one way, responses back, in one
 * or more granted pages and with one event channel.
 *
 * A page holds a header with four indices and then a power of two of slots, each the size of the
 * larger of request and response. Both directions use the same slots: the back end puts a
 * response only where it has taken a request. Indices run freely (modulo 2^32) and are
 * reduced by the number of slots when used.
 *
 *     producer private ->  *_prod_pvt   filled so far, not yet shown
 *     shared           ->  *_prod       shown to the consumer
 *     consumer private ->  *_cons       taken so far
 *     shared           ->  *_event      "send me an event when _prod reaches this"
 *
 * A front end sends:                             A back end serves:
 *   XEN_FRONT_RING_INIT(&r, page, 4096);           BACK_RING_INIT(&r, mapped_page, 4096);
 *   req = RING_GET_REQUEST(&r, r.req_prod_pvt);    do {
 *   *req = ...;                                        while (RING_HAS_UNCONSUMED_REQUESTS(&r)) {
 *   r.req_prod_pvt++;                                      xen_rmb();
 *   RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&r, n);            RING_COPY_REQUEST(&r, r.req_cons, &q);
 *   if (n)                                                 r.req_cons++; ... serve q ...
 *       send an event;                                 }
 *                                                      RING_FINAL_CHECK_FOR_REQUESTS(&r, more);
 *                                                  } while (more);
 * Responses go the same way back. A front end never has more requests out than there are slots
 * (RING_FULL), so there is always room for the response.
 *
 * Trust: the other side can write anything at any time. Copy a slot before you look at it
 * (RING_COPY_*), and distrust an index that claims more than fits (RING_*_OVERFLOW).
 * The user supplies xen_mb(), xen_rmb(), xen_wmb() and memset.
 *
 * Why four indices and not a count: each is written by one side alone, so none needs a
 * locked instruction; what orders them are the barriers. `prod` and `cons` may run to
 * 2^32 and over; differences are computed in unsigned arithmetic and are right all the
 * same.
 *
 * Why the private index: a front end may fill several slots (a packet, a batch) and
 * show them with one barrier and, at most, one event. Why the event index: who is
 * awake and looking needs no events; it sets `event` to what it waits for only when it
 * is about to sleep.
 *
 * The race that the last check is for, as two columns in time:
 *
 *     consumer                                producer
 *     sees nothing more
 *                                             prod = 5; event is 4: nobody wants an event
 *     event = 6; would sleep for ever
 *     -> therefore it looks at prod once more, behind a full barrier, and finds 5
 *
 * A ring of one page holds, for slots of n bytes, the greatest power of two that is at
 * most (4096 - 64) / n: 32 for block requests of 112 bytes, 256 for packets of 12 or
 * fewer.
 *
 * Setting a ring up. Front end: a zeroed page, XEN_FRONT_RING_INIT, grant it to the
 * back end's domain, an event channel, both numbers to xenstore, state Initialised.
 * Back end: map the grant, bind the channel, BACK_RING_INIT, state Connected. Taking
 * it down: front end waits until the back end is Closed, then revokes the grant.
 *
 * What a hostile other side can do, and what keeps it harmless:
 *
 *     change a slot after it was checked     copy it first, look at the copy alone
 *     claim a million requests               RING_REQUEST_PROD_OVERFLOW: stop serving the ring
 *     answer what was never asked            the id in the answer must be one that is out
 *     answer twice                           the same
 *     send events without end                look, find nothing, sleep again; or mask the port
 */
#ifndef XEN_IO_RING_H
#define XEN_IO_RING_H

#include <stddef.h>
#include <stdint.h>

/*
 * A position in the stream of requests or responses, not in the page: slot = index
 * modulo slots.
 */
typedef unsigned int RING_IDX;

/*
 * The greatest power of two that is not above x; folds to a constant for a constant x.
 *
 * A chain of halvings: each step keeps the upper half of what is left if a bit is set
 * there. Arrays whose size depends on it can so be declared, which a function would
 * not allow.
 */
#define __RD2(_x)  (((_x)&0x00000002) ? 0x2 : ((_x)&0x1))
#define __RD4(_x)  (((_x)&0x0000000c) ? __RD2((_x) >> 2) << 2 : __RD2(_x))
#define __RD8(_x)  (((_x)&0x000000f0) ? __RD4((_x) >> 4) << 4 : __RD4(_x))
#define __RD16(_x) (((_x)&0x0000ff00) ? __RD8((_x) >> 8) << 8 : __RD8(_x))
#define __RD32(_x) (((_x)&0xffff0000) ? __RD16((_x) >> 16) << 16 : __RD16(_x))

/*
 * Slots of ring type _s in _sz bytes: by type, for constants; by pointer to the shared
 * ring.
 *
 * The shared header is 64 bytes: four indices, four bytes for each protocol's own use,
 * and padding to a cache line. What is left is divided by the size of a slot and
 * rounded down.
 */
#define __CONST_RING_SIZE(_s, _sz)                                                                 \
    (__RD32(((_sz)-offsetof(struct _s##_sring, ring)) / sizeof(((struct _s##_sring *)0)->ring[0])))
#define __RING_SIZE(_s, _sz)                                                                       \
    (__RD32(((_sz)-offsetof(__typeof__(*(_s)), ring)) / sizeof((_s)->ring[0])))

/*
 * Declares the types of ring __name: <name>_sring (shared), <name>_front_ring,
 * <name>_back_ring.
 *
 * To be used once a protocol, as blkif.h and netif.h do at their ends. The types that
 * come of it:
 *
 *     union <name>_sring_entry     a slot: request and response in the same bytes
 *     struct <name>_sring          the page that both see
 *     struct <name>_front_ring     what the front end keeps for itself
 *     struct <name>_back_ring      what the back end keeps for itself
 *
 * `ring` is declared with one element and has as many as the page holds; nr_ents says
 * how many. The pvt bytes were used by experiments of two protocols, and are zero.
 */
#define DEFINE_RING_TYPES(__name, __req_t, __rsp_t)                                                \
    union __name##_sring_entry {                                                                   \
        __req_t req;                                                                               \
        __rsp_t rsp;                                                                               \
    };                                                                                             \
    struct __name##_sring {                                                                        \
        RING_IDX req_prod, req_event;                                                              \
        RING_IDX rsp_prod, rsp_event;                                                              \
        union {                                                                                    \
            struct {                                                                               \
                uint8_t smartpoll_active;                                                          \
            } netif;                                                                               \
            struct {                                                                               \
                uint8_t msg;                                                                       \
            } tapif_user;                                                                          \
            uint8_t pvt_pad[4];                                                                    \
        } pvt;                                                                                     \
        uint8_t __pad[44];                                                                         \
        union __name##_sring_entry ring[1]; /* as many as fit */                                   \
    };                                                                                             \
    struct __name##_front_ring {                                                                   \
        RING_IDX req_prod_pvt;                                                                     \
        RING_IDX rsp_cons;                                                                         \
        unsigned int nr_ents;                                                                      \
        struct __name##_sring *sring;                                                              \
    };                                                                                             \
    struct __name##_back_ring {                                                                    \
        RING_IDX rsp_prod_pvt;                                                                     \
        RING_IDX req_cons;                                                                         \
        unsigned int nr_ents;                                                                      \
        struct __name##_sring *sring;                                                              \
    };                                                                                             \
    typedef struct __name##_sring __name##_sring_t;                                                \
    typedef struct __name##_front_ring __name##_front_ring_t;                                      \
    typedef struct __name##_back_ring __name##_back_ring_t

/*
 * Front end, once: empties the shared page, then attaches to it.
 *
 * The event indices begin at 1: the first request and the first response cause an
 * event each, as both sides are asleep then.
 */
#define SHARED_RING_INIT(_s)                                                                       \
    do {                                                                                           \
        (_s)->req_prod = (_s)->rsp_prod = 0;                                                       \
        (_s)->req_event = (_s)->rsp_event = 1;                                                     \
        (void)memset((_s)->pvt.pvt_pad, 0, sizeof((_s)->pvt.pvt_pad));                             \
        (void)memset((_s)->__pad, 0, sizeof((_s)->__pad));                                         \
    } while (0)

/*
 * Attach to a shared ring of __size bytes, at index _i (0 for a new one).
 *
 * Attaching at another index than 0 is for a side that takes a living ring over, after
 * a resume or a restart of a back end: it goes on where the shared index stands.
 */
#define FRONT_RING_ATTACH(_r, _s, _i, __size)                                                      \
    do {                                                                                           \
        (_r)->req_prod_pvt = (_i);                                                                 \
        (_r)->rsp_cons = (_i);                                                                     \
        (_r)->nr_ents = __RING_SIZE(_s, __size);                                                   \
        (_r)->sring = (_s);                                                                        \
    } while (0)
#define FRONT_RING_INIT(_r, _s, __size) FRONT_RING_ATTACH(_r, _s, 0, __size)
#define XEN_FRONT_RING_INIT(r, s, size)                                                            \
    do {                                                                                           \
        SHARED_RING_INIT(s);                                                                       \
        FRONT_RING_INIT(r, s, size);                                                               \
    } while (0)
#define BACK_RING_ATTACH(_r, _s, _i, __size)                                                       \
    do {                                                                                           \
        (_r)->rsp_prod_pvt = (_i);                                                                 \
        (_r)->req_cons = (_i);                                                                     \
        (_r)->nr_ents = __RING_SIZE(_s, __size);                                                   \
        (_r)->sring = (_s);                                                                        \
    } while (0)
#define BACK_RING_INIT(_r, _s, __size) BACK_RING_ATTACH(_r, _s, 0, __size)

#define RING_SIZE(_r)          ((_r)->nr_ents)
#define RING_FREE_REQUESTS(_r) (RING_SIZE(_r) - ((_r)->req_prod_pvt - (_r)->rsp_cons))
#define RING_FULL(_r)          (RING_FREE_REQUESTS(_r) == 0)

/*
 * What waits for the consumer; requests are bounded by the room that is left for
 * responses.
 *
 * A response can only stand where a request stood, so the front end's answer needs no
 * bound; the back end's is bounded, so that a front end that overruns its own
 * responses gains nothing.
 */
#define XEN_RING_NR_UNCONSUMED_RESPONSES(_r) ((_r)->sring->rsp_prod - (_r)->rsp_cons)
#define XEN_RING_NR_UNCONSUMED_REQUESTS(_r)                                                        \
    ({                                                                                             \
        unsigned int __shown = (_r)->sring->req_prod - (_r)->req_cons;                             \
        unsigned int __room = RING_SIZE(_r) - ((_r)->req_cons - (_r)->rsp_prod_pvt);               \
        __shown < __room ? __shown : __room;                                                       \
    })
#define RING_HAS_UNCONSUMED_RESPONSES(_r) (!!XEN_RING_NR_UNCONSUMED_RESPONSES(_r))
#define RING_HAS_UNCONSUMED_REQUESTS(_r)  (!!XEN_RING_NR_UNCONSUMED_REQUESTS(_r))

/*
 * A slot: to write in place; to take, copy it (the other side may change it under your
 * eyes).
 *
 * The copy is read through a volatile pointer, so that a compiler cannot fetch a
 * member again from the page after it was checked. Never check in the slot and use
 * from the slot.
 */
#define RING_GET_REQUEST(_r, _idx)  (&((_r)->sring->ring[((_idx) & (RING_SIZE(_r) - 1))].req))
#define RING_GET_RESPONSE(_r, _idx) (&((_r)->sring->ring[((_idx) & (RING_SIZE(_r) - 1))].rsp))
#define RING_COPY_(type, r, idx, dest)                                                             \
    do {                                                                                           \
        *(dest) = *(volatile __typeof__(dest))RING_GET_##type(r, idx);                             \
    } while (0)
#define RING_COPY_REQUEST(r, idx, req)  RING_COPY_(REQUEST, r, idx, req)
#define RING_COPY_RESPONSE(r, idx, rsp) RING_COPY_(RESPONSE, r, idx, rsp)

/*
 * True when an index makes no sense: the other side is broken or hostile, stop the
 * ring.
 *
 * CONS: is there no room for a response to another request? PROD: does the other's
 * index claim more than the ring has slots? Both compare distances, so they hold over
 * the wrap of the index.
 */
#define RING_REQUEST_CONS_OVERFLOW(_r, _cons)  (((_cons) - (_r)->rsp_prod_pvt) >= RING_SIZE(_r))
#define RING_REQUEST_PROD_OVERFLOW(_r, _prod)  (((_prod) - (_r)->rsp_prod_pvt) > RING_SIZE(_r))
#define RING_RESPONSE_PROD_OVERFLOW(_r, _prod) (((_prod) - (_r)->rsp_cons) > RING_SIZE(_r))

/*
 * Show what was produced.
 *
 * The write barrier makes the slot's contents visible before the index that announces
 * it. These forms send no event: for callers who know that the other is awake, or that
 * send one anyhow.
 */
#define RING_PUSH_REQUESTS(_r)                                                                     \
    do {                                                                                           \
        xen_wmb();                                                                                 \
        (_r)->sring->req_prod = (_r)->req_prod_pvt;                                                \
    } while (0)
#define RING_PUSH_RESPONSES(_r)                                                                    \
    do {                                                                                           \
        xen_wmb();                                                                                 \
        (_r)->sring->rsp_prod = (_r)->rsp_prod_pvt;                                                \
    } while (0)

/*
 * Show it, and say whether the consumer asked for an event in that range.
 * Race: the full barrier orders our index before our look at theirs; the consumer does the
 * same the other way round (RING_FINAL_CHECK), so that one of the two sees the other.
 */
#define RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(_r, _notify)                                           \
    do {                                                                                           \
        RING_IDX __old = (_r)->sring->req_prod;                                                    \
        RING_IDX __new = (_r)->req_prod_pvt;                                                       \
        xen_wmb();                                                                                 \
        (_r)->sring->req_prod = __new;                                                             \
        xen_mb();                                                                                  \
        (_notify) = ((RING_IDX)(__new - (_r)->sring->req_event) < (RING_IDX)(__new - __old));      \
    } while (0)
#define RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(_r, _notify)                                          \
    do {                                                                                           \
        RING_IDX __old = (_r)->sring->rsp_prod;                                                    \
        RING_IDX __new = (_r)->rsp_prod_pvt;                                                       \
        xen_wmb();                                                                                 \
        (_r)->sring->rsp_prod = __new;                                                             \
        xen_mb();                                                                                  \
        (_notify) = ((RING_IDX)(__new - (_r)->sring->rsp_event) < (RING_IDX)(__new - __old));      \
    } while (0)

/*
 * Before sleeping: ask for an event at the next one, then look once more.
 *
 * When it says that there is more to do the caller goes round again, and when it says
 * that there is not, an event will come for the next one.
 */
#define RING_FINAL_CHECK_FOR_REQUESTS(_r, _work_to_do)                                             \
    do {                                                                                           \
        (_work_to_do) = RING_HAS_UNCONSUMED_REQUESTS(_r);                                          \
        if (_work_to_do)                                                                           \
            break;                                                                                 \
        (_r)->sring->req_event = (_r)->req_cons + 1;                                               \
        xen_mb();                                                                                  \
        (_work_to_do) = RING_HAS_UNCONSUMED_REQUESTS(_r);                                          \
    } while (0)
#define RING_FINAL_CHECK_FOR_RESPONSES(_r, _work_to_do)                                            \
    do {                                                                                           \
        (_work_to_do) = RING_HAS_UNCONSUMED_RESPONSES(_r);                                         \
        if (_work_to_do)                                                                           \
            break;                                                                                 \
        (_r)->sring->rsp_event = (_r)->rsp_cons + 1;                                               \
        xen_mb();                                                                                  \
        (_work_to_do) = RING_HAS_UNCONSUMED_RESPONSES(_r);                                         \
    } while (0)

#endif /* XEN_IO_RING_H */
