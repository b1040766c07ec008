"""What this shell has: versions, settings, the policy file, who is told. Only reads."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from handlers.cli.checkup.finding import Finding, unread, well, wrong
from handlers.wire.policy_file import PolicyError, load
from handlers.wire.settings import BadSettings, Settings
from planner.policy.model import Policy, Receiver
from planner.text.phrases import many

PACKAGES = ("azure-identity", "azure-mgmt-compute", "azure-storage-blob")
ELSEWHERE = "https://setting.invalid"
"""What stands for an address that a setting of the app names and this shell does not have."""


def versions() -> Iterator[Finding]:
    """What runs here."""
    try:
        ours = version("breakwater")
    except PackageNotFoundError:
        ours = "from a source folder"
    parts = [f"{name} {version(name)}" for name in PACKAGES]
    yield well("versions", f"breakwater {ours}, Python {platform.python_version()}, {', '.join(parts)}.")
    if sys.version_info[:2] != (3, 13):
        yield wrong(
            "versions",
            f"Python {platform.python_version()} is not what Breakwater is tested with.",
            "uv tool install --python 3.13 .",
        )


def settings() -> tuple[Settings | None, list[Finding]]:
    """The settings of this shell; None when one of them is wrong."""
    try:
        found = Settings.from_environment()
    except BadSettings as error:
        return None, [wrong("settings", str(error), "less docs/settings.md")]
    names = sorted(name for name in os.environ if name.startswith(("BREAKWATER_", "AzureWebJobsStorage")))
    said = ", ".join(names) or "none is set here: the deployed app has its own"
    return found, [well("settings", f"The settings of this shell can be read: {said}.")]


def policy(path: str) -> tuple[Policy | None, list[Finding]]:
    """The policy file, None where there is none or it cannot be used."""
    if not path:
        return None, [
            unread(
                "policy",
                "No policy file is named here: who is told cannot be looked at.",
                "breakwater doctor --policy policy.yaml",
            )
        ]
    try:
        found = load(Path(path).read_text("utf-8"), environment=_Environment())
    except PolicyError as error:
        return None, [wrong("policy", f"{path} is not valid: {error}", f"breakwater policy check {path}")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [wrong("policy", f"{path} cannot be read ({type(error).__name__}).", f"ls -l {path}")]
    said = [
        well("policy", f"{path} is valid: {many(len(found.rules), 'rule')}."),
        *(
            [wrong("policy", f"{path} says `stop: true`: nothing new starts.", f"grep -n stop: {path}")]
            if found.stop
            else []
        ),
    ]
    return found, [*said, *_receivers(found, path)]


def _receivers(found: Policy, path: str) -> Iterator[Finding]:
    if not found.receivers:
        yield wrong(
            "receivers", f"{path} names no receiver: nobody is told anything.", "less docs/notices.md"
        )
    for receiver in found.receivers:
        named = channels(receiver)
        if not named:
            yield wrong(
                "receivers",
                f"{receiver.name} has no channel: what it should hear goes to nobody.",
                f"grep -n {receiver.name} {path}",
            )
            continue
        yield well("receivers", f"{receiver.name} is told by {', '.join(named)}.")


def channels(receiver: Receiver) -> tuple[str, ...]:
    """The channels of a receiver; addresses are secrets, so names alone."""
    return tuple(name for name in ("email", "teams", "webhook") if getattr(receiver, name))


class _Environment(dict[str, str]):
    """The environment, and for what is only in the app's settings an address that leads nowhere."""

    def get(self, key: str, default: object = None) -> str:
        return os.environ.get(key, "") or ELSEWHERE or str(default)


def storage_named(found: Settings | None) -> bool:
    """Whether this shell's settings name the app's storage."""
    return found is not None and bool(
        found.storage.get_secret_value() or found.storage_account or found.storage_blob_uri
    )
