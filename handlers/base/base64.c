/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t n)
{
    const unsigned char *in = bytes;
    char *text = malloc((n + 2) / 3 * 4 + 1);
    char *out = text;
    for (size_t i = 0; text && i < n; i += 3) {
        unsigned v = (unsigned)in[i] << 16;
        v |= i + 1 < n ? (unsigned)in[i + 1] << 8 : 0;
        v |= i + 2 < n ? in[i + 2] : 0;
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = (char)(i + 1 < n ? alphabet[v >> 6 & 63] : '=');
        *out++ = (char)(i + 2 < n ? alphabet[v & 63] : '=');
    }
    if (text)
        *out = '\0';
    return text;
}

/* Value of four characters, -1 when one is none of the alphabet. pad counts '='. */
static int quad(const char *text, int *pad)
{
    int v = 0;
    *pad = 0;
    for (int i = 0; i < 4; i++) {
        const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (text[i] == '=' && i >= 2)
            (*pad)++;
        else if (!at || *pad > 0)
            return -1;
        v = v << 6 | (at ? (int)(at - alphabet) : 0);
    }
    return v;
}

int base64_decode(const char *text, char **ret, size_t *ret_len)
{
    size_t n = strlen(text);
    char *out = malloc(n / 4 * 3 + 1);
    size_t len = 0;
    int pad = 0;
    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < n; i += 4) {
        int v = n % 4 == 0 && pad == 0 ? quad(text + i, &pad) : -1;
        if (v < 0) {
            free(out);
            return -EBADMSG;
        }
        out[len++] = (char)(v >> 16);
        out[len++] = (char)(v >> 8 & 255);
        out[len++] = (char)(v & 255);
    }
    len -= (size_t)pad;
    out[len] = '\0';
    *ret = out;
    *ret_len = len;
    return 0;
}
