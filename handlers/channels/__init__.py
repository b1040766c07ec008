"""Ways to reach a receiver. A channel sends a rendered message and says whether trying again can help."""

from handlers.channels.senders import Channels
from handlers.channels.trouble import ChannelTrouble, Message, Sender

__all__ = ["ChannelTrouble", "Channels", "Message", "Sender"]
