/* The exchange between the audio thread and the others, for the thread sanitizer:  threads SECONDS
 *
 * One thread plays blocks, one loads, saves and sets as a host's main thread does, one sends what CueBridge sends; the instance's
 * own thread runs as always. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/instance.h"
#include "../src/platform.h"

static cb_instance *instance;
static atomic_bool ending;
static atomic_uint played, saved;

static bool take(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  (void)frame, (void)data1, (void)data2;
  *(int *)to += (status & 0xF0) == 0x90 ? 1 : (status & 0xF0) == 0x80 ? -1 : 0;
  return true;
}

static void audio(void *with) {
  (void)with;
  int sounding = 0;
  for (uint32_t i = 0; !atomic_load(&ending); i++) {
    cb_block block = {.frames = 64 + i % 500, .rate = 48000, .rolling = i % 97 != 0, .has = {true, true}, .bpm = 120};
    block.position[CB_SECONDS] = (i % 4000) * 0.01;
    block.position[CB_BEATS] = 2 * block.position[CB_SECONDS];
    cb_instance_run(instance, &block, &(cb_host){.numerator = 4, .denominator = 4}, take, &sounding);
    cb_instance_has_changed(instance);
    atomic_fetch_add(&played, 1);
  }
  cb_instance_release(instance, take, &sounding);
  if (sounding != 0) {
    fprintf(stderr, "%d notes are left sounding\n", sounding);
    abort();
  }
}

static uint8_t *random_state(unsigned number, size_t *size) {
  cb_event events[200];
  cb_tempo tempo = {0, 0, 0.5};
  cb_plan plan = {.id = number + 1, .granted = CB_ALL_PARTS, .part_count = 2, .tempo_count = 1, .event_count = 200};
  snprintf(plan.parts[0].name, CB_NAME, "pad");
  snprintf(plan.parts[1].name, CB_NAME, "arp");
  plan.parts[0].sustained = true;
  plan.tempos = &tempo;
  plan.events = events;
  for (unsigned i = 0; i < 200; i++)
    events[i] = (cb_event){CB_NOTE, i % 2, i % 4, (uint8_t)(30 + (i * 7 + number) % 60), 80, i * 0.2, 0.3 + i % 5};
  size_t coded_size;
  uint8_t *coded = cb_plan_encode(&plan, &coded_size), *state = malloc(13 + coded_size);
  memcpy(state, "CBPI\1\0\0\0\0\0\0\0\0", 13);
  memcpy(state + 13, coded, coded_size);
  free(coded);
  *size = 13 + coded_size;
  return state;
}

static void host(void *with) {
  (void)with;
  for (unsigned i = 0; !atomic_load(&ending); i++) {
    size_t size;
    uint8_t *state = random_state(i, &size);
    if (!cb_instance_load(instance, state, size)) abort();
    free(state);
    cb_instance_set(instance, CB_PARAM_PART, i % 3);
    cb_instance_set(instance, CB_PARAM_BYPASS, i % 11 == 0);
    state = cb_instance_save(instance, &size);
    if (state == NULL) abort();
    free(state);
    atomic_fetch_add(&saved, 1);
    if (i % 50 == 0) cb_sleep_ms(1);
  }
}

int main(int count, char **arguments) {
  unsigned seconds = count > 1 ? (unsigned)atoi(arguments[1]) : 2;
  instance = cb_instance_new(CB_CLAP, "threads", NULL, NULL);
  if (instance == NULL) return 1;
  cb_thread *threads[2] = {cb_thread_start(audio, NULL), cb_thread_start(host, NULL)};
  cb_sleep_ms(seconds * 1000);
  atomic_store(&ending, true);
  for (int i = 0; i < 2; i++) cb_thread_join(threads[i]);
  cb_instance_free(instance);
  printf("%u blocks, %u states\n", atomic_load(&played), atomic_load(&saved));
  return 0;
}
