/* What threads.c runs: the instance behind all faces (threads_instance.c), or the VST3 as a host has it (threads_vst3.c). */
#ifndef CUEBRIDGE_THREADS_H
#define CUEBRIDGE_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the host's main thread. */
bool subject_open(void);
bool subject_load(const uint8_t *state, size_t size);
uint8_t *subject_save(size_t *size); /* free with free(); NULL: it could not */
void subject_set(unsigned part, bool bypass);
void subject_close(void);

/* In the audio thread: a block; number: which one.  heard: +1 for each note-on, -1 for each note-off. */
void subject_run(unsigned number, bool rolling, int *heard);

#endif
