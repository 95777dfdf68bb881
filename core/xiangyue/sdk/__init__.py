"""All that a plugin may import of Xiangyue: re-exports only, in a module for each subject.

``hooks`` manifest and hooks · ``db`` tables and unit of work · ``access`` rights and audit · ``web`` pages · ``api`` ·
``jobs`` · ``register`` the core's households and areas · ``classifications`` · ``settings`` · ``i18n`` · ``errors`` ·
``text`` · ``testing`` for tests only. What stands here keeps within one major ``API_VERSION``; everything else in
``xiangyue`` may change with any commit. Every name is described in ``docs/plugins/sdk.md``.
"""

from __future__ import annotations

from xiangyue.plugin.manifest import API_VERSION

__all__ = ["API_VERSION"]
