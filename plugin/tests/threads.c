/* The exchange between the audio thread and the others, for the thread sanitizer:  threads SECONDS
 *
 * One thread plays blocks, one loads, saves and sets as a host's main thread does, and one is CueBridge at the other end of the
 * socket: it answers greetings, sends plans in pieces, grants parts and says loops, all the time; the instance's own thread runs
 * as always.  It ends with 1 where no plan came through or a note is left sounding. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/bytes.h"
#include "../src/plan.h"
#include "../src/platform.h"
#include "../src/wire.h"
#include "threads.h"

static atomic_bool ending;
static atomic_uint played, saved, reports, taken;

static void audio(void *with) {
  (void)with;
  int sounding = 0;
  unsigned number = 0;
  for (; !atomic_load(&ending); number++) {
    subject_run(number, number % 97 != 0, &sounding);
    atomic_fetch_add(&played, 1);
  }
  subject_run(number, false, &sounding);
  if (sounding != 0) {
    fprintf(stderr, "%d notes are left sounding\n", sounding);
    abort();
  }
}

typedef struct {
  cb_plan plan;
  cb_tempo tempo;
  cb_event events[200];
} tune;

static void fill(tune *made, unsigned number) {
  *made = (tune){.tempo = {0, 0, 0.5}};
  made->plan = (cb_plan){.id = number + 1, .granted = CB_ALL_PARTS, .part_count = 2, .tempo_count = 1, .event_count = 200};
  snprintf(made->plan.parts[0].name, CB_NAME, "pad");
  snprintf(made->plan.parts[1].name, CB_NAME, "arp");
  made->plan.parts[0].sustained = true;
  made->plan.tempos = &made->tempo;
  made->plan.events = made->events;
  for (unsigned i = 0; i < 200; i++)
    made->events[i] = (cb_event){CB_NOTE, i % 2, i % 4, (uint8_t)(30 + (i * 7 + number) % 60), 80, i * 0.2, 0.3 + i % 5};
}

static uint8_t *random_state(unsigned number, size_t *size) {
  tune made;
  fill(&made, number);
  size_t coded_size;
  uint8_t *coded = cb_plan_encode(&made.plan, &coded_size), *state = malloc(13 + coded_size);
  memcpy(state, "CBPI\1\0\0\0\0\0\0\0\0", 13);
  memcpy(state + 13, coded, coded_size);
  free(coded);
  *size = 13 + coded_size;
  return state;
}

/* CueBridge ----------------------------------------------------------------------------------------------------------------- */

static const uint8_t TOKEN[CB_TOKEN] = {7, 6, 5};
static const uint64_t EPOCH = 99;
static int bridge_socket;

typedef struct {
  struct sockaddr_in to;
  uint64_t instance; /* its name in datagrams */
  uint32_t transfer, number;
  uint8_t *body; /* of the transfer that is under way */
  size_t size;
} peer;

static void say(peer *with, uint8_t kind, const uint8_t *content, size_t size) {
  uint8_t bytes[CB_DATAGRAM];
  size_t whole = cb_wire_write(bytes, TOKEN, kind, with->instance, EPOCH, ++with->number, content, size);
  sendto(bridge_socket, bytes, whole, 0, (const struct sockaddr *)&with->to, sizeof with->to);
}

static void welcome(peer *with) {
  cb_writer out = {0};
  cb_put_u32(&out, with->number % 3 ? CB_ALL_PARTS : 1);
  cb_put_f64(&out, 1.0);
  cb_put_f64(&out, with->number % 5 ? 1.0 : 3.0); /* now and then a loop */
  say(with, CB_WELCOME, out.data, out.size);
  free(out.data);
}

/* Sends a plan over the one that the greeting names. */
static void send_plan(peer *with, uint64_t over) {
  tune made;
  with->transfer++;
  fill(&made, with->transfer);
  made.plan.id = with->transfer + 1000000;
  free(with->body);
  cb_writer body = {0};
  cb_put_bytes(&body, "CBBD", 4);
  cb_put_u32(&body, 1);
  cb_put_u64(&body, made.plan.id);
  cb_put_u32(&body, with->transfer);
  cb_put_u32(&body, CB_ALL_PARTS);
  const uint8_t rest[4] = {CB_SECONDS, 1, 2, 0};
  cb_put_bytes(&body, rest, 4);
  cb_put_u32(&body, 1);
  cb_put_u32(&body, made.plan.event_count);
  for (int i = 0; i < 2; i++) {
    cb_put_u8(&body, 3);
    cb_put_bytes(&body, made.plan.parts[i].name, 3);
    cb_put_u8(&body, made.plan.parts[i].sustained);
    cb_put_f64(&body, 0);
  }
  cb_put_f64(&body, 0);
  cb_put_f64(&body, 0);
  cb_put_f64(&body, 0.5);
  for (unsigned i = 0; i < made.plan.event_count; i++) {
    const cb_event *event = &made.events[i];
    const uint8_t head[8] = {event->kind, event->part, event->channel, event->data1, event->data2};
    cb_put_bytes(&body, head, 8);
    cb_put_f64(&body, event->start);
    cb_put_f64(&body, event->length);
  }
  with->body = body.data;
  with->size = body.size;
  uint16_t count = (uint16_t)((with->size + CB_PIECE - 1) / CB_PIECE);
  for (uint16_t index = 0; index < count; index++) {
    size_t from = (size_t)index * CB_PIECE, length = with->size - from < CB_PIECE ? with->size - from : CB_PIECE;
    cb_writer out = {0};
    cb_put_u32(&out, with->transfer);
    cb_put_u16(&out, index);
    cb_put_u16(&out, count);
    cb_put_u32(&out, (uint32_t)with->size);
    cb_put_u64(&out, over);
    cb_put_bytes(&out, with->body + from, length);
    say(with, CB_PIECE_OF, out.data, out.size);
    free(out.data);
  }
}

