/* The heap's end, kept apart from the memory's: a host that restores a memory image over a memory that has grown leaves
   the memory larger than the image knows. The C library's own sbrk grows from wherever the memory ends and would waste
   everything between; this one takes up what is there first. The host has filled it with zeros, as fresh memory is. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE_BYTES 65536u

static uintptr_t heap_end;

/* Called while the module is initialised, so that every image holds the value. */
__attribute__((constructor)) static void note_heap_end(void) { heap_end = __builtin_wasm_memory_size(0) * PAGE_BYTES; }

/* Exported by the production link: a host that finds it may restore an image whatever the memory has grown to. */
uintptr_t heap_break(void) { return heap_end; }

void *sbrk(intptr_t increment) {
    if (increment == 0) return (void *)heap_end;
    if (increment < 0 || increment % PAGE_BYTES != 0) abort();
    uintptr_t start = heap_end, room = __builtin_wasm_memory_size(0) * PAGE_BYTES - start, wanted = (uintptr_t)increment;
    if (wanted > room && __builtin_wasm_memory_grow(0, (wanted - room) / PAGE_BYTES) == SIZE_MAX) {
        errno = ENOMEM;
        return (void *)-1;
    }
    heap_end = start + wanted;
    return (void *)start;
}
