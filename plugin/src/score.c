#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

void cb_score_free(cb_score *score) {
  if (score == NULL) return;
  free(score->notes);
  free(score->by_key);
  free(score->controls);
  free(score->by_stream);
  free(score->streams);
  free(score);
}

/* Bank, volume, pan, balance and channel modes are the mixer's, never sent: NEVER_SENT of bridge/player/scheduler.py. */
static bool is_sent(uint8_t number) {
  return number != 0 && number != 7 && number != 10 && number != 32 && number < 120;
}

typedef struct {
  double time[2];
  uint32_t index;
} entry;

static int by_time(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->time[CB_SECONDS] != y->time[CB_SECONDS]) return x->time[CB_SECONDS] < y->time[CB_SECONDS] ? -1 : 1;
  if (x->time[CB_BEATS] != y->time[CB_BEATS]) return x->time[CB_BEATS] < y->time[CB_BEATS] ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

static void both_times(const cb_plan *plan, double native, double nudge_s, double time[2]) {
  if (plan->unit == CB_BEATS) {
    time[CB_BEATS] = native;
    time[CB_SECONDS] = cb_seconds_at(plan->tempos, plan->tempo_count, native);
  } else {
    time[CB_SECONDS] = native;
    time[CB_BEATS] = cb_beats_at(plan->tempos, plan->tempo_count, native);
  }
  if (nudge_s != 0) {
    time[CB_SECONDS] += nudge_s;
    time[CB_BEATS] = cb_beats_at(plan->tempos, plan->tempo_count, time[CB_SECONDS]);
  }
}

static void add_streams(cb_score *score) {
  static const uint32_t none = UINT32_MAX;
  uint32_t count[16 * 128] = {0}, stream_of[16 * 128];
  for (uint32_t i = 0; i < score->control_count; i++) count[score->controls[i].channel * 128 + score->controls[i].number]++;
  uint32_t first = 0;
  for (uint32_t key = 0; key < 16 * 128; key++) {
    stream_of[key] = none;
    if (count[key] == 0) continue;
    stream_of[key] = score->stream_count;
    score->streams[score->stream_count++] = (cb_stream){(uint8_t)(key / 128), (uint8_t)(key % 128), first, 0};
    first += count[key];
  }
  for (uint32_t i = 0; i < score->control_count; i++) {
    cb_stream *stream = &score->streams[stream_of[score->controls[i].channel * 128 + score->controls[i].number]];
    score->by_stream[stream->first + stream->count++] = i;
  }
}

/* What is needed to find what of a key sounds at a time: core.c, held_at. */
static void add_keys(cb_score *score) {
  uint32_t *first = score->first_of, next[CB_KEYS];
  for (uint32_t i = 0; i < score->note_count; i++) first[cb_key_of(&score->notes[i]) + 1]++;
  for (uint32_t key = 0; key < CB_KEYS; key++) first[key + 1] += first[key];
  memcpy(next, first, sizeof next);
  for (uint32_t i = 0; i < score->note_count; i++) {
    uint32_t key = cb_key_of(&score->notes[i]), longer = next[key] - first[key];
    cb_of_key *all = &score->by_key[first[key]];
    while (longer && score->notes[all[longer - 1].note].end[CB_SECONDS] <= score->notes[i].end[CB_SECONDS])
      longer = all[longer - 1].longer;
    score->by_key[next[key]++] = (cb_of_key){i, longer};
  }
}

static void add_event(cb_score *score, const cb_plan *plan, const cb_event *event) {
  const cb_part *part = &plan->parts[event->part];
  if (event->kind == CB_NOTE) {
    cb_note *note = &score->notes[score->note_count++];
    both_times(plan, event->start, part->nudge_s, note->start);
    both_times(plan, event->start + event->length, part->nudge_s, note->end);
    note->channel = event->channel;
    note->pitch = event->data1;
    note->velocity = event->data2;
    note->sustained = part->sustained;
    note->restruck = strcmp(part->name, "arp") == 0 || strcmp(part->name, "drums") == 0;
  } else {
    cb_control *control = &score->controls[score->control_count++];
    both_times(plan, event->start, part->nudge_s, control->time);
    control->channel = event->channel;
    control->number = event->data1;
    control->value = event->data2;
  }
}

cb_score *cb_score_build(const cb_plan *plan, uint32_t parts) {
  cb_score *score = calloc(1, sizeof *score);
  entry *order = calloc((size_t)plan->event_count + 1, sizeof *order);
  if (score == NULL || order == NULL) goto wrong;
  uint32_t notes = 0, controls = 0;
  for (uint32_t i = 0; i < plan->event_count; i++) {
    const cb_event *event = &plan->events[i];
    if (plan->parts[event->part].muted || !(parts >> event->part & 1)) continue;
    if (event->kind == CB_CONTROL && !is_sent(event->data1)) continue;
    entry *at = &order[notes + controls];
    both_times(plan, event->start, plan->parts[event->part].nudge_s, at->time);
    at->index = i;
    if (event->kind == CB_NOTE) notes++;
    else controls++;
  }
  qsort(order, notes + controls, sizeof *order, by_time);
  score->id = plan->id;
  score->unit = plan->unit;
  score->notes = calloc((size_t)notes + 1, sizeof *score->notes);
  score->by_key = calloc((size_t)notes + 1, sizeof *score->by_key);
  score->controls = calloc((size_t)controls + 1, sizeof *score->controls);
  score->by_stream = calloc((size_t)controls + 1, sizeof *score->by_stream);
  score->streams = calloc(controls < 2048 ? (size_t)controls + 1 : 2048, sizeof *score->streams);
  if (!score->notes || !score->by_key || !score->controls || !score->by_stream || !score->streams) goto wrong;
  for (uint32_t i = 0; i < notes + controls; i++) add_event(score, plan, &plan->events[order[i].index]);
  for (uint32_t i = 0; i < score->note_count; i++)
    for (int unit = 0; unit < 2; unit++) {
      cb_note *note = &score->notes[i];
      note->reach[unit] = i ? fmax(note[-1].reach[unit], note->end[unit]) : note->end[unit];
    }
  add_keys(score);
  add_streams(score);
  free(order);
  return score;
wrong:
  free(order);
  cb_score_free(score);
  return NULL;
}
