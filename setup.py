"""Content of a wheel: one package, `slicewire`, with doors and rooms in its folder `app`."""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOMS = ("core", "imaging", "network", "model", "pipeline", "simulator", "node", "web")
STAYS_HERE = ("setup", "demo")


class BuildWithoutCheckout(build_py):
    """Build step that leaves files needed only in a checkout out of the wheel."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Modules of a package: its name, theirs, and their files."""
        found = super().find_package_modules(package, package_dir)
        return [one for one in found if one[:2] not in {("slicewire.app", n) for n in STAYS_HERE}]


setup(
    cmdclass={"build_py": BuildWithoutCheckout},
    packages=[
        "slicewire",
        "slicewire.app",
        *(f"slicewire.app.{name}" for name in find_packages(include=[f"{one}*" for one in ROOMS])),
    ],
)
