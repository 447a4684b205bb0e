"""What the rules would do with files that nobody has sent yet; nothing is stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.config.settings import Configuration
from core.errors import SenderError, SlicewireError
from core.folders import files_below
from core.uids import is_safe_uid
from imaging.geometry.placement import GeometryRules, Placement, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.series.series import check_one_series, is_of_image_class
from imaging.series.set_aside import set_aside
from network.sender import Sender
from node.completion.nearest_rule import nearest_rule
from node.completion.routing import NamedRule, Router, TagMatch

Finding = tuple[str, str, str]
"""What was looked at, what would become of it, and why nothing would run; empty if it would."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Rules, peers and geometry rules to look at files with, and who is taken to send them."""

    configuration: Configuration
    sender: Sender
    geometry_rules: Mapping[str, GeometryRules]
    """Of pipelines, by kind."""

    def findings(self, paths: Sequence[Path]) -> Iterator[Finding]:
        """Yield a finding for each file that is no DICOM image, and for each series.

        Raises:
            ConfigurationError: a rule names a tag that DICOM does not know.
            RequestedJobError: a folder holds too many files.
        """
        series: dict[str, list[Header]] = {}
        most = self.configuration.web.limits.folder_files
        for path in _files(paths, most):
            if path.is_dir():
                yield f"folder {path}", "", "expected files, found none"
                continue
            if path.exists() and not path.is_file():  # a pipe would be waited for
                yield f"file {path}", "", "expected a file or folder, found a pipe or device"
                continue
            try:
                headers = [one for one in read_headers(path) if is_of_image_class(one)]
            except SlicewireError as error:
                yield f"file {path}", "", str(error)
                continue
            if not headers:
                yield f"file {path}", "no image: stored, no rule is asked", ""
            for one in headers:
                series.setdefault(one.series_instance_uid, []).append(one)
        for uid, images in series.items():
            name = uid if is_safe_uid(uid) else "without a valid UID"
            yield from self._of_series(f"series {name}", images)

    def _of_series(self, name: str, images: Sequence[Header]) -> Iterator[Finding]:
        router = Router(self.configuration, ("", 0))
        slices = set_aside(images).headers or images
        rules = router.find_rules(self.sender, TagMatch([one.path for one in slices]))
        yield name, f"{len(images)} images, {self._sender_words()}", ""
        for rule in rules:
            yield self._of_rule(name, router, rule, images)
        if not rules:
            yield name, "", self._why_no_rule(slices)

    def _of_rule(
        self, name: str, router: Router, named: NamedRule, images: Sequence[Header]
    ) -> Finding:
        pipeline = named.rule.pipeline
        takes = f"{named.name} takes it, pipeline {pipeline}"
        try:
            goes_to = ", ".join(one.peer for one in router.destinations(named.rule, self.sender))
            check_one_series(images)
            placed = place(images, self._rules_of(pipeline))
        except SenderError as error:
            return name, "", f"{takes}, held: {error}"
        except SlicewireError as error:
            return name, "", f"{takes}, held for its geometry: {error}"
        return name, f"{takes}; {_geometry(placed)}; results go to {goes_to or 'nobody'}", ""

    def _rules_of(self, pipeline: str) -> GeometryRules:
        rules = self.geometry_rules[self.configuration.pipelines[pipeline].kind]
        may = self.configuration.geometry.separate_frames_of_reference == "warn"
        return replace(rules, allow_separate_frames=may)

    def _why_no_rule(self, images: Sequence[Header]) -> str:
        paths = [one.path for one in images]
        nearest = nearest_rule(self.configuration.rules, self.sender, paths)
        words = "there are no rules" if nearest is None else nearest.words
        return f"no rule takes it, stored and not processed: {words}"

    def _sender_words(self) -> str:
        return f"as if sent by {self.sender.calling_ae_title} to {self.sender.called_ae_title}"


def _files(paths: Sequence[Path], most: int) -> Iterator[Path]:
    """Yield files, and those below folders; a folder itself if there are none."""
    for path in paths:
        yield from (files_below(path, most=most) or [path]) if path.is_dir() else [path]


def _geometry(placed: Placement) -> str:
    spacing = placed.slice_spacing_mm
    words = f"geometry fits: {len(placed.positions_mm)} positions"
    words += "" if spacing is None else f", {spacing:g} mm apart"
    words += f", {len(placed.phases)} phases" if len(placed.phases) > 1 else ""
    return words + "".join(f"; {one}" for one in placed.warnings)
