/* What a disk holds after a power cut: only what was fsynced.
 *
 * Preloaded into the programs. A copy of each file below DURABLE_DIR is made when it is fsynced, and of the names in the
 * folder when the folder is, in DURABLE_SHADOW. The campaign puts the folder back from there after it has cut the power: a
 * file that was never fsynced comes back empty, a rename whose folder was never fsynced is undone.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_file(const char *from, const char *shadow, unsigned long inode) {
  char part[PATH_MAX], whole[PATH_MAX], buffer[65536];
  snprintf(part, sizeof part, "%s/part.%d", shadow, getpid());
  snprintf(whole, sizeof whole, "%s/inode.%lu", shadow, inode);
  int in = open(from, O_RDONLY), out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ssize_t got = 0;
  while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof buffer)) > 0)
    if (write(out, buffer, (size_t)got) != got) break;
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  rename(part, whole);
}

static void copy_names(const char *folder, const char *shadow) {
  char part[PATH_MAX], whole[PATH_MAX];
  snprintf(part, sizeof part, "%s/names.part.%d", shadow, getpid());
  snprintf(whole, sizeof whole, "%s/names", shadow);
  DIR *dir = opendir(folder);
  FILE *out = fopen(part, "w");
  struct dirent *entry;
  while (dir && out && (entry = readdir(dir)))
    if (entry->d_name[0] != '.') fprintf(out, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
  if (dir) closedir(dir);
  if (out) fclose(out);
  rename(part, whole);
}

static void record(int fd) {
  const char *folder = getenv("DURABLE_DIR"), *shadow = getenv("DURABLE_SHADOW");
  char link[64], path[PATH_MAX];
  struct stat about;
  if (!folder || !shadow || fstat(fd, &about)) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder))) return;
  if (S_ISDIR(about.st_mode))
    copy_names(path, shadow);
  else
    copy_file(link, shadow, (unsigned long)about.st_ino);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  int status = real(fd);
  if (status == 0) record(fd);
  return status;
}

int fdatasync(int fd) { return fsync(fd); }
