"""What became of the tests, judged by the table of differences."""

import collections
import textwrap

PASSED = "passed"
DIFFERENT = "expected difference"
FAILED = "unexpected failure"
NO_LONGER_DIFFERENT = "passes, though a difference is expected"
NOT_APPLICABLE = "not applicable"
SKIPPED = "skipped by the suite"


class Outcomes:
    """Collects the reports of pytest."""

    def __init__(self, table):
        self._table = table
        self._failures = {}
        self._skipped = {}
        self._tests = {}  # in order

    def why_not_applicable(self, test):
        return self._table.why_not_applicable(test)

    def add(self, test, report):
        """Takes a report of setup, call or teardown, or of the collection of a module."""
        self._tests[test] = True
        if report.failed:
            self._failures.setdefault(test, report.longreprtext)
        elif report.skipped:
            self._skipped[test] = report.longrepr[2].removeprefix("Skipped: ")

    def are_as_expected(self):
        """Returns whether tests ran, and all of them as expected."""
        verdicts = {self._judge(test)[0] for test in self._tests}
        return PASSED in verdicts and not verdicts & {FAILED, NO_LONGER_DIFFERENT}

    def print(self):
        """Prints each test that did not just pass, with the reason, and the counts of each module."""
        judged = [(test, *self._judge(test)) for test in self._tests]
        for wanted in (NOT_APPLICABLE, SKIPPED, DIFFERENT, NO_LONGER_DIFFERENT, FAILED):
            print_list(wanted, [(test, text) for test, verdict, text in judged if verdict == wanted])
        for module in dict.fromkeys(test.split("::")[0] for test in self._tests):
            print_counts(module, [verdict for test, verdict, _ in judged if test.split("::")[0] == module])

    def _judge(self, test):
        failure = self._failures.get(test)
        if failure is None and test in self._skipped:
            reason = self._skipped[test]
            return (NOT_APPLICABLE if self._table.why_not_applicable(test) else SKIPPED), reason
        difference = self._table.expected(test)
        if difference is None:
            return (PASSED, "") if failure is None else (FAILED, failure)
        if failure is None:
            return NO_LONGER_DIFFERENT, difference.reason
        return (DIFFERENT, difference.reason) if difference.explains(failure) else (FAILED, failure)


def print_list(title, tests):
    if not tests:
        return
    print(f"{title}:")
    by_text = collections.defaultdict(list)
    for test, text in tests:
        by_text[text].append(test)
    for text, names in by_text.items():
        for line in grouped(names):
            print(f"  {line}")
        print(textwrap.indent(text.strip(), "    "))
    print()


def grouped(tests):
    """The tests of each class in one line."""
    classes = collections.defaultdict(list)
    for test in tests:
        group, _, name = test.rpartition("::")
        classes[group].append(name)
    return [f"{group}: {', '.join(names)}" if group else names[0] for group, names in classes.items()]


def print_counts(module, verdicts):
    counts = collections.Counter(verdicts)
    applicable = sum(counts[verdict] for verdict in (PASSED, DIFFERENT, FAILED, NO_LONGER_DIFFERENT))
    unexpected = counts[FAILED] + counts[NO_LONGER_DIFFERENT]
    share = f" ({100 * counts[PASSED] / applicable:.1f} %)" if applicable else ""
    print(
        f"{module}: {applicable} applicable, {counts[PASSED]} passed{share}, "
        f"{counts[DIFFERENT]} expected differences, {unexpected} unexpected; "
        f"{counts[NOT_APPLICABLE]} not applicable, {counts[SKIPPED]} skipped by the suite"
    )
