"""Pytest plugin that runs pyftpdlib's tests against ftpsd. Started by run.py, which tells it by FTPSD_… variables."""

import importlib
import os
import pathlib
import sys

import pytest

from differences import Differences
from ftpsd_main import make_main
from ftpsd_process import FtpsdProcess
from ftpsd_wrapper import make_wrapper
from outcomes import Outcomes

# The classes that start a server: in a thread and in a process, by the names of version 2 and of 1.5.
WRAPPER_NAMES = ("FtpdThreadWrapper", "FtpdMultiprocWrapper", "ThreadedTestFTPd", "MProcessTestFTPd")

sys.path.insert(0, os.environ["FTPSD_SUITE"])
suite = importlib.import_module(os.environ["FTPSD_SUITE_PACKAGE"])
version = importlib.import_module("pyftpdlib").__ver__
outcomes = Outcomes(Differences.read(pathlib.Path(__file__).with_name("differences.toml"), version))
process = FtpsdProcess(os.environ["FTPSD_DENO"])


def pytest_configure():
    """Puts ftpsd in the place of their server before a test module is read."""
    wrapper = make_wrapper(process, suite)
    for name in WRAPPER_NAMES:
        if hasattr(suite, name):
            setattr(suite, name, wrapper)
    importlib.import_module("pyftpdlib.__main__").main = make_main(process)


def pytest_collection_modifyitems(config, items):
    """Leaves out what a module only imports from another one, where it is collected, too."""
    own, imported = [], []
    for item in items:
        (own if item.cls.__module__ == item.module.__name__ else imported).append(item)
    config.hook.pytest_deselected(items=imported)
    items[:] = own
    for item in items:
        reason = outcomes.why_not_applicable(name_of(item.nodeid))
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def sound_server():
    """Fails a test that met an internal error of the server, and stops a server that was left."""
    process.errors.clear()
    yield
    process.stop()
    assert process.errors == []


def pytest_runtest_logreport(report):
    outcomes.add(name_of(report.nodeid), report)


def pytest_collectreport(report):
    if report.failed:
        outcomes.add(name_of(report.nodeid), report)


def pytest_sessionfinish(session):
    process.close()
    print(f"\n\npyftpdlib {version}\n")
    outcomes.print()
    session.exitstatus = 0 if outcomes.are_as_expected() else 1


def name_of(nodeid):
    """test_functional.py::TestFtpAbort::test_abor_pasv, without the folders."""
    return nodeid.rsplit("/", 1)[-1]
