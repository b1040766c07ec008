"""What benchmarks.logs counts: the text that arrives at the host, ours by its events, the rest as the SDKs'."""

from benchmarks.logs import POLL, SDKS, Heard, _judge

POLLED = '2026-11-30 22:00:00,000 INFO Function.advance.User: run.advanced scale_set=rg/web why="It waits."'
SENT = "2026-11-30 22:00:01,000 INFO Function.notify.User: notify.sent wave=VM1"
SDK = "2026-11-30 22:00:02,000 INFO Function.advance.User: Request URL: 'https://management.azure.com/'"
HOST = "2026-11-30 22:00:03,000 INFO simulator.host.listeners: Executing advance"


def log(*lines: str) -> str:
    return "\n".join(lines)


def test_lines_of_ours_count_by_their_event_and_every_other_of_a_function_as_an_sdks():
    heard = Heard(log(POLLED, POLLED, SENT, SDK, HOST))
    assert heard.lines == {"run.advanced": 2, "notify.sent": 1, SDKS: 1}
    assert heard.bytes["notify.sent"] == len("notify.sent wave=VM1")


def test_an_sdk_that_speaks_or_a_poll_that_says_too_much_ends_with_1():
    assert _judge(Heard(log(POLLED, SENT))) == 0
    assert _judge(Heard(log(POLLED, SENT, SDK))) == 1
    assert _judge(Heard(log(POLLED + "x" * POLL, SENT))) == 1
