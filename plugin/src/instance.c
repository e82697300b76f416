#include "instance.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "wire.h"

enum { TAKEN = 1, REFUSED = 2, STALE = 3 }; /* what became of a plan that was sent */
enum { RETIRED = 16, REPORTS = 64 };
static const uint64_t HELLO_NS = 250u * 1000000u, LOOK_NS = 500u * 1000000u, SILENT_NS = 2000u * 1000000u;
static const double REPORT_S = 0.02;

/* The transport at a block, for CueBridge. */
typedef struct {
  uint64_t clock_ns;
  uint8_t flags;
  uint16_t numerator, denominator;
  double seconds, beats, bpm, loop_start_s, loop_end_s;
} report;

enum { ROLLING = 1, RECORDING = 2, LOOPING = 4, HAS_SECONDS = 8, HAS_BEATS = 16, OFFLINE = 32, JUMPED = 64 };

typedef struct {
  double start_s, end_s;
} range;

struct cb_instance {
  /* audio thread only */
  cb_core core;
  report last;
  double since_report_s;
  range loop;
  /* between the audio thread and the others */
  _Atomic(cb_score *) incoming;
  _Atomic(cb_score *) retired[RETIRED];
  atomic_uint retired_in, retired_out;
  report reports[REPORTS];
  atomic_uint reports_in, reports_out;
  atomic_uint_least64_t loop_bits[2], loop_number; /* odd while it is written */
  atomic_uint part;
  atomic_bool bypass, changed;
  atomic_uint_least64_t struck;
  /* the others, under `mutex` */
  cb_mutex *mutex;
  cb_plan *plan;
  uint8_t *coded; /* the plan as the project keeps it */
  size_t coded_size;
  /* our thread */
  cb_thread *thread;
  atomic_bool ending;
  uint8_t face;
  char host[64];
  void (*tell)(void *);
  void *with;
  intptr_t socket;
  uint8_t token[CB_TOKEN];
  uint16_t port;
  uint64_t name, epoch, heard_ns, hello_ns, looked_ns;
  uint32_t number, played_parts, part_seen, applied;
  uint8_t said_flags;
  bool hello_due, ack_due;
  uint8_t result; /* of the last transfer */
  cb_assembly assembly;
};

/* Audio thread -------------------------------------------------------------------------------------------------------------- */

static void take_score(cb_instance *me) {
  unsigned in = atomic_load_explicit(&me->retired_in, memory_order_relaxed);
  if (atomic_load_explicit(&me->incoming, memory_order_relaxed) == NULL) return;
  if (in - atomic_load_explicit(&me->retired_out, memory_order_acquire) >= RETIRED) return; /* with the next block */
  cb_score *score = atomic_exchange_explicit(&me->incoming, NULL, memory_order_acq_rel);
  if (score == NULL) return;
  cb_score *old = (cb_score *)me->core.score;
  cb_core_take(&me->core, score);
  if (old == NULL) return;
  atomic_store_explicit(&me->retired[in % RETIRED], old, memory_order_relaxed);
  atomic_store_explicit(&me->retired_in, in + 1, memory_order_release);
}

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The range that CueBridge knows, for hosts that state none; kept as it was while it is being written. */
static void take_loop(cb_instance *me) {
  uint64_t before = atomic_load_explicit(&me->loop_number, memory_order_acquire);
  range loop = {from_bits(atomic_load_explicit(&me->loop_bits[0], memory_order_acquire)),
                from_bits(atomic_load_explicit(&me->loop_bits[1], memory_order_acquire))};
  if (!(before & 1) && atomic_load_explicit(&me->loop_number, memory_order_relaxed) == before) me->loop = loop;
}

