#if !defined(_WIN32) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE
#endif
#if defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
/* SystemFunction036: the system's source of random bytes, since Windows XP (RtlGenRandom). */
BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG count);
#else
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#endif
#ifdef __APPLE__
#include <mach/mach_time.h>
#endif

struct cb_thread {
  void (*run)(void *);
  void *with;
#ifdef _WIN32
  HANDLE handle;
#else
  pthread_t handle;
#endif
};

struct cb_mutex {
#ifdef _WIN32
  CRITICAL_SECTION section;
#else
  pthread_mutex_t mutex;
#endif
};

#ifdef _WIN32

static DWORD WINAPI begin(LPVOID with) {
  cb_thread *thread = with;
  thread->run(thread->with);
  return 0;
}

cb_thread *cb_thread_start(void (*run)(void *), void *with) {
  cb_thread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) return NULL;
  thread->run = run;
  thread->with = with;
  thread->handle = CreateThread(NULL, 0, begin, thread, 0, NULL);
  if (thread->handle != NULL) return thread;
  free(thread);
  return NULL;
}

void cb_thread_join(cb_thread *thread) {
  if (thread == NULL) return;
  WaitForSingleObject(thread->handle, INFINITE);
  CloseHandle(thread->handle);
  free(thread);
}

cb_mutex *cb_mutex_new(void) {
  cb_mutex *mutex = calloc(1, sizeof *mutex);
  if (mutex != NULL) InitializeCriticalSection(&mutex->section);
  return mutex;
}

void cb_mutex_free(cb_mutex *mutex) {
  if (mutex != NULL) DeleteCriticalSection(&mutex->section);
  free(mutex);
}

void cb_lock(cb_mutex *mutex) { EnterCriticalSection(&mutex->section); }
void cb_unlock(cb_mutex *mutex) { LeaveCriticalSection(&mutex->section); }
void cb_sleep_ms(unsigned ms) { Sleep(ms); }

uint64_t cb_clock_ns(void) {
  LARGE_INTEGER count, frequency;
  QueryPerformanceCounter(&count);
  QueryPerformanceFrequency(&frequency);
  uint64_t whole = (uint64_t)(count.QuadPart / frequency.QuadPart), rest = (uint64_t)(count.QuadPart % frequency.QuadPart);
  return whole * 1000000000u + rest * 1000000000u / (uint64_t)frequency.QuadPart;
}

bool cb_random(void *bytes, size_t count) { return SystemFunction036(bytes, (ULONG)count); }

bool cb_link_path(char *path, size_t size) {
  const char *said = getenv("CUEBRIDGE_PLUGIN_LINK"), *home = getenv("LOCALAPPDATA");
  if (said != NULL) return snprintf(path, size, "%s", said) < (int)size;
  return home != NULL && snprintf(path, size, "%s\\cuebridge\\plugin-link", home) < (int)size;
}

/* A user's own application data is closed to other users already. */
size_t cb_read_private(const char *path, uint8_t *bytes, size_t size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  size_t count = fread(bytes, 1, size, file);
  fclose(file);
  return count;
}

intptr_t cb_socket_open(uint16_t port) {
  WSADATA data;
  if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return -1;
  SOCKET found = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (found != INVALID_SOCKET && connect(found, (struct sockaddr *)&to, sizeof to) == 0) return (intptr_t)found;
  if (found != INVALID_SOCKET) closesocket(found);
  WSACleanup();
  return -1;
}

void cb_socket_close(intptr_t socket) {
  if (socket < 0) return;
  closesocket((SOCKET)socket);
  WSACleanup();
}

void cb_socket_send(intptr_t socket, const uint8_t *bytes, size_t count) {
  send((SOCKET)socket, (const char *)bytes, (int)count, 0);
}

