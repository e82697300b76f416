#include "../src/instance.h"
#include "threads.h"

static cb_instance *instance;

bool subject_open(void) { return (instance = cb_instance_new(CB_CLAP, "threads", NULL, NULL)) != NULL; }

bool subject_load(const uint8_t *state, size_t size) { return cb_instance_load(instance, state, size); }

uint8_t *subject_save(size_t *size) { return cb_instance_save(instance, size); }

void subject_set(unsigned part, bool bypass) {
  cb_instance_set(instance, CB_PARAM_PART, part);
  cb_instance_set(instance, CB_PARAM_BYPASS, bypass);
}

void subject_close(void) { cb_instance_free(instance); }

static bool take(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  (void)frame, (void)data1, (void)data2;
  *(int *)to += (status & 0xF0) == 0x90 ? 1 : (status & 0xF0) == 0x80 ? -1 : 0;
  return true;
}

void subject_run(unsigned number, bool rolling, int *heard) {
  cb_block block = {.frames = 64 + number % 500, .rate = 48000, .rolling = rolling, .has = {true, true}, .bpm = 120};
  block.position[CB_SECONDS] = (number % 4000) * 0.01;
  block.position[CB_BEATS] = 2 * block.position[CB_SECONDS];
  cb_instance_run(instance, &block, &(cb_host){.numerator = 4, .denominator = 4}, take, heard);
  cb_instance_has_changed(instance);
}
