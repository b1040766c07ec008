"""Inboxes for a laptop: what Teams, a mail server and Azure Communication Services would have received."""

from simulator.inboxes.acs import AcsInbox
from simulator.inboxes.base import Scripted
from simulator.inboxes.mail import MailInbox
from simulator.inboxes.teams import TeamsInbox

__all__ = ["AcsInbox", "MailInbox", "Scripted", "TeamsInbox"]
