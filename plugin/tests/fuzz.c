/* Damaged states, plans and datagrams, for the sanitizers:  fuzz COUNT [SEED]
 *
 * Each round makes a random plan, damages what it is written as, and reads it; what is still accepted is played in odd blocks and
 * written again.  Ends with 0 where every round kept the rules: what is accepted can be written and read again alike, and every
 * note-on has its note-off. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/bytes.h"
#include "../src/instance.h"
#include "../src/wire.h"

static uint64_t seed;

static uint32_t draw(uint32_t below) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)((seed >> 16) % (below ? below : 1));
}

static double draw_time(void) {
  static const double odd[] = {0, -1, 1e7, -1e7, 1e-9, 0.5};
  return draw(20) ? draw(100000) / 997.0 - 10 : odd[draw(6)];
}

static void fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  abort();
}

static int by_start(const void *a, const void *b) {
  const cb_event *x = a, *y = b;
  return x->start < y->start ? -1 : x->start > y->start;
}

static cb_plan *random_plan(void) {
  cb_plan *plan = calloc(1, sizeof *plan);
  plan->id = draw(2); /* so that half of what comes fits what is held */
  plan->revision = (int32_t)draw(100) - 1;
  plan->granted = draw(2) ? CB_ALL_PARTS : draw(64);
  plan->unit = (uint8_t)draw(2);
  plan->complete = draw(2);
  snprintf(plan->film, sizeof plan->film, "film %u", draw(1000));
  plan->part_count = 1 + draw(CB_MAX_PARTS);
  for (uint32_t i = 0; i < plan->part_count; i++) {
    snprintf(plan->parts[i].name, CB_NAME, "%s", draw(3) ? "part" : "drums");
    plan->parts[i].sustained = draw(2);
    plan->parts[i].muted = draw(8) == 0;
    plan->parts[i].nudge_s = draw(4) ? 0 : draw(500) / 1000.0 - 0.25;
  }
  plan->tempo_count = 1 + draw(5);
  plan->tempos = calloc(plan->tempo_count, sizeof *plan->tempos);
  for (uint32_t i = 0; i < plan->tempo_count; i++) {
    cb_tempo *at = &plan->tempos[i];
    at->beat_s = 0.2 + draw(100) / 100.0;
    if (i) *at = (cb_tempo){at[-1].beat + 4, at[-1].start_s + 4 * at[-1].beat_s, at->beat_s};
  }
  plan->event_count = draw(60);
  plan->events = calloc(plan->event_count + 1, sizeof *plan->events);
  for (uint32_t i = 0; i < plan->event_count; i++) {
    cb_event *event = &plan->events[i];
    *event = (cb_event){(uint8_t)draw(2), (uint8_t)draw(plan->part_count), (uint8_t)draw(16), (uint8_t)draw(128),
                        (uint8_t)(1 + draw(127)), draw_time(), draw(3) ? draw(4000) / 997.0 : 0};
    if (event->kind == CB_CONTROL) event->length = 0;
  }
  qsort(plan->events, plan->event_count, sizeof *plan->events, by_start);
  return plan;
}

/* As bridge/plugin/plan.py writes it. */
static uint8_t *body_of(const cb_plan *plan, size_t *size) {
  cb_writer out = {0};
  cb_put_bytes(&out, "CBBD", 4);
  cb_put_u32(&out, 1);
  cb_put_u64(&out, plan->id);
  cb_put_u32(&out, (uint32_t)plan->revision);
  cb_put_u32(&out, plan->granted);
  cb_put_u8(&out, plan->unit);
  cb_put_u8(&out, plan->complete);
  cb_put_u8(&out, (uint8_t)plan->part_count);
  cb_put_u8(&out, (uint8_t)strlen(plan->film));
  cb_put_u32(&out, plan->tempo_count);
  cb_put_u32(&out, plan->event_count);
  cb_put_bytes(&out, plan->film, strlen(plan->film));
  for (uint32_t i = 0; i < plan->part_count; i++) {
    cb_put_u8(&out, (uint8_t)strlen(plan->parts[i].name));
    cb_put_bytes(&out, plan->parts[i].name, strlen(plan->parts[i].name));
    cb_put_u8(&out, (uint8_t)(plan->parts[i].sustained | plan->parts[i].muted << 1));
    cb_put_f64(&out, plan->parts[i].nudge_s);
  }
  for (uint32_t i = 0; i < plan->tempo_count; i++) {
    cb_put_f64(&out, plan->tempos[i].beat);
    cb_put_f64(&out, plan->tempos[i].start_s);
    cb_put_f64(&out, plan->tempos[i].beat_s);
  }
  for (uint32_t i = 0; i < plan->event_count; i++) {
    const cb_event *event = &plan->events[i];
    uint8_t head[8] = {event->kind, event->part, event->channel, event->data1, event->data2};
    cb_put_bytes(&out, head, 8);
    cb_put_f64(&out, event->start);
    cb_put_f64(&out, event->length);
  }
  *size = out.size;
  return out.data;
}

