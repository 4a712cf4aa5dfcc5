/* SPDX-License-Identifier: MIT */
/*
 * Network interfaces: front end in the guest, back end where the network is.
 *
 * Two rings. tx: the guest asks to send a granted buffer and is told when it may have it back. rx:
 * it hands in empty granted buffers and gets them back filled. Named from the guest's side.
 *
 * Keys in xenstore. Back end: feature-rx-copy (always 1), feature-sg, feature-gso-tcpv4,
 * feature-gso-tcpv6, feature-no-csum-offload, feature-ipv6-csum-offload,
 * feature-split-event-channels, multi-queue-max-queues, feature-multicast-control. Front end:
 * tx-ring-ref, rx-ring-ref, event-channel (or event-channel-tx and -rx), request-rx-copy (1),
 * feature-rx-notify, feature-sg, and so on; mac is written by the tools.
 *
 * A packet is one slot, or several chained by *_more_data; after the first slot of it,
 * *_extra_info announces slots of type netif_extra_info. In tx the first slot's `size` is that of
 * the whole packet, the others' of their part; in rx each of its part.
 *
 * The control ring (hashes to choose a queue) is used by few; numbers and layouts follow below.
 */
#ifndef XEN_IO_NETIF_H
#define XEN_IO_NETIF_H

#include <xen/grant_table.h>
#include <xen/io/ring.h>

/* Slots that a packet may take at most, as every back end must cope with. */
#define XEN_NETIF_NR_SLOTS_MIN 18
#define XEN_NETIF_MAX_TX_SIZE 0xFFFF

#define _NETTXF_csum_blank 0
#define NETTXF_csum_blank (1U << _NETTXF_csum_blank) /* checksum not filled in yet */
#define _NETTXF_data_validated 1
#define NETTXF_data_validated (1U << _NETTXF_data_validated) /* no need to check it */
#define _NETTXF_more_data 2
#define NETTXF_more_data (1U << _NETTXF_more_data) /* the packet goes on in the next slot */
#define _NETTXF_extra_info 3
#define NETTXF_extra_info (1U << _NETTXF_extra_info) /* the next slot is a netif_extra_info */

struct netif_tx_request {
    grant_ref_t gref;
    uint16_t offset; /* in the page */
    uint16_t flags;  /* NETTXF_* */
    uint16_t id;     /* given back */
    uint16_t size;   /* bytes, see above */
};
typedef struct netif_tx_request netif_tx_request_t;

struct netif_tx_response {
    uint16_t id;
    int16_t status; /* NETIF_RSP_*; NULL for extra slots */
};
typedef struct netif_tx_response netif_tx_response_t;

struct netif_rx_request {
    uint16_t id; /* given back */
    uint16_t pad;
    grant_ref_t gref; /* an empty page, writable */
};
typedef struct netif_rx_request netif_rx_request_t;

#define _NETRXF_data_validated 0
#define NETRXF_data_validated (1U << _NETRXF_data_validated)
#define _NETRXF_csum_blank 1
#define NETRXF_csum_blank (1U << _NETRXF_csum_blank)
#define _NETRXF_more_data 2
#define NETRXF_more_data (1U << _NETRXF_more_data)
#define _NETRXF_extra_info 3
#define NETRXF_extra_info (1U << _NETRXF_extra_info)
#define _NETRXF_gso_prefix 4
#define NETRXF_gso_prefix (1U << _NETRXF_gso_prefix) /* the older way to tell of segmentation */

struct netif_rx_response {
    uint16_t id;
    uint16_t offset; /* in the page */
    uint16_t flags;  /* NETRXF_* */
    int16_t status;  /* bytes, or NETIF_RSP_* when negative */
};
typedef struct netif_rx_response netif_rx_response_t;

