"""What a message is about, as every line of the log says while it is worked on."""

from handlers.cloud.names import run_path
from handlers.wire.messages import (
    AlertMessage,
    Message,
    NoticeMessage,
    RunMessage,
    ScaleSetMessage,
    arm_parts,
)


def of(message: Message) -> dict[str, object]:
    """The wave, the scale set (group/name), the path of its run, as far as the message says."""
    match message:
        case RunMessage():
            return _run(message.subscription, message.resource_group, message.name)
        case ScaleSetMessage():
            return {"wave": message.tracking_id, **_run(*arm_parts(message.scale_set))}
        case NoticeMessage():
            return {"wave": message.tracking_id}
        case AlertMessage():
            return {"alert": message.alert}


def _run(subscription: str, group: str, name: str) -> dict[str, object]:
    return {"scale_set": f"{group}/{name}", "run": run_path(subscription, group, name)}
