/* SPDX-License-Identifier: MIT */
#include "shipper/file_set.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/state.h"
#include "base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifdef TEST_LIMITS
#include <signal.h>

void file_set_point(void)
{
    static long passed;
    const char *at = getenv("LICTOR_DIE_AT");
    if (at && ++passed == strtol(at, NULL, 10))
        (void)raise(SIGKILL);
}
#endif

/* ---- names and directories ----------------------------------------------- */

static const char *beside(const struct file_set_entry *file, const char *suffix,
                          char ret[FILE_SET_BESIDE])
{
    const char *slash = strrchr(file->path, '/');
    int dir = slash ? (int)(slash - file->path) : 0;
    (void)snprintf(ret, FILE_SET_BESIDE, "%.*s/.%s.%s", dir, file->path,
                   slash ? slash + 1 : file->path, suffix);
    return ret;
}

const char *file_set_staged(const struct file_set_entry *file, char ret[FILE_SET_BESIDE])
{
    return beside(file, "lictor-new", ret);
}

static const char *old_copy(const struct file_set_entry *file, char ret[FILE_SET_BESIDE])
{
    return beside(file, "lictor-old", ret);
}

static void parent_of(const struct file_set_entry *file, char ret[FILE_SET_PATH])
{
    memcpy(ret, file->path, FILE_SET_PATH);
    char *slash = strrchr(ret, '/');
    if (slash)
        slash[slash == ret] = '\0';
}

static int sync_directory(const char *dir, struct error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return rc < 0 ? error_set(err, rc, "cannot sync %s: %s", dir, strerror(-rc)) : 0;
}

static int sync_parent(const struct file_set_entry *file, struct error *err)
{
    char dir[FILE_SET_PATH];
    parent_of(file, dir);
    return sync_directory(dir, err);
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || errno != ENOENT;
}

/* ---- reading and writing one file ---------------------------------------- */

/* Read the destination if it still is the file of `seen`. */
static int read_old(const struct file_set_entry *file, const struct stat *seen, struct buffer *buf,
                    struct error *err)
{
    struct stat st;
    int rc = 0;
    int fd = open(file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        rc = -errno;
    else if (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino)
        rc = -ESTALE;
    else
        rc = buffer_read(buf, fd);
    if (fd >= 0)
        (void)close(fd);
    if (rc == -EMSGSIZE)
        return error_set(err, -EFBIG, "%s is larger than %d bytes: not ours", file->path,
                         FILE_SET_OLD_MAX);
    return rc < 0 ? error_set(err, rc, "cannot read %s: %s", file->path, strerror(-rc)) : 0;
}

/* Give the new file the SELinux label of the old one. Where SELinux is off, a file may still
 * have a label from before, which only root could set: then the new one has none at all. */
static int keep_label(const char *old, int fd)
{
    static const char name[] = "security.selinux";
    char label[256], now[256];
    ssize_t len = lgetxattr(old, name, label, sizeof label);
    if (len < 0)
        return errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
    ssize_t n = fgetxattr(fd, name, now, sizeof now);
    if (n == len && memcmp(label, now, (size_t)len) == 0)
        return 0;
    if (fsetxattr(fd, name, label, (size_t)len, 0) == 0 || (n < 0 && errno == EPERM))
        return 0;
    return -errno;
}

/* old: whose label it gets, NULL nobody's. */
static int create(const char *path, const char *data, size_t len, mode_t mode, const char *old,
                  struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -errno : 0;
    file_set_point();
    if (rc == 0)
        rc = file_write(fd, data, len);
    file_set_point();
    if (rc == 0 && fchmod(fd, mode) < 0)
        rc = -errno;
    if (rc == 0 && old)
        rc = keep_label(old, fd);
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc < 0 && fd >= 0)
        (void)unlink(path);
    return rc < 0 ? error_set(err, rc, "cannot write %s: %s", path, strerror(-rc)) : 0;
}

