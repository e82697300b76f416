#include "plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

void cb_plan_free(cb_plan *plan) {
  if (plan == NULL) return;
  free(plan->tempos);
  free(plan->events);
  free(plan);
}

/* Tempo -------------------------------------------------------------------------------------------------------------- */

double cb_seconds_at(const cb_tempo *tempos, uint32_t count, double beats) {
  uint32_t low = 0, high = count; /* first point later than `beats` */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (tempos[middle].beat <= beats) low = middle + 1;
    else high = middle;
  }
  uint32_t index = low ? low - 1 : 0;
  double seconds = tempos[index].start_s + (beats - tempos[index].beat) * tempos[index].beat_s;
  return index + 1 < count && seconds > tempos[index + 1].start_s ? tempos[index + 1].start_s : seconds;
}

double cb_beats_at(const cb_tempo *tempos, uint32_t count, double seconds) {
  uint32_t low = 0, high = count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (tempos[middle].start_s <= seconds) low = middle + 1;
    else high = middle;
  }
  uint32_t index = low ? low - 1 : 0;
  double beats = tempos[index].beat + (seconds - tempos[index].start_s) / tempos[index].beat_s;
  return index + 1 < count && beats > tempos[index + 1].beat ? tempos[index + 1].beat : beats;
}

/* What both formats share ---------------------------------------------------------------------------------------------- */

static bool time_is_sound(double time) { return isfinite(time) && fabs(time) <= CB_MAX_TIME; }

static bool event_is_sound(const cb_plan *plan, const cb_event *event) {
  return event->kind <= CB_CONTROL && event->part < plan->part_count && event->channel < 16 && event->data1 < 128 &&
         event->data2 < 128 && (event->kind != CB_NOTE || event->data2 > 0) && time_is_sound(event->start) &&
         time_is_sound(event->length) && event->length >= 0 && (event->kind == CB_NOTE || event->length == 0);
}

static bool tempos_are_sound(const cb_plan *plan) {
  for (uint32_t i = 0; i < plan->tempo_count; i++) {
    const cb_tempo *at = &plan->tempos[i];
    if (!time_is_sound(at->beat) || !time_is_sound(at->start_s)) return false;
    if (!(at->beat_s >= 1e-4 && at->beat_s <= 1e4)) return false;
    if (i && (at->beat < at[-1].beat || at->start_s < at[-1].start_s)) return false;
  }
  return plan->tempo_count > 0;
}

/* Everything of a plan but its events; `id` and the rest of the fixed fields first. */
static void write_head(cb_writer *out, const cb_plan *plan) {
  size_t film = strlen(plan->film);
  cb_put_u64(out, plan->id);
  cb_put_u32(out, (uint32_t)plan->revision);
  cb_put_u32(out, plan->granted);
  cb_put_u8(out, plan->unit);
  cb_put_u8(out, plan->complete);
  cb_put_u8(out, (uint8_t)plan->part_count);
  cb_put_u8(out, (uint8_t)film);
  cb_put_u32(out, plan->tempo_count);
  cb_put_u32(out, plan->event_count);
  cb_put_bytes(out, plan->film, film);
  for (uint32_t i = 0; i < plan->part_count; i++) {
    size_t length = strlen(plan->parts[i].name);
    cb_put_u8(out, (uint8_t)length);
    cb_put_bytes(out, plan->parts[i].name, length);
    cb_put_u8(out, (uint8_t)(plan->parts[i].sustained | plan->parts[i].muted << 1));
    cb_put_f64(out, plan->parts[i].nudge_s);
  }
  for (uint32_t i = 0; i < plan->tempo_count; i++) {
    cb_put_f64(out, plan->tempos[i].beat);
    cb_put_f64(out, plan->tempos[i].start_s);
    cb_put_f64(out, plan->tempos[i].beat_s);
  }
}

