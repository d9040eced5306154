"""Servers on threads of the kernel: real sockets, drawn by the lanes, gone with their block."""

import sys

import pytest

from asynclab.servers import Site


def test_each_interface_has_its_threads_and_is_gone_with_its_block(run):
    said = run(
        """
        async def main():
            site = Site(path("thread/", thread))
            for interface in ("asgi", "wsgi"):
                before = threading.active_count()
                with site.serve(interface) as server:
                    visits = await visit(server.url + "thread/", 3)
                print(interface, dict(visits.statuses), len(set(visits.texts)))
                print(sorted(set(visits.texts))[-1].partition("-")[0])
                print("left:", threading.active_count() - before)

        await main()
        """
    )
    assert said == [
        *("asgi {200: 3} 3", "ThreadPoolExecutor", "left: 0"),
        *("wsgi {200: 3} 1", "request thread", "left: 0"),
    ]


def test_the_lanes_tell_a_servers_threads_by_their_jobs(run):
    said = run(
        """
        from asynclab.lanes import text

        async def poll(request):
            await asyncio.sleep(0.01)
            return HttpResponse()

        async def main():
            site = Site(path("poll/", poll))
            for interface in ("asgi", "wsgi"):
                with record() as recording:
                    with site.serve(interface) as server:
                        await visit(server.url + "poll/", 2)
                print(text(recording).replace("\\n", " | "))

        with override_settings(MIDDLEWARE=[]):
            await main()
        """
    )
    asgi, wsgi = said
    assert "event loop: this cell; visit x2 (tasks, interleaved)" in asgi
    assert " | server's event loop: " in asgi
    assert "Server." not in asgi, "uvicorn's own tasks are not the lesson's"
    assert "_accept_connection" not in asgi
    assert "request threads: waits in async_to_sync(poll) x2" in wsgi
    assert "temporary event loops" in wsgi


def test_a_server_is_idle_when_its_requests_have_ended(run):
    said = run(
        """
        class Page(HttpResponse):
            def close(self):
                super().close()
                closed.append(1)

        site = Site(path("page/", lambda request: Page("Villette")))
        for interface in ("asgi", "wsgi"):
            closed = []
            with site.serve(interface) as server:
                for n in range(1, 21):
                    await visit(server.url + "page/", 2)
                    await server.idle()
                    assert (len(closed), server.under_way) == (2 * n, 0)
                print(interface, len(closed))
        """
    )
    assert said == ["asgi 40", "wsgi 40"]


def test_connections_are_those_that_are_open_now(run):
    said = run(
        """
        here = asyncio.Event()

        async def wait(request):
            here.set()
            await asyncio.Event().wait()

        async def main():
            with Site(path("wait/", wait)).serve() as server:
                host, port = "127.0.0.1", int(server.url.split(":")[2].strip("/"))
                print(server.connections)
                _, writer = await asyncio.open_connection(host, port)
                while not server.connections:
                    await asyncio.sleep(0.01)
                print(server.connections)
                writer.close()
                await writer.wait_closed()
                while server.connections:
                    await asyncio.sleep(0.01)
                print(server.connections)

        await main()
        """
    )
    assert said == ["0", "1", "0"]


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_the_block_ends_although_a_request_goes_on(interface, run):
    said = run(
        f"""
        inside, over = threading.Event(), threading.Event()

        async def wait(request):
            inside.set()
            while not over.is_set():
                await asyncio.sleep(0.01)
            return HttpResponse()

        with Site(path("wait/", wait)).serve({interface!r}) as server:
            visitor = asyncio.ensure_future(visit(server.url + "wait/"))
            while not inside.is_set():
                await asyncio.sleep(0.01)
        print("ended", over.is_set())
        over.set()
        await asyncio.wait([visitor])
        """
    )
    assert said == ["ended False"]


def test_the_block_ends_when_it_raises(run):
    said = run(
        """
        async def main():
            try:
                with Site(path("thread/", thread)).serve() as server:
                    raise LookupError("Villette")
            except LookupError as error:
                print(error, server.connections)
            try:
                await visit(server.url + "thread/")
            except Exception as error:
                print(type(error).__name__, "Nobody answers" in str(error))

        await main()
        """
    )
    assert said == ["Villette 0", "ConnectionLost True"]


def test_an_unknown_interface_is_refused():
    site = Site.__new__(Site)
    with pytest.raises(ValueError, match=r'Write serve\("asgi"\) or serve\("wsgi"\); got .rsgi'):
        site.serve("rsgi")


def test_another_settings_middleware_is_read_when_wsgi_is_served(run):
    said = run(
        """
        async def main():
            site = Site(path("thread/", thread))
            with override_settings(MIDDLEWARE=[]):
                with site.serve("wsgi") as server:
                    [response] = (await visit(server.url + "thread/")).responses
            print("x-frame-options" in response.headers)

        await main()
        """
    )
    assert said == ["False"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on Windows")
def test_more_visitors_come_than_a_shell_lets_a_process_open_files(run):
    said = run(
        """
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
        with Site(path("thread/", thread)).serve() as server:
            print((await visit(server.url + "thread/", 150)).statuses[200])
        """
    )
    assert said == ["150"]


def test_an_error_of_the_kit_is_one_line_in_a_notebook(kernel):
    outcome = kernel.run('await visit("http://127.0.0.1:9/", 2)')
    assert outcome.traceback.startswith("ConnectionLost: Nobody answers at http://127.0.0.1:9/: ")
    assert len(outcome.traceback.splitlines()) == 1


@pytest.mark.parametrize("start", ["Site(path('', print)).serve()", "serving('gunicorn x.wsgi')"])
def test_a_server_that_was_not_started_says_so(start, kernel):
    outcome = kernel.run(f"{start}.url")
    assert outcome.error == (
        "LabError: This server has not been started. Write: with ... as server:"
    )
