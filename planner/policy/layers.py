"""Reads one scale set's values: tag over first matching rule over defaults over what is built in."""

from collections.abc import Callable
from dataclasses import dataclass

from planner.azure.fleet import ScaleSet
from planner.policy.durations import shown
from planner.policy.keys import FILE_ONLY, PARSERS, TAG_KEYS, TAG_PREFIX, nearest
from planner.policy.model import Match, Policy, Rule
from planner.text.phrases import upper

BUILT_IN = "built in"

type Written = tuple[tuple[str, str], ...]
"""A value as it was written and where, or nothing where it is not given."""


@dataclass(frozen=True, slots=True)
class Read[T]:
    """A value that was there and could be read; it may be None itself."""

    value: T


class Layers:
    """The values for one scale set, with a record of where each came from and of what is wrong.

    A value that cannot be read is a problem, never a silent fall-back; a tag that would loosen without
    permission, or that nobody knows, is a note.
    """

    def __init__(self, policy: Policy, scale_set: ScaleSet) -> None:
        self.policy = policy
        self.scale_set = scale_set
        self.problems: list[str] = [sentence(policy.problem)] if policy.problem else []
        self.notes: list[str] = []
        self.sources: dict[str, str] = {}
        self._tags = {
            name.lower().removeprefix(TAG_PREFIX): value.strip()
            for name, value in sorted(scale_set.tags.items())
            if name.lower().startswith(TAG_PREFIX)
        }
        self._rule, self._rule_label = _first_match(policy, scale_set)
        self._judge_names()

    def by_tag(self, key: str) -> Written:
        return ((self._tags[key], _label(key)),) if key in self._tags else ()

    def by_rule(self, key: str) -> Written:
        return ((self._rule.values[key], self._rule_label),) if key in self._rule.values else ()

    def by_defaults(self, key: str) -> Written:
        return ((self.policy.defaults[key], "defaults"),) if key in self.policy.defaults else ()

    def file[T](self, key: str, built_in: T) -> T:
        """Read the value of rule or defaults, else take what is built in."""
        written = (*self.by_rule(key), *self.by_defaults(key), ("", BUILT_IN))
        text, self.sources[key] = written[0]
        if len(written) == 1:
            return built_in
        parse: Callable[[str], T] = PARSERS[key]
        found = self._read(text, parse, f"{self.sources[key]}, {key}")
        return built_in if found is None else found.value

    def tag[T](self, key: str, parse: Callable[[str], T]) -> Read[T] | None:
        """Read the tag's value; None without a tag, or with one that is a problem."""
        return next((self._read(text, parse, source) for text, source in self.by_tag(key)), None)

    def _read[T](self, text: str, parse: Callable[[str], T], place: str) -> Read[T] | None:
        try:
            return Read(parse(text))
        except ValueError as error:
            self.problems.append(sentence(f"{place}: {error}"))
            return None

    def settle[T](
        self, key: str, built_in: T, *, looser: Callable[[T, T], bool] = lambda _tag, _file: False
    ) -> T:
        """Let the tag win, unless it is looser than the file and has no permission to be."""
        file = self.file(key, built_in)
        parse: Callable[[str], T] = PARSERS[key]
        tag = self.tag(key, parse)
        if tag is None:
            return file
        if looser(tag.value, file) and not self.may_loosen(key):
            self.refuse(key)
            return file
        self.from_tag(key)
        return tag.value

    def may_loosen(self, key: str) -> bool:
        """Whether the rule, or the defaults where it says nothing about it, lets tags loosen this key."""
        of_rule = self._rule.tags_may_loosen
        return key in (self.policy.tags_may_loosen if of_rule is None else of_rule)

    def from_tag(self, key: str) -> None:
        self.sources[key] = _label(key)

    def from_both(self, key: str) -> None:
        self.sources[key] = f"{self.sources[key]} and {_label(key)}"

    def refuse(self, key: str, *, kept: str = "the file's value stays") -> None:
        """Note that the tag asks for more than it may."""
        self.note(
            f"{_label(key)}: `{shown(self._tags[key])}` is looser than what holds here ({self.sources[key]}) "
            f"and is not followed, {kept}; to allow it, list {key} under tags-may-loosen in the policy file"
        )

    def note(self, text: str) -> None:
        self.notes.append(sentence(text))

    def _judge_names(self) -> None:
        for key, value in self._tags.items():
            if key == "stop":
                # Whoever writes this wants it left alone: ignoring the tag could reboot it.
                self.problems.append(
                    sentence(
                        f"{_label(key)}: only the policy file can stop everything; to keep maintenance of "
                        f"this scale set from being started, write {TAG_PREFIX}self-service = never instead"
                    )
                )
            elif key in FILE_ONLY:
                self.note(
                    f"{_label(key)}: `{shown(value)}` does not count, since {key} is read from the policy "
                    "file only; write it there"
                )
            elif key not in PARSERS:
                self.note(f"{_label(key)}: there is no such tag{nearest(key, TAG_KEYS)}; it does not count")


def _first_match(policy: Policy, scale_set: ScaleSet) -> tuple[Rule, str]:
    """The rule that holds, and what it is called; a rule that says nothing where none matches."""
    for number, rule in enumerate(policy.rules, 1):
        if rule.match(scale_set):
            return rule, f"rule {number} ({rule.name})" if rule.name else f"rule {number}"
    return Rule("", Match()), ""


def _label(key: str) -> str:
    return f"tag {TAG_PREFIX}{key}"


def sentence(text: str) -> str:
    """A text that starts with a place, as a sentence that can stand beside others."""
    return f"{upper(text)}{'' if text.endswith(('.', '?')) else '.'}"
