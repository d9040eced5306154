"""boot() in real processes: plain Python for what it does, a Jupyter kernel for what is shown."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.harness.kernels import start_kernel

LINE = "Django is set up. Library: 18 authors, 47 books, 8 members, 14 loans.\n"


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """The environment of a shell that has not heard of Django."""
    told = ("DJANGO_", "LIBRARY_DATABASE", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    # Compiled once for all the processes here, and not into the checkout.
    return clean | {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled"))}


@pytest.fixture
def environment(shell, tmp_path):
    """That environment with a temporary folder to look into."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return shell | {"TMPDIR": str(temporary)}


@pytest.fixture
def python(environment, tmp_path):
    """Run source in plain Python and return what it printed; a BootError prints as one."""

    def run(source, cwd=tmp_path, **variables):
        return finish(start(source, cwd, environment | variables))

    return run


def start(source, cwd, environment):
    wrapper = (
        "import sys\nfrom asynclab.boot import BootError, boot\n"
        "module = sys.modules['asynclab.boot.demo']\ntry:\n"
        + textwrap.indent(textwrap.dedent(source), "    ")
        + "\nexcept BootError as error:\n    print('BootError:', error)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", wrapper],
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


def folders(environment):
    return sorted(Path(environment["TMPDIR"]).iterdir())


# The demo project


def test_each_boot_starts_from_the_same_data(python):
    output = python("""
        boot()
        from library.models import Author, Book
        print(Book.objects.create(title="Ulysses", author_id=1, year=1922).pk)
        Author.objects.all().delete()
        boot()
        print(Book.objects.create(title="Ulysses", author_id=1, year=1922).pk)
    """)
    assert output == LINE + "48\n" + LINE + "48\n"


def test_boot_frees_itself_of_what_holds_the_old_data(python):
    output = python("""
        import threading
        boot()
        from django.db import transaction
        from library.models import Book
        held, renewed = threading.Event(), threading.Event()

        def hold():
            transaction.atomic().__enter__()
            Book.objects.all().delete()
            cursor = Book.objects.create(title="Ulysses", author_id=1, year=1922)
            held.set()
            renewed.wait()
            print("in a thread:", Book.objects.count())

        thread = threading.Thread(target=hold)
        abandoned = Book.objects.iterator(chunk_size=1)
        next(abandoned)
        thread.start()
        held.wait()
        boot()
        renewed.set()
        thread.join()
        transaction.atomic().__enter__()
        Book.objects.all().delete()
        boot()
        Book.objects.create(title="Ulysses", author_id=1, year=1922)
        print("here:", Book.objects.count())
    """)
    assert output == LINE * 2 + "in a thread: 47\n" + LINE + "here: 48\n"


def test_leaves_no_connection_and_no_thread_behind(python):
    output = python("""
        import threading
        boot()
        print([thread.name for thread in threading.enumerate()])
        print([each.connection for each in module._library.connections if each.connection])
    """)
    assert output == LINE + "['MainThread']\n[]\n"


def test_query_that_runs_in_a_thread_meanwhile_survives(python):
    output = python("""
        import threading
        boot()
        from django.db import connection

        started, renewed, answers = threading.Event(), threading.Event(), []
        numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE goes_on())"

        def goes_on():
            started.set()
            return not renewed.wait(0.01)

        def count():
            connection.ensure_connection()
            connection.connection.create_function("goes_on", 0, goes_on)
            with connection.cursor() as cursor:
                answers.append(cursor.execute(f"{numbers} SELECT count(*) > 0 FROM n").fetchone())

        thread = threading.Thread(target=count)
        thread.start()
        started.wait()
        with module.seed_data():
            pass
        renewed.set()
        thread.join()
        print(answers)
    """)
    assert output == LINE + "[(1,)]\n"


