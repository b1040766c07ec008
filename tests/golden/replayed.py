"""What the app says today about a recorded moment: its own stages read the documents that an app has kept."""

from collections.abc import Mapping

from handlers.channels import Message
from handlers.render.addresses import Addresses, OnPage
from handlers.stages import notify
from handlers.wire.messages import NoticeMessage
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from tests.golden.recorded import Moment
from tests.world.chaos import Chaos
from tests.world.mailbox import Mailbox
from tests.world.storage import MemoryQueues, MemoryRecords

PUBLIC = "https://breakwater.example"


def token(place: tuple[str, ...], action: str, checksum: str, to: Mapping[str, str]) -> str:
    """Stands for a signed one, which nobody can read."""
    del checksum
    return "-".join((action, *place[3:], *to))


ADDRESSES, ON_PAGE = Addresses(PUBLIC, token), OnPage(PUBLIC, token)


def opened(moment: Moment, mailbox: Mailbox | None = None) -> Wiring:
    """The app at that moment, with what storage held."""

    def clock() -> object:
        return moment.at

    settings = Settings(
        AzureWebJobsStorage="UseDevelopmentStorage=true", BREAKWATER_MAIL_FROM="ops@example.org"
    )
    wiring = Wiring(settings, clock)
    records = MemoryRecords(clock, Chaos())
    records.documents = dict(moment.documents)
    channels = (mailbox or Mailbox()).opened(clock)
    wiring.__dict__.update(records=records, queues=MemoryQueues(clock, Chaos()), channels=channels)
    wiring.policy = lambda: moment.policy
    wiring.addresses, wiring.page_addresses = lambda _: ADDRESSES, lambda _="": ON_PAGE
    return wiring


async def told(moment: Moment) -> Message:
    """The message that the moment's receiver is sent."""
    mailbox = Mailbox()
    asked = NoticeMessage.model_validate_json(moment.asked)
    await notify.handle(asked, opened(moment, mailbox))
    return next(mail.message for mail in mailbox.mails if mail.receiver == moment.receiver)