static cb_plan *read_head(cb_reader *in) {
  cb_plan *plan = calloc(1, sizeof *plan);
  if (plan == NULL) return NULL;
  plan->id = cb_get_u64(in);
  plan->revision = (int32_t)cb_get_u32(in);
  plan->granted = cb_get_u32(in);
  plan->unit = cb_get_u8(in);
  plan->complete = cb_get_u8(in) != 0;
  plan->part_count = cb_get_u8(in);
  uint8_t film = cb_get_u8(in);
  plan->tempo_count = cb_get_u32(in);
  plan->event_count = cb_get_u32(in);
  bool sound = !in->failed && plan->unit <= CB_SECONDS && plan->part_count <= CB_MAX_PARTS && film < CB_FILM &&
               plan->tempo_count <= CB_MAX_TEMPOS && plan->event_count <= CB_MAX_EVENTS;
  if (sound) cb_get_bytes(in, plan->film, film);
  for (uint32_t i = 0; sound && i < plan->part_count; i++) {
    uint8_t length = cb_get_u8(in);
    if (length >= CB_NAME) sound = false;
    else cb_get_bytes(in, plan->parts[i].name, length);
    uint8_t flags = cb_get_u8(in);
    plan->parts[i].sustained = flags & 1;
    plan->parts[i].muted = (flags & 2) != 0;
    plan->parts[i].nudge_s = cb_get_f64(in);
    sound = sound && !in->failed && fabs(plan->parts[i].nudge_s) <= 1.0; /* false for what is no number, too */
  }
  sound = sound && plan->tempo_count <= cb_left(in) / 24;
  if (sound) {
    plan->tempos = calloc(plan->tempo_count + 1, sizeof *plan->tempos);
    sound = plan->tempos != NULL;
  }
  for (uint32_t i = 0; sound && i < plan->tempo_count; i++) {
    plan->tempos[i].beat = cb_get_f64(in);
    plan->tempos[i].start_s = cb_get_f64(in);
    plan->tempos[i].beat_s = cb_get_f64(in);
  }
  if (sound && !in->failed && tempos_are_sound(plan)) return plan;
  cb_plan_free(plan);
  return NULL;
}

static bool make_room(cb_plan *plan) {
  plan->events = calloc((size_t)plan->event_count + 1, sizeof *plan->events);
  return plan->events != NULL;
}

/* From CueBridge: events as its player gets them, 24 bytes each --------------------------------------------------------- */

cb_plan *cb_plan_parse(const uint8_t *data, size_t size) {
  cb_reader in = {data, size, 0, false};
  if (size < 8 || memcmp(data, "CBBD", 4) != 0) return NULL;
  in.at = 4;
  if (cb_get_u32(&in) != 1) return NULL;
  cb_plan *plan = read_head(&in);
  if (plan == NULL) return NULL;
  if (cb_left(&in) != (size_t)plan->event_count * 24 || !make_room(plan)) goto wrong;
  for (uint32_t i = 0; i < plan->event_count; i++) {
    cb_event *event = &plan->events[i];
    event->kind = cb_get_u8(&in);
    event->part = cb_get_u8(&in);
    event->channel = cb_get_u8(&in);
    event->data1 = cb_get_u8(&in);
    event->data2 = cb_get_u8(&in);
    in.at += 3;
    event->start = cb_get_f64(&in);
    event->length = cb_get_f64(&in);
    if (!event_is_sound(plan, event) || (i && event->start < event[-1].start)) goto wrong;
  }
  return plan;
wrong:
  cb_plan_free(plan);
  return NULL;
}

/* For the project: an adaptive binary range coder after LZMA's ("LZMA specification", I. Pavlov, 2015) -------------------- */

enum { MOVE = 5, ONE = 2048, RECENT = 15, BITS = 48 };
#define TICKS 1048576.0

typedef uint16_t probability;

typedef struct {
  uint64_t recent[RECENT]; /* values seen last, newest first */
  probability place[16];   /* which of them, or RECENT: another */
  probability width[64];
  probability top[BITS + 1][8];
} number_model;

typedef struct {
  number_model gap, length[CB_MAX_PARTS];
  probability kind[CB_MAX_PARTS], part[32], same_channel[CB_MAX_PARTS], channel[16];
  probability data1[CB_MAX_PARTS][2][128], data2[CB_MAX_PARTS][2][128];
  uint8_t last_channel[CB_MAX_PARTS];
} models;

