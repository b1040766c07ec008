"""report: the overview, a wave and a scale set as page, JSON, calendar and spreadsheet; read only."""

from handlers.pages.report import shown
from handlers.wire.http import Request, Response
from handlers.wiring import Wiring


async def handle(request: Request, wiring: Wiring) -> Response:
    """Answer a GET; 404 with a sentence for what is not on record, 503 while storage is down.

    Route parameters as in `shown`: what was asked for is what is shown.
    """
    return await shown(request.path_parameters, request.query, wiring, wiring.page_addresses())