static void push_report(cb_instance *me, const cb_block *block, const cb_host *host, uint64_t clock_ns) {
  report now = {.clock_ns = clock_ns, .numerator = host->numerator, .denominator = host->denominator, .bpm = block->bpm};
  now.flags = (uint8_t)((block->rolling ? ROLLING : 0) | (host->recording ? RECORDING : 0) | (host->offline ? OFFLINE : 0) |
                        (block->looping ? LOOPING : 0) | (block->has[CB_SECONDS] ? HAS_SECONDS : 0) |
                        (block->has[CB_BEATS] ? HAS_BEATS : 0));
  now.seconds = block->position[CB_SECONDS];
  now.beats = block->position[CB_BEATS];
  now.loop_start_s = block->loop[CB_SECONDS][0];
  now.loop_end_s = block->loop[CB_SECONDS][1];
  double passed_s = block->rate > 0 ? block->frames / block->rate : 0;
  bool same = now.flags == (me->last.flags & ~JUMPED) && now.bpm == me->last.bpm && now.numerator == me->last.numerator &&
              now.denominator == me->last.denominator && now.loop_start_s == me->last.loop_start_s &&
              now.loop_end_s == me->last.loop_end_s;
  double moved = now.seconds - me->last.seconds; /* since the last report */
  if (fabs(moved - (block->rolling ? me->since_report_s : 0)) > 0.25 * REPORT_S) {
    now.flags |= JUMPED;
    same = false;
  }
  double every = block->rolling ? REPORT_S : 10 * REPORT_S;
  me->since_report_s += passed_s;
  if (same && me->since_report_s < every) return;
  unsigned in = atomic_load_explicit(&me->reports_in, memory_order_relaxed);
  if (in - atomic_load_explicit(&me->reports_out, memory_order_acquire) >= REPORTS) return;
  me->reports[in % REPORTS] = now;
  atomic_store_explicit(&me->reports_in, in + 1, memory_order_release);
  me->last = now;
  me->since_report_s = passed_s;
}

void cb_instance_run(cb_instance *me, cb_block *block, const cb_host *host, cb_emit emit, void *to) {
  uint64_t clock_ns = cb_clock_ns();
  take_score(me);
  take_loop(me);
  block->silent = atomic_load_explicit(&me->bypass, memory_order_relaxed);
  if (!block->looping && me->loop.end_s > me->loop.start_s && block->has[CB_SECONDS] && me->core.unit == CB_SECONDS) {
    block->looping = true;
    block->loop[CB_SECONDS][0] = me->loop.start_s;
    block->loop[CB_SECONDS][1] = me->loop.end_s;
  }
  push_report(me, block, host, clock_ns);
  cb_core_run(&me->core, block, emit, to);
  atomic_store_explicit(&me->struck, me->core.struck, memory_order_relaxed);
}

void cb_instance_release(cb_instance *me, cb_emit emit, void *to) { cb_core_release(&me->core, emit, to); }

bool cb_instance_has_changed(cb_instance *me) {
  return atomic_load_explicit(&me->changed, memory_order_relaxed) && atomic_exchange(&me->changed, false);
}

/* Any thread ------------------------------------------------------------------------------------------------------------------ */

const char *cb_part_name(unsigned choice) {
  static const char *const names[CB_PART_CHOICES + 1] = {"All parts", "Pad",    "Arp",     "Bass",    "Melody",  "Drums",
                                                         "Part 6",    "Part 7", "Part 8",  "Part 9",  "Part 10", "Part 11",
                                                         "Part 12",   "Part 13", "Part 14", "Part 15", "Part 16"};
  return names[choice <= CB_PART_CHOICES ? choice : 0];
}

double cb_instance_get(const cb_instance *me, unsigned parameter) {
  cb_instance *open = (cb_instance *)me;
  return parameter == CB_PARAM_PART ? atomic_load(&open->part) : atomic_load(&open->bypass);
}

void cb_instance_set(cb_instance *me, unsigned parameter, double value) {
  if (parameter == CB_PARAM_BYPASS) atomic_store(&me->bypass, value >= 0.5);
  else if (parameter == CB_PARAM_PART && value >= 0 && value <= CB_PART_CHOICES) atomic_store(&me->part, (unsigned)lround(value));
}

/* Bits of the parts that the parameter asks for. */
static uint32_t wanted_parts(cb_instance *me) {
  unsigned part = atomic_load(&me->part);
  return part ? 1u << (part - 1) : CB_ALL_PARTS;
}

/* Under the mutex: what is held, as a score for the audio thread. */
static void publish(cb_instance *me) {
  if (me->plan == NULL) return;
  me->played_parts = me->plan->granted & wanted_parts(me);
  cb_score *score = cb_score_build(me->plan, me->played_parts);
  if (score == NULL) return; /* no memory: what plays goes on */
  cb_score_free(atomic_exchange(&me->incoming, score));
}

/* Under the mutex: `plan` is held and played from now on. */
static bool hold(cb_instance *me, cb_plan *plan) {
  size_t size;
  uint8_t *coded = cb_plan_encode(plan, &size);
  if (coded == NULL) return false;
  free(me->coded);
  me->coded = coded;
  me->coded_size = size;
  if (plan != me->plan) cb_plan_free(me->plan);
  me->plan = plan;
  publish(me);
  return true;
}

static void mark_changed(cb_instance *me) {
  atomic_store(&me->changed, true);
  if (me->tell != NULL) me->tell(me->with);
}

