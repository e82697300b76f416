/* Datagrams between an instance and CueBridge, over 127.0.0.1.
 *
 * Each is "CBPL", version, kind, length of the whole, instance, epoch, number, seal, content; little endian.  The seal is
 * BLAKE2s (RFC 7693), 16 bytes, keyed with the token that only this user can read, over all but itself: nobody else on the
 * machine can speak for either side, and the token itself is never sent.  bridge/plugin/wire.py is the other end.
 */
#ifndef CUEBRIDGE_WIRE_H
#define CUEBRIDGE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum { CB_WIRE_VERSION = 1, CB_TOKEN = 16, CB_SEAL = 16, CB_HEAD = 44, CB_PIECE = 1200, CB_DATAGRAM = 1500 };
enum { CB_HELLO = 1, CB_TRANSPORT = 2, CB_ACK = 3, CB_PONG = 4, CB_BYE = 5 };
enum { CB_WELCOME = 16, CB_PIECE_OF = 17, CB_PING = 18, CB_CLOSED = 19 };

/* BLAKE2s of the two stretches of bytes together. */
void cb_seal(const uint8_t token[CB_TOKEN], const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
             uint8_t seal[CB_SEAL]);

typedef struct {
  uint8_t kind;
  uint64_t instance, epoch;
  uint32_t number;
  cb_reader content;
} cb_datagram;

/* Fills `bytes` (CB_DATAGRAM of them); the size, 0 where the content is too long. */
size_t cb_wire_write(uint8_t *bytes, const uint8_t token[CB_TOKEN], uint8_t kind, uint64_t instance, uint64_t epoch,
                     uint32_t number, const uint8_t *content, size_t size);

/* False: not ours, another version, damaged, or sealed by somebody else. */
bool cb_wire_read(const uint8_t *bytes, size_t size, const uint8_t token[CB_TOKEN], cb_datagram *datagram);

/* A plan that comes in pieces of CB_PIECE bytes. */
typedef struct {
  uint32_t transfer;
  uint64_t over; /* id of the plan that it is to replace, 0: none */
  uint32_t size, count, missing; /* pieces */
  uint8_t *bytes, *present;
} cb_assembly;

void cb_assembly_clear(cb_assembly *assembly);
/* Takes the content of a CB_PIECE_OF.  False: it does not fit together. */
bool cb_assembly_take(cb_assembly *assembly, cb_reader *content);
uint32_t cb_assembly_first_missing(const cb_assembly *assembly);

#endif
