#include "core.h"

#include <math.h>
#include <string.h>

enum { SUSTAIN = 64, LAST_PEDAL = 69, OFF_VELOCITY = 64 };
enum { NEAR_NOTES = 4096 };
static const double BACK_S = 0.1;  /* a second jump this soon and this near corrects the first */
static const double LATE_S = 0.05; /* short notes that are later are dropped */
static const double LONG_S = 1.0;  /* others that last this long begin late instead */
static const double TURN_S = 0.001; /* hosts state the edges of a loop rounded by less than this */
static const double SHORTEST_S = 0.1; /* less of a note is not worth beginning late */

/* A stretch of a block without a jump: unit = start + speed * frame + bend * frame^2. */
typedef struct {
  double start, speed, bend;
  uint32_t offset; /* in the block */
  double per_s;    /* units a second */
} stretch;

typedef struct {
  cb_core *core;
  cb_emit emit;
  void *to;
} output;

static double frame_of(const stretch *at, double time) {
  double distance = time - at->start;
  if (at->bend == 0) return distance / at->speed;
  double root = at->speed * at->speed + 4 * at->bend * distance;
  if (root < 0) return INFINITY;
  double divisor = at->speed + sqrt(root);
  return divisor > 0 ? 2 * distance / divisor : INFINITY;
}

static double position_at(const stretch *at, double frame) { return at->start + frame * (at->speed + at->bend * frame); }

/* The ledger: keys that sound, in a heap by their end -------------------------------------------------------------------- */

static double end_of(const cb_core *core, uint32_t place) { return core->sounding[core->heap[place]].end[core->unit]; }

static void set_place(cb_core *core, uint32_t place, uint16_t key) {
  core->heap[place] = key;
  core->sounding[key].place = (uint16_t)(place + 1);
}

