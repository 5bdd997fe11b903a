/* SPDX-License-Identifier: MIT */
/* version.h: which Lictor this is. */
#ifndef VERSION_H
#define VERSION_H

/* As scripts/version prints it, "test" in a test build. No file and no key may depend on it:
 * what an older version wrote is read after an upgrade. */
const char *version_text(void);

#endif
