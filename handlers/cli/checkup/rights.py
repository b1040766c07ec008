"""What an engineer is told of the rights that the app's identity, or a sign-in, has."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.cli.checkup.finding import Finding, well, wrong
from handlers.cloud.rights import RIGHTS, WHOLE, allowed, missing

AREA = "rights"


def judged(subscription: str, permissions: Sequence[Mapping[str, Any]], principal: str) -> Iterator[Finding]:
    """Each right that is missing: of the app's identity where `principal` names it, else of the caller.

    The caller needs only the reads: nothing typed here starts anything.
    """
    whose = "The app's identity" if principal else "Your sign-in"
    needed = [action for action in RIGHTS if principal or action.endswith("/read")]
    lacks = missing(permissions, needed)
    remedy = (
        f"az deployment sub create --subscription {subscription} --location REGION "
        f"--template-file infra/modules/role.bicep --parameters principalId={principal}"
        if principal
        else f"az role assignment create --role Reader --assignee ME --scope /subscriptions/{subscription}"
    )
    for action in lacks:
        yield wrong(AREA, f"{whose} lacks {action} in {subscription}: {RIGHTS[action]}.", remedy)
    if principal and allowed(WHOLE, permissions):
        yield wrong(
            AREA,
            f"{whose} may call {WHOLE} in {subscription}, which can take a whole scale set down: "
            "Breakwater never does. Take the wider role away from it.",
            f"az role assignment list --subscription {subscription} --assignee {principal} --output table",
        )
    if not lacks:
        which = f"all {len(needed)} {'rights of the role' if principal else 'reads of the role'}"
        beside = "" if principal else " The app's own rights: --principal ID."
        yield well(AREA, f"{whose} has {which} in {subscription}.{beside}")