/* One that says more than the mode does: the kernel has no other. */
static bool has_acl(const char *path)
{
    return lgetxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

bool file_set_is_right(const struct file_set_entry *file)
{
    struct stat st;
    if (lstat(file->path, &st) < 0)
        return errno == ENOENT && file->remove;
    if (file->remove || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
        (st.st_mode & 07777) != file->mode || (st.st_uid != geteuid() && st.st_uid != 0) ||
        has_acl(file->path))
        return false;
    struct buffer buf = BUFFER_INIT(FILE_SET_OLD_MAX);
    bool right = read_old(file, &st, &buf, NULL) == 0 && buf.len == file->len &&
                 memcmp(buffer_text(&buf), file->data, buf.len) == 0;
    buffer_wipe(&buf);
    return right;
}

/* ---- the steps ----------------------------------------------------------- */

static int look_at_destination(struct file_set_entry *file, struct error *err)
{
    file->existed = lstat(file->path, &file->seen) == 0;
    if (!file->existed && errno != ENOENT)
        return error_set(err, -errno, "cannot look at %s: %s", file->path, strerror(errno));
    if (!file->existed)
        return 0;
    if (S_ISLNK(file->seen.st_mode))
        return error_set(err, -ELOOP, "%s is a symbolic link: refused", file->path);
    if (!S_ISREG(file->seen.st_mode))
        return error_set(err, -EINVAL, "%s is not a regular file: refused", file->path);
    if (file->seen.st_nlink != 1)
        return error_set(err, -EMLINK, "%s has several names (hard links): refused", file->path);
    if (has_acl(file->path))
        return error_set(err, -ENOTSUP,
                         "%s has an extended ACL: refused (setfacl -b takes it away)", file->path);
    return 0;
}

int file_set_stage(struct file_set_entry *file, struct error *err)
{
    char path[FILE_SET_BESIDE];
    parent_of(file, path);
    int rc = trust_path(path, err);
    if (rc == 0)
        rc = look_at_destination(file, err);
    file_set_point();
    if (rc == 0 && !file->remove)
        rc = create(file_set_staged(file, path), file->data, file->len, file->mode,
                    file->existed ? file->path : NULL, err);
    if (rc == 0 && !file->remove && has_acl(path)) {
        (void)unlink(path);
        rc = error_set(err, -ENOTSUP,
                       "the directory of %s gives new files an extended ACL: refused", file->path);
    }
    file_set_point();
    return rc;
}

static int copy_old(const struct file_set_entry *file, struct error *err)
{
    char path[FILE_SET_BESIDE];
    struct buffer buf = BUFFER_INIT(FILE_SET_OLD_MAX);
    int rc = read_old(file, &file->seen, &buf, err);
    if (rc == 0)
        rc = create(old_copy(file, path), buffer_text(&buf), buf.len, file->seen.st_mode & 07777,
                    file->path, err);
    buffer_wipe(&buf);
    return rc;
}

static bool add_file(cJSON *list, const struct file_set_entry *file)
{
    cJSON *entry = cJSON_CreateObject();
    if (cJSON_AddStringToObject(entry, "path", file->path) &&
        cJSON_AddBoolToObject(entry, "existed", file->existed) &&
        cJSON_AddBoolToObject(entry, "remove", file->remove) && cJSON_AddItemToArray(list, entry))
        return true;
    cJSON_Delete(entry);
    return false;
}

/* All files are in it, or there is none: a file that it does not name would stay new. */
static int write_journal(const char *dir, const struct file_set_entry *files, size_t n,
                         struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(root, "files");
    bool whole = list != NULL;
    for (size_t i = 0; whole && i < n; i++)
        whole = add_file(list, &files[i]);
    if (!whole) {
        cJSON_Delete(root);
        root = NULL; /* which is -ENOMEM */
    }
    return state_write(dir, FILE_SET_JOURNAL, root, true, err);
}

int file_set_begin(const char *dir, const struct file_set_entry *files, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        int rc = files[i].existed ? copy_old(&files[i], err) : 0;
        if (rc == 0)
            rc = sync_parent(&files[i], err);
        file_set_point();
        if (rc < 0)
            return rc;
    }
    int rc = write_journal(dir, files, n, err);
    file_set_point();
    return rc;
}

static bool unchanged(const struct file_set_entry *file)
{
    struct stat st;
    if (lstat(file->path, &st) < 0)
        return errno == ENOENT && !file->existed;
    return file->existed && st.st_dev == file->seen.st_dev && st.st_ino == file->seen.st_ino &&
           st.st_nlink == 1 && st.st_size == file->seen.st_size &&
           st.st_ctim.tv_sec == file->seen.st_ctim.tv_sec &&
           st.st_ctim.tv_nsec == file->seen.st_ctim.tv_nsec;
}

static int swap_one(const struct file_set_entry *file, struct error *err)
{
    char path[FILE_SET_BESIDE];
    if (!unchanged(file))
        return error_set(err, -ESTALE, "%s was changed by somebody else meanwhile", file->path);
    int rc = 0;
    if (!file->remove)
        rc = rename(file_set_staged(file, path), file->path);
    else if (file->existed)
        rc = unlink(file->path);
    if (rc < 0)
        return error_set(err, -errno, "cannot replace %s: %s", file->path, strerror(errno));
    file_set_point();
    return sync_parent(file, err);
}

