/* One instance of the plugin, as the faces of CLAP, LV2 and VST3 see it.
 *
 * Three kinds of threads: the host's audio thread calls cb_instance_run; the host's others save, load and set; a thread of our
 * own speaks with CueBridge.  Between the audio thread and the rest there are atomics and rings of fixed size only: a new score
 * is put into `incoming`, an old one comes back through `retired` and is freed by our thread.
 */
#ifndef CUEBRIDGE_INSTANCE_H
#define CUEBRIDGE_INSTANCE_H

#include "core.h"

#define CB_VERSION_TEXT "0.1.0"
#define CB_VERSION 0x000100u
#define CB_VENDOR "CueBridge"
#define CB_PLUGIN_NAME "CueBridge"
#define CB_CLAP_ID "org.cuebridge.plugin"
#define CB_LV2_URI "urn:cuebridge:plugin"

enum { CB_CLAP = 1, CB_LV2 = 2, CB_VST3 = 3 };
/* Parameters: which part it plays, 0 = all, else the part's place + 1; and whether it is bypassed. */
enum { CB_PARAM_PART = 0, CB_PARAM_BYPASS = 1, CB_PARAMS = 2, CB_PART_CHOICES = 16 };

typedef struct cb_instance cb_instance;

/* What the host says of its transport besides what cb_block holds. */
typedef struct {
  bool recording, offline;
  uint16_t numerator, denominator; /* 0: not said */
} cb_host;

/* changed: called in our thread when the project has something new to save. */
cb_instance *cb_instance_new(uint8_t face, const char *host, void (*changed)(void *), void *with);
void cb_instance_free(cb_instance *instance);

void cb_instance_run(cb_instance *instance, cb_block *block, const cb_host *host, cb_emit emit, void *to);
void cb_instance_release(cb_instance *instance, cb_emit emit, void *to);

/* True once after each change that the project should save; for faces that tell the host in the audio thread. */
bool cb_instance_has_changed(cb_instance *instance);

double cb_instance_get(const cb_instance *instance, unsigned parameter);
void cb_instance_set(cb_instance *instance, unsigned parameter, double value);
/* "All parts", "Pad", …; the text stays valid. */
const char *cb_part_name(unsigned choice);

/* For the host's project.  Free with free(). */
uint8_t *cb_instance_save(cb_instance *instance, size_t *size);
bool cb_instance_load(cb_instance *instance, const uint8_t *data, size_t size);

/* For tests: its name in datagrams, and what our thread does with one. */
uint64_t cb_instance_name(const cb_instance *instance);
void cb_instance_hear(cb_instance *instance, const uint8_t *bytes, size_t size, const uint8_t token[16]);

#endif
