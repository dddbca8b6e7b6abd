"""Settings are checked before use, and errors say what would be right."""

from pathlib import Path

import pytest

from server.config import SettingsError, load
from server.identity_key import identity_key


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "LOYALTY_CONFIG", "LOYALTY_LISTEN", "LOYALTY_QUEUE_MAX"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_has_to_be_set() -> None:
    settings = load()
    assert settings.listen == "127.0.0.1:7070"
    assert settings.dsn() == ""


def test_an_error_names_the_setting_its_value_and_what_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOYALTY_QUEUE_MAX", "many")
    monkeypatch.setenv("LOYALTY_LISTEN", "7070")
    with pytest.raises(SettingsError) as error:
        load()
    assert str(error.value).splitlines() == [
        "LOYALTY_LISTEN = '7070': expected host:port for gRPC; port 0 takes a free one",
        "LOYALTY_QUEUE_MAX = 'many': expected 1 to 1000000 writes that may wait",
    ]


def test_the_environment_comes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "loyalty.toml"
    file.write_text('queue_max = 10\nbatch_max = 20\ndatabase_url = "postgresql://file"\n')
    monkeypatch.setenv("LOYALTY_CONFIG", str(file))
    monkeypatch.setenv("LOYALTY_QUEUE_MAX", "11")
    settings = load()
    assert (settings.queue_max, settings.batch_max) == (11, 20)
    assert settings.dsn() == "postgresql://file"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("queue_maxx = 10\n", "queue_maxx: there is no such setting"),
        ("queue_max = [\n", "LOYALTY_CONFIG: "),
    ],
)
def test_a_wrong_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, complaint: str
) -> None:
    file = tmp_path / "loyalty.toml"
    file.write_text(content)
    monkeypatch.setenv("LOYALTY_CONFIG", str(file))
    with pytest.raises(SettingsError, match=complaint):
        load()


def test_a_missing_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOYALTY_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SettingsError, match="there is no such file"):
        load()


def test_the_summary_shows_every_setting_but_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:geheim@host/db")
    settings = load()
    summary = settings.summary()
    assert summary["DATABASE_URL"] == "(set, hidden)"
    assert summary["LOYALTY_BATCH_MAX"] == 512
    assert "geheim" not in f"{summary} {settings!r}"
    assert settings.dsn() == "postgresql://user:geheim@host/db"


def test_a_password_stays_hidden_in_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:geheim@host/db")
    with pytest.raises(SettingsError) as error:
        load(database_url_file=tmp_path / "url", tls_cert=tmp_path / "cert")
    assert "geheim" not in str(error.value)


def test_the_database_url_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://user:geheim@host/db\n")
    assert load(database_url_file=file).dsn() == "postgresql://user:geheim@host/db"
    file.write_text("")
    with pytest.raises(SettingsError, match="the file is empty"):
        load(database_url_file=file).dsn()


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LOYALTY_TLS_KEY is not set"):
        load(tls_cert=tmp_path / "cert.pem")


def test_the_identity_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path / "data")
    key = identity_key(settings)
    assert len(key) == 32
    assert identity_key(settings) == key
    file = tmp_path / "data" / "identity.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["identity.key"]


def test_an_identity_key_that_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret")
    with pytest.raises(SettingsError, match="expected 64 hexadecimal digits"):
        identity_key(load(identity_key_file=file))
