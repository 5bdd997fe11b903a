/* SPDX-License-Identifier: MIT */
/* mongod_conf.h: what a mongod.conf says of where MongoDB is: net.port, net.bindIp, net.bindIpAll,
 * replication.replSetName. A reader of mappings one in another, one a line, as MongoDB's own files
 * have them, or of keys with dots; of the old "key = value" form as well. Whatever else is there is
 * passed over, flow style ("net: {port: 1}") too: then the defaults count. */
#ifndef MONGOD_CONF_H
#define MONGOD_CONF_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define MONGOD_CONF_BIND 256 /* bytes with NUL */
#define MONGOD_CONF_SET  128

/* Holds no heap memory. */
struct mongod_conf {
    int port;                    /* 27017 where none is given */
    char bind[MONGOD_CONF_BIND]; /* addresses as they stand there, cut; "" none: loopback alone */
    bool everywhere;             /* bound to all interfaces */
    char set[MONGOD_CONF_SET];   /* the replica set, cut; "" none */
};

/* Read the text. Never fails: what is not understood is its default. Pure. */
void mongod_conf_parse(const char *text, size_t len, struct mongod_conf *ret);

/* Read a file of at most 256 KiB. On failure *ret holds the defaults. Returns 0 or as
 * file_read(). */
MUST_CHECK int mongod_conf_read(const char *path, struct mongod_conf *ret, struct error *err);

#endif
