"""Events out: each notice is posted as signed JSON until its receiver takes it.

The request carries `X-Slicewire-Timestamp: SECONDS` and
`X-Slicewire-Signature: v1=HEX`, HEX being HMAC-SHA256 with the shared secret over the timestamp's
digits, a full stop and the body's bytes. A receiver computes the same over what arrived, compares
in constant time (`hmac.compare_digest`), and refuses a timestamp that is minutes old. `id` is the
same on every attempt: one that is known already was told before.
"""

import hashlib
import hmac
import http.client
import json
import urllib.request

import structlog

from core.config.settings import Configuration
from core.identity import MANUFACTURER, VERSION
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


class Webhook:
    """Posts what the ledger says is due."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._settings = configuration.webhook
        self._node = configuration.ae_title
        self._ledger = ledger
        self._opener = urllib.request.OpenerDirector()  # no redirects, no proxies, any status
        self._opener.add_handler(urllib.request.HTTPHandler())
        self._opener.add_handler(urllib.request.HTTPSHandler())

    def post_next(self) -> bool:
        """Post the notice that waits longest; whether there was one to post.

        Without a receiver, what waits is forgotten.

        Raises:
            StorageUnavailableError: the ledger failed; what was posted is posted again.
        """
        now = self._ledger.clock()
        with self._ledger.reading() as connection:
            notice = next_notice(connection, now)
        if notice is None:
            return False
        if self._settings.url is None:
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
        """HTTP status of one attempt, 0 without one, and words for it."""
        try:
            with self._opener.open(
                self._request(notice), timeout=self._settings.timeout_s
            ) as response:
                return int(response.status), f"answered {response.status}"
        except (OSError, http.client.HTTPException) as error:
            return 0, f"cannot be reached: {_kind_of(error)}"

    def _request(self, notice: Notice) -> urllib.request.Request:
        secret = self._settings.secret
        assert self._settings.url is not None and secret is not None  # the configuration's rule
        body = json.dumps(notice.body | {"node": self._node}).encode()
        timestamp = str(int(self._ledger.clock()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"{MANUFACTURER}/{VERSION}",
            "X-Slicewire-Timestamp": timestamp,
            "X-Slicewire-Signature": sign(secret.get_secret_value(), timestamp, body),
        }
        # the scheme is http or https by the configuration's rule
        return urllib.request.Request(self._settings.url, body, headers, method="POST")  # noqa: S310

    def _try_later(self, notice: Notice, words: str) -> None:
        now = self._ledger.clock()
        until = self._settings.retry.next(notice.attempts + 1, notice.created_at, now)
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
    """The signature header of a body that is posted at `timestamp` (seconds since 1970)."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def _kind_of(error: BaseException) -> str:
    """What kind of failure; its own words could quote the URL, which may hold a token."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, BaseException) else error).__name__
