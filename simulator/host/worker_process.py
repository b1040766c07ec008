"""The worker as a process: `python -m simulator.host.worker_process FD LEVEL`, started by `channel`.

Answers what comes over the socket FD, side by side, and sends what the app logs. Ends with the host, also when the
app blocks its event loop: the thread that reads sees the end of the line.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from simulator.host.framing import Line
from simulator.host.protocol import protocol
from simulator.host.runtime import answer, invocation_now

_LEVELS = ((50, "Critical"), (40, "Error"), (30, "Warning"), (20, "Information"), (10, "Debug"))


class ToHost(logging.Handler):
    """Sends each record as the real worker does: the formatted text, and which invocation it belongs to.

    What the record carries as `extra` is not in the text, so it does not arrive.
    """

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        pb = protocol()
        level = next((name for least, name in _LEVELS if record.levelno >= least), "Trace")
        said = pb.RpcLog(
            invocation_id=invocation_now(),
            category=record.name,
            level=pb.RpcLog.Level.Value(level),
            message=self.format(record),
            log_category=pb.RpcLog.RpcLogCategory.Value("User"),
        )
        self._line.write(pb.StreamingMessage(rpc_log=said))


async def serve(line: Line) -> None:
    """Answer until the line is closed, which ends the process."""
    loop = asyncio.get_running_loop()
    at_work: set[asyncio.Task[None]] = set()

    async def respond(message: Any) -> None:
        line.write(await answer(message))

    def begin(message: Any) -> None:
        task = loop.create_task(respond(message))
        at_work.add(task)
        task.add_done_callback(at_work.discard)

    def read() -> None:
        while (message := line.read()) is not None:
            loop.call_soon_threadsafe(begin, message)
        os._exit(0)  # as killed by the host: nothing of the app is closed

    threading.Thread(target=read, daemon=True).start()
    await asyncio.Event().wait()


def main(fd: int, level: str, app: str) -> None:
    """Serve; `level` is the lowest that anybody wants to see, INFO at the lowest as in the real worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's; it lets functions finish
    line = Line(socket.socket(fileno=fd))
    root = logging.getLogger()
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    root.addHandler(ToHost(line))
    # What the worker says of itself goes to the platform's own log.
    logging.getLogger("azure.functions").setLevel(logging.ERROR)
    sys.path.insert(0, str(Path(app)))
    asyncio.run(serve(line))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
