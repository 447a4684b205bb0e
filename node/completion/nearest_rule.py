"""The rule that came nearest to a series that no rule took, and what differs."""

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from core.config.routing import Rule
from network.sender import Sender
from node.completion.routing import text_of

Values = Mapping[str, str]
"""Values of one instance by keyword, as rules compare them."""
Read = Callable[[Path, tuple[str, ...]], Values]
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One condition of a rule that does not hold."""

    name: str
    """`called AE title`, `calling AE title`, or a DICOM keyword."""
    expected: str
    found: tuple[str, ...]
    """The values that were found: of a keyword they may be about the patient, and are for pages."""
    is_of_patient: bool

    @property
    def words(self) -> str:
        """The condition without values of a data set, for the ledger and the log."""
        if self.is_of_patient:
            return f"{self.name} is not {self.expected}"
        return f"{self.name} is {self.found[0]}, not {self.expected}"

    @property
    def words_for_page(self) -> str:
        """The condition with the values that were found."""
        found = " and ".join(one or "not given" for one in self.found[:_SAMPLES])
        return f"{self.name} is {found}, not {self.expected}"


@dataclass(frozen=True, slots=True)
class NearestRule:
    """The rule with the fewest conditions that do not hold; of several, the first."""

    name: str
    """Its place in the configuration, such as `rules.0`."""
    pipeline: str
    differences: tuple[Difference, ...]

    @property
    def words(self) -> str:
        """The rule and what differs, without values of a data set."""
        return self._words([one.words for one in self.differences])

    @property
    def words_for_page(self) -> str:
        """The rule and what differs, with the values that were found."""
        return self._words([one.words_for_page for one in self.differences])

    def _words(self, differences: Sequence[str]) -> str:
        return f"{self.name} ({self.pipeline}) came nearest: {'; '.join(differences)}"


def nearest_rule(
    rules: Sequence[Rule], sender: Sender, paths: Sequence[Path], read: Read | None = None
) -> NearestRule | None:
    """Find the rule that came nearest to instances in `paths` from `sender`; None without rules.

    The first, middle and last instance are compared, and all of them only for a rule that takes
    these. `read` replaces the reading of a file's values, for those that keep them.
    """
    sent = _Sent(sender, paths, read or values_of)
    found = [_compared(number, rule, sent) for number, rule in enumerate(rules)]
    return min(found, key=lambda one: len(one.differences), default=None)


@dataclass(frozen=True, slots=True)
class _Sent:
    """Instances that rules are compared with, and who sent them."""

    sender: Sender
    paths: Sequence[Path]
    read: Read


def _compared(number: int, rule: Rule, sent: _Sent) -> NearestRule:
    of_sender = tuple(_of_sender(rule, sent.sender))
    of_tags = tuple(_of_tags(rule, _samples(sent.paths), sent.read))
    if not (of_sender or of_tags):
        of_tags = tuple(_of_tags(rule, sent.paths, sent.read))
    return NearestRule(f"rules.{number}", rule.pipeline, (*of_sender, *of_tags))


def _samples(paths: Sequence[Path]) -> list[Path]:
    if len(paths) <= _SAMPLES:
        return list(paths)
    return [paths[0], paths[len(paths) // 2], paths[-1]]


def _of_sender(rule: Rule, sender: Sender) -> Iterator[Difference]:
    for name, title, pattern in (
        ("called AE title", sender.called_ae_title, rule.called_ae_title),
        ("calling AE title", sender.calling_ae_title, rule.calling_ae_title),
    ):
        if not fnmatch.fnmatchcase(title, pattern):
            yield Difference(name, pattern, (title,), is_of_patient=False)


def _of_tags(rule: Rule, paths: Sequence[Path], read: Read) -> Iterator[Difference]:
    keywords = tuple(rule.tags)
    values = [read(path, keywords) for path in paths] if keywords else []
    for keyword, pattern in rule.tags.items():
        found = dict.fromkeys(one.get(keyword, "") for one in values)
        if not all(fnmatch.fnmatchcase(one.lower(), pattern.lower()) for one in found):
            yield Difference(keyword, pattern, tuple(found), is_of_patient=True)


def values_of(path: Path, keywords: tuple[str, ...]) -> Values:
    """Read values of an instance as rules compare them; empty if its file cannot be read."""
    try:
        data_set = pydicom.dcmread(path, specific_tags=list(keywords), stop_before_pixels=True)
    except (OSError, InvalidDicomError):
        return {}
    return {keyword: text_of(data_set, keyword) for keyword in keywords}