typedef struct {
  cb_writer *out; /* NULL: decodes */
  const uint8_t *data;
  size_t size, at;
  bool failed;
  uint64_t low;
  uint32_t range, code;
  uint8_t cache;
  uint64_t cached;
} coder;

static void shift_low(coder *c) {
  if ((uint32_t)c->low < 0xFF000000u || c->low >> 32) {
    uint8_t carry = (uint8_t)(c->low >> 32), byte = c->cache;
    do {
      cb_put_u8(c->out, (uint8_t)(byte + carry));
      byte = 0xFF;
    } while (--c->cached);
    c->cache = (uint8_t)(c->low >> 24);
  }
  c->cached++;
  c->low = (c->low & 0x00FFFFFFu) << 8;
}

static uint8_t next_byte(coder *c) {
  if (c->at < c->size) return c->data[c->at++];
  c->failed = true;
  return 0;
}

static bool normalized(coder *c) { return c->range >= 1u << 24; }

static void normalize(coder *c) {
  while (!normalized(c)) {
    c->range <<= 8;
    if (c->out) shift_low(c);
    else c->code = c->code << 8 | next_byte(c);
  }
}

/* Writes `bit`, or reads one. */
static unsigned code_bit(coder *c, probability *p, unsigned bit) {
  uint32_t bound = (c->range >> 11) * *p;
  if (!c->out) bit = c->code >= bound;
  if (bit) {
    if (c->out) c->low += bound;
    else c->code -= bound;
    c->range -= bound;
    *p = (probability)(*p - (*p >> MOVE));
  } else {
    c->range = bound;
    *p = (probability)(*p + ((ONE - *p) >> MOVE));
  }
  normalize(c);
  return bit;
}

static unsigned code_even(coder *c, unsigned bit) {
  c->range >>= 1;
  if (c->out) {
    if (bit) c->low += c->range;
  } else {
    bit = c->code >= c->range;
    if (bit) c->code -= c->range;
  }
  normalize(c);
  return bit;
}

/* A value of `bits` bits, the highest first; tree has 1 << bits places. */
static unsigned code_tree(coder *c, probability *tree, unsigned bits, unsigned value) {
  unsigned node = 1;
  for (unsigned i = bits; i--;) node = node << 1 | code_bit(c, &tree[node], value >> i & 1);
  return node - (1u << bits);
}

static uint64_t code_number(coder *c, number_model *m, uint64_t value) {
  unsigned place = 0;
  while (place < RECENT && m->recent[place] != value) place++;
  place = code_tree(c, m->place, 4, place);
  if (place == RECENT) {
    unsigned width = 0;
    while (width < BITS && value >> width) width++;
    width = code_tree(c, m->width, 6, width);
    if (width > BITS) {
      c->failed = true;
      return 0;
    }
    uint64_t read = width ? 1 : 0;
    unsigned node = 1;
    for (unsigned i = 1; i < width; i++) {
      unsigned bit = value >> (width - 1 - i) & 1;
      if (i <= 2) {
        bit = code_bit(c, &m->top[width][node], bit);
        node = node << 1 | bit;
      } else {
        bit = code_even(c, bit);
      }
      read = read << 1 | bit;
    }
    value = read;
    place = RECENT - 1;
  } else {
    value = m->recent[place];
  }
  memmove(&m->recent[1], &m->recent[0], place * sizeof m->recent[0]);
  m->recent[0] = value;
  return value;
}

static void halve(void *of, size_t size) {
  probability *p = of;
  for (size_t i = 0; i < size / sizeof *p; i++) p[i] = ONE / 2;
}

static void begin_number(number_model *m) {
  halve(m->place, sizeof m->place);
  halve(m->width, sizeof m->width);
  halve(m->top, sizeof m->top);
  for (unsigned i = 0; i < RECENT; i++) m->recent[i] = i;
}

static models *new_models(void) {
  models *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  halve(m->kind, sizeof m->kind);
  halve(m->part, sizeof m->part);
  halve(m->same_channel, sizeof m->same_channel);
  halve(m->channel, sizeof m->channel);
  halve(m->data1, sizeof m->data1);
  halve(m->data2, sizeof m->data2);
  begin_number(&m->gap);
  for (unsigned i = 0; i < CB_MAX_PARTS; i++) begin_number(&m->length[i]);
  return m;
}

