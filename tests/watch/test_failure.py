"""What is shown of an exception: bounded, and never the cause of another (S13, --debug)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aiowsgi.watch.failure import chain, plain, shown


class Hostile:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise SystemExit(3)

    __str__ = __repr__


class HostileError(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


def raised(act: Callable[[], Any]) -> BaseException:
    try:
        act()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def fail(amount: int) -> None:
    hostile, secret = Hostile(), "s" * 10_000
    if hostile and secret:
        raise ValueError(f"not {amount}")


def test_each_call_has_its_source_its_line_and_its_variables() -> None:
    [one] = chain(raised(lambda: fail(3)))
    assert (one.kind, one.message, one.led_to) == ("ValueError", "not 3", "")
    call = one.calls[-1]
    assert call.function == "fail"
    assert call.file == __file__
    assert dict(call.source)[call.line].strip().startswith("raise ValueError")
    assert len(call.source) <= 11
    variables = dict(call.variables)
    assert variables["amount"] == "3"
    assert not call.is_library


def test_a_value_whose_repr_raises_is_named_and_a_long_one_is_cut() -> None:
    variables = dict(chain(raised(lambda: fail(3)))[0].calls[-1].variables)
    assert variables["hostile"].endswith("Hostile whose repr() raised SystemExit>")
    assert len(variables["secret"]) < 700


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**6,
        list(range(10**6)),
        dict.fromkeys(range(1000), "y" * 1000),
        10**5000,  # has no repr() at all, from Python 3.11 on
        [Hostile()] * 100,
        Hostile,
        "\ud800",
    ],
    ids=["str", "list", "dict", "int", "hostile", "class", "surrogate"],
)
def test_no_value_is_shown_at_length_and_none_raises(value: object) -> None:
    assert 0 < len(shown(value)) < 700


def test_a_list_that_holds_itself_is_shown() -> None:
    value: list[Any] = []
    value.append(value)
    assert shown(value).startswith("[")


def test_an_error_whose_message_raises_is_shown() -> None:
    def act() -> None:
        raise HostileError

    error = raised(act)
    assert chain(error)[0].message == "<its str() raised KeyboardInterrupt>"
    assert "HostileError" in plain(error)


def test_what_it_came_from_follows_and_says_how() -> None:
    def cause() -> None:
        try:
            fail(1)
        except ValueError as error:
            raise LookupError("a") from error

    def context() -> None:
        try:
            fail(1)
        except ValueError:
            raise LookupError("a")  # noqa: B904 - the case

    def alone() -> None:
        try:
            fail(1)
        except ValueError:
            raise LookupError("a") from None

    assert [each.led_to for each in chain(raised(cause))] == ["", "It was raised from this one"]
    later = chain(raised(context))
    assert [each.kind for each in later] == ["LookupError", "ValueError"]
    assert later[1].led_to == "It was raised while this one was handled"
    assert len(chain(raised(alone))) == 1


def test_a_chain_that_goes_round_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert [each.message for each in chain(one)] == ["one", "other"]


def test_a_recursion_is_shown_by_its_two_ends() -> None:
    def fall() -> None:
        fall()

    error = raised(fall)
    [one] = chain(error)
    assert len(one.calls) == 60
    assert one.left_out > 100
    assert len(plain(error)) < 110_000


def test_a_call_whose_source_is_nowhere_is_shown_without() -> None:
    def act() -> None:
        exec(compile("1 / 0", "<made>", "exec"), {})  # noqa: S102 - the case

    call = chain(raised(act))[0].calls[-1]
    assert (call.file, call.line, call.source) == ("<made>", 1, [])


def test_calls_of_libraries_are_told_from_the_applications_own() -> None:
    import json

    own, *library = chain(raised(lambda: json.loads("{")))[0].calls[1:]
    assert not own.is_library
    assert library
    assert all(call.is_library for call in library)