static void free_retired(cb_instance *me) {
  unsigned out = atomic_load_explicit(&me->retired_out, memory_order_relaxed);
  while (out != atomic_load_explicit(&me->retired_in, memory_order_acquire)) {
    cb_score_free(atomic_load_explicit(&me->retired[out % RETIRED], memory_order_relaxed));
    atomic_store_explicit(&me->retired_out, ++out, memory_order_release);
  }
}

uint8_t *cb_instance_save(cb_instance *me, size_t *size) {
  cb_writer out = {0};
  cb_put_bytes(&out, "CBPI", 4);
  cb_put_u32(&out, 1);
  cb_put_u32(&out, atomic_load(&me->part));
  cb_put_u8(&out, atomic_load(&me->bypass));
  cb_lock(me->mutex);
  if (me->coded != NULL) cb_put_bytes(&out, me->coded, me->coded_size);
  cb_unlock(me->mutex);
  *size = out.size;
  if (!out.failed) return out.data;
  free(out.data);
  return NULL;
}

bool cb_instance_load(cb_instance *me, const uint8_t *data, size_t size) {
  cb_reader in = {data, size, 4, false};
  if (size < 13 || memcmp(data, "CBPI", 4) != 0 || cb_get_u32(&in) != 1) return false;
  uint32_t part = cb_get_u32(&in);
  uint8_t bypass = cb_get_u8(&in);
  cb_plan *plan = NULL;
  if (cb_left(&in) && (plan = cb_plan_decode(data + in.at, cb_left(&in))) == NULL) return false;
  cb_lock(me->mutex);
  cb_instance_set(me, CB_PARAM_PART, part);
  cb_instance_set(me, CB_PARAM_BYPASS, bypass);
  bool held = plan == NULL || hold(me, plan);
  me->hello_due = true;
  cb_unlock(me->mutex);
  if (!held) cb_plan_free(plan);
  return held;
}

/* Our thread -------------------------------------------------------------------------------------------------------------------- */

static void send_content(cb_instance *me, uint8_t kind, cb_writer *content) {
  uint8_t bytes[CB_DATAGRAM];
  size_t size = content->failed ? 0
                                : cb_wire_write(bytes, me->token, kind, me->name, me->epoch, ++me->number, content->data,
                                                content->size);
  if (size && me->socket >= 0) cb_socket_send(me->socket, bytes, size);
  free(content->data);
}

static void put_text(cb_writer *out, const char *text) {
  size_t length = strlen(text);
  cb_put_u8(out, (uint8_t)length);
  cb_put_bytes(out, text, length);
}

static void say_hello(cb_instance *me) {
  cb_writer out = {0};
  cb_lock(me->mutex);
  const cb_plan *plan = me->plan;
  cb_put_u32(&out, CB_VERSION);
  cb_put_u8(&out, me->face);
  cb_put_u8(&out, (uint8_t)atomic_load(&me->part));
  cb_put_u8(&out, (uint8_t)((plan != NULL) | (plan != NULL && plan->complete) << 1 | atomic_load(&me->bypass) << 2));
  cb_put_u8(&out, me->said_flags);
  cb_put_u64(&out, plan == NULL ? 0 : plan->id);
  cb_put_u32(&out, plan == NULL ? 0 : (uint32_t)plan->revision);
  cb_put_u32(&out, plan == NULL ? 0 : plan->granted);
  cb_put_u32(&out, plan == NULL ? 0 : plan->event_count);
  cb_put_u32(&out, (uint32_t)me->coded_size);
  cb_put_u32(&out, me->applied);
  cb_put_u64(&out, atomic_load(&me->struck));
  put_text(&out, me->host);
  put_text(&out, plan == NULL ? "" : plan->film);
  me->hello_due = false;
  cb_unlock(me->mutex);
  send_content(me, CB_HELLO, &out);
}

static void say_ack(cb_instance *me) {
  cb_writer out = {0};
  uint32_t first = cb_assembly_first_missing(&me->assembly), bits = 0;
  for (uint32_t i = 0; i < 32 && first + i < me->assembly.count; i++)
    if (me->assembly.present[first + i]) bits |= 1u << i;
  bool done = me->assembly.bytes == NULL;
  cb_put_u32(&out, done ? me->applied : me->assembly.transfer);
  cb_put_u16(&out, (uint16_t)first);
  cb_put_u32(&out, bits);
  cb_put_u8(&out, done ? me->result : 0);
  me->ack_due = false;
  send_content(me, CB_ACK, &out);
}

