#include "main_thread.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

/* A window that is never shown and only gets messages. */
struct cb_main {
  HWND window;
  void (*run)(void *);
  void *with;
};

static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM w, LPARAM l) {
  cb_main *me = (cb_main *)GetWindowLongPtrW(window, GWLP_USERDATA);
  if (message != WM_APP || me == NULL) return DefWindowProcW(window, message, w, l);
  me->run(me->with);
  return 0;
}

cb_main *cb_main_new(v3_unknown **context, void (*run)(void *), void *with) {
  (void)context;
  cb_main *me = calloc(1, sizeof *me);
  if (me == NULL) return NULL;
  me->run = run;
  me->with = with;
  me->window = CreateWindowExW(0, L"STATIC", L"CueBridge", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
  if (me->window == NULL) return me;
  SetWindowLongPtrW(me->window, GWLP_USERDATA, (LONG_PTR)me);
  SetWindowLongPtrW(me->window, GWLP_WNDPROC, (LONG_PTR)on_message);
  return me;
}

void cb_main_ask(cb_main *me) {
  if (me != NULL && me->window != NULL) PostMessageW(me->window, WM_APP, 0, 0);
}

void cb_main_free(cb_main *me) {
  if (me != NULL && me->window != NULL) DestroyWindow(me->window); /* and what was posted to it is gone */
  free(me);
}

#elif defined(__APPLE__)
/* <dispatch/dispatch.h>, of libSystem: the queue that the main thread's run loop serves. */
extern struct dispatch_queue_s _dispatch_main_q;
extern void dispatch_async_f(struct dispatch_queue_s *queue, void *with, void (*run)(void *));

struct cb_main {
  atomic_uint users; /* the plugin, and each call on its way */
  void (*run)(void *);
  void *with; /* main thread only; NULL when the plugin is gone */
};

static void leave(cb_main *me) {
  if (atomic_fetch_sub(&me->users, 1) == 1) free(me);
}

static void arrive(void *with) {
  cb_main *me = with;
  if (me->with != NULL) me->run(me->with);
  leave(me);
}

cb_main *cb_main_new(v3_unknown **context, void (*run)(void *), void *with) {
  (void)context;
  cb_main *me = calloc(1, sizeof *me);
  if (me == NULL) return NULL;
  atomic_init(&me->users, 1);
  me->run = run;
  me->with = with;
  return me;
}

void cb_main_ask(cb_main *me) {
  if (me == NULL) return;
  atomic_fetch_add(&me->users, 1);
  dispatch_async_f(&_dispatch_main_q, me, arrive);
}

void cb_main_free(cb_main *me) {
  if (me == NULL) return;
  me->with = NULL;
  leave(me);
}

#else
enum { EVERY_MS = 250 };

struct cb_main {
  const v3_timer *timer; /* the host's view of it, first */
  v3_run_loop **loop;
  atomic_bool asked;
  void (*run)(void *);
  void *with;
};

static int32_t timer_query(void *self, const uint8_t id[16], void **object) {
  bool known = memcmp(id, V3_UNKNOWN_ID, 16) == 0 || memcmp(id, V3_TIMER_ID, 16) == 0;
  *object = known ? self : NULL;
  return known ? V3_OK : V3_NO_INTERFACE;
}

static uint32_t count_nothing(void *self) { /* it lives as long as it is registered */
  (void)self;
  return 1;
}

static void on_timer(void *self) {
  cb_main *me = self;
  if (atomic_exchange(&me->asked, false)) me->run(me->with);
}

cb_main *cb_main_new(v3_unknown **context, void (*run)(void *), void *with) {
  static const v3_timer timer = {timer_query, count_nothing, count_nothing, on_timer};
  cb_main *me = calloc(1, sizeof *me);
  if (me == NULL) return NULL;
  me->timer = &timer;
  me->run = run;
  me->with = with;
  void *loop = NULL;
  if (context == NULL || (*context)->query(context, V3_RUN_LOOP_ID, &loop) != V3_OK || loop == NULL) return me;
  me->loop = loop;
  if ((*me->loop)->register_timer(me->loop, &me->timer, EVERY_MS) == V3_OK) return me;
  (*me->loop)->unref(me->loop);
  me->loop = NULL;
  return me;
}

void cb_main_ask(cb_main *me) {
  if (me != NULL) atomic_store(&me->asked, true);
}

void cb_main_free(cb_main *me) {
  if (me != NULL && me->loop != NULL) {
    (*me->loop)->unregister_timer(me->loop, &me->timer);
    (*me->loop)->unref(me->loop);
  }
  free(me);
}
#endif
