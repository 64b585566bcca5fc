"""Users who send texts to the HTTP port, one after the other: docs/benchmarks/locust.md says how to run them.

Refusals under load are no failures. They are counted under a name of their own, `classify, refused: QUEUE_FULL`, and the user comes back
when the server says.
"""

import os
import random
from typing import Any

import gevent
from locust import FastHttpUser, between, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

SUBJECTS = ["the film", "this story", "my card", "the new account", "a quiet drama", "our second visit", "her last book"]
VERBS = ["was", "is still", "never became", "has always been", "turned out", "looks", "felt surprisingly"]
JUDGEMENTS = ["brilliant", "too slow", "charming", "declined", "hard to follow", "worth it", "a waste of time"]
TAILS = ["in the end", "for a week now", "although we waited", "from start to finish", "on the screen", "without any reason"]

#: What the server has answered before, and so holds in its cache.
KNOWN_TEXTS = [f"{subject} {verb} {judgement}" for subject in SUBJECTS for verb in VERBS for judgement in JUDGEMENTS[:2]]


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--model", default="", help="The model that is asked. Default: the server's own")
    parser.add_argument(
        "--known-percent", type=int, default=20, help="How many of the texts have been asked before, in percent. Default: 20"
    )
    parser.add_argument(
        "--pause-seconds", type=float, default=1.0, help="How long a user waits after an answer, on average. Default: 1"
    )
    parser.add_argument(
        "--stop-after", type=int, default=0, help="How many requests end the run, if nothing ends it before. Default: any number"
    )


@events.init.add_listener
def count_requests(environment: Environment, **_: Any) -> None:
    left = environment.parsed_options.stop_after
    if left == 0:
        return

    def count(**_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            # Not here: this is the greenlet of a user, which it would end.
            gevent.spawn(environment.runner.quit)

    environment.events.request.add_listener(count)


def new_text() -> str:
    """From 4 to some 40 words, nearly always a text that nobody has asked."""
    tails = random.choices(TAILS, k=random.randint(1, 8))
    words = [random.choice(SUBJECTS), random.choice(VERBS), random.choice(JUDGEMENTS), *tails]
    return f"{' '.join(words)} {random.randrange(10**6)}"


class Reader(FastHttpUser):
    """Sends a text, or now and then eight at once, and waits a second or so."""

    connection_timeout = 10.0
    network_timeout = 60.0

    def wait_time(self) -> float:
        pause: float = self.environment.parsed_options.pause_seconds
        return between(pause / 2, pause * 1.5)(self)

    def on_start(self) -> None:
        options = self.environment.parsed_options
        self.path = f"/v1/models/{options.model}" if options.model else "/v1"
        self.known_percent: int = options.known_percent
        key = os.environ.get("VERDICT_API_KEY")
        self.headers = {"authorization": f"Bearer {key}"} if key else {}

    def text(self) -> str:
        return random.choice(KNOWN_TEXTS) if random.randrange(100) < self.known_percent else new_text()

    @task(9)
    def classify(self) -> None:
        self.post("classify", {"text": self.text()}, lambda answer: [answer["classification"]])

    @task(1)
    def batch_classify(self) -> None:
        inputs = [{"text": self.text()} for _ in range(8)]
        self.post("batchClassify", {"inputs": inputs}, lambda answer: [one["classification"] for one in answer["results"]])

    def post(self, verb: str, body: dict[str, Any], classifications: Any) -> None:
        """Sends a request, and looks at what came of it. `classifications` takes them out of the answer."""
        pause = 0.0
        with self.client.post(
            f"{self.path}:{verb}", json=body, headers=self.headers, name=verb, catch_response=True
        ) as response:
            if response.status_code == 429:
                response.request_meta["name"] = f"{verb}, refused: {reason_of(response)}"
                response.success()
                pause = float(response.headers.get("retry-after") or 0)
            elif response.status_code != 200:
                response.failure(f"status {response.status_code}, {reason_of(response)}")
            else:
                try:
                    answered = all(one["predictions"][0]["label"] for one in classifications(response.json()))
                except (KeyError, IndexError, ValueError):
                    answered = False
                if not answered:
                    response.failure("an answer without a label for each text")
        gevent.sleep(pause)


def reason_of(response: Any) -> str:
    """The stable cause that an error's details name."""
    try:
        return str(next(detail["reason"] for detail in response.json()["details"] if "reason" in detail))
    except (KeyError, StopIteration, TypeError, ValueError):
        return "no reason"