/* Writes an event or reads one into it.  at: ticks of the event before, on return of this one. */
static bool code_event(coder *c, models *m, cb_event *event, int64_t *at) {
  uint64_t gap = 0, length = 0;
  if (c->out) {
    int64_t start = llround(event->start * TICKS);
    gap = start > *at ? (uint64_t)(start - *at) : 0;
    length = (uint64_t)llround(event->length * TICKS);
  }
  gap = code_number(c, &m->gap, gap);
  *at += (int64_t)gap;
  unsigned part = code_tree(c, m->part, 5, event->part);
  unsigned kind = code_bit(c, &m->kind[part], event->kind);
  unsigned channel = event->channel;
  if (code_bit(c, &m->same_channel[part], channel == m->last_channel[part])) channel = m->last_channel[part];
  else channel = code_tree(c, m->channel, 4, channel);
  m->last_channel[part] = (uint8_t)channel;
  event->part = (uint8_t)part;
  event->kind = (uint8_t)kind;
  event->channel = (uint8_t)channel;
  event->data1 = (uint8_t)code_tree(c, m->data1[part][kind], 7, event->data1);
  event->data2 = (uint8_t)code_tree(c, m->data2[part][kind], 7, event->data2);
  length = kind == CB_NOTE ? code_number(c, &m->length[part], length) : 0;
  if (!c->out) {
    event->start = (double)*at / TICKS;
    event->length = (double)length / TICKS;
  }
  return !c->failed;
}

uint8_t *cb_plan_encode(const cb_plan *plan, size_t *size) {
  cb_writer out = {0};
  models *m = new_models();
  if (m == NULL) return NULL;
  cb_put_bytes(&out, "CBST", 4);
  cb_put_u32(&out, 1);
  cb_put_u32(&out, 0); /* the check sum of all behind it */
  write_head(&out, plan);
  int64_t at = plan->event_count ? llround(plan->events[0].start * TICKS) : 0;
  cb_put_u64(&out, (uint64_t)at);
  coder c = {.out = &out, .range = 0xFFFFFFFFu, .cached = 1};
  for (uint32_t i = 0; i < plan->event_count; i++) {
    cb_event event = plan->events[i];
    code_event(&c, m, &event, &at);
  }
  for (int i = 0; i < 5; i++) shift_low(&c);
  free(m);
  if (out.failed) {
    free(out.data);
    return NULL;
  }
  cb_store_u32(out.data + 8, cb_crc32(out.data + 12, out.size - 12));
  *size = out.size;
  return out.data;
}

cb_plan *cb_plan_decode(const uint8_t *data, size_t size) {
  if (size < 12) return NULL;
  if (memcmp(data, "CBBD", 4) == 0) return cb_plan_parse(data, size);
  cb_reader in = {data, size, 4, false};
  if (memcmp(data, "CBST", 4) != 0 || cb_get_u32(&in) != 1) return NULL;
  if (cb_get_u32(&in) != cb_crc32(data + 12, size - 12)) return NULL;
  cb_plan *plan = read_head(&in);
  if (plan == NULL) return NULL;
  int64_t at = (int64_t)cb_get_u64(&in);
  models *m = new_models();
  /* No event takes less than a thirty-second of a byte: a forged count costs no memory. */
  if (m == NULL || in.failed || llabs(at) > (int64_t)(CB_MAX_TIME * TICKS) || plan->event_count > 64 + 32 * cb_left(&in))
    goto wrong;
  if (!make_room(plan)) goto wrong;
  coder c = {.data = data, .size = size, .at = in.at, .range = 0xFFFFFFFFu};
  for (int i = 0; i < 5; i++) c.code = c.code << 8 | next_byte(&c);
  for (uint32_t i = 0; i < plan->event_count; i++)
    if (!code_event(&c, m, &plan->events[i], &at) || !event_is_sound(plan, &plan->events[i])) goto wrong;
  free(m);
  return plan;
wrong:
  free(m);
  cb_plan_free(plan);
  return NULL;
}
