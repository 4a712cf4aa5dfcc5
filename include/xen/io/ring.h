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
 */
#ifndef XEN_IO_RING_H
#define XEN_IO_RING_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned int RING_IDX;

/* The greatest power of two that is not above x; folds to a constant for a constant x. */
#define __RD2(_x) (((_x) & 0x00000002) ? 0x2 : ((_x) & 0x1))
#define __RD4(_x) (((_x) & 0x0000000c) ? __RD2((_x) >> 2) << 2 : __RD2(_x))
#define __RD8(_x) (((_x) & 0x000000f0) ? __RD4((_x) >> 4) << 4 : __RD4(_x))
#define __RD16(_x) (((_x) & 0x0000ff00) ? __RD8((_x) >> 8) << 8 : __RD8(_x))
#define __RD32(_x) (((_x) & 0xffff0000) ? __RD16((_x) >> 16) << 16 : __RD16(_x))

/* Slots of ring type _s in _sz bytes: by type, for constants; by pointer to the shared ring. */
#define __CONST_RING_SIZE(_s, _sz)                                                           \
    (__RD32(((_sz)-offsetof(struct _s##_sring, ring)) /                                      \
            sizeof(((struct _s##_sring *)0)->ring[0])))
#define __RING_SIZE(_s, _sz)                                                                 \
    (__RD32(((_sz)-offsetof(__typeof__(*(_s)), ring)) / sizeof((_s)->ring[0])))

/* Declares the types of ring __name: <name>_sring (shared), <name>_front_ring, <name>_back_ring. */
#define DEFINE_RING_TYPES(__name, __req_t, __rsp_t)                                          \
    union __name##_sring_entry {                                                             \
        __req_t req;                                                                         \
        __rsp_t rsp;                                                                         \
    };                                                                                       \
    struct __name##_sring {                                                                  \
        RING_IDX req_prod, req_event;                                                        \
        RING_IDX rsp_prod, rsp_event;                                                        \
        union {                                                                              \
            struct {                                                                         \
                uint8_t smartpoll_active;                                                    \
            } netif;                                                                         \
            struct {                                                                         \
                uint8_t msg;                                                                 \
            } tapif_user;                                                                    \
            uint8_t pvt_pad[4];                                                              \
        } pvt;                                                                               \
        uint8_t __pad[44];                                                                   \
        union __name##_sring_entry ring[1]; /* as many as fit */                             \
    };                                                                                       \
    struct __name##_front_ring {                                                             \
        RING_IDX req_prod_pvt;                                                               \
        RING_IDX rsp_cons;                                                                   \
        unsigned int nr_ents;                                                                \
        struct __name##_sring *sring;                                                        \
    };                                                                                       \
    struct __name##_back_ring {                                                              \
        RING_IDX rsp_prod_pvt;                                                               \
        RING_IDX req_cons;                                                                   \
        unsigned int nr_ents;                                                                \
        struct __name##_sring *sring;                                                        \
    };                                                                                       \
    typedef struct __name##_sring __name##_sring_t;                                          \
    typedef struct __name##_front_ring __name##_front_ring_t;                                \
    typedef struct __name##_back_ring __name##_back_ring_t

/* Front end, once: empties the shared page, then attaches to it. */
#define SHARED_RING_INIT(_s)                                                                 \
    do {                                                                                     \
        (_s)->req_prod = (_s)->rsp_prod = 0;                                                 \
        (_s)->req_event = (_s)->rsp_event = 1;                                               \
        (void)memset((_s)->pvt.pvt_pad, 0, sizeof((_s)->pvt.pvt_pad));                       \
        (void)memset((_s)->__pad, 0, sizeof((_s)->__pad));                                   \
    } while (0)

/* Attach to a shared ring of __size bytes, at index _i (0 for a new one). */
#define FRONT_RING_ATTACH(_r, _s, _i, __size)                                                \
    do {                                                                                     \
        (_r)->req_prod_pvt = (_i);                                                           \
        (_r)->rsp_cons = (_i);                                                               \
        (_r)->nr_ents = __RING_SIZE(_s, __size);                                             \
        (_r)->sring = (_s);                                                                  \
    } while (0)
#define FRONT_RING_INIT(_r, _s, __size) FRONT_RING_ATTACH(_r, _s, 0, __size)
#define XEN_FRONT_RING_INIT(r, s, size)                                                      \
    do {                                                                                     \
        SHARED_RING_INIT(s);                                                                 \
        FRONT_RING_INIT(r, s, size);                                                         \
    } while (0)
#define BACK_RING_ATTACH(_r, _s, _i, __size)                                                 \
    do {                                                                                     \
        (_r)->rsp_prod_pvt = (_i);                                                           \
        (_r)->req_cons = (_i);                                                               \
        (_r)->nr_ents = __RING_SIZE(_s, __size);                                             \
        (_r)->sring = (_s);                                                                  \
    } while (0)
#define BACK_RING_INIT(_r, _s, __size) BACK_RING_ATTACH(_r, _s, 0, __size)

#define RING_SIZE(_r) ((_r)->nr_ents)
#define RING_FREE_REQUESTS(_r) (RING_SIZE(_r) - ((_r)->req_prod_pvt - (_r)->rsp_cons))
#define RING_FULL(_r) (RING_FREE_REQUESTS(_r) == 0)

/* What waits for the consumer; requests are bounded by the room that is left for responses. */
#define XEN_RING_NR_UNCONSUMED_RESPONSES(_r) ((_r)->sring->rsp_prod - (_r)->rsp_cons)
#define XEN_RING_NR_UNCONSUMED_REQUESTS(_r)                                                  \
    ({                                                                                       \
        unsigned int __shown = (_r)->sring->req_prod - (_r)->req_cons;                       \
        unsigned int __room = RING_SIZE(_r) - ((_r)->req_cons - (_r)->rsp_prod_pvt);         \
        __shown < __room ? __shown : __room;                                                 \
    })
#define RING_HAS_UNCONSUMED_RESPONSES(_r) (!!XEN_RING_NR_UNCONSUMED_RESPONSES(_r))
#define RING_HAS_UNCONSUMED_REQUESTS(_r) (!!XEN_RING_NR_UNCONSUMED_REQUESTS(_r))

/* A slot: to write in place; to take, copy it (the other side may change it under your eyes). */
#define RING_GET_REQUEST(_r, _idx) (&((_r)->sring->ring[((_idx) & (RING_SIZE(_r) - 1))].req))
#define RING_GET_RESPONSE(_r, _idx) (&((_r)->sring->ring[((_idx) & (RING_SIZE(_r) - 1))].rsp))
#define RING_COPY_(type, r, idx, dest)                                                       \
    do {                                                                                     \
        *(dest) = *(volatile __typeof__(dest))RING_GET_##type(r, idx);                       \
    } while (0)
#define RING_COPY_REQUEST(r, idx, req) RING_COPY_(REQUEST, r, idx, req)
#define RING_COPY_RESPONSE(r, idx, rsp) RING_COPY_(RESPONSE, r, idx, rsp)

/* True when an index makes no sense: the other side is broken or hostile, stop the ring. */
#define RING_REQUEST_CONS_OVERFLOW(_r, _cons) (((_cons) - (_r)->rsp_prod_pvt) >= RING_SIZE(_r))
#define RING_REQUEST_PROD_OVERFLOW(_r, _prod) (((_prod) - (_r)->rsp_prod_pvt) > RING_SIZE(_r))
#define RING_RESPONSE_PROD_OVERFLOW(_r, _prod) (((_prod) - (_r)->rsp_cons) > RING_SIZE(_r))

/* Show what was produced. */
#define RING_PUSH_REQUESTS(_r)                                                               \
    do {                                                                                     \
        xen_wmb();                                                                           \
        (_r)->sring->req_prod = (_r)->req_prod_pvt;                                          \
    } while (0)
#define RING_PUSH_RESPONSES(_r)                                                              \
    do {                                                                                     \
        xen_wmb();                                                                           \
        (_r)->sring->rsp_prod = (_r)->rsp_prod_pvt;                                          \
    } while (0)

/*
 * Show it, and say whether the consumer asked for an event in that range.
 * Race: the full barrier orders our index before our look at theirs; the consumer does the
 * same the other way round (RING_FINAL_CHECK), so that one of the two sees the other.
 */
#define RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(_r, _notify)                                     \
    do {                                                                                     \
        RING_IDX __old = (_r)->sring->req_prod;                                              \
        RING_IDX __new = (_r)->req_prod_pvt;                                                 \
        xen_wmb();                                                                           \
        (_r)->sring->req_prod = __new;                                                       \
        xen_mb();                                                                            \
        (_notify) = ((RING_IDX)(__new - (_r)->sring->req_event) < (RING_IDX)(__new - __old)); \
    } while (0)
#define RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(_r, _notify)                                    \
    do {                                                                                     \
        RING_IDX __old = (_r)->sring->rsp_prod;                                              \
        RING_IDX __new = (_r)->rsp_prod_pvt;                                                 \
        xen_wmb();                                                                           \
        (_r)->sring->rsp_prod = __new;                                                       \
        xen_mb();                                                                            \
        (_notify) = ((RING_IDX)(__new - (_r)->sring->rsp_event) < (RING_IDX)(__new - __old)); \
    } while (0)

/* Before sleeping: ask for an event at the next one, then look once more. */
#define RING_FINAL_CHECK_FOR_REQUESTS(_r, _work_to_do)                                       \
    do {                                                                                     \
        (_work_to_do) = RING_HAS_UNCONSUMED_REQUESTS(_r);                                    \
        if (_work_to_do)                                                                     \
            break;                                                                           \
        (_r)->sring->req_event = (_r)->req_cons + 1;                                         \
        xen_mb();                                                                            \
        (_work_to_do) = RING_HAS_UNCONSUMED_REQUESTS(_r);                                    \
    } while (0)
#define RING_FINAL_CHECK_FOR_RESPONSES(_r, _work_to_do)                                      \
    do {                                                                                     \
        (_work_to_do) = RING_HAS_UNCONSUMED_RESPONSES(_r);                                   \
        if (_work_to_do)                                                                     \
            break;                                                                           \
        (_r)->sring->rsp_event = (_r)->rsp_cons + 1;                                         \
        xen_mb();                                                                            \
        (_work_to_do) = RING_HAS_UNCONSUMED_RESPONSES(_r);                                   \
    } while (0)

#endif /* XEN_IO_RING_H */
