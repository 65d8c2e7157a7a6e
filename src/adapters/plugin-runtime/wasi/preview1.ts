/** Numbers of WASI preview 1 (snapshot 1): error codes, file types, rights and flags that this layer uses. */

export const ERRNO = {
  success: 0, acces: 2, badf: 8, exist: 20, fault: 21, ilseq: 25, inval: 28, io: 29, isdir: 31, mfile: 33, nametoolong: 37,
  noent: 44, nospc: 51, nosys: 52, notdir: 54, notempty: 55, notsup: 58, perm: 63, rofs: 69, spipe: 70, notcapable: 76,
} as const;
export type Errno = (typeof ERRNO)[keyof typeof ERRNO];

/** How layer code answers with an error; the import wrapper turns it into a number. */
export class WasiError extends Error {
  readonly errno: Errno;
  constructor(errno: Errno) {
    super(`errno ${errno}`);
    this.name = "WasiError";
    this.errno = errno;
  }
}

/** Leaves the guest from `proc_exit`. */
export class GuestExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`The guest left with status ${status}`);
    this.name = "GuestExit";
    this.status = status;
  }
}

export const FILE_TYPE = { characterDevice: 2, directory: 3, regularFile: 4 } as const;
export const OPEN_FLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
export const CLOCK = { realtime: 0, monotonic: 1, processTime: 2, threadTime: 3 } as const;
export const EVENT = { clock: 0, read: 1, write: 2 } as const;
export const SEEK = { set: 0, current: 1, end: 2 } as const;

const RIGHT = { read: 1n << 1n, seek: 1n << 2n, tell: 1n << 5n, write: 1n << 6n, advise: 1n << 7n, open: 1n << 13n,
  readdir: 1n << 14n, readlink: 1n << 15n, pathStat: 1n << 18n, stat: 1n << 21n, poll: 1n << 27n } as const;
export const RIGHT_WRITE = RIGHT.write;
export const FILE_RIGHTS = RIGHT.read | RIGHT.seek | RIGHT.tell | RIGHT.advise | RIGHT.stat | RIGHT.poll;
export const DIRECTORY_RIGHTS = RIGHT.open | RIGHT.readdir | RIGHT.readlink | RIGHT.pathStat | RIGHT.stat;
/** What opened files may ask for: write is named so that opening to write is answered with "read-only file system". */
export const INHERITED_RIGHTS = FILE_RIGHTS | DIRECTORY_RIGHTS | RIGHT.write;
export const WRITABLE_FILE_RIGHTS = FILE_RIGHTS | RIGHT.write;
export const FD_FLAG_APPEND = 1;
export const STREAM_RIGHTS = RIGHT.read | RIGHT.write | RIGHT.poll | RIGHT.stat;

/** Every function of preview 1. Those a layer does not offer answer `nosys`. */
export const PREVIEW1_FUNCTIONS = [
  "args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get", "fd_advise", "fd_allocate",
  "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_fdstat_set_rights", "fd_filestat_get",
  "fd_filestat_set_size", "fd_filestat_set_times", "fd_pread", "fd_prestat_dir_name", "fd_prestat_get", "fd_pwrite", "fd_read",
  "fd_readdir", "fd_renumber", "fd_seek", "fd_sync", "fd_tell", "fd_write", "path_create_directory", "path_filestat_get",
  "path_filestat_set_times", "path_link", "path_open", "path_readlink", "path_remove_directory", "path_rename", "path_symlink",
  "path_unlink_file", "poll_oneoff", "proc_exit", "proc_raise", "random_get", "sched_yield", "sock_accept", "sock_recv",
  "sock_send", "sock_shutdown",
] as const;
export type Preview1Function = (typeof PREVIEW1_FUNCTIONS)[number];
