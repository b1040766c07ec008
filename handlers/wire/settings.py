"""The settings of the app, all from the environment.

A wrong setting stops every start, with a sentence that names it; alerts are still accepted.
"""

import os
import re
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from handlers.wire.clouds import HOSTS, Cloud, Hosts
from handlers.wire.ids import checked_subscription, is_url, safe_for_secrets
from handlers.wire.outside_json import faults


class BadSettings(ValueError):
    """One or more settings are wrong; the text names each and says what is expected."""


def _seconds(value: Any) -> Any:
    """A number of seconds as people write it in an environment variable."""
    if isinstance(value, timedelta):
        return value
    try:
        length = timedelta(seconds=float(str(value)))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r} is not a number of seconds") from error
    if length <= timedelta(0):
        raise ValueError(f"{value!r} is not more than 0 seconds")
    return length


Seconds = Annotated[timedelta, BeforeValidator(_seconds)]


SHORTEST_KEY = 32
"""Characters of a key that signs links."""

UNRESOLVED = "@microsoft.keyvault("
"""How a setting begins whose reference Azure could not resolve: anybody can know that text."""


def _keys(value: SecretStr) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[\s,]+", value.get_secret_value())))


def _setting(name: str, default: Any) -> Any:
    return Field(default=default, validation_alias=name)


class Settings(BaseModel):
    """What the environment says. Build it with `from_environment`, in tests with keywords, which win.

    Names are read in any casing, and a variable that is empty counts as not set. Not a `BaseSettings`: what
    that package brings along is a tenth of a cold start.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)

    storage: SecretStr = _setting("AzureWebJobsStorage", SecretStr(""))
    storage_account: str = _setting("AzureWebJobsStorage__accountName", "")
    storage_blob_uri: str = _setting("AzureWebJobsStorage__blobServiceUri", "")
    storage_queue_uri: str = _setting("AzureWebJobsStorage__queueServiceUri", "")
    storage_client_id: str = _setting("AzureWebJobsStorage__clientId", "")
    cloud: Cloud = _setting("BREAKWATER_CLOUD", Cloud.PUBLIC)
    arm_endpoint: str = _setting("BREAKWATER_ARM_ENDPOINT", "")
    policy: str = _setting("BREAKWATER_POLICY", "")
    subscriptions: tuple[str, ...] = _setting("BREAKWATER_SUBSCRIPTIONS", ())
    poll_interval: Seconds = _setting("BREAKWATER_POLL_INTERVAL", timedelta(seconds=60))
    in_doubt: Seconds = _setting("BREAKWATER_IN_DOUBT", timedelta(seconds=1800))
    sweep_schedule: str = _setting("BREAKWATER_SWEEP_SCHEDULE", "0 */5 * * * *")
    search_every: Seconds = _setting("BREAKWATER_SEARCH_EVERY", timedelta(seconds=3600))
    group_wait: Seconds = _setting("BREAKWATER_GROUP_WAIT", timedelta(seconds=60))
    public_url: str = _setting("BREAKWATER_PUBLIC_URL", "")
    link_key: SecretStr = _setting("BREAKWATER_LINK_KEY", SecretStr(""))
    smtp: SecretStr = _setting("BREAKWATER_SMTP", SecretStr(""))
    mail_from: str = _setting("BREAKWATER_MAIL_FROM", "")
    acs_endpoint: str = _setting("BREAKWATER_ACS_ENDPOINT", "")
    stop: bool = _setting("BREAKWATER_STOP", default=False)
    platform_auth: bool = _setting("BREAKWATER_PLATFORM_AUTH", default=False)
    problem: str = _setting("BREAKWATER_SETTINGS_PROBLEM", "")

    def __init__(self, **given: Any) -> None:
        environment = {name.lower(): value for name, value in os.environ.items() if value}
        said = {
            variable: environment[variable.lower()]
            for name, field in type(self).model_fields.items()
            if (variable := str(field.validation_alias)).lower() in environment and name not in given
        }
        super().__init__(**{**said, **given})

    @property
    def hosts(self) -> Hosts:
        """Where the cloud is."""
        return HOSTS[self.cloud]

    @property
    def management(self) -> str:
        """Where Azure Resource Manager is: the endpoint that is set, else the cloud's own."""
        return self.arm_endpoint or self.hosts.management

    @property
    def link_keys(self) -> tuple[str, ...]:
        """The keys of the links: the first signs, each of them is taken; none where links are not signed."""
        return _keys(self.link_key)

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process; raises BadSettings with one sentence for each that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            raise BadSettings(_said(error)) from None

    @classmethod
    def as_far_as_readable(cls) -> Self:
        """The settings of this process with the default for each that is wrong; `problem` says which.

        An alert answered 500 because of a typo would be lost: action groups do not send it again.
        """
        try:
            return cls()
        except ValidationError as error:
            wrong = {fault["loc"][0] for fault in error.errors()}
            fields = cls.model_fields.values()
            defaults = {
                str(field.validation_alias): field.default
                for field in fields
                if field.validation_alias in wrong
            }
            return cls(**defaults).model_copy(update={"problem": _said(error)})

    @field_validator("arm_endpoint", "acs_endpoint", "public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not is_url(value, "https", "http"):
            raise ValueError(f"{value!r} is not an address like https://host")
        if value and not safe_for_secrets(value):
            raise ValueError(
                f"{value!r} is plain http to another machine, which would expose a token; use https"
            )
        return value.rstrip("/")

    @field_validator("subscriptions", mode="before")
    @classmethod
    def _subscriptions(cls, value: Any) -> Any:
        parts = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else value
        return tuple(dict.fromkeys(checked_subscription(str(part)) for part in parts if part))

    @field_validator("cloud", mode="before")
    @classmethod
    def _cloud(cls, value: Any) -> Any:
        if str(value).lower() not in set(Cloud):
            raise ValueError(f"{value!r} is not a cloud: write {', '.join(Cloud)}")
        return str(value).lower()

    @field_validator("sweep_schedule")
    @classmethod
    def _schedule(cls, value: str) -> str:
        if len(value.split()) != 6:
            raise ValueError(
                f"{value!r} is not a schedule of six fields: second minute hour day month day-of-week"
            )
        return value

    @field_validator("link_key")
    @classmethod
    def _link_key(cls, value: SecretStr) -> SecretStr:
        if UNRESOLVED in value.get_secret_value().lower():
            raise ValueError(
                "it is a Key Vault reference that Azure has not resolved: see that the secret exists and "
                "that the app's identity may read it"
            )
        if any(len(key) < SHORTEST_KEY for key in _keys(value)):
            raise ValueError(
                f"a key has fewer than {SHORTEST_KEY} characters; make one with: openssl rand -hex 32"
            )
        return value

    @field_validator("smtp")
    @classmethod
    def _smtp(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        if address and not is_url(address, "smtp", "smtps"):
            raise ValueError("it is not an address like smtp://user:password@host:port")
        return value


def _said(error: ValidationError) -> str:
    """One sentence for each setting that is wrong, without its value."""
    return " ".join(["These settings are wrong.", *(f"{fault}." for fault in faults(error))])
