/* A file system without hard links, whose folders called "no" cannot be opened. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int link(const char *from, const char *to) {
  errno = EPERM;
  return -1;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  errno = EPERM;
  return -1;
}

DIR *opendir(const char *name) {
  static DIR *(*original)(const char *);
  size_t length = strlen(name);
  if (!original) original = dlsym(RTLD_NEXT, "opendir");
  if (length > 3 && !strcmp(name + length - 3, "/no")) {
    errno = EACCES;
    return 0;
  }
  return original(name);
}
