/*
 * A name service for tests, "acltest". It knows one account, remote, and does with the others what their names say. What it does with all
 * of them, the file named by ACLTEST_STATE says by its first letter: u(navailable), t(ry again), h(ang).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char state(void) {
  char letter = 0;
  const char *path = getenv("ACLTEST_STATE");
  int file = path ? open(path, O_RDONLY) : -1;
  if (file >= 0) {
    if (read(file, &letter, 1) < 0) letter = 0;
    close(file);
  }
  return letter;
}

static enum nss_status begin(const char *name, int *error) {
  char what = state();
  if (what == 'h' || strncmp(name, "hang", 4) == 0) for (;;) pause();
  if (strncmp(name, "crash", 5) == 0) abort();
  if (what == 'u') { *error = ECONNREFUSED; return NSS_STATUS_UNAVAIL; }
  if (what == 't') { *error = EAGAIN; return NSS_STATUS_TRYAGAIN; }
  *error = ENOENT;
  return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_acltest_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, int *error) {
  enum nss_status status = begin(name, error);
  if (status != NSS_STATUS_NOTFOUND || strcasecmp(name, "remote") != 0) return status;
  if (size < 16) { *error = ERANGE; return NSS_STATUS_TRYAGAIN; }
  strcpy(buffer, "remote");
  *entry = (struct passwd){ .pw_name = buffer, .pw_passwd = buffer, .pw_uid = 5000, .pw_gid = 5001, .pw_gecos = buffer, .pw_dir = buffer, .pw_shell = buffer };
  return NSS_STATUS_SUCCESS;
}

/* The groups of everybody: one that /etc/group may name, one that only this service names, one that has no name. */
enum nss_status _nss_acltest_initgroups_dyn(const char *name, gid_t group, long *start, long *size, gid_t **groups, long limit, int *error) {
  static const gid_t ids[] = { 5001, 5002, 5003, 5004 };
  (void)limit;
  enum nss_status status = begin(name, error);
  if (status != NSS_STATUS_NOTFOUND) return status;
  for (size_t n = 0; n < sizeof ids / sizeof *ids; n++) {
    if (ids[n] == group) continue;
    if (*start == *size) {
      gid_t *more = realloc(*groups, 2 * *size * sizeof **groups);
      if (more == NULL) { *error = ENOMEM; return NSS_STATUS_TRYAGAIN; }
      *groups = more;
      *size *= 2;
    }
    (*groups)[(*start)++] = ids[n];
  }
  return NSS_STATUS_SUCCESS;
}

static enum nss_status group(gid_t gid, const char *name, struct group *entry, char *buffer, size_t size, int *error) {
  static char *none[] = { NULL };
  if (size < 32) { *error = ERANGE; return NSS_STATUS_TRYAGAIN; }
  strcpy(buffer, name);
  *entry = (struct group){ .gr_name = buffer, .gr_passwd = buffer, .gr_gid = gid, .gr_mem = none };
  return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_acltest_getgrgid_r(gid_t gid, struct group *entry, char *buffer, size_t size, int *error) {
  enum nss_status status = begin("", error);
  if (status != NSS_STATUS_NOTFOUND) return status;
  if (gid == 5001) return group(gid, "remote users", entry, buffer, size, error);
  if (gid == 5002) return group(gid, "J\xc3\xb6rg", entry, buffer, size, error);
  if (gid == 5004) return group(gid, "latin1 \xe9", entry, buffer, size, error);
  return status;
}

enum nss_status _nss_acltest_getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, int *error) {
  (void)entry, (void)buffer, (void)size;
  return begin(name, error);
}
