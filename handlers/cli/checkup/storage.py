"""The app's storage, looked into with this shell's settings: records, queues, what lies in quarantine."""

from handlers.cli.checkup.finding import Finding, unread, well, wrong
from handlers.cloud.names import QUARANTINE
from handlers.cloud.records import StorageDown
from handlers.wiring import Wiring
from planner.text.phrases import many

SHOWN = 5
"""Items of the quarantine that are named."""


async def look(wiring: Wiring) -> list[Finding]:
    """Whether it answers, and the commands that replay what lies in quarantine."""
    try:
        kept = await wiring.records.list(QUARANTINE)
        depths = await wiring.queues.lengths()
    except StorageDown as error:
        account = wiring.settings.storage_account or "ACCOUNT"
        return [
            unread(
                "storage",
                f"The storage that this shell names cannot be read: {error}",
                f"az role assignment create --role 'Storage Blob Data Reader' --assignee ME --scope "
                f"$(az storage account show --name {account} --query id --output tsv)",
            )
        ]
    waiting = ", ".join(f"{name} {number}" for name, number in depths.items() if number) or "none"
    found = [well("storage", f"The storage answers. Messages: {waiting}.")]
    if kept:
        replay = tuple(f"breakwater replay {line.path}" for line in kept[-SHOWN:])
        found.append(wrong("quarantine", f"{many(len(kept), 'item')} in quarantine, the latest:", *replay))
    return found