int cb_socket_receive(intptr_t socket, uint8_t *bytes, size_t room, unsigned wait_ms) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET((SOCKET)socket, &set);
  struct timeval wait = {0, (long)wait_ms * 1000};
  if (select(0, &set, NULL, NULL, &wait) <= 0) return 0;
  int count = recv((SOCKET)socket, (char *)bytes, (int)room, 0);
  return count >= 0 ? count : WSAGetLastError() == WSAECONNRESET ? -1 : 0;
}

#else

static void *begin(void *with) {
  cb_thread *thread = with;
  thread->run(thread->with);
  return NULL;
}

/* Signals are the host's business: none is delivered to this thread. */
cb_thread *cb_thread_start(void (*run)(void *), void *with) {
  cb_thread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) return NULL;
  thread->run = run;
  thread->with = with;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int wrong = pthread_create(&thread->handle, NULL, begin, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!wrong) return thread;
  free(thread);
  return NULL;
}

void cb_thread_join(cb_thread *thread) {
  if (thread == NULL) return;
  pthread_join(thread->handle, NULL);
  free(thread);
}

cb_mutex *cb_mutex_new(void) {
  cb_mutex *mutex = calloc(1, sizeof *mutex);
  if (mutex != NULL) pthread_mutex_init(&mutex->mutex, NULL);
  return mutex;
}

void cb_mutex_free(cb_mutex *mutex) {
  if (mutex != NULL) pthread_mutex_destroy(&mutex->mutex);
  free(mutex);
}

void cb_lock(cb_mutex *mutex) { pthread_mutex_lock(&mutex->mutex); }
void cb_unlock(cb_mutex *mutex) { pthread_mutex_unlock(&mutex->mutex); }

void cb_sleep_ms(unsigned ms) {
  struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&wait, NULL);
}

uint64_t cb_clock_ns(void) {
#ifdef __APPLE__
  mach_timebase_info_data_t base;
  mach_timebase_info(&base);
  return (uint64_t)((__uint128_t)mach_absolute_time() * base.numer / base.denom);
#else
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

bool cb_random(void *bytes, size_t count) {
  int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t got = read(file, bytes, count);
  close(file);
  return got == (ssize_t)count;
}

bool cb_link_path(char *path, size_t size) {
  const char *said = getenv("CUEBRIDGE_PLUGIN_LINK"), *home = getenv("HOME");
  if (said != NULL) return snprintf(path, size, "%s", said) < (int)size;
  if (home == NULL || !*home) return false;
#ifdef __APPLE__
  static const char below[] = "Library/Application Support/cuebridge/plugin-link";
#else
  static const char below[] = ".local/share/cuebridge/plugin-link";
#endif
  return snprintf(path, size, "%s/%s", home, below) < (int)size;
}

size_t cb_read_private(const char *path, uint8_t *bytes, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (file < 0) return 0;
  struct stat about;
  ssize_t got = 0;
  if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() && !(about.st_mode & 077))
    got = read(file, bytes, size);
  close(file);
  return got > 0 ? (size_t)got : 0;
}

intptr_t cb_socket_open(uint16_t port) {
  int found = socket(AF_INET, SOCK_DGRAM, 0);
  if (found < 0) return -1;
  fcntl(found, F_SETFD, FD_CLOEXEC);
  fcntl(found, F_SETFL, O_NONBLOCK);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(found, (struct sockaddr *)&to, sizeof to) == 0) return found;
  close(found);
  return -1;
}

void cb_socket_close(intptr_t socket) {
  if (socket >= 0) close((int)socket);
}

void cb_socket_send(intptr_t socket, const uint8_t *bytes, size_t count) {
  if (send((int)socket, bytes, count, 0) < 0) return; /* what is lost is sent again */
}

int cb_socket_receive(intptr_t socket, uint8_t *bytes, size_t room, unsigned wait_ms) {
  struct pollfd on = {.fd = (int)socket, .events = POLLIN};
  if (poll(&on, 1, (int)wait_ms) <= 0) return 0;
  ssize_t count = recv((int)socket, bytes, room, 0);
  return count >= 0 ? (int)count : errno == ECONNREFUSED ? -1 : 0;
}

#endif