static void hear(peer *with, cb_datagram *said) {
  if (said->kind == CB_TRANSPORT) {
    atomic_fetch_add(&reports, 1);
    if (atomic_load(&reports) % 8 == 0) say(with, CB_PING, (const uint8_t *)"\0\0\0\0\0\0\0\1", 8);
  } else if (said->kind == CB_ACK) {
    cb_get_u32(&said->content);
    cb_get_u16(&said->content);
    cb_get_u32(&said->content);
    if (cb_get_u8(&said->content) == 1) atomic_fetch_add(&taken, 1);
  } else if (said->kind == CB_HELLO) {
    cb_get_u32(&said->content);
    cb_get_u32(&said->content); /* face, part and flags */
    uint64_t held = cb_get_u64(&said->content);
    welcome(with);
    send_plan(with, held);
  }
}

static void bridge(void *with) {
  peer me = {.transfer = 1};
  (void)with;
  while (!atomic_load(&ending)) {
    struct pollfd on = {.fd = bridge_socket, .events = POLLIN};
    if (poll(&on, 1, 20) <= 0) continue;
    uint8_t bytes[CB_DATAGRAM];
    socklen_t length = sizeof me.to;
    ssize_t size = recvfrom(bridge_socket, bytes, sizeof bytes, 0, (struct sockaddr *)&me.to, &length);
    cb_datagram said;
    if (size <= 0 || !cb_wire_read(bytes, (size_t)size, TOKEN, &said)) continue;
    me.instance = said.instance;
    hear(&me, &said);
  }
  free(me.body);
}

/* Where instances find it. */
static bool open_bridge(void) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t length = sizeof at;
  char path[1024];
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bridge_socket = socket(AF_INET, SOCK_DGRAM, 0);
  if (bridge_socket < 0 || bind(bridge_socket, (struct sockaddr *)&at, sizeof at) != 0) return false;
  if (getsockname(bridge_socket, (struct sockaddr *)&at, &length) != 0 || !cb_link_path(path, sizeof path)) return false;
  FILE *file = fopen(path, "w");
  if (file == NULL) return false;
  fprintf(file, "CueBridge plugin 1\n%d\n", ntohs(at.sin_port));
  for (int i = 0; i < CB_TOKEN; i++) fprintf(file, "%02x", TOKEN[i]);
  fprintf(file, "\n");
  return fclose(file) == 0 && chmod(path, 0600) == 0;
}

/* The host ------------------------------------------------------------------------------------------------------------------ */

static void host(void *with) {
  (void)with;
  for (unsigned i = 0; !atomic_load(&ending); i++) {
    size_t size;
    uint8_t *state = random_state(i, &size);
    if (!subject_load(state, size)) abort();
    free(state);
    subject_set(i % 3, i % 11 == 0);
    state = subject_save(&size);
    if (state == NULL) abort();
    free(state);
    atomic_fetch_add(&saved, 1);
    cb_sleep_ms(i % 50 ? 0 : 300); /* now and then a while in which what is sent fits what is held */
  }
}

int main(int count, char **arguments) {
  unsigned seconds = count > 1 ? (unsigned)atoi(arguments[1]) : 2;
  if (!open_bridge()) {
    fprintf(stderr, "CUEBRIDGE_PLUGIN_LINK names no file that can be written\n");
    return 1;
  }
  if (!subject_open()) return 1;
  cb_thread *threads[3] = {cb_thread_start(audio, NULL), cb_thread_start(host, NULL), cb_thread_start(bridge, NULL)};
  cb_sleep_ms(seconds * 1000);
  atomic_store(&ending, true);
  for (int i = 0; i < 3; i++) cb_thread_join(threads[i]);
  subject_close();
  close(bridge_socket);
  printf("%u blocks, %u states, %u reports, %u plans taken from the socket\n", atomic_load(&played), atomic_load(&saved),
         atomic_load(&reports), atomic_load(&taken));
  return atomic_load(&taken) && atomic_load(&reports) ? 0 : 1;
}
