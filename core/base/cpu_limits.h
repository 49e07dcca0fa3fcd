/* The parts of nas_cpu_count, apart for the thread pool and for tests. */
#ifndef NAS_CPU_LIMITS_H
#define NAS_CPU_LIMITS_H

/* nas_cpu_count without LUANAS_THREADS. */
int nas_cpu_available(void);

/* Processors that the cgroups of a process allow: the smallest quota on the way from its groups up
 * to the root, rounded up; 0 for no limit. `list` is the file that names its groups, such as
 * /proc/self/cgroup, `root` where cgroups are mounted, such as /sys/fs/cgroup (version 2, or
 * version 1 with the controller in its folder cpu). */
int nas_cpu_quota(const char *list, const char *root);

#endif
