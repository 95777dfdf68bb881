"""What a profile may say of requests, files and the departments of fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiangyue.tenancy.profile import ProfileErrors, load_profile

GOOD = 'slug = "hanyin"\nname = "汉阴县"\nname_en = "Hanyin County"\narea_code = "610921"\n'


def profile(folder: Path, text: str) -> object:
    (folder / "tenant.toml").write_text(GOOD + text, encoding="utf-8")
    return load_profile(folder).settings


def test_departments_of_fields_and_days_are_read(tmp_path: Path) -> None:
    settings = profile(
        tmp_path,
        '[settings]\nrequest_days = 10\nrequest_days_source = "县办〔2025〕3号"\nimport_file_days = 7\n'
        '[settings.field_owners]\n"person.phone" = "civil_affairs"\n"custom.household.courtyard" = "township"\n',
    )
    assert settings.request_days == 10
    assert settings.import_file_days == 7
    assert settings.field_owners == {"person.phone": "civil_affairs", "custom.household.courtyard": "township"}


@pytest.mark.parametrize(
    ("text", "path", "suggestion"),
    [
        ('"person.phones" = "police"', 'settings.field_owners."person.phones"', "person.phone"),
        ('"person.phone" = "polices"', 'settings.field_owners."person.phone"', "police"),
    ],
)
def test_slips_are_named_with_a_suggestion(tmp_path: Path, text: str, path: str, suggestion: str) -> None:
    with pytest.raises(ProfileErrors) as caught:
        profile(tmp_path, f"[settings.field_owners]\n{text}\n")
    (problem,) = caught.value.problems
    assert problem.path.replace('"', "") == path.replace('"', "")
    assert suggestion in problem.suggestion
    assert problem.line == 6
