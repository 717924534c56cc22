"""The table of tests that do not apply to ftpsd, and of those where it differs on purpose."""

import fnmatch
import re
import tomllib


class Differences:
    """What differences.toml says about tests, which are named as in test_functional.py::TestFtpAbort::test_abor_pasv."""

    def __init__(self, table, version):
        self._not_applicable = of_version(table["not_applicable"], version)
        self._differences = of_version(table["difference"], version)

    @classmethod
    def read(cls, path, version):
        """Reads the table from a file, as far as it holds for a version of pyftpdlib."""
        with open(path, "rb") as file:
            return cls(tomllib.load(file), version)

    def why_not_applicable(self, test):
        """Why a test does not apply; None if it does."""
        entry = find(self._not_applicable, test)
        return entry and entry["reason"]

    def expected(self, test):
        """The expected difference of a test, None if there is none."""
        entry = find(self._differences, test)
        return entry and Difference(entry["shows"], entry["reason"])


class Difference:
    """A decision of ftpsd's that makes a test fail in one way."""

    def __init__(self, shows, reason):
        self._shows = re.compile(shows)
        self.reason = reason

    def explains(self, failure):
        """Returns whether this is how it fails. Another failure of the same test is none of the difference's."""
        return self._shows.search(failure) is not None


def of_version(entries, version):
    return [entry for entry in entries if version.startswith(entry.get("version", ""))]


def find(entries, test):
    for entry in entries:
        if any(fnmatch.fnmatchcase(test, pattern) for pattern in entry["tests"]):
            return entry
    return None
