"""What can go wrong in how exercises are checked, whichever lesson's they are."""

from tests.proof.faults.checks import verdict
from tests.proof.faults.edits import text
from tests.proof.faults.planting import Fault

LINEAGE = "asynclab/exercises/lineage.py"
SURROUNDINGS = "asynclab/exercises/surroundings.py"
OF_THE_PROJECT = "test_what_a_cell_has_changed_of_the_project_is_named_and_stays_the_readers"


def kit(name: str) -> tuple[str, ...]:
    """One test of the kit's exercises, named as `test_book.py::test_it`."""
    return (f"tests/kit/exercises/{name}",)


FAULTS = [
    Fault(
        "check-takes-the-readers-data",
        "a check",
        text(
            "asynclab/boot/demo.py",
            "    if _library is None or _library.place is None:",
            "    if True:",
        ),
        ("tests/lessons/test_gate.py::test_verdict_depends_on_the_answer_alone[2]",),
        ("Exercise 2.3, hand a book over: not yet",),
    ),
    Fault(
        "readers-writes-lost-by-a-check",
        "a check",
        text(
            "asynclab/boot/demo.py",
            "    _library.resume(mine, scratch)",
            "    _library.renew()",
        ),
        ("tests/lessons/test_gate.py::test_reader_has_the_data_of_before_again",),
        ("no such table: library_loan",),
    ),
    Fault(
        "check-leaves-its-noise-to-the-next-cell",
        "a check",
        text("asynclab/exercises/apart.py", "    with settled():\n", "    if work:\n"),
        verdict("1.6 lost-error"),
        ("Task exception was never retrieved OSError: the shop is closed",),
    ),
    Fault(
        "check-drops-the-cells-that-wait",
        "a check",
        text(
            "asynclab/exercises/leftovers.py",
            "        and id(each) not in scheduled\n",
            "",
        ),
        kit("test_settled.py::test_a_task_that_has_not_begun_is_left_alone"),
        ("cannot reuse already awaited coroutine",),
    ),
    Fault(
        "check-takes-every-newer-thread-for-the-answers",
        "a check",
        text(
            LINEAGE,
            "        if self.is_here():\n            self._threads",
            "        if True:\n            self._threads",
        ),
        kit("test_lineage.py::test_what_goes_on_beside_an_answer_that_ends_goes_on"),
        ("['executor', 'task'] != ",),
    ),
    Fault(
        "check-loses-the-thread-of-an-executor",
        "a check",
        text(LINEAGE, "            self._items.add(item)\n", "            pass\n"),
        kit(
            "test_lineage.py::test_what_the_answer_leaves_to_an_executor_that_was_there_is_stopped"
        ),
        ("TimeoutError",),
    ),
    Fault(
        "check-loses-the-thread-of-another-loop",
        "a check",
        text(LINEAGE, "self._has_begun(_call.get())", "False"),
        kit(
            "test_lineage.py::test_a_thread_that_the_answer_starts_on_the_loop_of_the_notebook_is_stopped"
        ),
        ("assert not True",),
    ),
    Fault(
        "check-counts-what-goes-on-beside-it",
        "a check",
        text("asynclab/exercises/limits.py", ", of=self._lineage.is_here", ""),
        kit(
            "test_lineage.py::test_the_recording_of_a_call_holds_nothing_of_what_goes_on_beside_it"
        ),
        ("'beside' != 'named'",),
    ),
    Fault(
        "check-waits-for-the-worker-of-somebody-else",
        "a check",
        text("asynclab/recorder/workers.py", "super().submit if self._of() else self", "self"),
        ("tests/kit/recorder/test_workers.py::test_own_worker_serves_while_the_usual_one_is_held",),
        ("TimeoutError",),
    ),
    Fault(
        "check-shares-its-data-with-what-goes-on-beside-it",
        "a check",
        text("asynclab/boot/demo.py", "name if beside() else ", ""),
        ("tests/kit/test_boot.py::test_code_beside_the_seed_keeps_its_data",),
        ("here: 47, beside: 30, in a new thread: 47, then: 30",),
    ),
    Fault(
        "check-calls-the-readers-receivers",
        "a check",
        text(
            "asynclab/exercises/receivers.py",
            "            if not of():\n",
            "            if True:\n",
        ),
        kit("test_receivers.py::test_receivers_of_the_notebook_are_left_out_for_the_check_alone"),
        ("['the notebook', 'the desk', 'a library'] == ['a library']",),
    ),
    Fault(
        "check-runs-in-the-readers-context",
        "a check",
        text(LINEAGE, "context = contextvars.Context()", "context = contextvars.copy_context()"),
        kit("test_limits.py::test_context_variables_are_those_of_the_check"),
        ("[('Emma', 'Ada')] == [('Emma', None)]",),
    ),
    Fault(
        "check-runs-the-readers-asyncio-run",
        "a check",
        text("asynclab/exercises/event_loops.py", "original if of() else found", "found"),
        kit("test_checking.py::test_asyncio_run_is_the_original_for_an_answer_and_stays_replaced"),
        ("the reader's own",),
    ),
    Fault(
        "check-tells-what-others-print",
        "a check",
        text(
            "asynclab/exercises/checking.py",
            "(self._others if is_beside() else self._mine)",
            "self._mine",
        ),
        kit("test_checking.py::test_what_is_printed_beside_an_answer_is_not_told_with_it"),
        ("tick",),
    ),
    Fault(
        "check-refuses-the-queries-of-somebody-else",
        "a check",
        text(
            "asynclab/lessons/vocabulary/failing.py",
            "        if not is_beside():\n",
            "        if True:\n",
        ),
        ("tests/kit/lessons/test_beside.py::test_a_database_that_is_away_is_there_for_others",),
        ("([True], True) == ([True], False)",),
    ),
    Fault(
        "check-interrupted-twice-leaves-its-thread",
        "a check",
        text(
            "asynclab/exercises/apart.py",
            "await _to_its_end(side.cancel())",
            "await side.cancel()",
        ),
        kit("test_limits.py::test_interrupted_check_takes_the_taps_off_and_stops_the_code[2]"),
        ("(True, False) == (False, False)",),
    ),
    Fault(
        "check-keeps-the-readers-semaphore",
        "a check",
        text("asynclab/exercises/event_loops.py", "        each._loop = None\n", "        pass\n"),
        kit("test_checking.py::test_what_belongs_to_the_notebooks_loop_serves_every_check"),
        ("is bound to a different event loop",),
    ),
    Fault(
        "check-leaves-what-an-answer-has-replaced",
        "a check",
        text(SURROUNDINGS, "            namespace.put_back(before)\n", "            pass\n"),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[asyncio.gather]"),
        ("'same': False",),
    ),
    Fault(
        "check-leaves-a-setting",
        "a check",
        text(SURROUNDINGS, "            each.put_back()\n        _", "            pass\n        _"),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[setting deleted]"),
        ("no attribute 'DATABASES'",),
    ),
    Fault(
        "check-keeps-a-setting-of-the-readers",
        "a check",
        text(
            "asynclab/exercises/of_project.py",
            "            settings.__setattr__(name, changed[name])\n",
            "            continue\n",
        ),
        kit(f"test_surroundings.py::{OF_THE_PROJECT}[settings.ROOT_URLCONF]"),
        ("`count_books` raised `AssertionError`",),
    ),
    Fault(
        "check-deletes-from-a-model-of-the-readers",
        "a check",
        text(
            "asynclab/exercises/of_project.py",
            "            model._meta._expire_cache(forward=False)\n",
            "            pass\n",
        ),
        kit(f"test_surroundings.py::{OF_THE_PROJECT}[models.library.review]"),
        ("('passed', 'False') == ('passed', 'True')",),
    ),
    Fault(
        "check-asks-for-settings-of-another-project",
        "a check",
        text(
            "asynclab/exercises/of_project.py",
            "return {} if self.read() == before else before",
            "return {}",
        ),
        kit(f"test_surroundings.py::{OF_THE_PROJECT}[os.environ.DJANGO_SETTINGS_MODULE]"),
        ("`count_books` raised `AssertionError`",),
    ),
    Fault(
        "check-leaves-a-role-of-postgresql-as-an-answer-has-set-it",
        "a check",
        text(
            "asynclab/lessons/vocabulary/own_postgresql.py",
            '    server.run(f"ALTER ROLE {OWNER} RESET ALL")\n',
            "",
        ),
        ("tests/kit/lessons/test_own_postgresql.py::test_a_role_is_as_it_was_in_the_next_block",),
        ("'on' == 'off'",),
    ),
    Fault(
        "check-leaves-a-process",
        "a check",
        text(
            "asynclab/exercises/processes.py",
            "                each.kill()\n",
            "                pass\n",
        ),
        kit("test_surroundings.py::test_a_process_ends_with_the_call[Popen]"),
        ("first extra item: 'sleeping'",),
    ),
    Fault(
        "check-does-not-say-what-a-cell-has-replaced",
        "a check",
        text("asynclab/exercises/checking.py", "    if replaced:\n", "    if False:\n"),
        kit(
            "test_surroundings.py"
            "::test_what_a_cell_has_replaced_is_named_and_stays_the_readers[builtins.sum]"
        ),
        ("Replaced in this kernel: `builtins.sum`.",),
    ),
    Fault(
        "check-waits-for-a-value-for-ever",
        "a check",
        text("asynclab/exercises/apart.py", "            raise_in(self._thread, Stopped)\n", ""),
        kit("test_apart.py::test_hostile_value_gets_a_verdict[text that never ends]"),
        ("could not be stopped",),
    ),
    Fault(
        "check-shows-a-text-of-megabytes",
        "a verdict",
        text("asynclab/exercises/checking.py", "texts = shortened(text),", "texts = text,"),
        kit("test_apart.py::test_hostile_value_gets_a_verdict[text of megabytes]"),
        ("xx ... xx",),
    ),
    Fault(
        "check-looks-at-a-gigabyte",
        "a verdict",
        text(
            "asynclab/exercises/limits.py",
            "        if _is_too_large(value):\n",
            "        if False:\n",
        ),
        kit("test_apart.py::test_result_that_nobody_could_look_at_is_refused[bytes]"),
        ("'other-number' == 'too-large'",),
    ),
    Fault(
        "interrupted-check-hides-a-timeout",
        "a check",
        text(
            "asynclab/exercises/checking.py",
            "            interrupt._render_traceback_ = lambda: [INTERRUPTED]\n            raise\n",
            '            raise type("Interrupted", (asyncio.CancelledError,), {}) from None\n',
        ),
        kit("test_checking.py::test_task_group_around_a_check_says_what_failed_and_no_more"),
        ("Interrupted()", "OSError('the shop is closed')"),
    ),
    Fault(
        "second-exercise-of-a-number-takes-its-place",
        "a check",
        text(
            "asynclab/exercises/book.py",
            "        if number in _exercises:\n",
            "        if False:\n",
        ),
        kit("test_book.py::test_two_exercises_of_a_lesson_cannot_share_a_number"),
        ("DID NOT RAISE",),
    ),
    Fault(
        "lesson-half-loaded-stays",
        "a check",
        text(
            "asynclab/exercises/book.py",
            "            del _exercises[each.number]\n",
            "            pass\n",
        ),
        kit("test_book.py::test_a_lesson_that_loads_the_second_time_is_whole[interrupt]"),
        ("exercise 7.1 is in", "already"),
    ),
    Fault(
        "verdict-takes-text-for-html",
        "a verdict",
        text(
            "asynclab/ground/prose.py",
            'escape(text).split("`")\n    if',
            'str(text).split("`")\n    if',
        ),
        kit("test_checking.py::test_diagnosis_reaches_the_reader"),
        ("&lt;b&gt;", "<b>them</b>"),
    ),
    Fault(
        "progress-of-a-damaged-file-lost",
        "progress",
        text(
            "asynclab/exercises/score.py", "    os.replace(path, aside)\n", "    os.unlink(path)\n"
        ),
        kit("test_score.py::test_second_damage_does_not_overwrite_the_first"),
        ("progress.damaged-1.json",),
    ),
    Fault(
        "two-checks-at-a-time",
        "a check",
        text(
            "asynclab/exercises/checking.py",
            "_one_at_a_time = threading.Lock()",
            "_one_at_a_time = threading.Semaphore(2)",
        ),
        kit("test_checking.py::test_checks_that_are_awaited_together_run_one_after_another"),
        ("[2, 1] == [1, 1]",),
    ),
    Fault(
        "module-of-asyncio-not-put-back",
        "a check",
        text(SURROUNDINGS, '    "asyncio.timeouts",\n', ""),
        kit("test_surroundings.py::test_a_name_is_put_back_where_it_was_written[timeout]"),
        ("assert None is",),
    ),
    Fault(
        "setting-of-an-answer-stays",
        "a check",
        text(
            SURROUNDINGS,
            "(settings.__dict__, settings._wrapped.__dict__, connections.settings)",
            "(settings.__dict__, connections.settings)",
        ),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[new setting]"),
        ("'same': False",),
    ),
    Fault(
        "environment-put-back-into-a-dictionary",
        "a check",
        text(SURROUNDINGS, ', Namespace("os", os, ("environ",))]', "]"),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[os.environ]"),
        ("'same': False",),
    ),
    Fault(
        "beside-a-check-its-books-are-seen",
        "a check",
        text("asynclab/exercises/checking.py", "seed_data(is_beside)", "seed_data()"),
        kit("test_surroundings.py::test_a_thread_beside_a_check_goes_on_with_the_readers_books"),
        ("'{40}'", "47"),
    ),
    Fault(
        "umask-of-an-answer-stays",
        "a check",
        text(SURROUNDINGS, "        Switch(_umask, os.umask),\n", ""),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[umask]"),
        ("'same': False",),
    ),
    Fault(
        "alarm-of-an-answer-stays",
        "a check",
        text(
            SURROUNDINGS, "None if on else signal.setitimer", "None if True else signal.setitimer"
        ),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[alarm]"),
        ("'same': False",),
    ),
    Fault(
        "logger-of-django-stays-off",
        "a check",
        text(SURROUNDINGS, '"concurrent.futures", "django")', '"concurrent.futures")'),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[Django's logger]"),
        ("'same': False",),
    ),
    Fault(
        "displayhook-of-an-answer-stays",
        "a check",
        text(SURROUNDINGS, '    "displayhook",\n', ""),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[displayhook]"),
        ("'same': False",),
    ),
    Fault(
        "debug-mode-of-the-loop-stays",
        "a check",
        text(SURROUNDINGS, 'LOOP = ("_debug", ', "LOOP = ("),
        kit("test_surroundings.py::test_what_an_answer_changes_is_as_it_was[loop's debug mode]"),
        ("'same': False",),
    ),
    Fault(
        "method-of-an-event-not-put-back",
        "a check",
        text(SURROUNDINGS, '    "threading.Event",\n', ""),
        kit("test_surroundings.py::test_a_method_is_put_back[threading.Event.set]"),
        ("assert None is",),
    ),
    Fault(
        "check-runs-without-the-guard",
        "a check",
        text(
            "asynclab/exercises/checking.py", "        os.environ.pop(UNSAFE, None)", "        pass"
        ),
        kit(
            "test_surroundings.py"
            "::test_a_query_on_the_loop_is_refused_where_the_reader_has_switched_the_guard_off"
        ),
        ("the guard was switched off, or got round",),
    ),
    Fault(
        "list-taken-for-a-coroutine-for-good",
        "a check",
        text(
            SURROUNDINGS,
            '    yield getattr(asyncio.coroutines, "_iscoroutine_typecache", None)\n',
            "",
        ),
        kit(
            "test_surroundings.py::test_what_an_answer_changes_is_as_it_was[a list for a coroutine]"
        ),
        ("'same': False",),
    ),
]