static void damage(uint8_t *bytes, size_t *size) {
  uint32_t times = draw(4);
  while (times-- && *size) {
    size_t at = draw((uint32_t)*size);
    switch (draw(5)) {
      case 0: bytes[at] ^= (uint8_t)(1 << draw(8)); break;
      case 1: bytes[at] = (uint8_t)draw(256); break;
      case 2: *size = at; break;
      case 3:
        for (size_t i = at; i < *size && i < at + 8; i++) bytes[i] = 0xFF;
        break;
      default: memmove(bytes + at, bytes + draw((uint32_t)at + 1), (*size - at) / 2); break;
    }
  }
}

static uint8_t sounding[CB_KEYS];
static uint32_t room;

static bool listen(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  if (frame >= *(uint32_t *)to || data1 > 127 || data2 > 127) fail("a message outside the block or of no MIDI");
  if (room == 0) return false;
  room--;
  uint32_t key = (uint32_t)(status & 15) << 7 | data1;
  if ((status & 0xF0) == 0x90 && sounding[key]++) fail("struck twice");
  if ((status & 0xF0) == 0x80 && !sounding[key]--) fail("released twice");
  return true;
}

static void play(cb_core *core, const cb_plan *plan) {
  cb_score *score = cb_score_build(plan, plan->granted);
  if (score == NULL) fail("no score of a plan");
  const cb_score *old = core->score;
  cb_core_take(core, score);
  cb_score_free((cb_score *)old);
  cb_block block = {.rate = 48000, .bpm = 20 + draw(300), .rolling = true, .has = {draw(2), draw(8) != 0}};
  block.position[CB_BEATS] = draw_time();
  block.position[CB_SECONDS] = draw_time();
  for (uint32_t i = 0, count = draw(12); i < count; i++) {
    block.frames = draw(3) ? draw(2000) : draw(2);
    block.rolling = draw(16) != 0;
    block.silent = draw(32) == 0;
    block.speed = draw(4) ? 0 : draw(5) / 2.0;
    block.looping = draw(4) == 0;
    block.bpm_step = draw(4) ? 0 : draw(100) / 1e4 - 5e-3;
    for (int unit = 0; unit < 2; unit++) {
      block.loop[unit][0] = draw_time();
      block.loop[unit][1] = draw(16) ? block.loop[unit][0] + draw(100) / 100.0 : NAN;
    }
    room = draw(8) ? 100000 : draw(3);
    cb_core_run(core, &block, listen, &block.frames);
    double seconds = block.frames / block.rate;
    block.position[CB_SECONDS] += seconds;
    block.position[CB_BEATS] += block.bpm / 60 * seconds;
    if (draw(8) == 0) block.position[draw(2)] = draw(32) ? draw_time() : INFINITY;
  }
}