static void sift(cb_core *core, uint32_t place) {
  uint16_t key = core->heap[place];
  double end = core->sounding[key].end[core->unit];
  while (place && end < end_of(core, (place - 1) / 2)) {
    set_place(core, place, core->heap[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  for (;;) {
    uint32_t child = 2 * place + 1;
    if (child >= core->sounding_count) break;
    if (child + 1 < core->sounding_count && end_of(core, child + 1) < end_of(core, child)) child++;
    if (end_of(core, child) >= end) break;
    set_place(core, place, core->heap[child]);
    place = child;
  }
  set_place(core, place, key);
}

static void rebuild_heap(cb_core *core) {
  for (uint32_t place = core->sounding_count / 2; place--;) sift(core, place);
}

static void add_key(cb_core *core, uint16_t key) { set_place(core, core->sounding_count++, key); }

static void remove_key(cb_core *core, uint16_t key) {
  uint32_t place = core->sounding[key].place - 1u;
  uint16_t last = core->heap[--core->sounding_count];
  core->sounding[key].place = 0;
  if (last == key) return;
  set_place(core, place, last);
  sift(core, place);
}

/* Sending ---------------------------------------------------------------------------------------------------------------- */

static void send_off(output *out, uint32_t frame, uint16_t key) {
  out->core->released[key / 64] |= (uint64_t)1 << key % 64;
  if (out->emit(out->to, frame, (uint8_t)(0x80 | key >> 7), key & 127, OFF_VELOCITY)) return;
  if (!out->core->owed[key]) out->core->owed_count++;
  out->core->owed[key] = true; /* it is tried again with the next block */
}

static void release(output *out, uint32_t frame, uint16_t key) {
  remove_key(out->core, key);
  send_off(out, frame, key);
}

static void send_control(output *out, uint32_t frame, const cb_control *control, bool always) {
  uint8_t *last = &out->core->last_value[control->channel][control->number];
  if (!always && *last == control->value) return;
  if (out->emit(out->to, frame, 0xB0 | control->channel, control->number, control->value)) *last = control->value;
}

/* Its key is in the heap then, at the end: not by its end yet. */
static bool strike_unsorted(output *out, uint32_t frame, const cb_note *note) {
  cb_core *core = out->core;
  uint16_t key = cb_key_of(note);
  if (core->sounding[key].place) release(out, frame, key);
  if (core->owed[key]) return false; /* its off found no room; another note-on there would never end */
  if (!out->emit(out->to, frame, 0x90 | note->channel, note->pitch, note->velocity)) return false;
  memcpy(core->sounding[key].end, note->end, sizeof note->end);
  memcpy(core->sounding[key].start, note->start, sizeof note->start);
  add_key(core, key);
  core->struck++;
  return true;
}

static void strike(output *out, uint32_t frame, const cb_note *note) {
  if (strike_unsorted(out, frame, note)) sift(out->core, out->core->sounding_count - 1);
}

static void release_all(output *out, uint32_t frame) {
  cb_core *core = out->core;
  while (core->sounding_count) release(out, frame, core->heap[core->sounding_count - 1]);
  for (uint8_t channel = 0; channel < 16; channel++)
    for (uint8_t number = SUSTAIN; number <= LAST_PEDAL; number++) {
      uint8_t value = core->last_value[channel][number];
      if (value >= 64 && value != 255) send_control(out, frame, &(cb_control){.channel = channel, .number = number}, true);
    }
}

static void pay_debts(output *out) {
  cb_core *core = out->core;
  for (uint16_t key = 0; core->owed_count && key < CB_KEYS; key++) {
    if (!core->owed[key]) continue;
    if (!out->emit(out->to, 0, (uint8_t)(0x80 | key >> 7), key & 127, OFF_VELOCITY)) return;
    core->owed[key] = false;
    core->owed_count--;
  }
}

/* Once more what the run before has sent, where nothing sounds since. */
static void repeat_offs(output *out, const uint64_t *released) {
  for (uint16_t key = 0; key < CB_KEYS; key++)
    if (released[key / 64] >> key % 64 & 1 && !out->core->sounding[key].place) send_off(out, 0, key);
}

/* The place in the plan -------------------------------------------------------------------------------------------------- */

static uint32_t first_note(const cb_score *score, uint8_t unit, double from) {
  uint32_t low = 0, high = score->note_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (score->notes[middle].start[unit] < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

static uint32_t first_control(const cb_score *score, uint8_t unit, double after) {
  uint32_t low = 0, high = score->control_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (score->controls[middle].time[unit] <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Controllers as they hold at `time`.  always: also those that were sent so already. */
static void chase_controls(output *out, uint32_t frame, double time, bool always) {
  const cb_score *score = out->core->score;
  uint8_t unit = out->core->unit;
  for (uint32_t i = 0; i < score->stream_count; i++) {
    const cb_stream *stream = &score->streams[i];
    uint32_t low = 0, high = stream->count;
    while (low < high) {
      uint32_t middle = low + (high - low) / 2;
      if (score->controls[score->by_stream[stream->first + middle]].time[unit] <= time) low = middle + 1;
      else high = middle;
    }
    if (low) send_control(out, frame, &score->controls[score->by_stream[stream->first + low - 1]], always);
  }
}

/* The last of the first `before` notes that is of a key and ends after `time`; NULL: there is none. */
static const cb_note *held_at(const cb_core *core, uint32_t key, uint32_t before, double time, bool sustained) {
  const cb_score *score = core->score;
  const cb_of_key *all = &score->by_key[score->first_of[key]];
  uint32_t count = 0, left = score->first_of[key + 1] - score->first_of[key];
  while (left) { /* without a branch that depends on what is found */
    uint32_t half = left - left / 2;
    count += all[count + half - 1].note < before ? half : 0;
    left = left / 2;
  }
  while (count) {
    const cb_note *note = &score->notes[all[count - 1].note];
    if (!(note->end[core->unit] > time)) count = all[count - 1].longer;
    else if (sustained && !note->sustained) count--;
    else return note;
  }
  return NULL;
}

/* Sustained notes that began before the next one to be played and last on.  Most stand right before it; where a great many
 * might, what the first look did not find is looked for key by key. */
static void chase_notes(output *out, uint32_t frame, const stretch *at, double time) {
  cb_core *core = out->core;
  const cb_score *score = core->score;
  double after = time + SHORTEST_S * at->per_s;
  uint32_t i = core->note, last = i > NEAR_NOTES ? i - NEAR_NOTES : 0;
  while (i > last && score->notes[i - 1].reach[core->unit] > after) {
    const cb_note *note = &score->notes[--i];
    if (note->sustained && note->end[core->unit] > after && !core->sounding[cb_key_of(note)].place)
      strike_unsorted(out, frame, note);
  }
  if (i == last && i && score->notes[i - 1].reach[core->unit] > after)
    for (uint32_t key = 0; key < CB_KEYS; key++) {
      if (score->first_of[key] == score->first_of[key + 1] || core->sounding[key].place) continue;
      const cb_note *note = held_at(core, key, i, after, true);
      if (note != NULL) strike_unsorted(out, frame, note);
    }
  rebuild_heap(core);
}

/* The playhead is at the beginning of the stretch, wherever it was. */
static void jump(output *out, const stretch *at, uint32_t frames_ago) {
  cb_core *core = out->core;
  double back = core->jumped - at->start;
  bool corrects = core->playing && core->since_jump <= BACK_S * at->per_s / fabs(at->speed) && back > 0 &&
                  back <= BACK_S * at->per_s;
  if (corrects) { /* what has been struck since the first jump is neither ended nor struck again */
    core->skip_from = core->jumped - 0.5 * at->speed;
    core->skip_to = core->reached - 0.5 * at->speed;
  } else {
    core->skip_from = core->skip_to = 0;
    release_all(out, at->offset);
  }
  core->jumped = at->start;
  core->since_jump = -(double)frames_ago;
  if (core->score == NULL) return;
  core->note = first_note(core->score, core->unit, at->start - 0.5 * at->speed);
  core->control = first_control(core->score, core->unit, at->start);
  chase_controls(out, at->offset, at->start, !corrects);
  chase_notes(out, at->offset, at, at->start);
}

/* A new score while notes sound: those that it holds too go on. */
static void adopt(output *out, const stretch *at) {
  cb_core *core = out->core;
  const cb_score *score = core->score;
  uint8_t unit = core->unit;
  double time = at->start;
  core->note = first_note(score, unit, core->reached - 0.5 * at->speed);
  core->control = first_control(score, unit, core->reached - 0.5 * at->speed);
  for (uint16_t key = 0; key < CB_KEYS; key++) {
    if (!core->sounding[key].place) continue;
    const cb_note *note = held_at(core, key, core->note, time, false);
    if (note != NULL) {
      memcpy(core->sounding[key].end, note->end, sizeof note->end);
      memcpy(core->sounding[key].start, note->start, sizeof note->start);
    } else core->sounding[key].end[unit] = -INFINITY; /* ended below */
  }
  rebuild_heap(core);
  while (core->sounding_count && end_of(core, 0) == -INFINITY) release(out, at->offset, core->heap[0]);
  chase_controls(out, at->offset, time, false);
  chase_notes(out, at->offset, at, time);
}

/* Playing ---------------------------------------------------------------------------------------------------------------- */

static uint32_t frame_in(const stretch *at, double time, uint32_t frames) {
  double frame = round(frame_of(at, time));
  if (!(frame > 0)) return at->offset;
  return at->offset + (frame < frames ? (uint32_t)frame : frames - 1);
}

static bool begins_late(const cb_core *core, const stretch *at, const cb_note *note) {
  double late = (at->start - note->start[core->unit]) / at->per_s, left = (note->end[core->unit] - at->start) / at->per_s;
  if (late <= LATE_S) return true;
  return left > SHORTEST_S && (note->sustained || (!note->restruck && left + late >= LONG_S));
}

static void play_note(output *out, const stretch *at, const cb_note *note, uint32_t frames) {
  cb_core *core = out->core;
  double start = note->start[core->unit];
  if (start >= core->skip_from && start < core->skip_to) return;
  if (start < at->start && !begins_late(core, at, note)) return;
  strike(out, frame_in(at, start, frames), note);
}

/* All that is due in `frames` frames of a stretch, but nothing that begins at or after `end`. */
static void play(output *out, const stretch *at, uint32_t frames, double end) {
  cb_core *core = out->core;
  const cb_score *score = core->score;
  uint8_t unit = core->unit;
  double limit = position_at(at, frames - 0.5); /* what is nearer to the frame behind belongs there */
  for (;;) {
    double off = core->sounding_count ? end_of(core, 0) : INFINITY, control = INFINITY, note = INFINITY;
    if (score != NULL && core->control < score->control_count) control = score->controls[core->control].time[unit];
    if (score != NULL && core->note < score->note_count) note = score->notes[core->note].start[unit];
    if (note >= end) note = INFINITY;
    if (control >= end) control = INFINITY;
    if (off <= control && off <= note) {
      if (!(off < limit)) return;
      release(out, frame_in(at, off, frames), core->heap[0]);
    } else if (control <= note) {
      if (!(control < limit)) return;
      send_control(out, frame_in(at, control, frames), &score->controls[core->control++], false);
    } else {
      if (!(note < limit)) return;
      play_note(out, at, &score->notes[core->note++], frames);
    }
  }
}

/* How the block goes on from the one before: whether the playhead is where it was expected. */
static bool continues(cb_core *core, const cb_block *block, const stretch *at) {
  double nominal = at->speed, near_by = 2 * fabs(nominal);
  if (core->turned) near_by = fmax(near_by, TURN_S * at->per_s);
  if (fabs(at->start - core->reached) <= near_by) {
    core->last_ratio = 0;
    return true;
  }
  if (block->speed != 0 || core->length == 0) return false;
  /* The host does not say its speed.  Twice the same other advance is one; the first is taken as it comes. */
  double ratio = (at->start - core->began) / (nominal / core->speed * core->length);
  bool near = ratio >= 0 && ratio <= 4;
  if (near && core->last_ratio > 0 && fabs(ratio - core->last_ratio) < 0.02 * ratio && ratio > 0.2) core->speed = ratio;
  core->last_ratio = near ? ratio : 0;
  return near;
}

static void stop(output *out) {
  cb_core *core = out->core;
  if (core->playing) release_all(out, 0);
  core->playing = core->turned = false;
  core->length = 0;
  core->since_jump = INFINITY;
  core->speed = 1;
  core->last_ratio = 0;
}

static stretch stretch_of(const cb_core *core, const cb_block *block) {
  stretch at = {.start = block->position[core->unit]};
  double speed = block->speed != 0 ? block->speed : core->speed;
  at.per_s = core->unit == CB_SECONDS ? 1.0 : block->bpm / 60;
  at.speed = at.per_s * speed / block->rate;
  if (core->unit == CB_BEATS) at.bend = 0.5 * block->bpm_step / 60 * speed / block->rate;
  return at;
}

/* Plays a block, and goes from the end of the loop to its start where the block holds that. */
static void play_round(output *out, const cb_block *block, stretch at) {
  cb_core *core = out->core;
  const double *loop = block->loop[core->unit];
  double length = loop[1] - loop[0];
  bool looping = block->looping && isfinite(length) && at.start < loop[1] && length > 16 * at.speed;
  uint32_t left = block->frames;
  core->turned = false;
  while (left) {
    double turn = looping ? frame_of(&at, loop[1]) : INFINITY;
    uint32_t frames = turn < left - 0.5 ? (uint32_t)fmax(0, round(turn)) : left;
    double end = looping ? loop[1] - 0.5 * at.speed : INFINITY;
    if (frames) play(out, &at, frames, end);
    core->reached = position_at(&at, frames);
    core->since_jump += frames;
    left -= frames;
    if (left == 0) return;
    at.start = loop[0] + (frames - turn) * at.speed;
    at.offset += frames;
    at.bend = 0;
    core->since_jump = INFINITY;
    jump(out, &at, 0);
    core->turned = true;
    core->since_jump = INFINITY; /* the turn of a loop is no locate that a second one corrects */
  }
}

void cb_core_take(cb_core *core, const cb_score *score) {
  core->score = score;
  core->is_new = true;
}

void cb_core_run(cb_core *core, const cb_block *block, cb_emit emit, void *to) {
  output out = {core, emit, to};
  if (block->frames == 0) return; /* some hosts run such blocks to hand over parameters */
  if (core->owed_count) pay_debts(&out);
  uint64_t released[CB_KEYS / 64];
  memcpy(released, core->released, sizeof released);
  memset(core->released, 0, sizeof core->released);
  uint8_t unit = core->unit;
  if (core->score != NULL) unit = block->has[core->score->unit] ? core->score->unit : !core->score->unit;
  bool fit = block->rolling && !block->silent && block->has[unit] && isfinite(block->position[unit]) && block->rate > 0 &&
             block->speed >= 0 && (unit == CB_SECONDS || (block->bpm > 0 && isfinite(block->bpm)));
  if (!fit) {
    stop(&out);
    return;
  }
  if (unit != core->unit) {
    stop(&out);
    core->unit = unit;
  }
  stretch at = stretch_of(core, block);
  if (!core->playing || !continues(core, block, &at)) {
    core->speed = 1;
    at = stretch_of(core, block);
    if (core->playing && core->repeats_offs) repeat_offs(&out, released);
    jump(&out, &at, 0);
  } else {
    at = stretch_of(core, block);
    if (core->is_new && core->score != NULL) adopt(&out, &at);
  }
  core->is_new = false;
  core->playing = true;
  core->began = at.start;
  core->length = block->frames;
  play_round(&out, block, at);
}

void cb_core_init(cb_core *core) {
  memset(core, 0, sizeof *core);
  memset(core->last_value, 255, sizeof core->last_value);
  core->unit = CB_SECONDS;
  core->speed = 1;
  core->since_jump = INFINITY;
}

void cb_core_release(cb_core *core, cb_emit emit, void *to) {
  output out = {core, emit, to};
  if (core->owed_count) pay_debts(&out);
  stop(&out);
}