static void say_reports(cb_instance *me) {
  unsigned out = atomic_load_explicit(&me->reports_out, memory_order_relaxed);
  while (out != atomic_load_explicit(&me->reports_in, memory_order_acquire)) {
    report said = me->reports[out % REPORTS];
    atomic_store_explicit(&me->reports_out, ++out, memory_order_release);
    me->said_flags = said.flags;
    if (me->socket < 0) continue;
    cb_writer content = {0};
    cb_put_u64(&content, said.clock_ns);
    cb_put_u8(&content, said.flags);
    cb_put_u8(&content, 0);
    cb_put_u16(&content, said.numerator);
    cb_put_u16(&content, said.denominator);
    cb_put_f64(&content, said.seconds);
    cb_put_f64(&content, said.beats);
    cb_put_f64(&content, said.bpm);
    cb_put_f64(&content, said.loop_start_s);
    cb_put_f64(&content, said.loop_end_s);
    send_content(me, CB_TRANSPORT, &content);
  }
}

static void set_loop(cb_instance *me, double start_s, double end_s) {
  double said[2] = {start_s, end_s};
  bool sound = isfinite(start_s) && isfinite(end_s) && end_s > start_s;
  atomic_fetch_add(&me->loop_number, 1);
  for (int i = 0; i < 2; i++) {
    uint64_t bits = 0;
    if (sound) memcpy(&bits, &said[i], sizeof bits);
    atomic_store(&me->loop_bits[i], bits);
  }
  atomic_fetch_add(&me->loop_number, 1);
}

static void hear_welcome(cb_instance *me, const cb_datagram *said) {
  cb_reader in = said->content;
  uint32_t granted = cb_get_u32(&in);
  double start_s = cb_get_f64(&in), end_s = cb_get_f64(&in);
  if (in.failed) return;
  me->epoch = said->epoch;
  set_loop(me, start_s, end_s);
  cb_lock(me->mutex);
  bool changes = me->plan != NULL && me->plan->granted != granted;
  if (changes) {
    me->plan->granted = granted;
    me->hello_due = hold(me, me->plan);
  }
  cb_unlock(me->mutex);
  if (changes) mark_changed(me);
}

static void hear_piece(cb_instance *me, cb_datagram *said) {
  cb_reader peek = said->content;
  me->ack_due = true;
  if (me->assembly.bytes == NULL && me->applied && cb_get_u32(&peek) == me->applied) return; /* it is there already */
  if (!cb_assembly_take(&me->assembly, &said->content) || me->assembly.missing) return;
  cb_plan *plan = cb_plan_parse(me->assembly.bytes, me->assembly.size);
  uint64_t over = me->assembly.over;
  me->applied = me->assembly.transfer;
  cb_assembly_clear(&me->assembly);
  cb_lock(me->mutex);
  bool stale = over != (me->plan == NULL ? 0 : me->plan->id); /* the host has loaded its project meanwhile */
  bool held = plan != NULL && !stale && hold(me, plan);
  me->hello_due = true;
  cb_unlock(me->mutex);
  me->result = held ? TAKEN : stale ? STALE : REFUSED;
  if (held) mark_changed(me);
  else cb_plan_free(plan);
}

void cb_instance_hear(cb_instance *me, const uint8_t *bytes, size_t size, const uint8_t token[16]) {
  cb_datagram said;
  if (!cb_wire_read(bytes, size, token, &said) || said.instance != me->name) return;
  if (said.kind == CB_WELCOME) hear_welcome(me, &said);
  else if (said.epoch != me->epoch) return; /* of a CueBridge that is gone */
  else if (said.kind == CB_PIECE_OF) hear_piece(me, &said);
  else if (said.kind == CB_PING) {
    cb_writer content = {0};
    cb_put_u64(&content, cb_get_u64(&said.content));
    cb_put_u64(&content, cb_clock_ns());
    send_content(me, CB_PONG, &content);
  } else if (said.kind == CB_CLOSED) {
    me->epoch = 0;
    set_loop(me, 0, 0);
  } else return;
  me->heard_ns = cb_clock_ns();
}

uint64_t cb_instance_name(const cb_instance *me) { return me->name; }

static bool hex(const uint8_t *text, uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < 2 * count; i++) {
    uint8_t c = text[i], digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 255;
    if (digit == 255) return false;
    bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
  }
  return true;
}

