"""The options of watching together: what cannot be meant is an error that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "who"),
    [
        ({"metrics": "/x", "status": "/x"}, "status: /x does not go with metrics: /x"),
        ({"metrics": "/x", "health_path": "/x"}, "health_path: /x does not go with metrics: /x"),
        ({"status": "/x", "health_path": "/x"}, "status: /x does not go with health_path: /x"),
        ({"status": "/x", "metrics": "/x/m"}, "status: /x does not go with metrics: /x/m"),
        ({"status": "/x", "health_path": "/x/up"}, "status: /x does not go with health_path"),
    ],
)
def test_two_things_at_one_path_are_an_error(options: dict[str, Any], who: str) -> None:
    with pytest.raises(ConfigError, match=who) as caught:
        Config(**options)
    assert "give them different paths, none of them below that of the status page" in str(
        caught.value
    )


def test_paths_beside_one_another_are_none() -> None:
    config = Config(metrics="/x/m", status="/x/s", health_path="/x/m/up")
    assert config.shown_to_clients
    assert Config(metrics="/x", status="/xy", health_path="/x/y").counts_requests
    Config(metrics="127.0.0.1:0", status="127.0.0.1:0")  # one address, and pages of both


@pytest.mark.parametrize("places", [{}, {"metrics": ":9090"}, {"health_path": "/up"}])
def test_a_list_of_who_may_look_is_an_error_where_there_is_nothing_to_see(
    places: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match="watch_allow_from does nothing while neither") as caught:
        Config(watch_allow_from="10.0.0.0/8", **places)
    assert "--metrics /metrics" in str(caught.value)


def test_who_may_look_is_said_as_whom_to_trust_is() -> None:
    config = Config(metrics="/metrics", watch_allow_from="10.0.0.0/8, unix 192.0.2.1")
    assert config.watch_allow_from == ("10.0.0.0/8", "unix", "192.0.2.1")
    with pytest.raises(ConfigError, match="watch_allow_from: 'prometheus' is not valid"):
        Config(metrics="/metrics", watch_allow_from="prometheus")