def test_code_beside_the_seed_keeps_its_data(python):
    output = python("""
        import threading
        from concurrent.futures import ThreadPoolExecutor
        boot()
        from django.db import connections, transaction
        from library.models import Book

        Book.objects.filter(pk__gt=40).delete()
        here = threading.get_ident()
        with ThreadPoolExecutor(1) as beside:
            block = transaction.atomic()
            beside.submit(block.__enter__).result()
            beside.submit(Book.objects.filter(pk__gt=30).delete).result()
            with module.seed_data(lambda: threading.get_ident() != here):
                counted = [Book.objects.count(), beside.submit(Book.objects.count).result()]
                with ThreadPoolExecutor(1) as new:
                    counted.append(new.submit(Book.objects.count).result())
                    new.submit(connections.close_all).result()
            beside.submit(block.__exit__, None, None, None).result()
            beside.submit(connections.close_all).result()
        counted.append(Book.objects.count())
        print("here: {}, beside: {}, in a new thread: {}, then: {}".format(*counted))
    """)
    assert output == LINE + "here: 47, beside: 30, in a new thread: 40, then: 30\n"


def test_processes_side_by_side_do_not_meet(environment, tmp_path):
    source = """
        import os
        boot()
        from library.models import Book
        Book.objects.filter(pk=1).delete()
        print(os.environ["LIBRARY_DATABASE"], Book.objects.count(), flush=True)
        input()
        print(Book.objects.count())
    """
    first = start(source, tmp_path, environment)
    second = start(source, tmp_path, environment)
    seen = [[process.stdout.readline(), process.stdout.readline()] for process in (first, second)]
    assert len(folders(environment)) == 2
    for process in (first, second):
        output, _ = process.communicate("\n", timeout=60)
        assert output == "46\n"
    assert seen[0][1] != seen[1][1]
    assert folders(environment) == []


def test_a_killed_process_is_swept_up_after(environment, python, tmp_path):
    source = "boot()\nprint('up', flush=True)\ninput()"
    killed, alive = (start(source, tmp_path, environment) for _ in range(2))
    for process in (killed, alive):
        while process.stdout.readline() != "up\n":
            assert process.poll() is None
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    left_behind = folders(environment)
    python("boot()")
    swept = folders(environment)
    assert len(left_behind) == 2
    assert [f"-{alive.pid}-" in folder.name for folder in swept] == [True]
    alive.communicate("\n", timeout=60)