static void read_plan(cb_core *core, uint8_t *bytes, size_t size) {
  cb_plan *plan = cb_plan_decode(bytes, size);
  if (plan == NULL) return;
  size_t again_size = 0;
  uint8_t *again = cb_plan_encode(plan, &again_size);
  cb_plan *same = cb_plan_decode(again, again_size);
  if (same == NULL || same->event_count != plan->event_count) fail("what was read cannot be written and read again");
  for (uint32_t i = 0; i < plan->event_count; i++) {
    const cb_event *a = &plan->events[i], *b = &same->events[i];
    if (a->data1 != b->data1 || a->data2 != b->data2 || a->part != b->part || a->channel != b->channel ||
        fabs(a->start - b->start) > 1e-6 || fabs(a->length - b->length) > 1e-6)
      fail("another note is read than was written");
  }
  play(core, plan);
  cb_plan_free(same);
  cb_plan_free(plan);
  free(again);
}

/* Datagrams as only someone with the token could send them. */
static void hear(cb_instance *instance, const uint8_t *name, uint8_t *bytes, size_t size) {
  static const uint8_t token[CB_TOKEN] = {1, 2, 3};
  static const uint8_t kinds[] = {CB_WELCOME, CB_PIECE_OF, CB_PING, CB_CLOSED, 0};
  uint8_t datagram[CB_DATAGRAM], content[CB_DATAGRAM - CB_HEAD];
  uint64_t who;
  memcpy(&who, name, sizeof who);
  uint32_t count = (uint32_t)(size + CB_PIECE - 1) / CB_PIECE, transfer = draw(4);
  for (uint32_t index = 0; index < count + 2; index++) {
    cb_writer out = {0};
    size_t from = (size_t)(index % (count ? count : 1)) * CB_PIECE, length = size - from < CB_PIECE ? size - from : CB_PIECE;
    cb_put_u32(&out, transfer);
    cb_put_u16(&out, (uint16_t)index);
    cb_put_u16(&out, (uint16_t)count);
    cb_put_u32(&out, (uint32_t)size);
    cb_put_u64(&out, draw(2));
    cb_put_bytes(&out, bytes + from, length);
    size_t content_size = out.size;
    memcpy(content, out.data, content_size);
    free(out.data);
    if (draw(6) == 0) damage(content, &content_size);
    size_t whole = cb_wire_write(datagram, token, draw(4) ? CB_PIECE_OF : kinds[draw(5)], who, 0, index, content, content_size);
    if (draw(8) == 0) damage(datagram, &whole);
    cb_instance_hear(instance, datagram, whole, token);
  }
}

int main(int count, char **arguments) {
  unsigned long rounds = count > 1 ? strtoul(arguments[1], NULL, 10) : 10000;
  seed = 88172645463325252u ^ (count > 2 ? strtoull(arguments[2], NULL, 10) * 0x9E3779B97F4A7C15u : 0);
  cb_core *core = malloc(sizeof *core);
  cb_core_init(core);
  cb_instance *instance = cb_instance_new(CB_CLAP, "fuzz", NULL, NULL);
  if (instance == NULL) fail("no instance");
  uint64_t name = cb_instance_name(instance);
  for (unsigned long i = 0; i < rounds; i++) {
    cb_plan *plan = random_plan();
    size_t size = 0;
    uint8_t *bytes = draw(2) ? cb_plan_encode(plan, &size) : body_of(plan, &size);
    if (draw(4)) damage(bytes, &size);
    /* A state with its sum right and its content wrong gets further. */
    if (draw(2) && size > 12 && memcmp(bytes, "CBST", 4) == 0) cb_store_u32(bytes + 8, cb_crc32(bytes + 12, size - 12));
    read_plan(core, bytes, size);
    if (draw(4) == 0) hear(instance, (uint8_t *)&name, bytes, size);
    if (draw(16) == 0) {
      uint8_t state[64];
      size_t length = draw(64);
      memcpy(state, "CBPI\1\0\0\0", 8);
      for (size_t at = 8; at < length; at++) state[at] = (uint8_t)draw(256);
      cb_instance_load(instance, state, length);
    }
    free(bytes);
    cb_plan_free(plan);
  }
  uint32_t frames = 1;
  room = 1000000;
  cb_core_release(core, listen, &frames);
  for (uint32_t key = 0; key < CB_KEYS; key++)
    if (sounding[key]) fail("a note is left sounding");
  cb_score_free((cb_score *)core->score);
  free(core);
  cb_instance_free(instance);
  printf("%lu inputs\n", rounds);
  return 0;
}
