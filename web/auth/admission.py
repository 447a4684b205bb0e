"""Whether the pages may open: who may use them must be settled, and a lost file opens nothing."""

from contextlib import suppress

from core.durable import sync_folder, write_synced
from core.errors import ConfigurationError
from web.auth.user_file import check_users
from web.settings import WebSettings

_ADD = "`slicewire users add NAME --role operator`"
_SEEN = b"The pages had users. Without this file and without users they are open to this machine.\n"


def check_access(settings: WebSettings) -> bool:
    """True if there are users; False if this machine alone has access, without any.

    Raises:
        ConfigurationError: the file of users is wrong; or there are no users, though there were,
            or though others than this machine would have access.
    """
    path = settings.users_path
    if check_users(path, settings.configuration.web_ip):
        return True
    if settings.users_seen_path.exists():
        raise ConfigurationError(
            f"{path}: expected the users that were there, found none: restore the file, or add a "
            f"user with {_ADD}; removing {settings.users_seen_path} opens the pages to everybody "
            "on this machine"
        )
    reason = _why_users(settings)
    if reason:
        raise ConfigurationError(
            f"{reason}: expected users in {path}, found none: add one with {_ADD}"
        )
    return False


def remember_users(settings: WebSettings) -> None:
    """Note that the pages had users, so that a lost file does not open them after a restart.

    Raises:
        OSError: the note cannot be written.
    """
    path = settings.users_seen_path
    if path.exists():
        return
    with suppress(FileExistsError):
        write_synced(path, _SEEN)
    sync_folder(path.parent)


def _why_users(settings: WebSettings) -> str:
    """The key that lets others than this machine in; empty if none does."""
    web = settings.configuration.web
    if web.plain_http:
        return "web.plain_http: a proxy lets others in"
    if web.proxies:
        return "web.proxies: a proxy lets others in"
    if web.hosts:
        return f"web.hosts: {web.hosts[0]} lets others in"
    if web.users_path is not None and not web.users_path.exists():
        return "web.users_path: there is no such file"
    return ""