def test_a_full_disk_is_one_line_and_can_be_mended(python):
    output = python(
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            boot()
        except BootError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        boot()
    """,
        PYTHONDONTWRITEBYTECODE="1",  # Python 3.11 would leave half a file for the next test
    )
    refusal, line = output.splitlines(keepends=True)
    assert refusal.startswith("The library's database cannot be written (")
    assert line == LINE


def test_a_library_that_was_half_filled_is_made_anew(python):
    output = python("""
        from django.db.models.signals import pre_save

        def refuse(instance, **kwargs):
            raise RuntimeError(f"not {instance}")

        pre_save.connect(refuse)
        try:
            boot()
        except RuntimeError as error:
            print(error)
        pre_save.disconnect(refuse)
        boot()
    """)
    refusal, line = output.splitlines(keepends=True)
    assert refusal.startswith("not ")
    assert line == LINE


def test_a_temporary_folder_that_cannot_be_used(python):
    output = python("import tempfile; tempfile.tempdir = '/nowhere'; boot()")
    assert output == (
        "BootError: The library's database cannot be written (No such file or directory). "
        "Free some disk space, or set TMPDIR to a folder that you may write to.\n"
    )


def test_an_installation_without_the_demo_project(python):
    output = python("module.DEMO_PROJECT = module.DEMO_PROJECT / 'elsewhere'; boot()")
    assert output.startswith("BootError: There is no demo_project beside the asynclab package.")


def test_a_package_of_the_same_name(python, tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "__init__.py").touch()
    assert python("import library; boot()").startswith(
        "BootError: Another module named 'library' is imported in this kernel already."
    )
    assert python("boot(); import library.models") == LINE


def test_a_module_of_the_same_name(python, tmp_path):
    (tmp_path / "config.py").touch()
    assert python("import config; boot()").startswith(
        "BootError: Another module named 'config' is imported in this kernel already."
    )


def test_a_database_that_is_not_the_kernels_own_stays_as_it_is(python, tmp_path):
    output = python(
        "sys.path.insert(0, str(module.DEMO_PROJECT)); boot('config.settings'); boot()",
        LIBRARY_DATABASE=str(tmp_path / "mine.sqlite3"),
    )
    done, refusal = output.splitlines()
    assert done == "Django is set up with config.settings. Its data is untouched."
    assert refusal.startswith("BootError: The demo project is set up in this process already")


# The shell's environment


def test_another_settings_module_in_the_shell(python):
    output = python("boot(); boot()", DJANGO_SETTINGS_MODULE="mysite.settings")
    note = "DJANGO_SETTINGS_MODULE was mysite.settings: boot() wins, it is config.settings here.\n"
    assert output == LINE + note + LINE


def test_a_name_that_a_cell_has_taken_out_is_there_again(python):
    output = python(
        "import os; boot(); del os.environ['DJANGO_SETTINGS_MODULE']; boot()\n"
        "print(os.environ['DJANGO_SETTINGS_MODULE'])"
    )
    assert output == LINE + LINE + "config.settings\n"


GUARD = "from django.utils.asyncio import async_unsafe; import asyncio\n"
GUARD += "async def ask(): async_unsafe(print)('the guard is off')\n"
GUARD += "try: asyncio.run(ask())\nexcept Exception as error: print(type(error).__name__)\n"


@pytest.mark.parametrize("text", ["true", "false", "0", " "])
def test_the_guard_switched_off_in_the_shell(python, text):
    """Django asks whether there is a text, not which one."""
    source = f"import os\nprint('booting')\nboot()\n{GUARD}boot()"
    output = python(source, DJANGO_ALLOW_ASYNC_UNSAFE=text)
    assert output == (
        f"booting\n{LINE}"
        f"DJANGO_ALLOW_ASYNC_UNSAFE was {text!r}, which switches Django's guard off: "
        "boot() wins, the guard is on in this kernel.\n"
        "To switch it off again: import os; os.environ['DJANGO_ALLOW_ASYNC_UNSAFE'] = "
        f"{text!r}\nSynchronousOnlyOperation\n{LINE}"
    )


def test_an_empty_text_leaves_the_guard_on(python):
    output = python(f"boot()\n{GUARD}", DJANGO_ALLOW_ASYNC_UNSAFE="")
    assert output == f"{LINE}SynchronousOnlyOperation\n"


# One's own project


@pytest.fixture(scope="module")
def startproject(shell, tmp_path_factory):
    """A project as startproject writes it, with an app whose ready() asks the database."""
    site = tmp_path_factory.mktemp("startproject")
    for command in (
        ["-m", "django", "startproject", "mysite", "."],
        ["manage.py", "startapp", "shop"],
        ["manage.py", "migrate", "-v0"],
    ):
        subprocess.run([sys.executable, *command], cwd=site, env=shell, check=True)
    (site / "shop" / "apps.py").write_text(
        "from django.apps import AppConfig\n"
        "class ShopConfig(AppConfig):\n"
        "    name = 'shop'\n"
        "    def ready(self):\n"
        "        from django.contrib.auth.models import User\n"
        "        User.objects.count()\n"
    )
    # Django warns of the query in ready(); it is the point here.
    with (site / "mysite" / "settings.py").open("a") as settings:
        settings.write(
            "\nimport warnings\nwarnings.simplefilter('ignore', RuntimeWarning)\n"
            "INSTALLED_APPS += ['shop']\n"
        )
    return site


@pytest.fixture
def mysite(startproject, tmp_path):
    return shutil.copytree(startproject, tmp_path / "site")


def test_own_project_from_a_folder_below_it(mysite, python):
    notebooks = mysite / "notebooks"
    notebooks.mkdir()
    before = (mysite / "db.sqlite3").read_bytes()
    output = python(
        """
        boot("mysite.settings")
        boot("mysite.settings")
        from django.contrib.auth.models import User
        print(User.objects.count())
        boot()
        """,
        cwd=notebooks,
    )
    done = "Django is set up with mysite.settings. Its data is untouched."
    first, second, users, refusal = output.splitlines()
    assert (first, second, users) == (done, done, "0")
    assert refusal == (
        "BootError: Django is set up with mysite.settings in this kernel already, and it takes one "
        "project a process. Restart the kernel, and call boot() first."
    )
    assert (mysite / "db.sqlite3").read_bytes() == before


def test_own_project_with_the_guard_switched_off_in_the_shell(mysite, python):
    remedy = "del os.environ['DJANGO_ALLOW_ASYNC_UNSAFE']"
    source = f"import os\nboot('mysite.settings')\n{GUARD}{remedy}\n{GUARD}"
    output = python(source, cwd=mysite, DJANGO_ALLOW_ASYNC_UNSAFE="0")
    _, statement, told, off, on = output.splitlines()
    assert statement.startswith("DJANGO_ALLOW_ASYNC_UNSAFE is set: the guard is off")
    assert told.endswith(remedy)
    assert (off, on) == ("the guard is off", "SynchronousOnlyOperation")


WRONG_NAMES = {
    "nosuch.settings": "There is no module 'nosuch' to import. Check the name",
    "nosuch": "There is no module 'nosuch' to import. Check the name",
    "mysite.nosuch": "There is no module 'mysite.nosuch' to import. Check the name",
    "mysite/settings.py": "'mysite/settings.py' is not the name of a settings module.",
    "": "'' is not the name of a settings module.",
    7: "7 is not the name of a settings module.",
    "mysite": "'mysite' holds no settings. Did you mean boot('mysite.settings')?",
}


def test_a_wrong_name_leaves_no_trace(mysite, python):
    output = python(
        f"""
        for name in {list(WRONG_NAMES)}:
            try:
                boot(name)
            except BootError as error:
                print(error)
        boot("mysite.settings")
        """,
        cwd=mysite,
    )
    *refusals, done = output.splitlines()
    for refusal, says in zip(refusals, WRONG_NAMES.values(), strict=True):
        assert refusal.startswith(says)
    assert done == "Django is set up with mysite.settings. Its data is untouched."


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import environ_of_old", "ModuleNotFoundError: No module named 'environ_of_old'"),
        ("import os; os.environ['SHOP_KEY']", "KeyError: 'SHOP_KEY'"),
        ("DEBUG =", "SyntaxError: invalid syntax"),
    ],
)
def test_broken_settings(mysite, python, line, says):
    with (mysite / "mysite" / "settings.py").open("a") as settings:
        settings.write(line + "\n")
    output = python("boot('mysite.settings')", cwd=mysite)
    first, second = output.splitlines()
    assert first.startswith(f"BootError: mysite.settings fails with {says}")
    assert "manage.py check" in second


def test_a_broken_app_and_the_second_try(mysite, python):
    with (mysite / "mysite" / "settings.py").open("a") as settings:
        settings.write("INSTALLED_APPS += ['nosuch']\n")
    output = python(
        """
        try:
            boot("mysite.settings")
        except BootError as error:
            print(error)
            boot("mysite.settings")
        """,
        cwd=mysite,
    )
    first, remedy, second = output.splitlines()
    assert first == "mysite.settings fails with ModuleNotFoundError: No module named 'nosuch'"
    assert "manage.py check" in remedy
    assert second == (
        "BootError: An earlier set-up of mysite.settings failed half-way in this kernel. "
        "Restart the kernel."
    )


# In a kernel


@pytest.fixture
def cell(environment, tmp_path):
    """Run a cell in a real kernel; return its stream text, and its error or None.

    Nothing of the kernel's may be left in the temporary folder once it has ended.
    """
    manager, client = start_kernel(env=environment, cwd=tmp_path)

    def run(source):
        text, error = [], []

        def collect(message):
            if message["msg_type"] == "stream":
                text.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                error.append(message["content"])

        client.execute_interactive(source, output_hook=collect, timeout=60)
        return "".join(text), error[0] if error else None

    yield run
    client.stop_channels()
    manager.shutdown_kernel()
    assert folders(environment) == []


def test_in_a_kernel(cell, environment):
    assert cell("from asynclab.boot import boot\nboot()") == (LINE, None)
    assert cell("from library.models import Book; print(await Book.objects.acount())")[0] == "47\n"
    assert cell("Book.objects.count()")[1]["ename"] == "SynchronousOnlyOperation"
    get = "from django.test import AsyncClient; print((await AsyncClient().get('/')).status_code)"
    assert cell(get)[0] == "200\n"
    cell("await Book.objects.filter(year__lt=1900).adelete()")
    assert cell("boot(); print(await Book.objects.acount())") == (LINE + "47\n", None)

    _, error = cell("boot('nosuch.settings')")
    assert error["ename"] == "BootError"
    assert error["evalue"].startswith("Django is set up with config.settings in this kernel")
    assert error["traceback"] == [f"BootError: {error['evalue']}"]
    assert len(folders(environment)) == 1
