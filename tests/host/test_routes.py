"""Which function answers a path, and how the path reaches it."""

import pytest

from simulator.host.routes import Route


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        ("waves/{id}", "waves/VM8T-1Q8", {"id": "VM8T-1Q8"}),
        ("waves/{id}", "Waves/VM8T-1Q8/", {"id": "VM8T-1Q8"}),
        ("waves/{id}", "waves/a%20b%C3%A4", {"id": "a bä"}),
        ("waves/{id}", "waves/a%2Fb", {"id": "a%2Fb"}),
        ("waves/{id:alpha}/x", "waves/9/x", {"id": "9"}),
        ("files/{name}.json", "files/a.b.json", {"name": "a.b"}),
        ("files/{*rest}", "files/a/b%20c", {"rest": "a/b c"}),
        ("files/{*rest}", "files", {"rest": ""}),
        ("files/{name?}", "files", {"name": ""}),
    ],
)
def test_a_path_that_fits_gives_its_parameters_decoded(
    template: str, path: str, params: dict[str, str]
) -> None:
    assert Route.of(template).match("GET", path) == params


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("waves/{id}", "waves"),
        ("waves/{id}", "waves/a/b"),
        ("waves.json", "wavesXjson"),
        ("files/{name}.json", "files/.json"),
        ("files/{*rest}", "filesystem"),
        ("files/{*rest}", "files/a//b"),
        ("files/{*rest}", "files//"),
    ],
)
def test_a_path_that_does_not_fit_is_not_answered(template: str, path: str) -> None:
    assert Route.of(template).match("GET", path) is None


def test_a_route_answers_its_methods_only_and_all_when_it_names_none() -> None:
    assert Route.of("alerts", ["post"]).match("POST", "alerts") is not None
    assert Route.of("alerts", ["post"]).match("GET", "alerts") is None
    assert Route.of("alerts").match("DELETE", "alerts") is not None
