"""How PostgreSQL is set for the machine it finds itself on. Pure, but for one function that looks at the machine."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True, slots=True)
class Machine:
    """What a database server has to live on."""

    memory: int
    processors: int
    free_disk: int
    free_shared_memory: int


def look_at_machine(data: Path) -> Machine:
    """Read memory (a container's limit counts), processors, and room on the data's disk."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _CGROUP_LIMITS:
        try:
            memory = min(memory, int(path.read_text()))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    shared = Path("/dev/shm")  # noqa: S108 (read, never written)
    return Machine(
        memory=memory,
        processors=os.cpu_count() or 1,
        free_disk=shutil.disk_usage(data).free,
        free_shared_memory=shutil.disk_usage(shared).free if shared.is_dir() else 0,
    )


def tune(machine: Machine) -> dict[str, str]:
    """Settings for a server that shares its machine with the web server and the workers."""
    shared_buffers = _between(machine.memory // 4, 32 * MIB, 2 * GIB)
    wal = _between(machine.free_disk // 10, 256 * MIB, 4 * GIB)
    return {
        "max_connections": "120",
        "shared_buffers": _megabytes(shared_buffers),
        "effective_cache_size": _megabytes(max(machine.memory // 2, shared_buffers)),
        "work_mem": _megabytes(_between(machine.memory // 512, 4 * MIB, 32 * MIB)),
        "maintenance_work_mem": _megabytes(_between(machine.memory // 32, 32 * MIB, 512 * MIB)),
        "max_wal_size": _megabytes(wal),
        "checkpoint_timeout": "'30min'",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
        "jit": "off",  # compiling costs more than it gives on short statements
        "random_page_cost": "1.1",
        "max_worker_processes": str(max(8, machine.processors)),
        "max_parallel_workers": str(machine.processors),
        # A container often has 64 MB of /dev/shm, and a parallel query that outgrows it fails.
        "dynamic_shared_memory_type": "posix" if machine.free_shared_memory >= 256 * MIB else "mmap",
    }


def throwaway() -> dict[str, str]:
    """Settings for a server whose data nobody will miss: nothing is made safe on disk."""
    return {
        "max_connections": "60",
        "shared_buffers": "'128MB'",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "jit": "off",
        "max_wal_size": "'1GB'",
    }


def _between(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


def _megabytes(size: int) -> str:
    return f"'{size // MIB}MB'"
