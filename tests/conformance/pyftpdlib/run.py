"""Runs pyftpdlib's own functional tests against ftpsd.

usage: run.py [--deno PATH] [-k EXPRESSION] FOLDER [MODULE ...]

FOLDER is a source tree of pyftpdlib, with tests/ (version 2.1 and later) or pyftpdlib/test/ (before). MODULE is a name
such as test_functional, several may be given; default: all that apply. -k chooses tests as pytest does.
Exit status 0: every test passed or failed as differences.toml expects; 1: not so; 2: cannot run.
Needs pytest, psutil and pyOpenSSL for the Python that runs it.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODULES = ("test_functional", "test_functional_ssl", "test_servers", "test_cli")
PACKAGES = {"tests": "tests", "pyftpdlib.test": "pyftpdlib/test"}


def main():
    options = parse_arguments()
    suite = options.folder.resolve()
    package = find_package(suite)
    if package is None:
        print(f"error: no functional tests of pyftpdlib in {suite}", file=sys.stderr)
        return 2
    folder = suite / PACKAGES[package]
    modules = [folder / f"{name}.py" for name in options.modules or MODULES]
    with tempfile.TemporaryDirectory(prefix="ftpsd_pyftpdlib_") as home:
        return run_pytest([path for path in modules if path.exists()], options, cwd=os.path.realpath(home), env={
            "FTPSD_SUITE": str(suite),
            "FTPSD_SUITE_PACKAGE": package,
            "FTPSD_DENO": options.deno,
        })


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--deno", default="deno", metavar="PATH")
    parser.add_argument("-k", dest="expression", default="", metavar="EXPRESSION")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    return parser.parse_args()


def find_package(suite):
    for package, folder in PACKAGES.items():
        if (suite / folder / "test_functional.py").exists():
            return package
    return None


def run_pytest(modules, options, cwd, env):
    """The folder it runs in is the home of the users, and nothing may be written elsewhere."""
    command = [sys.executable, "-m", "pytest", "-p", "ftpsd_plugin", "-p", "no:cacheprovider", "-c", os.devnull]
    command += [f"--rootdir={env['FTPSD_SUITE']}", "-q", "--no-header", "--no-summary", "--tb=short", "-W", "ignore"]
    command += ["-k", options.expression, *map(str, modules)]
    # Somewhere times of the zone differ from UTC; Deno keeps its cache where HOME says, so that stays.
    own = {"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=cwd, env=os.environ | own | env | {"TZ": "Asia/Tokyo"}).returncode


if __name__ == "__main__":
    sys.exit(main())
