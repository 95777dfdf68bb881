"""Stored files: who fetches them, how they leave, when they are cleared away."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.files.models import StoredFile
from xiangyue.files.service import delete_orphans, read_file, store_file
from xiangyue.jobs.actors import account_actor
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import enqueue_job
from xiangyue.testing.fixtures import County

CONTENT = b"roster \xe6\xb1\x89"


def keep(county: County, account: Any = None, **options: Any) -> StoredFile:
    actor = None
    if account is not None:
        with county.uow() as uow:
            actor = account_actor(uow, account.id, tenant_area=county.info.area_code)
    with county.uow(actor) as uow:
        return store_file(
            uow,
            county.runtime.storage,
            stream=io.BytesIO(CONTENT),
            name="花名册.xlsx",
            media_type="application/octet-stream",
            purpose="import.roster",
            permission=IMPORT_RUN,
            **options,
        )


def test_a_file_is_fetched_as_a_download_and_audited(hanyin: County) -> None:
    file = keep(hanyin)
    with hanyin.client("county_admin").get(f"/files/{file.token}") as answer:
        assert answer.data == CONTENT
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "private, no-store"
    with hanyin.uow() as uow:
        fetched = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "file.fetch")).one()
        assert (fetched.object_id, fetched.object_label) == (file.id, "花名册.xlsx")


def test_without_the_right_without_a_session_or_in_another_county_there_is_no_file(
    hanyin: County, tongyu: County
) -> None:
    file = keep(hanyin)
    assert hanyin.client("village").get(f"/files/{file.token}").status_code == 404
    assert tongyu.client("county_admin").get(f"/files/{file.token}").status_code == 404
    anonymous = hanyin.client().get(f"/files/{file.token}")
    assert anonymous.status_code == 303
    assert CONTENT not in anonymous.data


def test_a_right_in_one_town_reaches_ones_own_files_only(hanyin: County) -> None:
    town = hanyin.account("town", area=610921107000000)
    own, other = keep(hanyin, town), keep(hanyin)
    client = hanyin.client(town)
    with client.get(f"/files/{own.token}") as answer:
        assert answer.status_code == 200
    assert client.get(f"/files/{other.token}").status_code == 404


def test_an_expired_file_is_gone_and_its_bytes_are_cleared_away(hanyin: County) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired, kept = keep(hanyin, expires_at=past), keep(hanyin)
    assert hanyin.client("county_admin").get(f"/files/{expired.token}").status_code == 404
    with hanyin.uow() as uow:
        job = enqueue_job(uow, kind="files.clear", params={})
    assert run_with(hanyin.runtime, hanyin.info.id, job.id) == "succeeded"
    storage, tenant_id = hanyin.runtime.storage, hanyin.info.id
    assert not storage.exists(tenant_id, expired.storage_key)
    assert storage.exists(tenant_id, kept.storage_key)


def test_bytes_of_a_rolled_back_upload_are_cleared_away(hanyin: County) -> None:
    kept = keep(hanyin)
    with hanyin.uow() as uow:
        lost = store_file(
            uow,
            hanyin.runtime.storage,
            stream=io.BytesIO(CONTENT),
            name="x",
            media_type="text/plain",
            purpose="test",
            permission=IMPORT_RUN,
        )
        uow.rollback()
    storage, tenant_id = hanyin.runtime.storage, hanyin.info.id
    assert storage.exists(tenant_id, lost.storage_key)
    with hanyin.uow() as uow:
        assert delete_orphans(uow, storage, older_than=0) >= 1
        with read_file(uow, storage, kept.id) as stream:
            assert stream.read() == CONTENT
    assert not storage.exists(tenant_id, lost.storage_key)
