"""A file of each program, as it writes them, with made-up hosts and passwords."""

from __future__ import annotations

from pathlib import Path

__all__ = ["AIRFLOW", "AUTOCONFIG", "MSMTPRC", "OPS", "PASSWORD"]

_HERE = Path(__file__).parent

OPS = _HERE / "ops.json"
MSMTPRC = _HERE / "msmtprc"
AUTOCONFIG = _HERE / "config-v1.1.xml"
AIRFLOW = _HERE / "airflow.env"

#: With every sign that means something in a URL.
PASSWORD = "p/w:@#?%+ ü"
