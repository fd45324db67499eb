"""What comes in while an alert server is killed again and again: alerts, silences, acknowledgements, and the books of
what the server has promised by its answers."""

import datetime
import http.client
import json
import random
import threading
import time

ASK_SECONDS = 20
ALERT_EVERY_SECONDS = 0.08
SILENCE_EVERY_SECONDS = 0.15
ACKNOWLEDGE_EVERY_SECONDS = 0.4
RETRY_SECONDS = 0.05
ALERTS_PATH = "/api/v2/alerts"
FNV_OFFSET, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def fingerprint(labels):
    """Alertmanager's: FNV-1a over names and values, each with a byte 255 behind it."""
    value = FNV_OFFSET
    for name, text in sorted(labels.items()):
        for byte in name.encode() + b"\xff" + text.encode() + b"\xff":
            value = (value ^ byte) * FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def moment(seconds_ahead=0.0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_ahead)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ask(port, method, path, body=None):
    """(status, text); None where the server is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body), headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Group:
    """Alerts that are posted at once and make a group of their own."""

    def __init__(self, name, size):
        self.name = name
        self.labels = [{"alertname": "Killed", "group": name, "n": str(n)} for n in range(size)]
        self.starts, self.asked = moment(), time.monotonic()
        self.tries = 0
        self.answered = None  # monotonic seconds; None: not promised
        self.resolve_answered = None
        self.kept = False  # acknowledged, so it goes on firing

    def body(self, ends):
        return [{"labels": labels, "startsAt": self.starts, "endsAt": ends} for labels in self.labels]


class Books:
    """What was answered with a success. Under the lock: everything."""

    def __init__(self):
        self.lock = threading.Lock()
        self.groups = []
        self.silences = {}  # id -> expired
        self.acknowledged = set()  # fingerprints
        self.posts = []  # (asked, answered) of each post of alerts, in monotonic seconds

    def promised(self):
        """Of now: labels of firing alerts, silences, acknowledgements."""
        with self.lock:
            firing = [labels for one in self.groups if one.answered and one.resolve_answered is None for labels in one.labels]
            return firing, dict(self.silences), set(self.acknowledged)

    def committed_between(self, begin, end):
        """Whether a post of alerts was both asked and answered within, which its commit was, too. Every commit takes along all
        that is to be written by then."""
        with self.lock:
            return any(begin <= asked and answered <= end for asked, answered in self.posts)


class Load:
    """Threads that post until stop(). A post without an answer is made again, as every sender of alerts does."""

    def __init__(self, port, books, acknowledges, seed):
        self._port, self._books, self._random = port, books, random.Random(seed)
        self._stopped = threading.Event()
        self.unexpected = []  # answers that are neither a success nor `not now`
        jobs = [self._post_groups, self._post_silences, self._resolve_groups] + ([self._acknowledge] if acknowledges else [])
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _until_answered(self, method, path, body, counted=None):
        """The text of the answer, once there is one; None when the load is over before."""
        while not self._stopped.is_set():
            if counted is not None:
                counted.tries += 1
            asked = time.monotonic()
            answer = ask(self._port, method, path, body)
            if answer and answer[0] in (200, 201, 204):
                if path == ALERTS_PATH:
                    with self._books.lock:
                        self._books.posts.append((asked, time.monotonic()))
                return answer[1]
            if answer and answer[0] != 503:
                self.unexpected.append((method, path, *answer))
            self._stopped.wait(RETRY_SECONDS)
        return None

    def _post_groups(self):
        number = 0
        while not self._stopped.wait(self._random.uniform(0, 2 * ALERT_EVERY_SECONDS)):
            group = Group(f"g{number}", self._random.randint(1, 3))
            number += 1
            if self._until_answered("POST", ALERTS_PATH, group.body(moment(3600)), group) is not None:
                group.answered = time.monotonic()
            with self._books.lock:
                self._books.groups.append(group)

    def _resolve_groups(self):
        """Those that have fired for a while, so that what fires does not grow without end."""
        while not self._stopped.wait(3 * ALERT_EVERY_SECONDS):
            with self._books.lock:
                old = [one for one in self._books.groups
                       if one.answered and one.answered < time.monotonic() - 8 and one.resolve_answered is None and not one.kept]
                for one in old:
                    one.resolve_answered = 0.0  # on its way: neither firing nor resolved
            for one in old:
                if self._until_answered("POST", ALERTS_PATH, one.body(moment())) is not None:
                    one.resolve_answered = time.monotonic()

    def _post_silences(self):
        number = 0
        while not self._stopped.wait(self._random.uniform(0, 2 * SILENCE_EVERY_SECONDS)):
            number += 1
            text = self._until_answered("POST", "/api/v2/silences", {
                "matchers": [{"name": "group", "value": f"nobody{number}", "isRegex": False, "isEqual": True}],
                "startsAt": moment(), "endsAt": moment(3600), "createdBy": "test", "comment": "kill"})
            if text is None:
                return
            name = json.loads(text)["silenceID"]
            with self._books.lock:
                self._books.silences[name] = False
            if number % 3 == 0:
                with self._books.lock:
                    self._books.silences.pop(name)  # on its way
                answer = ask(self._port, "DELETE", f"/api/v2/silence/{name}")
                if answer and answer[0] == 200:
                    with self._books.lock:
                        self._books.silences[name] = True

    def _acknowledge(self):
        while not self._stopped.wait(ACKNOWLEDGE_EVERY_SECONDS):
            with self._books.lock:
                # Its first notification is out: an acknowledgement keeps back what would come after.
                free = [one for one in self._books.groups
                        if one.answered and 3 < time.monotonic() - one.answered < 6 and not one.kept and one.resolve_answered is None]
                if not free:
                    continue
                group = self._random.choice(free)
                group.kept = True
            name = fingerprint(group.labels[0])
            if self._until_answered("POST", f"/api/binnacle/v1/alerts/{name}/acknowledgement", {"by": "test", "note": "on it"}) is not None:
                with self._books.lock:
                    self._books.acknowledged.add(name)
