/* SPDX-License-Identifier: MIT */
#include "apart.h"

#include "test.h"

#include <dirent.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* ---- namespaces ---------------------------------------------------------- */

static void give_up(const char *what)
{
    (void)fprintf(stderr,
                  "%s: %s. This test makes users and namespaces of its own: run it as "
                  "root, where that is allowed\n",
                  what, strerror(errno));
    exit(99);
}

/* The first directory on the way to the tree that others may not pass; "" none. */
static void find_barrier(char ret[sizeof SOURCE_DIR])
{
    struct stat st;
    for (size_t i = 1; i <= strlen(SOURCE_DIR); i++) {
        if (SOURCE_DIR[i] != '/' && SOURCE_DIR[i] != '\0')
            continue;
        (void)snprintf(ret, sizeof SOURCE_DIR, "%.*s", (int)i, SOURCE_DIR);
        if (stat(ret, &st) == 0 && !(st.st_mode & S_IXOTH))
            return;
    }
    ret[0] = '\0';
}

/* Each of what is in the tree: its own directory may be the barrier. */
static void bind_entries(int tree)
{
    char from[300], to[sizeof SOURCE_DIR + 300];
    DIR *dir = fdopendir(tree);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)snprintf(from, sizeof from, "/proc/self/fd/%d/%s", tree, e->d_name);
        (void)snprintf(to, sizeof to, "%s/%s", SOURCE_DIR, e->d_name);
        if ((e->d_type == DT_DIR ? mkdir(to, 0755) : mknod(to, S_IFREG | 0644, 0)) < 0 ||
            mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
            give_up(to);
    }
    if (!dir)
        give_up(SOURCE_DIR);
    (void)closedir(dir);
}

/* An empty directory in its place, with nothing in it but the way to the tree. */
static void make_reachable(void)
{
    char barrier[sizeof SOURCE_DIR], path[sizeof SOURCE_DIR];
    find_barrier(barrier);
    if (!barrier[0])
        return;
    int tree = open(SOURCE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree < 0 || mount("tmpfs", barrier, "tmpfs", 0, "mode=0755") < 0)
        give_up(barrier);
    for (size_t i = strlen(barrier) + 1; i <= strlen(SOURCE_DIR); i++) {
        (void)snprintf(path, sizeof path, "%.*s", (int)i, SOURCE_DIR);
        if ((SOURCE_DIR[i] == '/' || SOURCE_DIR[i] == '\0') && mkdir(path, 0755) < 0)
            give_up(path);
    }
    bind_entries(tree);
    if (chdir(SOURCE_DIR) < 0)
        give_up(SOURCE_DIR);
}

static void loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        give_up("loopback");
    (void)close(fd);
}

void apart_enter(void)
{
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        give_up("namespaces");
    loopback_up();
    if (mount("/etc", "/etc", NULL, MS_BIND | MS_REC, NULL) < 0 ||
        mount(NULL, "/etc", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
        give_up("/etc read-only");
    make_reachable();
}

/* ---- users --------------------------------------------------------------- */

void apart_become(uid_t user)
{
    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        _exit(126);
}

int apart_run(uid_t user, int (*what)(void *arg), void *arg)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        apart_become(user);
        _exit(what(arg));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 126);
    return WEXITSTATUS(status);
}

static void be_listener(const char *socket, const char *config_dir, const char *apply_dir,
                        const char *limits)
{
    char lictor[20], group[20], environment[300];
    (void)snprintf(lictor, sizeof lictor, "--reuid=%d", APART_LICTOR);
    (void)snprintf(group, sizeof group, "--regid=%d", APART_LICTOR);
    (void)snprintf(environment, sizeof environment, "LICTOR_LIMITS=%s", limits);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(STDERR_FILENO);
    (void)open("/dev/null", O_RDWR);
    (void)execl("/usr/bin/unshare", "unshare", "--net", "systemd-socket-activate", "--accept",
                "--inetd", "-E", environment, "-l", socket, "/usr/bin/setpriv", lictor, group,
                "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all",
                TEST_BIN "/apply-logging", "--config-dir", config_dir, "--apply-dir", apply_dir,
                (char *)NULL);
    _exit(127);
}

pid_t apart_listen(const char *socket, const char *config_dir, const char *apply_dir,
                   const char *limits)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        be_listener(socket, config_dir, apply_dir, limits);
    for (int i = 0; i < 1000 && access(socket, F_OK) < 0; i++)
        (void)usleep(10000);
    if (chown(socket, APART_CONSUL, APART_CONSUL) < 0 || chmod(socket, 0600) < 0)
        fail_msg("%s does not come: %s. Is systemd-socket-activate there?", socket,
                 strerror(errno));
    return pid;
}
