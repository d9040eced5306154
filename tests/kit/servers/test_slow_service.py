"""Services that a view asks: they take their time, and count who comes."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import httpx
import pytest

from asynclab.servers import SlowService

SECONDS = 0.2


def fetched(url):
    with urlopen(url, timeout=30) as response:
        return response.read().decode()


def test_a_service_gives_its_answer_not_sooner_than_it_says():
    service = SlowService("4½ of 5 stars", SECONDS)
    began = time.monotonic()
    assert fetched(service.url) == "4½ of 5 stars"
    assert time.monotonic() - began >= SECONDS


def test_requests_wait_at_the_same_time():
    service = SlowService("", SECONDS)
    began = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(fetched, [service.url] * 30))
    assert time.monotonic() - began < 30 * SECONDS / 2


def test_a_service_is_on_loopback_and_ends_with_its_last_reference():
    service = SlowService("", 0)
    address = urlsplit(service.url).hostname, urlsplit(service.url).port
    assert address[0] == "127.0.0.1"
    socket.create_connection(address).close()
    del service
    deadline = time.monotonic() + 30
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(address).close()


def test_a_client_that_does_not_wait_leaves_no_word(capfd):
    service = SlowService("a bat" * 1_000_000, SECONDS)
    with socket.create_connection(service.url[len("http://") : -1].split(":")) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert len(fetched(service.url)) == 5_000_000
    assert capfd.readouterr() == ("", "")


def test_a_service_counts_its_visitors():
    service = SlowService("", SECONDS)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fetched, [service.url] * 3))
    assert (service.asked, service.connections) == (3, 3)
    assert 1 < service.busiest <= 3
    fetched(service.url)
    assert service.asked == 4


def test_visitors_who_come_one_after_another_are_not_there_at_once():
    service = SlowService("", 0)
    for _ in range(3):
        fetched(service.url)
    assert (service.asked, service.busiest) == (3, 1)


def test_a_service_that_fails_says_so_with_its_status():
    service = SlowService("closed", 0, status=503)
    with pytest.raises(HTTPError, match="503"):
        fetched(service.url)


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 2)])
def test_a_connection_stays_open_if_it_is_kept(keep_alive, connections):
    service = SlowService("", 0, keep_alive=keep_alive)
    with httpx.Client(trust_env=False) as client:
        client.get(service.url), client.get(service.url)
    assert service.connections == connections


def test_a_kept_connection_does_not_hold_the_answer_back():
    """The system acknowledges a head without its body 40 ms later, on some connections."""
    service = SlowService("on the shelf", 0, keep_alive=True)
    seconds = []
    with httpx.Client(trust_env=False) as client:
        for _ in range(40):
            began = time.monotonic()
            client.get(service.url)
            seconds.append(time.monotonic() - began)
    assert median(seconds) < 0.02


def test_a_service_can_get_slower_while_a_connection_is_kept():
    service = SlowService("", 0, keep_alive=True)
    with httpx.Client(trust_env=False) as client:
        client.get(service.url)
        service.seconds = SECONDS
        began = time.monotonic()
        client.get(service.url)
    assert time.monotonic() - began >= SECONDS
    assert (service.seconds, service.connections) == (SECONDS, 1)


def test_a_service_that_would_answer_before_it_is_asked_is_refused():
    with pytest.raises(ValueError, match="A service takes 0 seconds or more; got -1."):
        SlowService("", -1)
    with pytest.raises(ValueError, match="A service takes 0 seconds or more; got -1."):
        SlowService("", 0).seconds = -1
