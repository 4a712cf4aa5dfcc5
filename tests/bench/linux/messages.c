/* SPDX-License-Identifier: MIT */
/*
 * Processes that pass a message on: by pipes, in a ring, each with some memory that it reads in its
 * turn; and by UDP and TCP of this host.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

#define MOST 16
#define KIB  1024u

/* ---- a ring of processes: this one is the first, ring[i] is what the i-th reads from ---- */

static int ring[MOST][2];
static pid_t others[MOST];
static unsigned int members, bytes;
static char memory_read[64 * KIB];

static void pass(unsigned int i)
{
    char token;

    if (must(read(ring[i][0], &token, 1), "read") != 1)
        exit(0);
    for (unsigned int at = 0; at < bytes; at += 64)
        (void)((volatile char *)memory_read)[at];
    must(write(ring[(i + 1) % members][1], &token, 1), "write");
}

static void start_ring(unsigned int n, unsigned int reads)
{
    members = n;
    bytes = reads;
    for (unsigned int i = 0; i < n; i++)
        must(pipe(ring[i]), "pipe");
    for (unsigned int i = 1; i < n; i++) {
        others[i] = (pid_t)must(fork(), "fork");
        if (others[i])
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        memset(memory_read, (int)i, sizeof(memory_read));
        for (;;)
            pass(i);
    }
}

static void end_ring(void)
{
    for (unsigned int i = 1; i < members; i++) {
        kill(others[i], SIGKILL);
        must(waitpid(others[i], NULL, 0), "waitpid");
    }
    for (unsigned int i = 0; i < members; i++) {
        close(ring[i][0]);
        close(ring[i][1]);
    }
}

/* Once through all of them: so many switches as there are members. */
static void around(unsigned int times)
{
    times /= members;
    while (times--) {
        must(write(ring[1][1], "", 1), "write");
        must(read(ring[0][0], &(char){0}, 1), "read");
        for (unsigned int at = 0; at < bytes; at += 64)
            (void)((volatile char *)memory_read)[at];
    }
}

static void ring_2_0(void)
{
    start_ring(2, 0);
}

static void ring_2_64(void)
{
    start_ring(2, 64 * KIB);
}

static void ring_16_0(void)
{
    start_ring(16, 0);
}

static void ring_16_64(void)
{
    start_ring(16, 64 * KIB);
}

/* There and back: two switches. */
static void round_trip(unsigned int times)
{
    around(2 * times);
}

/* ---- sockets on loopback: a child sends back what comes ---- */

static int sock;
static pid_t echo;

static void loopback_up(void)
{
    int s = (int)must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

    must(ioctl(s, SIOCSIFFLAGS, &lo), "lo: SIOCSIFFLAGS");
    close(s);
}

static int bound(int type, struct sockaddr_in *at)
{
    int s = (int)must(socket(AF_INET, type, 0), "socket");
    socklen_t size = sizeof(*at);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    must(bind(s, (struct sockaddr *)at, size), "bind");
    must(getsockname(s, (struct sockaddr *)at, &size), "getsockname");
    return s;
}

static void connect_to(int s, const struct sockaddr_in *to)
{
    must(connect(s, (const struct sockaddr *)to, sizeof(*to)), "connect");
}

static void serve(int s)
{
    char byte;

    echo = (pid_t)must(fork(), "fork");
    if (echo)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (must(read(s, &byte, 1), "read") == 1)
        must(write(s, &byte, 1), "write");
    exit(0);
}

static void start_udp(void)
{
    struct sockaddr_in mine, theirs;
    int other;

    loopback_up();
    sock = bound(SOCK_DGRAM, &mine);
    other = bound(SOCK_DGRAM, &theirs);
    connect_to(sock, &theirs);
    connect_to(other, &mine);
    serve(other);
    close(other);
}

static void start_tcp(void)
{
    struct sockaddr_in at;
    int listener, other;

    loopback_up();
    listener = bound(SOCK_STREAM, &at);
    must(listen(listener, 1), "listen");
    sock = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    connect_to(sock, &at);
    other = (int)must(accept(listener, NULL, NULL), "accept");
    close(listener);
    must(setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), "TCP_NODELAY");
    must(setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), "TCP_NODELAY");
    serve(other);
    close(other);
}

static void stop_socket(void)
{
    kill(echo, SIGKILL);
    must(waitpid(echo, NULL, 0), "waitpid");
    close(sock);
}

static void there_and_back(unsigned int times)
{
    char byte = 0;

    while (times--) {
        must(write(sock, &byte, 1), "write");
        must(read(sock, &byte, 1), "read");
    }
}

const struct op messages[] = {
    {"pipe_round_trip", 500, round_trip, ring_2_0, end_ring},
    {"switch_2p_0k", 1000, around, ring_2_0, end_ring},
    {"switch_2p_64k", 1000, around, ring_2_64, end_ring},
    {"switch_16p_0k", 1600, around, ring_16_0, end_ring},
    {"switch_16p_64k", 1600, around, ring_16_64, end_ring},
    {"udp_round_trip", 500, there_and_back, start_udp, stop_socket},
    {"tcp_round_trip", 500, there_and_back, start_tcp, stop_socket},
    {NULL, 0, NULL, NULL, NULL},
};
