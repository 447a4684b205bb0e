"""Manage the users of the pages and the REST API: `slicewire users`.

The exit code is 0, 1 for an unknown name, 2 for a wrong command line.
"""

import argparse
import getpass
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.command_line import ArgumentParser
from core.config.file import found_config, read_configuration
from core.errors import ConfigurationError
from core.private_files import keep_files_private
from web.auth.admission import remember_users
from web.auth.passwords import Passwords
from web.auth.user_file import ROLES, User, UserFile, with_token
from web.settings import WebSettings

_SHORTEST = 10
_LONGEST_NAME = 64


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m web.users") -> int:
    """Run the command, called `prog` in its --help; returns the exit code."""
    keep_files_private()
    try:
        values = _parser(prog).parse_args(argv)
        flags = {} if values.storage_path is None else {"storage_path": values.storage_path}
        configuration = read_configuration(found_config(values.config), flags)
        settings = WebSettings(configuration)
        settings.users_path.parent.mkdir(parents=True, exist_ok=True)
        settings.storage_path.mkdir(parents=True, exist_ok=True)
        file = UserFile(settings.users_path)
        had_users = bool(file.users())
        code = _do(file, values)
        if had_users or file.users():
            remember_users(settings)
        return code
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _do(file: UserFile, values: argparse.Namespace) -> int:
    users = file.users()
    if values.verb == "list":
        for user in users.values():
            sys.stdout.write(f"{user.name} {user.role} {len(user.token_hashes)} tokens\n")
        return 0
    if values.verb == "add":
        file.write(_with_password(users.get(values.name), values.name, values.role))
        return 0
    if values.name not in users:
        sys.stderr.write(f"{values.name}: there is no user of this name\n")
        return 1
    if values.verb == "remove":
        file.remove(values.name)
        if not file.users():
            sys.stdout.write("no user is left: nobody gets in before there is one again\n")
        return 0
    token = secrets.token_urlsafe(32)
    user = users[values.name]
    file.write(with_token(replace(user, token_hashes=()) if values.only else user, token))
    sys.stdout.write(f"{token}\n")
    return 0


def _with_password(known: User | None, name: str, role: str) -> User:
    """A new user, or a known one with another role and password; tokens stay."""
    if not name.isprintable() or not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise ConfigurationError(f"NAME: expected 1 to {_LONGEST_NAME} printable characters")
    password = _ask() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if password and len(password) < _SHORTEST:
        raise ConfigurationError(f"password: expected {_SHORTEST} characters or more, or none")
    password_hash = Passwords().hash(password) if password else ""
    tokens = () if known is None else known.token_hashes
    return User(name, role, password_hash, tokens)


def _ask() -> str:
    password = getpass.getpass("Password (empty: tokens only): ")
    if password != getpass.getpass("Once more: "):
        raise ConfigurationError("the two passwords differ")
    return password


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument(
        "--config", type=Path, help="the node's configuration file (default: config.yaml)"
    )
    parser.add_argument("--storage_path", type=Path, help="the node's storage folder")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="list names, roles and numbers of tokens")
    one = verbs.add_parser(
        "add", help="add a user, or change role and password; asks for a password"
    )
    one.add_argument("name", metavar="NAME")
    one.add_argument("--role", choices=ROLES, required=True, help="viewer looks, operator acts")
    one = verbs.add_parser("token", help="print a new bearer token for scripts, once")
    one.add_argument("name", metavar="NAME")
    one.add_argument("--only", action="store_true", help="revoke all earlier tokens")
    one = verbs.add_parser("remove", help="remove a user; ends their sessions at once")
    one.add_argument("name", metavar="NAME")
    return parser


if __name__ == "__main__":
    sys.exit(main())
