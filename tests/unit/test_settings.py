"""Settings: every wrong value at once, PORT as people know it, and what children of the demo receive."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from xiangyue.config import Settings, SettingsError
from xiangyue.local.plan import banner, demo_plan, environ_of
from xiangyue.local.servers import running


def test_defaults_suit_a_bare_machine() -> None:
    settings = Settings.load({})

    assert (settings.database_url, settings.redis_url) == ("", "")
    assert settings.port == 8000
    assert settings.base_domain == "localhost"
    assert not settings.demo


def test_every_option_says_what_it_is_for() -> None:
    assert [option.name for option in fields(Settings) if not option.metadata["doc"]] == []


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"PORT": "web", "XIANGYUE_POOL_SIZE": "0", "XIANGYUE_BEHIND_PGBOUNCER": "perhaps"})

    assert str(caught.value).split("; ") == [
        "PORT='web': expected a number from 1",
        "XIANGYUE_POOL_SIZE='0': expected a number from 1",
        "XIANGYUE_BEHIND_PGBOUNCER='perhaps': expected true or false",
    ]


def test_xiangyue_port_wins_over_port() -> None:
    assert Settings.load({"PORT": "8001"}).port == 8001
    assert Settings.load({"PORT": "8001", "XIANGYUE_PORT": "8002"}).port == 8002


def test_overrides_win_over_the_environment() -> None:
    assert Settings.load({"XIANGYUE_BASE_DOMAIN": "a.example"}, base_domain="b.example").base_domain == "b.example"


def test_plugins_are_all_that_are_installed_unless_they_are_named() -> None:
    assert Settings.load({}).plugins == ("*",)
    assert Settings.load({"XIANGYUE_PLUGINS": "contact321, moralbank"}).plugins == ("contact321", "moralbank")
    assert Settings.load({"XIANGYUE_PLUGINS": ""}).plugins == ()


def test_addresses_leave_out_the_usual_port() -> None:
    settings = Settings.load({})

    assert settings.address("hanyin.localhost") == "http://hanyin.localhost:8000"
    assert replace(settings, port=80).address("x.example") == "http://x.example"
    assert replace(settings, port=443, public_scheme="https").address("x.example") == "https://x.example"


def test_addresses_behind_a_proxy_have_the_proxys_port() -> None:
    settings = Settings.load({"XIANGYUE_PUBLIC_SCHEME": "https", "XIANGYUE_PUBLIC_PORT": "443"})

    assert settings.address("x.example") == "https://x.example"
    assert settings.cookie_suffix == "8000"
    assert replace(settings, public_port=8443).address("x.example") == "https://x.example:8443"


def test_secret_options_stay_out_of_repr() -> None:
    secret = {option.name for option in fields(Settings) if option.metadata.get("secret")}
    shown = repr(replace(Settings.load({}), **dict.fromkeys(secret, "s3cret-value")))

    assert secret
    assert "s3cret-value" not in shown


def test_children_read_back_the_settings_of_their_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    settings = replace(
        Settings.load({}),
        home=tmp_path,
        port=8123,
        demo=True,
        behind_pgbouncer=True,
        database_url="postgresql://xiangyue_app@/xiangyue?host=/a/b&port=5432",
        migrations_dir=tmp_path / "migrations",
        profiles_dir=tmp_path / "tenants",
        plugins=("contact321", "moralbank"),
    )

    assert Settings.load(environ_of(settings)) == settings


def _with_profiles(tmp_path: Path) -> Settings:
    for slug in ("tongyu", "hanyin"):
        (tmp_path / slug).mkdir()
        (tmp_path / slug / "tenant.toml").write_text(f'slug = "{slug}"\n')
    (tmp_path / "notes").mkdir()
    return replace(Settings.load({}), home=tmp_path, port=8123, profiles_dir=tmp_path)


def test_banner_has_an_address_per_county_and_the_console(tmp_path: Path) -> None:
    lines = [line.strip() for line in banner(_with_profiles(tmp_path))]

    assert [line for line in lines if line.startswith("http")] == [
        "http://hanyin.localhost:8123",
        "http://tongyu.localhost:8123",
        "http://localhost:8123",
    ]


def test_demo_is_prepared_again_when_its_profiles_size_or_database_change(tmp_path: Path) -> None:
    settings = _with_profiles(tmp_path)
    first = demo_plan(settings)
    assert [step.argv[2:] for step in first.once] == [
        ("xiangyue.cli", "tenant", "apply", str(tmp_path / "hanyin")),
        ("xiangyue.cli", "tenant", "apply", str(tmp_path / "tongyu")),
        ("xiangyue.cli", "seed-demo", "--households", "20000"),
    ]
    assert demo_plan(settings).fingerprint == first.fingerprint

    other_database = replace(settings, database_url="postgresql://elsewhere/x")
    assert demo_plan(other_database).fingerprint != first.fingerprint
    settings = replace(settings, demo_households=50)
    smaller = demo_plan(settings)
    assert smaller.once[-1].argv[-1] == "50"
    assert smaller.fingerprint != first.fingerprint
    (tmp_path / "hanyin" / "tenant.toml").write_text('slug = "hanyin"\nlocale = "zh"\n')
    assert demo_plan(settings).fingerprint != smaller.fingerprint


def test_demo_households_must_be_a_number() -> None:
    with pytest.raises(SettingsError, match="XIANGYUE_DEMO_HOUSEHOLDS='many': expected a number"):
        Settings.load({"XIANGYUE_DEMO_HOUSEHOLDS": "many"})
    assert Settings.load({"XIANGYUE_DEMO_HOUSEHOLDS": "0"}).demo_households == 0


def test_an_empty_address_to_listen_on_is_the_default() -> None:
    assert Settings.load({"XIANGYUE_BIND": ""}).bind == "127.0.0.1"
    assert Settings.load({"XIANGYUE_BIND": "0.0.0.0"}).bind == "0.0.0.0"


def test_addresses_given_from_outside_start_no_server(tmp_path: Path) -> None:
    given = replace(Settings.load({}), home=tmp_path, database_url="postgresql://a/b", redis_url="redis://c/0")

    with running(given) as settings:
        assert settings == given
    assert list(tmp_path.iterdir()) == []


def test_an_owner_address_without_a_runtime_address_is_refused(tmp_path: Path) -> None:
    lopsided = replace(Settings.load({}), home=tmp_path, migration_database_url="postgresql://a/b")

    with pytest.raises(SettingsError, match="XIANGYUE_DATABASE_URL is not"), running(lopsided):
        pass