/* A slot of tx or rx that tells more about the packet. */
#define XEN_NETIF_EXTRA_TYPE_NONE 0
#define XEN_NETIF_EXTRA_TYPE_GSO 1       /* to be cut in segments */
#define XEN_NETIF_EXTRA_TYPE_MCAST_ADD 2 /* wants this multicast address */
#define XEN_NETIF_EXTRA_TYPE_MCAST_DEL 3
#define XEN_NETIF_EXTRA_TYPE_HASH 4
#define XEN_NETIF_EXTRA_TYPE_MAX 5
#define _XEN_NETIF_EXTRA_FLAG_MORE 0
#define XEN_NETIF_EXTRA_FLAG_MORE (1U << _XEN_NETIF_EXTRA_FLAG_MORE) /* another one follows */
#define XEN_NETIF_GSO_TYPE_NONE 0
#define XEN_NETIF_GSO_TYPE_TCPV4 1
#define XEN_NETIF_GSO_TYPE_TCPV6 2

struct netif_extra_info {
    uint8_t type;  /* XEN_NETIF_EXTRA_TYPE_* */
    uint8_t flags; /* XEN_NETIF_EXTRA_FLAG_* */
    union {
        struct {
            uint16_t size; /* of a segment's payload */
            uint8_t type;  /* XEN_NETIF_GSO_TYPE_* */
            uint8_t pad;
            uint16_t features; /* 0 */
        } gso;
        struct {
            uint8_t addr[6];
        } mcast;
        struct {
            uint8_t type;      /* _XEN_NETIF_CTRL_HASH_TYPE_* */
            uint8_t algorithm; /* XEN_NETIF_CTRL_HASH_ALGORITHM_* */
            uint8_t value[4];
        } hash;
        uint16_t pad[3];
    } u;
};
typedef struct netif_extra_info netif_extra_info_t;

#define NETIF_RSP_DROPPED (-2)
#define NETIF_RSP_ERROR (-1)
#define NETIF_RSP_OKAY 0
#define NETIF_RSP_NULL 1 /* no response: the slot was an extra one */

DEFINE_RING_TYPES(netif_tx, struct netif_tx_request, struct netif_tx_response);
DEFINE_RING_TYPES(netif_rx, struct netif_rx_request, struct netif_rx_response);

/* The control ring (feature-ctrl-ring): which hash the back end uses to choose a queue. */
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV4 0
#define XEN_NETIF_CTRL_HASH_TYPE_IPV4 (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV4)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP 1
#define XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV6 2
#define XEN_NETIF_CTRL_HASH_TYPE_IPV6 (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV6)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP 3
#define XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
#define XEN_NETIF_CTRL_HASH_ALGORITHM_NONE 0
#define XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ 1

#define XEN_NETIF_CTRL_TYPE_INVALID 0
#define XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS 1        /* -> types that can be set */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS 2        /* data[0]: types */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_KEY 3          /* data: grant, bytes */
#define XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE 4 /* -> entries */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE 5 /* data[0]: entries */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING 6      /* data: grant, entries, first */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM 7    /* data[0]: algorithm */
#define XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE 8
#define XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING 9
#define XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING 10
struct xen_netif_ctrl_request {
    uint16_t id;
    uint16_t type; /* XEN_NETIF_CTRL_TYPE_* */
    uint32_t data[3];
};

#define XEN_NETIF_CTRL_STATUS_SUCCESS 0
#define XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED 1
#define XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER 2
#define XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW 3
struct xen_netif_ctrl_response {
    uint16_t id;
    uint16_t type;
    uint32_t status; /* XEN_NETIF_CTRL_STATUS_* */
    uint32_t data;
};

#define _XEN_NETIF_CTRLF_GREF_readonly 0
#define XEN_NETIF_CTRLF_GREF_readonly (1U << _XEN_NETIF_CTRLF_GREF_readonly)
struct xen_netif_gref {
    grant_ref_t ref;
    uint16_t flags;
    uint16_t status; /* out */
};

DEFINE_RING_TYPES(xen_netif_ctrl, struct xen_netif_ctrl_request, struct xen_netif_ctrl_response);

#endif /* XEN_IO_NETIF_H */
