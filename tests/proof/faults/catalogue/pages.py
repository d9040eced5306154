"""What can go wrong in the page: each is looked at in a real browser."""

from tests.proof.faults.edits import Plant, text
from tests.proof.faults.planting import Fault

CONSOLE = (
    "tests/pages/test_browser_notebooks.py"
    "::test_the_console_is_quiet_and_nothing_is_fetched_from_elsewhere"
    "[notebooks/00_start_here.ipynb]",
)
LANES = "tests/pages/test_browser_lanes.py"
PLANTED = "planted in the page"


def throwing(script: str, signature: str) -> Plant:
    """Let a function of a script throw as soon as it is called."""
    return text(script, f"{signature}\n", f'{signature}\nthrow new Error("{PLANTED}");\n')


FAULTS = [
    Fault(
        "lanes-throw",
        "a script in the page",
        throwing("asynclab/lanes/live.js", "function render({ model, el }) {"),
        CONSOLE,
        (PLANTED,),
        browser=True,
    ),
    Fault(
        "prediction-throws",
        "a script in the page",
        throwing("asynclab/predict/form.js", "function render({ model, el }, place) {"),
        CONSOLE,
        (PLANTED,),
        browser=True,
    ),
    Fault(
        "playground-throws",
        "a script in the page",
        throwing("asynclab/playground/panel.js", "function render({ model, el }) {"),
        ("tests/pages/test_browser_playground.py::test_five_clicks_are_one_run",),
        ('waiting for locator(".asynclab-playground:visible").get_by_role("button", name="Run"',),
        browser=True,
    ),
    Fault(
        "locked-form-stays-open",
        "a prediction",
        text("asynclab/predict/form.js", "fields.disabled = locked;", "fields.disabled = false;"),
        (
            "tests/pages/test_browser_notebooks.py"
            "::test_a_prediction_can_be_made_with_keys_and_the_next_with_the_mouse"
            "[notebooks/00_start_here.ipynb]",
        ),
        ("where False = all(",),
        browser=True,
    ),
    Fault(
        "lanes-take-names-for-html",
        "security",
        text(
            "asynclab/lanes/small.js",
            "node.textContent = words",
            "node.innerHTML = words",
            everywhere=True,
        ),
        ("tests/pages/test_browser_lanes.py::test_markup_in_a_name_stays_text[light]",),
        ('get_by_text("<img src=x onerror=window.hacked=1>',),
        browser=True,
    ),
    Fault(
        "lanes-do-not-notice-a-lost-message",
        "a lost message",
        text(
            "asynclab/lanes/live.js",
            "    if (number > this.number + 1) this.lacking = number - 1;\n",
            "",
        ),
        (f"{LANES}::test_after_a_lost_message_every_lane_has_its_name_and_every_span_too",),
        ("Page.wait_for_selector: Timeout", "data-spans='4'"),
        browser=True,
    ),
    Fault(
        "lanes-ask-only-once-for-what-was-lost",
        "a lost message",
        text("asynclab/lanes/live.js", "      asking = setTimeout(ask, patience *= 2);\n", ""),
        (f"{LANES}::test_after_lost_messages_the_picture_of_the_end_is_whole[an answer too]",),
        ("Locator.wait_for: Timeout", "Play the recording again, slowly"),
        browser=True,
    ),
    Fault(
        "live-picture-does-not-say-what-was-dropped",
        "the live picture",
        text("asynclab/lanes/live.js", "${length}${behind}${dropped}`", "${length}${behind}`"),
        (f"{LANES}::test_after_a_lost_message_every_lane_has_its_name_and_every_span_too",),
        (" 5 spans, .*, 1,234 events dropped",),
        browser=True,
    ),
    Fault(
        "messages-leave-lanes-out",
        "a lost message",
        text("asynclab/lanes/feed.py", "self._lanes(rows.lanes)", "self._lanes({0})"),
        (
            "tests/kit/lanes/test_lanes.py::test_a_message_can_be_read_by_whoever_has_lost_all_others",
        ),
        ("{0: 'event loop'",),
    ),
    Fault(
        "lanes-trap-keys",
        "a script in the page",
        text(
            "asynclab/lanes/live.js",
            "this.scroller.append(this.inner);",
            'this.scroller.append(this.inner);this.scroller.dataset.lmSuppressShortcuts = "true";',
        ),
        (
            "tests/pages/test_browser_lanes.py"
            "::test_keys_of_jupyterlab_work_after_a_click_and_a_drag_in_the_picture",
        ),
        ("Page.wait_for_function: Timeout",),
        browser=True,
    ),
    Fault(
        "replay-tells-the-wrong-state",
        "a script in the page",
        text(
            "asynclab/lanes/moments.js",
            "Math.max(span.start, stepAt(span, at))",
            "span.start",
        ),
        (
            "tests/pages/test_browser_replay.py::test_keys_go_from_hop_to_hop_and_each_is_told_in_words",
        ),
        ("At index 5 diff: ('11.00', 'fetch goes on after count_books', 'awaiting",),
        browser=True,
    ),
    Fault(
        "brief-thread-not-drawn-in-the-page",
        "a script in the page",
        text("asynclab/lanes/live.js", "const LEAST = 3;", "const LEAST = 0;"),
        (f"{LANES}::test_a_thread_that_lives_briefly_is_drawn",),
        ("assert 0 > 60",),
        browser=True,
    ),
    Fault(
        "picture-that-has-ended-drawn-on",
        "a script in the page",
        text(
            "asynclab/lanes/live.js",
            "if (!this.store.ended && !this.calm.matches)",
            "if (!this.calm.matches)",
        ),
        (f"{LANES}::test_a_picture_that_has_ended_is_not_drawn_again_and_again",),
        ("assert 20 <= 2",),
        browser=True,
    ),
    Fault(
        "choice-not-sent-before-the-lock",
        "a prediction",
        text(
            "asynclab/predict/form.js",
            "form.elements.choice.value);\n    model.save_changes();",
            "form.elements.choice.value);",
        ),
        (
            "tests/pages/test_browser_predict.py"
            "::test_a_choice_that_is_not_locked_counts_and_stays_when_the_answer_comes",
        ),
        ("You made no prediction.",),
        browser=True,
    ),
    Fault(
        "live-lanes-hide-how-far-they-are-behind",
        "a lost message",
        text("asynclab/lanes/live.js", "${length}${behind}${dropped}`", "${length}${dropped}`"),
        (f"{LANES}::test_after_a_lost_message_every_lane_has_its_name_and_every_span_too",),
        ("1 events behind",),
        browser=True,
    ),
    Fault(
        "keys-on-the-button-taken-by-the-notebook",
        "a prediction",
        text(
            "asynclab/predict/form.js",
            'keepKeys(add(form, "button", {}, "Lock it in"))',
            'add(form, "button", {}, "Lock it in")',
        ),
        ("tests/pages/test_browser_predict.py::test_keys_on_the_button_are_not_the_notebooks",),
        ("Locked: you predict yes.",),
        browser=True,
    ),
]
