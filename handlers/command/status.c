/* SPDX-License-Identifier: MIT */
/* lictor status: the cluster on one screen. */
#include "base/boottime.h"
#include "command/commands.h"
#include "command/status_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCREEN_MAX (4U << 20)
#define REDRAW_MS  1000 /* at least between two screens */
#define AGAIN_MS   5000 /* what nobody publishes is looked at again this often */

static const char help[] =
    "usage: lictor status [OPTION]...\n"
    "\n"
    "Shows the servers of this cluster, what the catalogue says of each, and what every\n"
    "verification finds here and now, whatever state the cluster is in. Run as root it looks as\n"
    "the agent's user, who remembers since when something holds; as anybody else it judges this\n"
    "moment alone. A \"?\" is what cannot be known from here.\n"
    "\n"
    "  --check NAME          only this check: quorum, clock, logging, security,\n"
    "                        heartbeat\n"
    "  --json                one JSON object, for programs; with --watch one in each line\n"
    "  --watch               again when something changes, until it is interrupted\n" PLACE_HELP
    "\n"
    "Colours are for terminals alone; NO_COLOR=1 takes them away.\n"
    "\n"
    "exit codes: the worst of all: 0 passing, 1 warning, 2 critical, 3 could not look\n"
    "\n"
    "example: lictor status --watch\n";

struct status {
    struct place place;
    const char *check;
    bool json, watch;
    bool colour;
};

static int read_options(int argc, char **argv, struct status *s, struct status_view *view,
                        struct error *err)
{
    const struct program_option rows[] = {PLACE_ROWS(&s->place),
                                          {"check", &s->check, NULL},
                                          {"json", NULL, &s->json},
                                          {"watch", NULL, &s->watch}};
    const struct program_usage usage = {.help = help, .options = rows, .n = COUNT(rows)};
    int rc = program_options(argc, argv, &usage, err);
    const int only = rc > 0 && s->check ? status_check_find(s->check) : -1;
    if (rc > 0 && s->check && only < 0)
        return error_set(err, -EINVAL, "--check: there is no check %.60s, see --help", s->check);
    for (int i = 0; i < STATUS_CHECKS; i++)
        view->only[i] = only < 0 || only == i;
    return rc;
}

/* What a terminal shows is drawn anew in its place, but for what was printed before. */
static int draw(const struct status *s, const struct status_view *view, struct error *err)
{
    struct buffer screen = BUFFER_INIT(SCREEN_MAX);
    int rc = s->json ? status_json(view, &screen) : status_text(view, s->colour, &screen);
    if (rc < 0) {
        buffer_release(&screen);
        return error_set(err, rc, "out of memory");
    }
    if (s->watch && !s->json)
        printf("%s", isatty(STDOUT_FILENO) ? "\x1b[H\x1b[2J" : "\n");
    rc = fputs(buffer_text(&screen), stdout) < 0 || fflush(stdout) != 0 ? -EIO : 0;
    buffer_release(&screen);
    return rc < 0 ? error_set(err, rc, "cannot write") : 0;
}

/* Where the agent does not answer, nothing can be judged. */
static int look_once(const struct status *s, uint64_t wait_index, struct status_view *view,
                     struct error *err)
{
    struct consul *consul = NULL;
    int rc = consul_open(s->place.config_dir, &consul, err);
    if (rc == 0)
        status_view_gather(consul, &s->place, wait_index, view);
    consul_close(consul);
    if (rc == 0 && view->node[0])
        status_view_judge(&s->place, view);
    return rc;
}

static int follow(const struct status *s, struct status_view *view, struct error *err)
{
    int rc = 0;
    for (;;) {
        const int64_t begin = boottime_ms();
        rc = look_once(s, view->index, view, err);
        if (rc == 0)
            rc = draw(s, view, err);
        if (rc < 0)
            return rc;
        const int64_t least = view->index ? REDRAW_MS : AGAIN_MS;
        const int64_t left = begin + least - boottime_ms();
        boottime_sleep(left > REDRAW_MS / 2 ? left : REDRAW_MS / 2);
    }
}

int command_status(const struct place *place, int argc, char **argv, struct error *err)
{
    static struct status_view view;
    struct status s = {.place = *place};
    const char *no_color = getenv("NO_COLOR");
    struct error why = {0};
    int rc = read_options(argc, argv, &s, &view, err);
    if (rc <= 0)
        return rc;
    s.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    if (command_become_agent_user(s.place.state_dir, &why) < 0)
        (void)fprintf(stderr, "lictor status: only this moment is judged: %s\n", why.text);
    if (s.watch)
        return follow(&s, &view, err);
    rc = look_once(&s, 0, &view, err);
    if (rc == 0)
        rc = draw(&s, &view, err);
    return rc < 0 ? CHECK_UNKNOWN : status_view_code(&view);
}
