"""PostgreSQL is set for the machine it runs on, and leaves room for the rest of Relance."""

import pytest

from relance.lib.postgres_tuning import GIB, MIB, Machine, tune

LAPTOP = Machine(memory=16 * GIB, processors=8, free_disk=200 * GIB, free_shared_memory=8 * GIB)


def with_memory(memory: int) -> Machine:
    return Machine(memory, LAPTOP.processors, LAPTOP.free_disk, LAPTOP.free_shared_memory)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        pytest.param(4 * GIB, "'1024MB'", id="a quarter of the memory"),
        pytest.param(64 * GIB, "'2048MB'", id="two gigabytes at most: the machine is not the database's alone"),
        pytest.param(64 * MIB, "'32MB'", id="never less than the server needs"),
    ],
)
def test_the_buffers_follow_the_memory(memory: int, expected: str) -> None:
    assert tune(with_memory(memory))["shared_buffers"] == expected


def test_a_small_disk_is_not_filled_with_the_write_ahead_log() -> None:
    nearly_full = Machine(LAPTOP.memory, LAPTOP.processors, 5 * GIB, LAPTOP.free_shared_memory)

    assert tune(LAPTOP)["max_wal_size"] == "'4096MB'"
    assert tune(nearly_full)["max_wal_size"] == "'512MB'"


def test_a_container_with_little_shared_memory_does_not_use_it() -> None:
    container = Machine(LAPTOP.memory, LAPTOP.processors, LAPTOP.free_disk, 64 * MIB)

    assert tune(LAPTOP)["dynamic_shared_memory_type"] == "posix"
    assert tune(container)["dynamic_shared_memory_type"] == "mmap"


def test_all_connections_together_may_not_sort_the_machine_to_death() -> None:
    for memory in (1 * GIB, 4 * GIB, 16 * GIB, 64 * GIB):
        settings = tune(with_memory(memory))
        sorting = int(settings["work_mem"].strip("'MB")) * int(settings["max_connections"]) * MIB
        assert sorting <= memory / 2
