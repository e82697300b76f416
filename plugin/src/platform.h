/* Threads, clock, files and datagrams of Linux, macOS and Windows: as little of them as is needed. */
#ifndef CUEBRIDGE_PLATFORM_H
#define CUEBRIDGE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cb_thread cb_thread;
typedef struct cb_mutex cb_mutex;

cb_thread *cb_thread_start(void (*run)(void *), void *with);
void cb_thread_join(cb_thread *thread); /* and frees it */
cb_mutex *cb_mutex_new(void);
void cb_mutex_free(cb_mutex *mutex);
void cb_lock(cb_mutex *mutex);
void cb_unlock(cb_mutex *mutex);
void cb_sleep_ms(unsigned ms);

/* The clock of Python's time.perf_counter: CLOCK_MONOTONIC, mach_absolute_time, QueryPerformanceCounter.  May be read in the
 * audio thread. */
uint64_t cb_clock_ns(void);

bool cb_random(void *bytes, size_t count);

/* The file in which a running CueBridge says where it listens.  False where the user has no home. */
bool cb_link_path(char *path, size_t size);

/* At most `size` bytes of a file that belongs to this user alone; 0 where there is none. */
size_t cb_read_private(const char *path, uint8_t *bytes, size_t size);

/* A datagram socket to a port of 127.0.0.1, or -1. */
intptr_t cb_socket_open(uint16_t port);
void cb_socket_close(intptr_t socket);
void cb_socket_send(intptr_t socket, const uint8_t *bytes, size_t count);
/* Waits for a datagram; its size, 0 for none, -1 where nobody listens. */
int cb_socket_receive(intptr_t socket, uint8_t *bytes, size_t room, unsigned wait_ms);

#endif
