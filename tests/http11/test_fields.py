"""http11/fields.py: how the application knows the fields of a message (P10, P12, A18)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiowsgi.http11 import fields as module
from aiowsgi.http11.fields import FieldNames


def fields(*lines: str, underscores: bool = False) -> dict[str, str]:
    """What these field lines mean: the first time, and when their names are known."""
    names = FieldNames(underscores=underscores)
    first = names.collect(list(lines))
    assert names.collect(list(lines)) == first
    return first


def test_fields_are_there_where_they_were_sent_and_as_they_were_sent() -> None:
    """P10, P12: any case of the name; an empty value is a value."""
    sent = ["x-Some-THING: v \xff\xe9", "Empty:", "Accept: */*", "Content-type:t/p"]
    assert fields(*sent) == {
        "HTTP_X_SOME_THING": "v \xff\xe9",
        "HTTP_EMPTY": "",
        "HTTP_ACCEPT": "*/*",
        "CONTENT_TYPE": "t/p",
    }
    assert fields() == {}


def test_only_the_first_colon_divides_and_only_space_and_tab_are_taken_off() -> None:
    """H18: what is white space elsewhere stays, and so does all that stands inside."""
    assert fields("A:b: c", "B: \t\xa0x\x85 y\t ") == {"HTTP_A": "b: c", "HTTP_B": "\xa0x\x85 y"}


def test_repeated_fields_are_one_list_and_cookies_one_header() -> None:
    """P12, RFC 9110 5.3, RFC 6265 5.4: in the order sent, any case."""
    found = fields(
        "Accept: a", "Cookie: x=1", "X:", "ACCEPT: b", "accept: c", "cookie: y=2", "X: \xff"
    )
    assert found == {"HTTP_ACCEPT": "a, b, c", "HTTP_COOKIE": "x=1; y=2", "HTTP_X": ", \xff"}


def test_proxy_is_dropped_always_and_names_with_underscores_unless_asked_for() -> None:
    """P12: HTTP_PROXY is an operator's setting, and X_Forwarded_For would be a proxy's word."""
    sent = ["Proxy: http://evil/", "X_Forwarded_For: 1", "X-Forwarded-For: 2"]
    assert fields(*sent) == {"HTTP_X_FORWARDED_FOR": "2"}
    assert fields(*sent, underscores=True) == {"HTTP_X_FORWARDED_FOR": "1, 2"}
    assert fields("pROXY: x", "PROXY: y", underscores=True) == {}


def test_only_lines_that_cannot_be_wrong_are_recognised() -> None:
    """H5-H7: a known name, once, a value of printable ASCII, and no coding of the body."""
    names = FieldNames()
    good = ["Host: a", "Cookie: b=c", "Content-Length: 5"]
    assert names.recognise(good) is None  # nobody has seen these names
    names.collect([*good, "Transfer-Encoding: chunked"])
    assert names.recognise(good) == names.collect(good)
    assert names.recognise(["Cookie:new", "Host:"]) == {
        "HTTP_COOKIE": "new",
        "HTTP_HOST": "",
    }
    for bad in (
        "Cookie: a\tb",
        "Cookie: \0",
        "Cookie : a",
        " Cookie: a",
        "X: a",
        "Host: b\n",
        "Cookie",
        "",
    ):
        assert names.recognise([*good[1:], bad]) is None
    assert names.recognise([*good, "Host: b"]) is None
    assert names.recognise([*good, "Transfer-Encoding: chunked"]) is None


def test_a_line_that_is_not_printable_is_never_recognised() -> None:
    """S14: a log takes what is recognised for printable; remembered lines are not looked at."""
    names = FieldNames()
    for _ in range(2):
        names.collect(["Accept: a\tb"])
        assert names.recognise(["Accept: a\tb"]) is None
    assert names.recognise(["Accept: a b"]) == {"HTTP_ACCEPT": "a b"}


def test_a_name_with_underscores_never_poses_as_framing() -> None:
    """P12, P9: what frames the body is read from these variables."""
    sent = ["Content_Length: 9", "Content_Type: x", "Transfer_Encoding: chunked"]
    found = {"HTTP_CONTENT_LENGTH": "9", "HTTP_CONTENT_TYPE": "x"}
    assert fields(*sent, underscores=True) == found
    assert fields(*sent) == {}


def test_twenty_thousand_fields_of_one_name_are_joined_once() -> None:
    """A18: in proportion to their number."""
    assert fields(*["X: y"] * 20_000) == {"HTTP_X": "y, " * 19_999 + "y"}


def test_names_that_clients_make_up_do_not_fill_memory() -> None:
    """S4: and are right all the same."""
    names = FieldNames()
    for number in range(3 * module._CACHED):
        found = names.collect([f"X-{number}: x", "Y" * 1000 + ": y"])
        assert found[f"HTTP_X_{number}"] == "x"
    assert len(names._known) <= module._CACHED
    assert max(map(len, names._known)) <= module._CACHED_SIZE


def test_lines_that_clients_make_up_do_not_fill_memory_either() -> None:
    """S4."""
    names = FieldNames()
    for number in range(3 * module._CACHED):
        found = names.collect([f"User-Agent: {number}", "Accept: " + "y" * 1000])
        assert found == {"HTTP_USER_AGENT": str(number), "HTTP_ACCEPT": "y" * 1000}
    assert len(names._lines) <= module._CACHED
    assert max(map(len, names._lines)) <= module._CACHED_LINE


def test_what_may_be_secret_is_not_remembered() -> None:
    names = FieldNames()
    secret = ["Cookie: s3cret", "Authorization: s3cret", "X-Api-Key: s3cret", "Referer: s3cret"]
    for _ in range(3):
        names.collect(["Host: a", *secret])
    assert list(names._lines) == ["Host: a"]


names = st.sampled_from(
    ["A", "a", "Host", "HOST", "B", "Cookie", "cookie", "Proxy", "C_d", "C-D", "Content-Length"]
)
values = st.sampled_from(["", "1", " 2 ", "\t\xa0", "a: b"])


@given(st.lists(st.tuples(names, values), max_size=6), st.booleans())
def test_the_short_way_and_the_long_way_find_the_same(
    pairs: list[tuple[str, str]], underscores: bool
) -> None:
    lines = [f"{name}:{value}" for name, value in pairs]
    long = FieldNames(underscores=underscores).join((n, v.strip(" \t")) for n, v in pairs)
    assert fields(*lines, underscores=underscores) == long
