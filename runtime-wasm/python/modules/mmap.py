"""Files cannot be mapped into a plugin's memory; libraries that only might do it import this module all the same."""

import errno

ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY = range(4)
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_ANON = 1, 2, 32, 32
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
PAGESIZE = ALLOCATIONGRANULARITY = 65_536
error = OSError


class mmap:
    def __new__(cls, *args, **kwargs):
        raise OSError(errno.ENOSYS, "files cannot be mapped into a plugin's memory: read them instead")