/* "CueBridge plugin 1", port and token, a line each. */
static void look_for_bridge(cb_instance *me) {
  static const char head[] = "CueBridge plugin 1\n";
  char path[1024];
  uint8_t bytes[128] = {0}, token[CB_TOKEN] = {0};
  size_t size = cb_link_path(path, sizeof path) ? cb_read_private(path, bytes, sizeof bytes - 1) : 0;
  if (size < sizeof head || memcmp(bytes, head, sizeof head - 1) != 0) return;
  char *rest;
  unsigned long port = strtoul((char *)bytes + sizeof head - 1, &rest, 10);
  if (port == 0 || port > 65535 || *rest != '\n' || (uint8_t *)rest + 1 + 2 * CB_TOKEN > bytes + size) return;
  if (!hex((uint8_t *)rest + 1, token, CB_TOKEN)) return;
  if (me->socket >= 0 && port == me->port && memcmp(token, me->token, CB_TOKEN) == 0) return;
  cb_socket_close(me->socket);
  me->port = (uint16_t)port;
  memcpy(me->token, token, CB_TOKEN);
  me->epoch = 0;
  me->applied = 0;
  me->result = 0;
  cb_assembly_clear(&me->assembly);
  me->socket = cb_socket_open(me->port);
  me->hello_ns = 0;
}

/* Another part asked for by the parameter. */
static void follow_part(cb_instance *me) {
  unsigned part = atomic_load(&me->part);
  if (part == me->part_seen) return;
  me->part_seen = part;
  cb_lock(me->mutex);
  publish(me);
  me->hello_due = true;
  cb_unlock(me->mutex);
}

static void receive(cb_instance *me) {
  uint8_t bytes[CB_DATAGRAM];
  if (me->socket < 0) {
    cb_sleep_ms(20);
    return;
  }
  int size = cb_socket_receive(me->socket, bytes, sizeof bytes, 10);
  for (int most = 256; size > 0 && most--; size = cb_socket_receive(me->socket, bytes, sizeof bytes, 0))
    cb_instance_hear(me, bytes, (size_t)size, me->token);
  if (size < 0) cb_sleep_ms(20); /* nobody is there: the answer comes at once each time */
  if (me->ack_due && me->epoch) say_ack(me);
}

static void turn(cb_instance *me) {
  uint64_t now = cb_clock_ns();
  if (now - me->looked_ns >= LOOK_NS || me->looked_ns == 0) {
    me->looked_ns = now;
    look_for_bridge(me);
  }
  if (me->epoch && now - me->heard_ns > SILENT_NS) {
    me->epoch = 0;
    set_loop(me, 0, 0);
  }
  follow_part(me);
  say_reports(me);
  cb_lock(me->mutex);
  bool due = me->hello_due;
  cb_unlock(me->mutex);
  if (me->socket >= 0 && (due || now - me->hello_ns >= HELLO_NS)) {
    me->hello_ns = now;
    say_hello(me);
  }
  receive(me);
  free_retired(me);
}

static void run_thread(void *with) {
  cb_instance *me = with;
  while (!atomic_load(&me->ending)) turn(me);
  if (me->socket >= 0 && me->epoch) send_content(me, CB_BYE, &(cb_writer){0});
}

/* Life -------------------------------------------------------------------------------------------------------------------------- */

cb_instance *cb_instance_new(uint8_t face, const char *host, void (*changed)(void *), void *with) {
  cb_instance *me = calloc(1, sizeof *me);
  if (me == NULL) return NULL;
  cb_core_init(&me->core);
  /* Ardour runs an LV2 plugin twice in the block in which its loop turns, and forgets what came of the first time. */
  me->core.repeats_offs = face == CB_LV2;
  me->mutex = cb_mutex_new();
  me->face = face;
  me->socket = -1;
  me->tell = changed;
  me->with = with;
  me->looked_ns = cb_clock_ns(); /* the project is loaded before CueBridge is asked for anything */
  snprintf(me->host, sizeof me->host, "%s", host != NULL ? host : "");
  if (me->mutex != NULL && cb_random(&me->name, sizeof me->name)) me->thread = cb_thread_start(run_thread, me);
  if (me->thread != NULL) return me;
  cb_instance_free(me);
  return NULL;
}

void cb_instance_free(cb_instance *me) {
  if (me == NULL) return;
  atomic_store(&me->ending, true);
  cb_thread_join(me->thread);
  cb_socket_close(me->socket);
  free_retired(me);
  cb_score_free(atomic_load(&me->incoming));
  cb_score_free((cb_score *)me->core.score);
  cb_plan_free(me->plan);
  free(me->coded);
  cb_assembly_clear(&me->assembly);
  cb_mutex_free(me->mutex);
  free(me);
}
