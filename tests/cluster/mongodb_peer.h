/* SPDX-License-Identifier: MIT */
/* mongodb_peer.h: MongoDBs for tests: the stand-in (tests/mongodb/fake_mongodb.c) and FerretDB, which
 * speaks the same protocol. Under a keeper (keeper.h). */
#ifndef MONGODB_PEER_H
#define MONGODB_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#define MONGODB_PEER_FERRETDB SOURCE_DIR "/build/ferretdb/ferretdb"

/* Was FerretDB built (scripts/fetch ferretdb)? Says so once where it was not. */
bool mongodb_peer_has_ferretdb(void);

/* Start the stand-in; file is its role. Both wait until the port takes connections, and fail the
 * test when it does not. */
pid_t mongodb_peer_stand_in(const char *address, int port, const char *file);

/* Start FerretDB with more options (NULL-terminated), its files in dir. */
pid_t mongodb_peer_ferretdb(const char *address, int port, const char *dir,
                            const char *const *options);

void mongodb_peer_kill(pid_t pid);

/* Make ca.pem, ca.key; NAME.pem (certificate and key), signed by it, valid for so many days, in a
 * directory. address: what the certificate is for. */
void mongodb_peer_ca(const char *dir);
void mongodb_peer_certificate(const char *dir, const char *name, const char *address, int days);

#endif
