"""A service paid by the word: it counts what it makes, and stops when its client hangs up."""

import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from asynclab.servers import TokenService

ANSWER = "Emma is out until Friday"
PATIENCE = 5


def ends(service):
    """Wait until no answer is under way."""
    limit = time.monotonic() + PATIENCE
    while service.open and time.monotonic() < limit:
        time.sleep(0.002)
    return not service.open


def test_an_answer_comes_word_by_word():
    service = TokenService(ANSWER, 0.01)
    with httpx.Client(trust_env=False).stream("GET", service.url) as response:
        came = [(word, service.made) for word in response.iter_lines()]
    assert [word for word, _ in came] == ANSWER.split()
    assert came[0][1] < len(came) == service.made
    assert ends(service)


def test_a_client_that_hangs_up_pays_for_no_further_word():
    service = TokenService(ANSWER, 2 * PATIENCE)  # not even for the first one
    url = urlsplit(service.url)
    with socket.create_connection((url.hostname, url.port)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        client.recv(1)
        assert service.open == 1
    assert ends(service)
    assert service.made == 0


def test_two_clients_have_an_answer_each():
    service = TokenService(ANSWER, 0)
    client = httpx.Client(trust_env=False)
    answers = [client.get(service.url).text.split() for _ in range(2)]
    assert answers == [ANSWER.split()] * 2
    assert service.made == 2 * len(ANSWER.split())


def test_a_word_takes_no_negative_time():
    with pytest.raises(ValueError, match="0 seconds or more; got -1"):
        TokenService("", -1)
