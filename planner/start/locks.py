"""Locks that forbid what Breakwater asks of Azure: which one it is, in Azure's words, and how to remove it.

A 409 `ScopeLocked` names the locked scope and not the lock: "The scope '…' cannot perform write operation
because following scope(s) are locked: '…'. Please remove the lock and try again." (Azure/azure-sdk-for-java
#2560, MicrosoftDocs/azure-docs#63030; what locks forbid: Microsoft Learn, "Lock your resources to protect
your infrastructure"). Locks are inherited, and a read-only one forbids every POST; there are reports of
CanNotDelete that did so too (azure-docs#50385), so the kind is not guessed.
"""

import re
from dataclasses import dataclass
from shlex import quote

from planner.record.run import Target
from planner.words import refusals as words

_SCOPES = re.compile(r"(?:are|is) locked: *((?:'/[^']*'(?:, *| and )?)+)", re.IGNORECASE)
_QUOTED = re.compile(r"'(/[^']*)'")
_LOCK_ID = re.compile(
    r"(/[^'\s]*)/providers/Microsoft\.Authorization/locks/([^'\s,]+?)[.,]?(?=['\s]|$)", re.IGNORECASE
)
_GROUP = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)

NAME = "LOCK-NAME"
"""What stands in a command where Azure did not say how the lock is called."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock: the ARM id of what it is on (empty where Azure did not say), and its name (mostly empty)."""

    scope: str = ""
    name: str = ""


def lock_of(message: str) -> Lock:
    """The lock that Azure's message speaks of, as far as it can be read from it."""
    named = _LOCK_ID.search(message)
    if named is not None:
        return Lock(named[1], named[2])
    scopes = _SCOPES.search(message)
    found = _QUOTED.findall(scopes[1]) if scopes is not None else []
    # Of several the widest: without it the others are of no use.
    return Lock(min(found, key=len)) if found else Lock()


def locked(target: Target, message: str, *, keeps_from: str) -> str:
    """What to tell a person about it: the ask first, then the lock and how to remove it.

    `keeps_from` is what Azure was asked for: `starting maintenance of instance 3`.
    """
    lock = lock_of(message)
    show, remove = _commands(target, lock)
    place = _place(target, lock.scope)
    return words.remove_lock(lock.name, place, keeps_from, show=show, remove=remove)


def _place(target: Target, scope: str) -> str:
    group = _GROUP.fullmatch(scope)
    if group is not None:
        return words.on_resource_group(group[2])
    if not scope:
        return words.on_any_of(target.name, target.resource_group)
    if _SUBSCRIPTION.fullmatch(scope):
        return words.on_subscription(scope.rpartition("/")[2])
    return f"{scope.rpartition('/')[2]} ({scope})" if _GROUP.match(scope) else scope


def _commands(target: Target, lock: Lock) -> tuple[str, str]:
    """How to list the locks there, and how to remove this one."""
    name = quote(lock.name) if lock.name else NAME
    group = _GROUP.match(lock.scope)
    if _SUBSCRIPTION.fullmatch(lock.scope):
        where = f"--subscription {quote(lock.scope.rpartition('/')[2])}"
        return f"az lock list {where} --output table", f"az lock delete --name {name} {where}"
    subscription, resource_group = (
        (group[1], group[2]) if group else (target.subscription, target.resource_group)
    )
    where = f"--resource-group {quote(resource_group)} --subscription {quote(subscription)}"
    show = f"az lock list {where} --output table"
    if not lock.scope or _GROUP.fullmatch(lock.scope):
        return show, f"az lock delete --name {name} {where}"
    return show, f"az lock delete --ids {quote(lock.scope)}/providers/Microsoft.Authorization/locks/{name}"