int file_set_swap(const struct file_set_entry *files, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        int rc = swap_one(&files[i], err);
        file_set_point();
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int roll_back_one(const struct file_set_entry *file, struct error *err)
{
    char staged[FILE_SET_BESIDE];
    char old[FILE_SET_BESIDE];
    char dir[FILE_SET_PATH];
    parent_of(file, dir);
    int rc = trust_path(dir, err);
    if (rc < 0)
        return rc;
    if (is_there(file->remove ? file->path : file_set_staged(file, staged)))
        return 0;
    if (file->existed && !is_there(old_copy(file, old)))
        return 0;
    rc = file->existed ? rename(old, file->path) : unlink(file->path);
    if (rc < 0 && (file->existed || errno != ENOENT))
        return error_set(err, -errno, "cannot bring back %s: %s", file->path, strerror(errno));
    file_set_point();
    return sync_parent(file, err);
}

int file_set_roll_back(struct file_set_entry *files, size_t n, struct error *err)
{
    int first = 0;
    for (size_t i = 0; i < n; i++) {
        int rc = roll_back_one(&files[i], first < 0 ? NULL : err);
        files[i].failed = rc < 0;
        file_set_point();
        if (first == 0)
            first = rc;
    }
    return first;
}

int file_set_commit(const char *dir, struct error *err)
{
    char path[FILE_SET_BESIDE];
    int rc = file_path(path, sizeof path, dir, FILE_SET_JOURNAL, err);
    if (rc < 0)
        return rc;
    file_set_point();
    if (unlink(path) < 0 && errno != ENOENT)
        return error_set(err, -errno, "cannot remove %s: %s", path, strerror(errno));
    file_set_point();
    return sync_directory(dir, err);
}

void file_set_clean(const struct file_set_entry *files, size_t n)
{
    char path[FILE_SET_BESIDE];
    for (size_t i = 0; i < n; i++) {
        (void)unlink(file_set_staged(&files[i], path));
        file_set_point();
        (void)unlink(old_copy(&files[i], path));
        file_set_point();
    }
}

/* ---- a journal left behind ----------------------------------------------- */

static int load_file(const cJSON *entry, struct file_set_entry *file, struct error *err)
{
    const char *path = NULL;
    int rc = json_string(entry, "path", &path, err);
    if (rc == 0)
        rc = json_boolean(entry, "existed", &file->existed, err);
    if (rc == 0)
        rc = json_boolean(entry, "remove", &file->remove, err);
    if (rc == 0 && (*path != '/' || strlen(path) >= sizeof file->path))
        rc = error_set(err, -EBADMSG, "path is not absolute or too long");
    if (rc == 0)
        memcpy(file->path, path, strlen(path) + 1);
    return rc;
}

static int load_files(const cJSON *root, struct file_set_entry **ret, size_t *ret_n,
                      struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *entry = NULL;
    size_t n = 0;
    int rc = json_array(root, "files", &list, err);
    if (rc < 0)
        return rc;
    struct file_set_entry *files = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *files);
    if (!files)
        return error_set(err, -ENOMEM, "out of memory");
    cJSON_ArrayForEach(entry, list)
    {
        rc = rc < 0 ? rc : load_file(entry, &files[n++], err);
    }
    if (rc < 0) {
        free(files);
        return rc;
    }
    *ret = files;
    *ret_n = n;
    return 0;
}

int file_set_load(const char *dir, struct file_set_entry **ret, size_t *ret_n, struct error *err)
{
    char path[FILE_SET_BESIDE];
    struct buffer buf = BUFFER_INIT(FILE_SET_MAX_SIZE);
    cJSON *root = NULL;
    int rc = file_path(path, sizeof path, dir, FILE_SET_JOURNAL, err);
    if (rc == 0)
        rc = file_read(path, &buf, err);
    if (rc < 0)
        goto out;
    rc = json_parse(buffer_text(&buf), buf.len, path, &root, err);
    if (rc == 0)
        rc = load_files(root, ret, ret_n, err);
    if (rc < 0)
        rc = error_set(err, rc == -ENOMEM ? rc : -EBADMSG,
                       "%s is damaged: compare the files of logging.d by hand, then "
                       "remove it (%s)",
                       path, err ? err->text : "");
out:
    cJSON_Delete(root);
    buffer_release(&buf);
    return rc;
}
