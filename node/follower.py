"""Parts of the node that take a changed configuration while they work."""

from core.config.settings import Configuration


class Follower:
    """A part that reads the configuration in force whenever it begins something."""

    _configuration: Configuration

    def follow(self, configuration: Configuration) -> None:
        """Use `configuration` for whatever begins from now on."""
        self._configuration = configuration
