"""What can go wrong in the kit: recorder, magics, boot, shells, predictions, rooms."""

from tests.proof.faults.edits import append, shadow, text
from tests.proof.faults.planting import Fault

TAPS = "asynclab/recorder/taps.py"
EVENTS = "asynclab/recorder/events.py"
HOOKS = "asynclab/recorder/hooks.py"
MAGICS = "asynclab/magics.py"
DATABASES = "asynclab/boot/databases.py"
DEMO = "asynclab/boot/demo.py"
SESSION = "asynclab/shells/session.py"
POSTGRESQL = "asynclab/servers/postgresql.py"
POSTMASTER = "asynclab/servers/postmaster.py"
SERVICE = "asynclab/servers/service.py"
TOKENS = "asynclab/servers/token_service.py"


def test(name: str) -> tuple[str, ...]:
    """One test, named as `recorder/test_taps.py::test_it`."""
    return (f"tests/kit/{name}",)


FAULTS = [
    Fault(
        "taps-stay-on",
        "the recorder",
        text(TAPS, "            _take_off()\n", "            pass\n"),
        test("recorder/test_taps.py::test_taps_are_on_in_the_block_and_off_after_it"),
        ("assert not True", "taps.active"),
        fast=True,
    ),
    Fault(
        "taps-stay-on-after-a-cell",
        "the recorder",
        text(
            "asynclab/lanes/__init__.py",
            "        taps.stop(showing.recording, error)\n",
            "        pass\n",
        ),
        test("test_magics.py::test_lanes_records_a_cell_with_await"),
        ("('(True, 1)', []) == ('(False, 0)', [])",),
    ),
    Fault(
        "recorder-drops-hops",
        "the recorder",
        text(TAPS, '        _note(SUBMIT, id(future), "", "", asker, _loop_role)\n', ""),
        test("recorder/test_taps.py::test_a_wrapper_made_before_the_recording_is_seen"),
        ("'NoneType' object has no attribute 'lane'",),
    ),
    Fault(
        "recorder-forgets-what-it-dropped",
        "the recorder",
        text(EVENTS, "                self.dropped += 1\n", ""),
        test("recorder/test_events.py::test_past_the_limit_events_are_counted_and_not_kept"),
        ("assert 0 == 6",),
    ),
    Fault(
        "recorder-forgets-errors",
        "the recorder",
        text(
            TAPS,
            '()(END, key, "", "", _task_error(task))',
            '()(END, key, "", "", "")',
        ),
        test("recorder/test_taps.py::test_a_failed_task_tells_its_error"),
        ("('task', 'broken', 'event loop', '')",),
    ),
    Fault(
        "one-block-told-to-two-recordings",
        "the recorder",
        text(TAPS, "(BEGIN, key, TASK, known.name,", '(BEGIN, key, CELL, "this cell",'),
        test(
            "recorder/test_taps.py"
            "::test_the_block_of_a_recording_is_a_task_to_another_that_was_there_before"
        ),
        ("assert 2 == 1", "('cell', 'this cell')"),
    ),
    Fault(
        "span-of-one-task-ended-by-another",
        "the recorder",
        text(TAPS, "    return threading.get_ident(), id(_current_task())\n", "    return 0, 0\n"),
        test("recorder/test_taps.py::test_one_span_object_can_be_open_in_several_tasks"),
        ("name='shared'", ").end"),
    ),
    Fault(
        "async-span-ends-at-its-first-await",
        "the recorder",
        text(
            TAPS,
            "                with cls(name):\n"
            "                    return await function(*args, **kwargs)\n",
            "                with cls(name):\n"
            "                    running = function(*args, **kwargs)\n"
            "                return await running\n",
        ),
        test(
            "recorder/test_taps.py::test_span_names_a_stretch_as_a_block_and_as_a_decorator",
        ),
        ("name='after the await'", ").end", "name='fetch'"),
    ),
    Fault(
        "loops-of-others-not-followed",
        "the recorder",
        text(TAPS, "    _follow_loops_of_others()\n\n\n", "\n\n"),
        test("recorder/test_taps.py::test_tasks_on_a_loop_that_is_not_made_of_asyncios_are_seen"),
        ("not enough values to unpack",),
    ),
    Fault(
        "last-listener-leaves-its-replacement",
        "a replaced method",
        text(HOOKS, "            hook.place(left)\n", "            hook.layers = left\n"),
        test("recorder/test_hooks.py::test_the_original_is_back_when_the_block_raises"),
        ("assert <function", "Desk.lend"),
        fast=True,
    ),
    Fault(
        "kept-replacement-taken-for-the-original",
        "a replaced method",
        text(HOOKS, "            if found not in self.replacements:\n", "            if True:\n"),
        test(
            "recorder/test_hooks.py"
            "::test_a_patch_of_somebody_else_that_puts_a_replacement_back_doubles_nothing"
        ),
        ("assert <function telling", "ORIGINAL"),
    ),
    Fault(
        "a-refused-query-is-not-recorded",
        "a replaced method",
        text(HOOKS, "[wrap, *hook.layers] if inside else ", ""),
        test("recorder/test_hooks.py::test_a_recording_shows_the_queries_that_a_check_refuses"),
        ("[('SELECT library_book', 'OperationalError')]", "assert [] =="),
    ),
    Fault(
        "asgiref-renames-a-private-part",
        "a replaced method",
        shadow("asgiref", "sync.py", "new_loop_wrap", "loop_wrap"),
        test(
            "recorder/test_workers.py"
            "::test_a_coroutine_of_async_to_sync_is_known_in_a_loop_of_its_own"
        ),
        ("<locals>.new_loop_wrap", "pyproject.toml accepts asgiref>="),
    ),
    Fault(
        "words-leave-queries-out",
        "the lanes",
        text("asynclab/lanes/text.py", "    if queries:\n", "    if not queries:\n"),
        test("lanes/test_lanes.py::test_text_nests_queries_below_their_thread"),
        ("2 queries: SELECT library_book x2",),
    ),
    Fault(
        "words-without-a-bound",
        "the lanes",
        text("asynclab/lanes/text.py", "told[:MOST_NAMES]", "told"),
        test("lanes/test_lanes.py::test_text_is_bounded_however_many_names_there_are"),
        ("page 20; page 21",),
    ),
    Fault(
        "names-with-line-breaks",
        "the lanes",
        text(EVENTS, "kind, _one_line(name), lane", "kind, name, lane"),
        test("lanes/test_lanes.py::test_a_name_is_told_in_one_line_of_some_length"),
        ("two lines in two lines",),
    ),
    Fault(
        "lane-of-a-brief-thread-not-drawn",
        "the lanes",
        text(
            "asynclab/lanes/still.py",
            "used = {span.lane for span in self.spans}",
            "used = {span.lane for span in self.spans if (span.end or 1e9) - span.start > 1e6}",
        ),
        test("lanes/test_lanes.py::test_a_thread_that_lives_briefly_is_drawn_told_and_sent"),
        ("['main thread'] == ['main threa",),
    ),
    Fault(
        "lane-of-a-dead-thread-not-sent",
        "the lanes",
        text(
            "asynclab/lanes/feed.py",
            "for i in sorted(indices - {-1})",
            "for i in sorted(indices - {-1})\n"
            "            if lanes[i].ident in {each.ident for each in threading.enumerate()}",
        ),
        test("lanes/test_lanes.py::test_a_thread_that_lives_briefly_is_drawn_told_and_sent"),
        ("['main thread'] == ['main threa",),
    ),
    Fault(
        "live-picture-goes-on-after-its-cell",
        "the lanes",
        text(
            "asynclab/lanes/__init__.py",
            "            showing.live.finish()\n",
            "            pass\n",
        ),
        test(
            "test_magics.py"
            "::test_when_a_cell_is_over_its_picture_has_ended_and_nothing_sends_for_it"
        ),
        ("{False}",),
    ),
    Fault(
        "recordings-kept-by-their-pictures",
        "memory",
        text(
            "asynclab/lanes/live.py",
            "self._archive, self.feed = Archive(feed.whole()), None",
            "pass",
        ),
        test("test_magics.py::test_recordings_are_let_go_when_their_cells_are_over"),
        ("assert '6' == '0'",),
    ),
    Fault(
        "recordings-kept-by-out",
        "memory",
        text(MAGICS, "                del results[number]\n", "                continue\n"),
        test("test_magics.py::test_recordings_are_let_go_when_their_cells_are_over"),
        ("assert '6' == '3'",),
    ),
    Fault(
        "live-picture-hears-of-nothing",
        "the lanes",
        text(EVENTS, "            if waiting:\n", "            if False:\n"),
        test(
            "lanes/test_lanes.py"
            "::test_a_picture_waits_without_asking_and_is_told_of_the_first_event_at_once"
        ),
        ("_queue.Empty",),
    ),
    Fault(
        "alt-text-of-every-picture-left-out",
        "alt text removed",
        text("asynclab/lanes/__init__.py", '"alt": ', '"title": '),
        test("lanes/test_lanes.py::test_bundle_has_words_and_a_picture_with_alt_text"),
        ("KeyError: 'alt'",),
    ),
    Fault(
        "events-not-counted-as-unread",
        "the lanes",
        text(
            EVENTS,
            "        return len(self.events) // SIZE - self._timeline.taken",
            "        return 0",
        ),
        test("recorder/test_events.py::test_read_can_take_a_bounded_number_of_events"),
        ("assert 0 == 2", "unread"),
    ),
    Fault(
        "recording-ended-by-a-cell-within-it",
        "%%lanes",
        text(MAGICS, "return self._leave_out(cell) if self._under_way else cell", "return cell"),
        test("test_magics.py::test_a_recording_goes_on_after_a_cell_within_it"),
        ("assert 'after' in", "ZeroDivisionError in this cell"),
    ),
    Fault(
        "recording-ended-by-any-traceback",
        "%%lanes",
        text(MAGICS, ' and kwargs.get("running_compiled_code")', ""),
        test("test_magics.py::test_a_traceback_that_a_cell_shows_does_not_end_its_recording"),
        ("assert 'after' in",),
    ),
    Fault(
        "cell-from-a-file-not-drawn",
        "%%lanes",
        text(
            MAGICS,
            "self._compiles(raw_cell, **kwargs)",
            'self._compiles(raw_cell, **kwargs) and not kwargs.get("silent")',
        ),
        test("test_magics.py::test_a_cell_within_an_ordinary_cell_has_a_picture"),
        ("IndexError",),
    ),
    Fault(
        "lanes-below-time-taken-away",
        "%%lanes",
        text(MAGICS, 'if first.startswith("%%") and first not in ABOVE:', "if not first:"),
        test(
            "test_magics.py::test_lanes_below_a_magic_that_takes_the_cell_is_refused_and_nothing_runs"
        ),
        ("Write %%lanes above %%time, not below it.",),
    ),
    Fault(
        "failed-picture-fails-the-cell",
        "%%lanes",
        text(
            MAGICS,
            "        except Exception:  # noqa: BLE001  it is shown\n",
            "        except ():\n",
        ),
        test("test_magics.py::test_a_cell_whose_picture_fails_runs_and_says_so[start]"),
        ("no reply in 60 s",),
    ),
    Fault(
        "connection-left-open-by-thread",
        "%%thread",
        text(MAGICS, "                close_connections()\n", "                pass\n"),
        test("test_magics.py::test_the_thread_leaves_no_thread_and_no_connection"),
        ("'(2, 0)' == '(0, 0)'",),
    ),
    Fault(
        "interrupt-of-thread-not-noticed",
        "%%thread",
        text(
            MAGICS,
            "        while not run.ended.wait(timeout=0.1) and run.thread.is_alive():\n"
            "            pass\n",
            "",
        ),
        test("test_magics.py::test_thread_interrupted_unnoticed[in join]"),
        ("no reply in 60 s",),
    ),
    Fault(
        "death-of-thread-not-noticed",
        "%%thread",
        text(
            MAGICS,
            "    if run.error is not None:\n",
            "    if not isinstance(run.error, LabError | None):\n",
        ),
        test("test_magics.py::test_a_thread_that_dies_before_or_beside_its_cell_fails_the_cell"),
        ("('ok', '')", "LabError"),
    ),
    Fault(
        "context-of-thread-not-copied",
        "%%thread",
        text(MAGICS, "contextvars.copy_context()", "contextvars.Context()"),
        test("test_magics.py::test_the_thread_has_the_context_variables_of_the_notebook"),
        ("'nobody'", "'Ada'"),
    ),
    Fault(
        "guard-off-in-thread",
        "%%thread",
        text(
            MAGICS,
            "        namespace = get_ipython().user_ns\n",
            "        namespace = get_ipython().user_ns\n"
            '        __import__("os").environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"\n',
        ),
        test("test_magics.py::test_the_guard_is_on_and_does_not_fire_in_the_thread"),
        ("(True, 'true')",),
    ),
    Fault(
        "context-of-a-checked-call-not-copied",
        "a checked call",
        text(
            "asynclab/exercises/lineage.py",
            "contextvars.copy_context()",
            "contextvars.Context()",
        ),
        test("exercises/test_limits.py::test_context_variables_are_those_of_the_check"),
        ("assert [(None, None)] == [('Emma', None)]",),
    ),
    Fault(
        "lanes-move-for-everybody",
        "the lanes",
        text("asynclab/lanes/live.css", "reduced-motion: reduce", "reduced-motion: never"),
        test("test_styles.py::test_what_moves_stands_still_where_less_motion_is_asked_for"),
        ("assert 0 == 1",),
    ),
    Fault(
        "colour-that-no-theme-changes",
        "the lanes",
        text(
            "asynclab/lanes/live.css", "--al-ink: var(--jp-ui-font-color0, #111)", "--al-ink: #111"
        ),
        test("test_styles.py::test_a_colour_is_only_the_fallback_of_the_themes"),
        ("['#111']",),
    ),
    Fault(
        "boot-migrates-ones-own-project",
        "boot",
        text(
            "asynclab/boot/setup.py",
            '    return f"Django is set up with {name}. Its data is untouched."',
            "    from django.core.management import call_command\n\n"
            '    call_command("migrate", verbosity=0)\n'
            '    return f"Django is set up with {name}. Its data is untouched."',
        ),
        test("test_other_project.py::test_boot_neither_migrates_nor_writes"),
        ("db.sqlite3",),
    ),
    Fault(
        "boot-keeps-the-old-data",
        "boot",
        text(
            DEMO,
            "        old, fresh = self.place, self._copy_of_seed(server)\n",
            "        old, fresh = None, self.place or self._copy_of_seed(server)\n",
        ),
        test("test_boot.py::test_each_boot_starts_from_the_same_data"),
        ("IntegrityError",),
    ),
    Fault(
        "boot-leaves-its-folder",
        "boot",
        text(DATABASES, "    atexit.register(shutil.rmtree, folder, ignore_errors=True)\n", ""),
        test("test_boot.py::test_in_a_kernel"),
        ("asynclab-", "== []"),
    ),
    Fault(
        "shells-inherit-the-guard-off",
        "shells",
        text(SESSION, '    "DJANGO_ALLOW_ASYNC_UNSAFE",\n', ""),
        test("test_shells.py::test_this_process_is_not_inherited"),
        ("true yes", "None yes"),
    ),
    Fault(
        "shells-leave-processes",
        "shells",
        text(
            "asynclab/shells/kernel.py",
            "            await manager.shutdown_kernel(now=True)\n",
            "            pass\n",
        ),
        test("test_shells.py::test_what_a_cell_shows"),
        ("psutil.Process(pid=", "== []"),
    ),
    Fault(
        "assert-at-most-swallows",
        "test suites",
        text(
            "asynclab/testing.py",
            "            if number > most:\n",
            "            if number < most:\n",
        ),
        test("test_testing.py::test_too_many_hops"),
        ("DID NOT RAISE",),
    ),
    Fault(
        "assert-at-most-keeps-the-sql",
        "test suites",
        text("asynclab/testing.py", ", *_statements(past)]", "]"),
        test("test_testing.py::test_a_suite_of_its_own"),
        ("LIMIT 1 x2",),
    ),
    Fault(
        "suite-that-hangs-is-silent",
        "test suites",
        text("asynclab/servers/suites.py", "It wrote:\\n{told}", "It wrote:\\n"),
        test(
            "servers/test_suites.py::test_a_suite_that_hangs_says_which_test_and_what_was_written"
        ),
        ("a was here",),
    ),
    Fault(
        "kit-imports-jupyter",
        "test suites",
        text(
            "asynclab/exercises/checking.py",
            "from . import score\n",
            "import IPython  # noqa: F401\n\nfrom . import score\n",
        ),
        test("test_testing.py::test_a_suite_of_its_own"),
        ("test_without_jupyter",),
    ),
    Fault(
        "locked-prediction-can-change",
        "a prediction",
        text(
            "asynclab/predict/form.py",
            "    if known is not None and known.locked:\n",
            "    if False:\n",
        ),
        test("test_predict.py::test_a_locked_prediction_stays_when_its_cell_runs_again"),
        ("locked",),
    ),
    Fault(
        "lock-that-comes-late-is-lost",
        "a prediction",
        text("asynclab/predict/form.py", "    if known is not None:\n", "    if False:\n"),
        test("test_predict.py::test_a_lock_that_comes_when_its_cell_runs_already_again_is_kept"),
        ("locked",),
    ),
    Fault(
        "selection-changes-after-the-answer",
        "a prediction",
        text(
            "asynclab/predict/prediction.py",
            "        self._form.locked = self.choice is not None\n",
            "",
        ),
        test(
            "test_predict.py::test_a_selection_counts_without_the_lock_and_is_locked_by_the_answer"
        ),
        ("locked",),
    ),
    Fault(
        "playground-makes-a-call-too-many",
        "the playground",
        text(
            "asynclab/playground/plan.py",
            "(branch() for _ in range({settings.calls}))",
            "(branch() for _ in range({settings.calls + 1}))",
        ),
        test("test_playground.py::test_the_code_reads_like_a_cell"),
        ("range(11)", "range(10)"),
    ),
    Fault(
        "arrow-points-up",
        "the architecture",
        append(
            "asynclab/lanes/text.py",
            "def up():\n    from ..magics import LANES\n\n    return LANES",
        ),
        test("test_architecture.py::test_arrows_point_downwards"),
        ("asynclab.lanes.text imports magics",),
        fast=True,
    ),
    Fault(
        "recorder-needs-jupyter",
        "the architecture",
        append(TAPS, "def shell():\n    import IPython\n\n    return IPython"),
        test("test_architecture.py::test_rooms_do_without_the_libraries_that_they_must_not_need"),
        ("asynclab.recorder.taps imports IPython",),
    ),
    Fault(
        "a-second-owner-of-a-patch",
        "the architecture",
        append("asynclab/lessons/vocabulary/failing.py", "from unittest import mock\n\nmock.patch"),
        test("test_architecture.py::test_one_module_replaces_methods_of_others"),
        ("asynclab.lessons.vocabulary.failing:", "replaces a method"),
    ),
    Fault(
        "a-second-place-that-knows-asgiref",
        "the architecture",
        append(
            "asynclab/exercises/limits.py",
            "def busy(pool=asgiref.sync.SyncToAsync.single_thread_executor):\n    return pool",
        ),
        test("test_architecture.py::test_one_module_knows_asgirefs_private_parts"),
        ("asynclab.exercises.limits:", "names single_thread_executor"),
    ),
    Fault(
        "demo-project-needs-the-kit",
        "the architecture",
        append("demo_project/library/views.py", "from asynclab import span"),
        test("test_architecture.py::test_the_demo_project_knows_nothing_of_the_kit"),
        ("asynclab.span",),
    ),
    Fault(
        "locked-prediction-is-not-told",
        "a prediction",
        text("asynclab/predict/prediction.py", "for shown in self._shown:", "for shown in ():"),
        test(
            "test_predict.py::test_its_text_says_what_is_locked_and_is_renewed_where_it_was_shown"
        ),
        ("assert [] == ['Predict: Is a loop running?",),
    ),
    Fault(
        "table-cuts-an-error",
        "shells",
        text("asynclab/shells/table.py", "shorten(text, 500,", "shorten(text, 60,"),
        test(
            "test_shells.py::test_an_error_is_named_in_the_table_and_stands_below_it_in_one_piece"
        ),
        ("[1] SynchronousOnlyOperation: You cannot call",),
    ),
    Fault(
        "body-waits-for-acknowledgement",
        "a slow service",
        text(SERVICE, "disable_nagle_algorithm = True", "disable_nagle_algorithm = False"),
        test("servers/test_slow_service.py::test_a_kept_connection_does_not_hold_the_answer_back"),
        ("< 0.02",),
    ),
    Fault(
        "latency-is-of-the-whole-crowd",
        "a slow service",
        text(
            "asynclab/servers/visits.py",
            "    responses, latencies = zip(*visits, strict=True)\n",
            "    responses, latencies = zip(*visits, strict=True)\n"
            "    latencies = (seconds,) * visitors\n",
        ),
        test("servers/test_visits.py::test_each_visitor_has_a_latency"),
        ("+ 0.1) <",),
    ),
    Fault(
        "chart-draws-any-value",
        "a chart",
        text("asynclab/charts.py", "or not isfinite(value)", ""),
        test("test_charts.py::test_what_cannot_be_drawn_is_refused"),
        ("DID NOT RAISE",),
    ),
    Fault(
        "service-answers-one-at-a-time",
        "a slow service",
        text(SERVICE, "ThreadingTCPServer", "TCPServer", everywhere=True),
        test("servers/test_slow_service.py::test_requests_wait_at_the_same_time"),
        ("((30 * 0.2) / 2)",),
    ),
    Fault(
        "service-never-ends",
        "a slow service",
        text(SERVICE, "weakref.finalize(self, end.start).atexit = False", "self._end = end"),
        test(
            "servers/test_slow_service.py::test_a_service_is_on_loopback_and_ends_with_its_last_reference"
        ),
        ("DID NOT RAISE", "ConnectionRefusedError"),
    ),
    Fault(
        "service-makes-words-for-nobody",
        "a token service",
        text(TOKENS, "select([self.connection], ", "select([], "),
        test("servers/test_token_service.py::test_a_client_that_hangs_up_pays_for_no_further_word"),
        ("assert False", "= ends(<"),
    ),
    Fault(
        "server-outlives-its-kernel",
        "servers",
        text("asynclab/servers/keeper.py", "    os.killpg(", "    (lambda *_: None)("),
        ("tests/rough/test_killed.py::test_a_kernel_killed_beside_its_servers",),
        ("gunicorn config.wsgi",),
    ),
    Fault(
        "server-has-other-data",
        "servers",
        text(
            "asynclab/servers/process.py",
            "os.environ | environment",
            "{**os.environ, 'LIBRARY_DATABASE': '/x'}",
        ),
        test(
            "servers/test_process.py::test_a_server_has_the_settings_of_a_cell_and_the_kernels_data"
        ),
        ("{200: 4}",),
    ),
    Fault(
        "visitors-go-one-by-one",
        "servers",
        text(
            "asynclab/servers/visits.py",
            'group.create_task(_timed(url), name="visit")',
            "(task := group.create_task(_timed(url)), await task)[0]",
        ),
        test("servers/test_visits.py::test_visitors_come_at_once_and_bring_their_responses"),
        ("ConnectionLost", "ended a connection before"),
    ),
    Fault(
        "servers-own-tasks-are-drawn",
        "servers",
        text(TAPS, r"|uvicorn\.(lifespan|server)", ""),
        test("servers/test_in_kernel.py::test_the_lanes_tell_a_servers_threads_by_their_jobs"),
        ("uvicorn's own tasks are not the lesson's",),
    ),
    Fault(
        "postgresql-leaves-its-folder",
        "PostgreSQL",
        text(POSTMASTER, "        shutil.rmtree(self._folder, ignore_errors=True)\n", ""),
        ("tests/rough/test_killed.py::test_a_kernel_killed_beside_its_postgresql",),
        ("the folder of PostgreSQL",),
    ),
    Fault(
        "postgresql-is-killed",
        "PostgreSQL",
        text(POSTMASTER, '        self.stop("immediate")\n', "        self._server.kill()\n"),
        test("servers/test_postgresql.py::test_nothing_is_left_of_it"),
        ("not in {",),
    ),
    Fault(
        "kit-takes-a-slot-of-djangos",
        "PostgreSQL",
        text(POSTGRESQL, '"superuser_reserved_connections": 2', '"reserved_connections": 0'),
        test("servers/test_postgresql.py::test_slots_run_out_for_real_and_the_kit_still_sees_it"),
        ("3 {'idle': 3}",),
    ),
    Fault(
        "database-settings-outlive-their-block",
        "PostgreSQL",
        text(
            DEMO,
            "            in_use.update({name: found[name] for",
            "            ({name: found[name] for",
        ),
        test("servers/test_postgresql.py::test_settings_hold_for_a_block_and_nothing_stays_open"),
        ("{} 60",),
    ),
    Fault(
        "pool-outlives-its-block",
        "PostgreSQL",
        text(DATABASES, "        pool.close()\n", "        pass\n"),
        test("servers/test_postgresql.py::test_settings_hold_for_a_block_and_nothing_stays_open"),
        ("-scheduler",),
    ),
    Fault(
        "boot-leaves-connections-to-postgresql",
        "PostgreSQL",
        text(
            DEMO,
            "            self.place.server.disconnect()\n        self._close",
            "            pass\n        self._close",
        ),
        test("servers/test_postgresql.py::test_settings_hold_for_a_block_and_nothing_stays_open"),
        ("{'idle': 1} {}",),
    ),
    Fault(
        "refused-connections-not-counted",
        "PostgreSQL",
        text(
            "asynclab/servers/observation.py",
            "                refused += 1\n",
            "                pass\n",
        ),
        test("servers/test_observation.py::test_connections_are_counted"),
        ("(4, 0, 4, 3)",),
    ),
    Fault(
        "a-server-that-django-does-not-use-is-counted",
        "PostgreSQL",
        text(POSTGRESQL, "        self._check_in_use()\n        limit", "        limit"),
        test("servers/test_postgresql.py::test_a_server_that_django_does_not_use_is_not_counted"),
        ("Django's database is SQLite now",),
    ),
    Fault(
        "refused-connections-not-marked",
        "PostgreSQL",
        text("asynclab/lanes/watching.py", "        self._refused()\n", ""),
        test("servers/test_observation.py::test_the_end_of_the_slots_and_the_refused_are_marked"),
        ("2 refused",),
    ),
    Fault(
        "error-page-of-a-site-not-used",
        "servers",
        text("asynclab/servers/site.py", "        if handler500:\n", "        if False:\n"),
        test("servers/test_site.py::test_a_site_may_have_an_error_page_of_its_own"),
        ("500 no such book",),
    ),
    Fault(
        "who-has-left-a-service-is-counted",
        "servers",
        text("asynclab/servers/slow_service.py", "self._here -= 1", "self._here -= 0"),
        test(
            "servers/test_slow_service.py"
            "::test_visitors_who_come_one_after_another_are_not_there_at_once"
        ),
        ("(3, 3) == (3, 1)",),
    ),
    Fault(
        "peak-without-what-was-open",
        "PostgreSQL",
        text(
            "asynclab/servers/observation.py",
            "peak = len(open_now)\n        for",
            "peak = 0\n        for",
        ),
        test(
            "servers/test_observation.py"
            "::test_what_was_open_when_it_began_counts_for_the_peak_though_nobody_comes"
        ),
        ("(0, 0, 1) == (0, 2, 1)",),
    ),
    # --- what only a second recording, a garbage collector or a large statement shows
    Fault(
        "lane-opened-under-a-lock-that-is-held",
        "the recorder",
        text(EVENTS, "self._new_lane = threading.RLock()", "self._new_lane = threading.Lock()"),
        test("recorder/test_events.py::test_a_lane_can_be_opened_while_one_is_being_opened"),
        ("has not ended within 20 seconds",),
    ),
    Fault(
        "recorder-waits-for-itself",
        "the recorder",
        text(TAPS, "_switch = threading.RLock()", "_switch = threading.Lock()"),
        test("recorder/test_taps.py::test_a_second_stop_changes_nothing"),
        ("has not ended within 20 seconds",),
    ),
    Fault(
        "second-recording-of-a-cell-forgotten",
        "the recorder",
        text(
            TAPS,
            "        elif known.blocks:\n            known.blocks += (recording,)\n",
            "",
        ),
        test("recorder/test_taps.py::test_each_recording_of_a_cell_sees_its_later_steps"),
        ("assert 1 == 2",),
    ),
    Fault(
        "statement-kept-whole",
        "the recorder",
        text(TAPS, "str(sql)[:300]", "str(sql)"),
        test("recorder/test_taps.py::test_what_is_kept_of_a_statement_is_bounded"),
        ("== 300",),
    ),
    Fault(
        "what-an-error-ended-told-without-bound",
        "the lanes",
        text(
            "asynclab/lanes/text.py",
            "{_listed([_times(*each) for each in names.items()], ', then ')}",
            "{', then '.join(_times(*each) for each in names.items())}",
        ),
        test("lanes/test_lanes.py::test_text_is_bounded_however_much_one_error_has_ended"),
        ("page 32999",),
    ),
    Fault(
        "key-of-a-span-that-has-ended-kept",
        "the recorder",
        text(EVENTS, "        if op == END:\n            wanted.discard(key)\n", ""),
        test("recorder/test_events.py::test_the_key_of_a_span_that_has_ended_may_be_anothers"),
        ("another's",),
    ),
    Fault(
        "replacements-kept-for-good",
        "the recorder",
        text(HOOKS, "self.replacements = weakref.WeakSet()", "self.replacements = set()"),
        test("recorder/test_hooks.py::test_what_stood_in_a_methods_place_is_let_go"),
        ("is None",),
    ),
    Fault(
        "moment-drawn-over-the-whole-still",
        "the lanes",
        text(
            "asynclab/lanes/still.py",
            "_moments(self.spans), 1_000_000]",
            "_moments(self.spans), 1]",
        ),
        test("lanes/test_lanes.py::test_still_shows_a_millisecond_at_least"),
        ("== 1000000",),
    ),
    Fault(
        "page-that-is-ready-late-not-told-again",
        "a lost message",
        text(
            "asynclab/lanes/live.py",
            "            if number in ONCE_MORE:\n",
            "            if False:\n",
        ),
        test(
            "lanes/test_lanes.py::test_a_page_that_is_ready_late_is_told_again_while_the_cell_runs"
        ),
        ("KeyError: 'rows'",),
    ),
]
