"""Webhook: posts each notice as signed JSON until the receiver accepts it.

The request carries `X-Slicewire-Timestamp: SECONDS` and
`X-Slicewire-Signature: v1=HEX`, HEX being HMAC-SHA256 with the shared secret over the timestamp's
digits, a full stop and the body's bytes. A receiver computes the same over what it received,
compares in constant time (`hmac.compare_digest`), and refuses a timestamp that is minutes old. `id`
is the same on every attempt, so that a receiver recognises repetitions.
"""

import hashlib
import hmac
import http.client
import json
import urllib.request

import structlog

from core.config.settings import Configuration
from core.identity import MANUFACTURER, VERSION
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.row_states import NoticeState
from node.ledger.tables.events import record_event
from node.ledger.tables.notices import (
    Notice,
    forget_finished,
    forget_waiting,
    next_notice,
    postpone_notice,
    settle_notice,
)

_REMEMBER_S = 30 * 24 * 3600.0
_GONE = 410

log = structlog.get_logger("webhook")


class Webhook(Follower):
    """Posts the notices that are due."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._opener = urllib.request.OpenerDirector()  # no redirects, no proxies, any status
        self._opener.add_handler(urllib.request.HTTPHandler())
        self._opener.add_handler(urllib.request.HTTPSHandler())

    def post_next(self) -> bool:
        """Post the notice that waits longest; True if there was one.

        Without a receiver in the configuration, waiting notices are deleted.

        Raises:
            StorageUnavailableError: the ledger failed; the notice is posted again.
        """
        now = self._ledger.clock()
        with self._ledger.reading() as connection:
            notice = next_notice(connection, now)
        if notice is None:
            return False
        if self._configuration.webhook.url is None:
            with self._ledger.writing() as connection:
                forget_waiting(connection)
            return False
        self._post(notice)
        return True

    def _post(self, notice: Notice) -> None:
        status, words = self._answer(notice)
        if 200 <= status < 300:
            self._settle(notice, NoticeState.SENT, words)
        elif status == _GONE:
            self._give_up(notice, words)
        else:
            self._try_later(notice, words)

    def _answer(self, notice: Notice) -> tuple[int, str]:
        """Post a notice; return the HTTP status, 0 without an answer, and words for it."""
        try:
            with self._opener.open(
                self._request(notice), timeout=self._configuration.webhook.timeout_s
            ) as response:
                return int(response.status), f"answered {response.status}"
        except (OSError, http.client.HTTPException) as error:
            return 0, f"cannot be reached: {_kind_of(error)}"

    def _request(self, notice: Notice) -> urllib.request.Request:
        secret = self._configuration.webhook.secret
        assert (
            self._configuration.webhook.url is not None and secret is not None
        )  # checked by the configuration
        body = json.dumps(notice.body | {"node": self._configuration.ae_title}).encode()
        timestamp = str(int(self._ledger.clock()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"{MANUFACTURER}/{VERSION}",
            "X-Slicewire-Timestamp": timestamp,
            "X-Slicewire-Signature": sign(secret.get_secret_value(), timestamp, body),
        }
        # the configuration allows http and https only
        return urllib.request.Request(self._configuration.webhook.url, body, headers, method="POST")  # noqa: S310

    def _try_later(self, notice: Notice, words: str) -> None:
        now = self._ledger.clock()
        until = self._configuration.webhook.policy.next(notice.attempts + 1, notice.created_at, now)
        if until is None:
            self._give_up(notice, words)
            return
        with self._ledger.writing() as connection:
            postpone_notice(connection, notice, words=words, until=until)
        log.debug("webhook not told", id=notice.body["id"], reason=words)

    def _give_up(self, notice: Notice, words: str) -> None:
        self._settle(notice, NoticeState.GIVEN_UP, words)
        log.warning("webhook given up", id=notice.body["id"], reason=words)

    def _settle(self, notice: Notice, state: NoticeState, words: str) -> None:
        now, uid = self._ledger.clock(), notice.body["series_instance_uid"]
        with self._ledger.writing() as connection:
            settle_notice(connection, notice, state=state, words=words, now=now)
            forget_finished(connection, now - _REMEMBER_S)
            if state == NoticeState.GIVEN_UP:
                told = f"webhook: {notice.body['kind']} could not be told, {words}"
                record_event(connection, EventKind.WEBHOOK, told, now=now, series_instance_uid=uid)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature header of a body posted at `timestamp` (seconds since 1970)."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def _kind_of(error: BaseException) -> str:
    """Name the kind of a failure; its message could quote the URL, which may hold a token."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, BaseException) else error).__name__
