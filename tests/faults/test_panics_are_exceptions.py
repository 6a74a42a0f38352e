"""A panic of the Rust code arrives as an ordinary exception, and the library goes on."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ferrule import _core, kernels


def test_a_panic_is_caught_by_except_exception() -> None:
    with pytest.raises(
        RuntimeError, match=r"internal error in ferrule's Rust code: the roof fell; .* report it"
    ):
        _core._panic_for_a_test("the roof fell")
    assert issubclass(RuntimeError, Exception)
    np.testing.assert_array_equal(kernels.softmax(np.zeros((1, 2))), [[0.5, 0.5]])


def test_a_panic_in_another_thread_stays_there() -> None:
    caught = []

    def work() -> None:
        try:
            _core._panic_for_a_test("elsewhere")
        except Exception as error:
            caught.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caught) == 4
    assert kernels.argmax(np.array([[1.0, 2.0]])) == [1]
