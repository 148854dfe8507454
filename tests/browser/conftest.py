"""The fixtures of the browser tests."""

from __future__ import annotations

from tests.browser.fixtures import browser, running_site, site, visit

__all__ = ["browser", "running_site", "site", "visit"]
