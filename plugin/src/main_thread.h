/* Has a function called in the host's main thread: a VST3 host has nothing with which to ask for that. */
#ifndef CUEBRIDGE_MAIN_THREAD_H
#define CUEBRIDGE_MAIN_THREAD_H

#include "vst3_abi.h"

typedef struct cb_main cb_main;

/* In the main thread.  context: the host's; on Linux it lends its timer, and where it has none nothing is ever called. */
cb_main *cb_main_new(v3_unknown **context, void (*run)(void *), void *with);
/* In any thread; `run` is called some time later. */
void cb_main_ask(cb_main *main);
/* In the main thread; `run` is not called after it. */
void cb_main_free(cb_main *main);

#endif
